"""The ids of CCPM tasks, and the mapping of old ones to issues."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.sources.ccpm_ids import Mapping, Resolver, issue_number, words_of
from penstock.planning.sources.text import from_bytes


def mapping(text: str) -> Mapping:
    """A github-mapping.md of this text."""
    return Mapping(from_bytes(text.encode(), "github-mapping.md"))


def resolver(text: str, *stems: str) -> Resolver:
    """What finds the tasks `stems`."""
    made = Resolver(mapping(text))
    for stem in stems:
        made.ids.add(stem, stem)
    return made


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("https://github.com/o/r/issues/12", 12),
        ("https://github.example.invalid/o/r/issues/12#issuecomment-3", 12),
        ("[Will be updated when synced]", None),
        ("https://github.com/o/r/pull/12", None),
        ("/issues/" + "9" * 40, None),
        (None, None),
        (["x"], None),
    ],
)
def test_the_number_of_an_issue_is_that_of_its_address(value: Any, number: int | None) -> None:
    """Of anything else there is none."""
    assert issue_number(value) == number


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["12", "#13", "014"], ["12", "13", "014"]),
        ("12, 13; 14", ["12", "13", "14"]),
        ("task 12 and issue #13", ["12", "13"]),
        (["12.md", "bug-3-x.md", "bug-3-x"], ["12", "bug-3-x", "bug-3-x"]),
        ("https://github.com/o/r/issues/12, https://github.com/o/r/issues/13", ["12", "13"]),
        (["setup-db, api"], ["setup-db", "api"]),
        (["when 12 is ready"], ["12"]),
        ([None, "", "none", "N/A", "-", True], []),
        (None, []),
        (12, ["12"]),
        ("- #12\n- #13", ["12", "13"]),
        ([["12"]], ["12"]),
    ],
)
def test_ids_are_taken_out_of_what_people_write(value: Any, words: list[str]) -> None:
    """What holds none comes as it is."""
    assert list(words_of(value)) == words


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("001 -> 12", {"001": "12"}),
        ("- 001.md → #12", {"001": "12"}),
        ("* `001.md` => `12.md`", {"001": "12"}),
        ("001: #12", {"001": "12"}),
        ("| 001 | Title | #12 |", {"001": "12"}),
        ("| [#12](https://example.invalid) | 001.md |", {"001": "12"}),
        ("| 001 | 001 |", {}),
        ("| Old | New |", {}),
        ("001: 2 kinds of things", {}),
        ("Epic: #10 - https://github.com/o/r/issues/10", {}),
    ],
)
def test_lines_that_name_both_ids(line: str, named: dict[str, str]) -> None:
    """Arrows, colons and tables; a title that begins with a number is none."""
    assert mapping(line).named == named


def test_issues_are_listed_in_order() -> None:
    """Whatever the list looks like; the epic is none of them."""
    text = "Epic: #9\n- #11: a\n* #12 b\n1. [#13](x) c\n- [ ] #14: d\n- see #15\n"
    assert mapping(text).listed == ["11", "12", "13", "14"]


def test_an_old_id_is_counted_off_only_when_it_looks_old() -> None:
    """With zeros before it, and within the list."""
    made = mapping("- #11: a\n- #12: b\n")
    assert [made.issue(old) for old in ("001", "002", "003", "000", "1", "0" * 20 + "1")] == [
        ("11", False), ("12", False), None, None, None, None,
    ]  # fmt: skip


def test_without_a_mapping_nothing_is_mapped() -> None:
    """A stem is found however it is padded."""
    made = Resolver(Mapping(None))
    made.ids.add("012", "012")
    assert [made.find(word) for word in ("012", "12", "#12", "13")] == [
        ("012", True), ("012", True), ("012", True), None,
    ]  # fmt: skip


def test_the_surest_reading_of_an_id_counts() -> None:
    """The stem itself, then a mapping that names it, then another padding, then counting."""
    made = resolver("001 -> 21\n- #20: a\n- #21: b\n- #22: c\n", "20", "21", "22", "2")
    assert made.find("20") == ("20", True)
    assert made.find("001") == ("21", True)
    assert made.find("002") == ("2", True)
    assert made.find("003") == ("22", False)


def test_a_mapping_to_what_is_not_there_finds_nothing() -> None:
    """Named or counted."""
    made = resolver("001 -> 99\n- #98: a\n- #97: b", "5")
    assert (made.find("001"), made.find("002")) == (None, None)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=6))
def test_any_value_is_taken(value: Any) -> None:
    """Each word is text."""
    assert all(isinstance(word, str) for word in words_of(value))


@given(st.text(alphabet="0123456789#->:|.md \n*`[]()→", max_size=200))
def test_any_mapping_is_taken(text: str) -> None:
    """Ids and issues are digits."""
    made = mapping(text)
    assert all(word.isdigit() for pair in made.named.items() for word in pair)
    assert all(word.isdigit() for word in made.listed)
