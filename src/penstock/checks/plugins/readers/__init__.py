"""Readers: each turns what a family of tools prints into findings."""
