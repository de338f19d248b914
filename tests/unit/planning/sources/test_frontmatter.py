"""Frontmatter as people write it: commented, padded, broken, missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.sources.api import Notice
from penstock.planning.sources.frontmatter import frontmatter, yaml_mapping
from tests.support.plan_texts import codes, text_file


def front(body: str) -> tuple[dict[str, Any], list[Notice]]:
    """The frontmatter made of some lines, and what is odd about it."""
    values, notices, _ = frontmatter(text_file(f"---\n{body}\n---\n# T\n"))
    return values, notices


def test_comments_behind_values_are_none_of_them() -> None:
    """`status: open # (open|closed)` is open."""
    values, notices = front("status: open # (open|closed)\nname: 'a # b' # c")
    assert values == {"status": "open", "name": "a # b"}
    assert notices == []


def test_numbers_and_dates_stay_as_they_are_written() -> None:
    """001 and 010 are ids, not 1 and 8; a date is the text that stands there."""
    values, _ = front("depends_on: [001, 010, 12]\ncreated: 2025-01-02\nprogress: 0%\nx: 1.50")
    assert values["depends_on"] == ["001", "010", "12"]
    assert (values["created"], values["progress"], values["x"]) == ("2025-01-02", "0%", "1.50")


@pytest.mark.parametrize(
    ("word", "value"),
    [("true", True), ("False", False), ("yes", True), ("no", False), ("", None), ("~", None)],
)
def test_truth_and_nothing_are_read(word: str, value: object) -> None:
    """The words of YAML for true, false and nothing."""
    assert front(f"parallel: {word}")[0] == {"parallel": value}


def test_quoted_words_stay_text() -> None:
    """ "true" in quotes is a word."""
    assert front("a: \"true\"\nb: '1'")[0] == {"a": "true", "b": "1"}


def test_odd_keys_stay_as_they_are_written() -> None:
    """`on` and `12` are keys like others."""
    assert front("on: 1\n12: 2\n[a]: 3")[0] == {"on": "1", "12": "2", "?": "3"}


def test_the_first_line_behind_it_is_told() -> None:
    """Three dashes or three dots end it."""
    assert frontmatter(text_file("---\na: b\n...\nx"))[2] == 4
    assert frontmatter(text_file("\ufeff---\r\na: b\r\n---\r\nx"))[2] == 4


@pytest.mark.parametrize(
    "text", ["", "# T\n", "---\nno end\n", "----\na: b\n----\n", " ---\n---\n"]
)
def test_missing_frontmatter_is_told(text: str) -> None:
    """Without a closed pair of lines with dashes there is none, and the body begins at line 1."""
    values, notices, first = frontmatter(text_file(text))
    assert (values, codes(notices), first) == ({}, ["missing-frontmatter"], 1)


def test_empty_frontmatter_is_nothing_odd() -> None:
    """Two lines of dashes, nothing in between."""
    assert frontmatter(text_file("---\n---\nx"))[:2] == ({}, [])
    assert front("# only a comment") == ({}, [])


def test_broken_yaml_is_told_and_read_line_by_line() -> None:
    """A colon in a title breaks YAML; the other fields are still there."""
    values, (notice,) = front(
        "name: Fix: the thing # now\nstatus: open\ndepends_on: [1, '02']\nparallel: true\ngithub:"
    )
    assert notice.code == "broken-frontmatter"
    assert str(notice.place) == "plan.md:2"
    assert values["name"] == "Fix: the thing"
    assert values["depends_on"] == ["1", "02"]
    assert (values["parallel"], values["status"], values["github"]) == (True, "open", None)


def test_what_is_no_mapping_is_told() -> None:
    """A list or a word is no frontmatter."""
    assert codes(front("- a\n- b")[1]) == ["broken-frontmatter"]
    assert codes(front("word")[1]) == ["broken-frontmatter"]


def test_a_repeated_key_is_told_and_the_last_counts() -> None:
    """As YAML readers do."""
    values, (notice,) = front("status: open\nstatus: closed")
    assert values == {"status": "closed"}
    assert (notice.code, str(notice.place)) == ("repeated-key", "plan.md:3")


@pytest.mark.parametrize("body", ["a: &x 1\nb: *x", "a: " + "[" * 40 + "]" * 40])
def test_aliases_and_depth_are_refused(body: str) -> None:
    """Neither a bomb of aliases nor a tower of lists is unfolded."""
    values, notices = front(body)
    assert codes(notices) == ["broken-frontmatter"]
    assert "a" in values


def test_a_tab_is_told_with_its_line() -> None:
    """YAML does not allow tabs for indents."""
    _, (notice,) = front("a: b\nc:\n\td: e")
    assert notice.code == "broken-frontmatter"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80))
def test_any_frontmatter_is_read_or_told(body: str) -> None:
    """No text makes it fail."""
    values, notices, first = frontmatter(text_file(f"---\n{body}\n---\n"))
    assert isinstance(values, dict)
    assert first >= 1
    assert all(notice.place for notice in notices)


# -- whole files -----------------------------------------------------------------------------------
def test_a_yaml_file_is_read_like_frontmatter() -> None:
    """But only true and false are truth values in it."""
    file = text_file("schema: spec-driven # why\nskip_specs: yes\nnested: {a: true}\n")
    values, notices = yaml_mapping(file)
    assert values == {"schema": "spec-driven", "skip_specs": "yes", "nested": {"a": True}}
    assert notices == []


@pytest.mark.parametrize(("text", "line"), [("a: [\n", 2), ("- a\n", 1), ("a: b: c\n", 1)])
def test_a_broken_yaml_file_is_told(text: str, line: int) -> None:
    """With its line."""
    _, (notice,) = yaml_mapping(text_file(text, "x.yaml"))
    assert (notice.code, str(notice.place)) == ("broken-yaml", f"x.yaml:{line}")


def test_an_empty_yaml_file_holds_nothing() -> None:
    """Nothing is no fault."""
    assert yaml_mapping(text_file("")) == ({}, [])
