"""Tests of the `aim` command."""
