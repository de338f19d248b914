"""Tests of the formats of a report of the error engine."""
