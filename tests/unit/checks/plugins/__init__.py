"""Tests of the plugins of the error engine."""
