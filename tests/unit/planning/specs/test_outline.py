"""Headings are found by offset, and agree with those of the reader of plans."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.specs.outline import headings


def titles(text: str) -> list[str]:
    """The headings of a text."""
    return [each.text for each in headings(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# One\n## Two ##\n### Three #4\n", ["One", "Two", "Three #4"]),
        ("#\n# \n####### seven\n#no\n    # code\n", ["", ""]),
        ("One\n===\n\nTwo\n---\n- a\n---\n\n---\n", ["One", "Two"]),
        ("```\n# a\n```\n# b\n~~~ x\n# c\n```\n~~~\n# d\n", ["b", "d"]),
        ("````\n```\n# a\n````\n# b\n", ["b"]),
        ("```\n# never ends\n# b\n", ["never ends", "b"]),
        ("```py\n# a\n```py\n# b\n```\n# c\n", ["c"]),
        ("``` a`b\n# text\n", ["text"]),
        ("<!--\n# a\n-->\n# b\n<!-- c -->\n# d\n<!-- open\n# e\n", ["b", "d", "e"]),
        ("---\ntitle: x\n---\n# a\n", ["a"]),
        ("---\n# a\n", ["a"]),
        ("", []),
    ],
)
def test_headings(text: str, found: list[str]) -> None:
    """Both forms; none in fences, comments, settings; what never ends hides nothing."""
    assert titles(text) == found


def test_offsets_are_those_of_the_line() -> None:
    """Of the title too, where the line below it makes it a heading."""
    text = "a\n\nOne\n===\n# Two\n"
    assert [text[each.offset :][:3] for each in headings(text)] == ["One", "# T"]


@pytest.mark.parametrize(
    "line", ["```x\n", "``` \n~~~~ y\n", "# " + " " * 300 + "x\n", "<!--\n", "=\n"]
)
def test_dirt_is_read_soon(line: str) -> None:
    """A megabyte of what looks like the beginning of something takes no second."""
    text = line * (1_000_000 // len(line))
    began = time.process_time()
    headings(text)
    assert time.process_time() - began < 60


@given(st.text(alphabet=st.sampled_from("# `~<!->=ab\n"), max_size=120))
def test_offsets_grow_and_lie_in_the_text(text: str) -> None:
    """Whatever the text."""
    offsets = [each.offset for each in headings(text)]
    assert offsets == sorted(set(offsets))
    assert all(0 <= offset < len(text) for offset in offsets)
