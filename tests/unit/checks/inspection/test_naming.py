"""Words of a configuration that may name files: all that matter, in time that its length bounds."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.checks.inspection.naming import MAX_WORDS, named_in

LIMIT_S = 3.0
"""Far more than it takes, on a busy machine too."""


def words(name: str, text: str, *own: str) -> set[str]:
    """The words of a configuration."""
    return set(named_in(name, text.encode(), own or ("lint",)))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('extend = "../base.toml"', "../base.toml"),
        ("extends: ./other.yml", "./other.yml"),
        ("words=list.txt", "list.txt"),
        ("lists = a.txt, b.txt", "b.txt"),
        ("name = my words.txt", "my words.txt"),
        ("import x from './rules/x.js';", "./rules/x.js"),
        ("plugins = mypkg.plugin", "mypkg.plugin"),
        ("plugin = path/to/it.py:run", "path/to/it.py"),
        ("- `../x.json`", "../x.json"),
        ("[section]\nvalue = <a/b>", "a/b"),
    ],
)
def test_words_are_found_in_any_format(text: str, word: str) -> None:
    """What stands in quotes, after a sign, in a list or by itself is a word."""
    assert word in words("lint.cfg", text)


@pytest.mark.parametrize(
    "text",
    [
        "exclude = x.txt",
        'extend-exclude = ["x.txt",\n  "y"]',
        '"ignorePatterns": ["x.txt"],',
        "skip =\n    x.txt\n    y.txt",
        'per-file-ignores = { "x.txt" = ["E1"] }',
        'per-file-ignores = {"x.txt" = []}',
    ],
)
def test_patterns_of_files_are_no_words(text: str) -> None:
    """What is left out of checks is not consulted."""
    assert "x.txt" not in words("lint.cfg", text)


def test_a_key_after_a_pattern_counts_again() -> None:
    """Only the value of a pattern's key is passed over."""
    text = 'exclude = ["x.txt"]\nwords = "x.txt"\nskip = a\n  b\nlist = y.txt\n'
    assert {"x.txt", "y.txt"} <= words("lint.toml", text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.other]\na = "x.txt"\n[tool.lint]\nb = "y.txt"\n[[more]]\nc="z"'),
        ("setup.cfg", "[other]\na = x.txt\n[lint]\nb = y.txt\n"),
        ("tox.ini", "[testenv]\na = x.txt\n[lint:more]\nb = y.txt\n"),
        ("package.json", '{"name": "x.txt", "lintConfig": {"b": "y.txt"}}'),
    ],
)
def test_of_shared_files_the_own_tables_count(name: str, text: str) -> None:
    """In a file that many tools share, another tool's words are not ours."""
    found = words(name, text)
    assert "y.txt" in found
    assert "x.txt" not in found


def test_the_distribution_may_name_the_table() -> None:
    """A table may be called by any of the names that a tool has."""
    assert "a.txt" in words("pyproject.toml", '[tool.detect_it]\nx = "a.txt"', "lint", "detect-it")


def test_files_of_patterns_name_nothing() -> None:
    """Ignore files and .editorconfig hold patterns alone."""
    assert words(".lintignore", "a.txt\n") == words(".editorconfig", "[a.txt]\n") == set()


@given(st.binary(max_size=400), st.sampled_from(["a.toml", "pyproject.toml", "package.json"]))
def test_any_bytes_can_be_read(data: bytes, name: str) -> None:
    """No bytes raise an error, and no word is empty."""
    assert all(named_in(name, data, ("lint",)))


@pytest.mark.parametrize(
    "piece", ["exclude = [", "skip = {", "[", '"', "a/b ", "x = \n ", "[tool.lint", "\n  a", "=: "]
)
def test_no_text_takes_long(piece: str) -> None:
    """The time grows with the length of the text, whatever stands in it."""
    began = time.monotonic()
    text = f"{piece}\n" * 30_000
    assert len(words("lint.cfg", text)) <= MAX_WORDS
    assert len(words("pyproject.toml", text)) <= MAX_WORDS
    assert time.monotonic() - began < LIMIT_S
