"""JSON with the line of each value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import UsageError
from penstock.planning.sources.jsonfile import JsonFile
from penstock.planning.sources.noting import Notes
from penstock.planning.sources.text import from_bytes

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def read(text: str) -> JsonFile:
    """JSON as a file."""
    return JsonFile(from_bytes(text.encode(), "a.json"))


@given(VALUES)
def test_values_are_those_of_the_text(value: Any) -> None:
    """Whatever they are; half surrogates aside, which no text of a file can be."""
    assert read(json.dumps(value, indent=1)).value == value


def test_a_value_stands_where_its_key_does() -> None:
    """An item of a list where it begins; what is not there is where it would be."""
    file = read('{\n"a": [\n1,\n{"b":\n2}\n]\n}')
    places = [
        file.place(path).line for path in [(), ("a",), ("a", 1), ("a", 1, "b"), ("a", 9), ("z",)]
    ]
    assert places == [1, 2, 4, 4, 2, 1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5.10", "5.10"),
        ("1e3", "1e3"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1" * 30, "1" * 30),
        ("12", 12),
        ('"\\ud800x"', "\N{REPLACEMENT CHARACTER}x"),
        ('"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        ('["\\udc00"]', ["\N{REPLACEMENT CHARACTER}"]),
        ('{"\\udc00": "\\udc00"}', {"\N{REPLACEMENT CHARACTER}": "\N{REPLACEMENT CHARACTER}"}),
        ('["\\u0041", null, true]', ["A", None, True]),
    ],
)
def test_numbers_and_texts_as_a_plan_needs_them(text: str, value: Any) -> None:
    """Fractions may be ids; nothing that cannot be written again."""
    assert read(text).value == value


def test_repeated_names_are_noted_at_their_line() -> None:
    """Wherever they are; without any nothing is sought."""
    notes = Notes()
    read('{"a": 1,\n"b": {"c": 1,\n"c": 2}}').note_repeated(notes)
    read('{"a": {"c": 1}, "b": {"c": 1}}').note_repeated(notes)
    assert [(n.code, n.place and n.place.line) for n in notes.all()] == [("repeated-key", 3)]


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", "tru", "[1] 2", '"\n"', "{" * 9999])
def test_what_is_no_json_is_refused(text: str) -> None:
    """With the file's name."""
    with pytest.raises(UsageError, match=r"a\.json"):
        read(text)
