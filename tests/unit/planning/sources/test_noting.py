"""What the readers share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.sources.api import Place, Severity
from penstock.planning.sources.noting import Keys, Notes, References, plain_id, shown, slug


def test_notices_come_once_and_in_order() -> None:
    """However often the same is noted."""
    notes = Notes()
    for _ in range(2):
        notes.error("a", "text", Place("f", 1), "hint")
        notes.warning("b", "text", None)
        notes.info("c", "text", None)
    other = Notes()
    other.info("d", "text", None)
    notes.extend(other.all())
    assert [n.code for n in notes.all()] == ["a", "b", "c", "d"]
    assert [n.severity for n in notes.all()][:2] == [Severity.ERROR, Severity.WARNING]


@given(st.lists(st.sampled_from(["a", "a-2", "a-2-2", "b", ""]), max_size=20))
def test_keys_are_given_once(wanted: list[str]) -> None:
    """The first to ask gets what it asks for."""
    keys = Keys()
    given_out = [keys.take(each) for each in wanted]
    assert len(set(given_out)) == len(given_out)
    assert not wanted or given_out[0] == wanted[0]


@pytest.mark.parametrize(
    ("word", "plain"),
    [("T012", "t12"), ("#7", "7"), ("007", "7"), ("0", "0"), ("000", "0"), ("05.02", "5.2"),
     ("5.10", "5.10"), ("100", "100"), (" 7 ", "7"), ("a0b01", "a0b1")],
)  # fmt: skip
def test_ids_without_padding(word: str, plain: str) -> None:
    """Zeros before a number go, those within it stay."""
    assert plain_id(word) == plain


def test_references_lead_to_what_has_the_id() -> None:
    """Exactly, else by the plain id where that is clear; the first of two counts."""
    ids: References[str] = References()
    assert [ids.add("012", "a"), ids.add("12", "b"), ids.add("12", "c"), ids.add("3", "d")] == [
        True, True, False, True,
    ]  # fmt: skip
    assert (ids["012"], ids["12"], ids["#003"]) == ("a", "b", "d")
    assert "0012" not in ids
    assert "4" not in ids
    assert (list(ids), len(ids)) == (["012", "12", "3"], 3)


def test_values_are_shown_on_one_short_line() -> None:
    """Text without quotes, others as they are written."""
    assert shown("a\n b") == "a b"
    assert shown(["x"]) == "['x']"
    assert len(shown("x" * 500)) == 80


def test_slugs_are_plain() -> None:
    """Of a text without ASCII letters nothing is left."""
    assert (slug("Tests First (TDD)"), slug("文案")) == ("tests-first-tdd", "")
