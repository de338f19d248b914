"""Where the values of a JSON text stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.config.documents import ConfigFileError, parse_document
from penstock.config.jsontext import JsonMarks, json_spans
from penstock.config.problems import Mark, Problem, key_name

TEXT = """\
{
  // a note, with "quotes" and { brackets
  "tools": {"aider": {"name": "a:b,{}[]"}},
  "list": [1, [2, {"deep": null}], "x"], /* "gone": 1, */
  "é\\"": true
}
"""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def test_every_value_has_its_place() -> None:
    """Lines and columns count from 1, point at the key, and comments change nothing."""
    marks = JsonMarks(TEXT)
    assert marks[()] == Mark(1, 1)
    assert marks[("tools",)] == Mark(3, 3)
    assert marks[("tools", "aider", "name")] == Mark(3, 23)
    assert marks[("list", 1, 1, "deep")] == Mark(4, 20)
    assert marks[('é"',)] == Mark(5, 3)
    assert ("gone",) not in marks
    assert len(marks) == len(list(marks)) == 12


@settings(deadline=None)
@given(VALUES, st.sampled_from([None, 1]))
def test_every_value_is_where_its_span_says(value: Any, indent: int | None) -> None:
    """What stands at a span is the value itself, whatever JSON it is."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    for path, span in json_spans(text).items():
        there = value
        for part in path:
            there = there[part]
        assert json.loads(text[span.start : span.end]) == there


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{\n "a": 1e999}', "line 2, column 2, a: inf is out of range"),
        ('{\n\n "a": 1,}', "line 3, column 9"),
    ],
)
def test_errors_name_line_and_column(text: str, expected: str) -> None:
    """A number out of range and a syntax error are told with their place."""
    with pytest.raises(ConfigFileError) as caught:
        parse_document(text, "x.json")
    assert expected in str(caught.value)
    assert caught.value.found[0].column is not None


def test_every_repeated_key_is_told_with_its_place() -> None:
    """At any depth, in lists too; the same name in two objects is none."""
    text = '{"a": 1,\n "b": [{"c": 1, "c": 2}, {"c": 3}],\n "a": {"b": 1},\n "a": 2}'
    with pytest.raises(ConfigFileError) as caught:
        parse_document(text, "x.json")
    assert [(p.key, p.line, p.column) for p in caught.value.found] == [
        ("b[0].c", 2, 17), ("a", 3, 2), ("a", 4, 2),
    ]  # fmt: skip


def test_a_problem_says_what_is_known_of_its_place() -> None:
    """Line, column and key are left out where they are not known."""
    assert str(Problem(text="is wrong")) == "is wrong"
    assert str(Problem(text="is wrong", key="a[0]")) == "a[0]: is wrong"
    assert str(Problem(text="is wrong", line=3)) == "line 3: is wrong"
    assert key_name(("a", 0, "b")) == "a[0].b"
