"""Tests of the test helpers themselves."""
