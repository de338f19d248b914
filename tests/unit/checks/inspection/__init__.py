"""Tests of what the error engine is made of."""
