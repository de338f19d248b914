"""Tests of the tags of documents."""
