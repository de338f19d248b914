"""Tests of what issues are told."""
