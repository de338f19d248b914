"""The same trouble gets the same signature."""

from __future__ import annotations

import pytest

from penstock.breakers.signature import combined, normalise, signature

SAME = [
    ("src/a.py:10:4: F401 unused", "src/b/c.py:99:1: F401 unused"),
    ("<Stock object at 0x7f3a2b> is not 3", "<Stock object at 0xdeadbeef> is not 3"),
    ("failed in 0.12s", "failed in 34 s"),
    ("File x, line 12, in f", "File x, line 7, in f"),
    ("commit 1a2b3c4d5e broke it", "commit 9f8e7d6c5b4a broke it"),
    ("at 2026-01-02T03:04:05Z it broke", "at 2025-11-12 13:14:15.123 it broke"),
    ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-aaaa-bbbb-cccc-426614174abc"),
    ("a  b\n\tc", "a b c"),
    ("\x1b[31mred\x1b[0m", "red"),
    (r"C:\work\a.py is bad", "/home/x/b.py is bad"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_sightings_of_one_error_are_one(one: str, other: str) -> None:
    """Paths, lines, addresses, timings, ids, colours and white space make no difference."""
    assert normalise(one) == normalise(other)
    assert signature("static", "E", one) == signature("static", "E", other)


DIFFERENT = [
    ("assert 3 == 4", "assert 5 == 4"),
    ("name 'a' is not defined", "name 'b' is not defined"),
    ("KeyError: 'facade'", "KeyError: 'decade'"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_errors_stay_different(one: str, other: str) -> None:
    """What an error is about is kept."""
    assert normalise(one) != normalise(other)


def test_step_and_code_are_part_of_it() -> None:
    """The same words from another step or rule are another error."""
    marks = {signature(s, c, "x") for s in ("static", "runtime") for c in ("E1", "E2")}
    assert len(marks) == 4


def test_a_set_of_errors_has_one_signature_whatever_its_order() -> None:
    """Order and repetition make no difference, another member does."""
    assert combined(["a", "b", "a"]) == combined(["b", "a"]) != combined(["a", "b", "c"])


def test_broken_text_is_signed_too() -> None:
    """A lone surrogate from undecodable output is no reason to fail."""
    assert len(signature("static", "E", "\udcff")) == 64
