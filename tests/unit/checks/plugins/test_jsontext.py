"""What is wrong with JSON, and where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.checks.plugins.jsontext import (
    DEPTH,
    DUPLICATE,
    MAX_REPEATED,
    SYNTAX,
    flaws,
    has_comments,
)


def places(text: str | bytes, *, comments: bool = False) -> list[tuple[str, int, int]]:
    """Return the flaws of a text as code, line and column."""
    data = text.encode() if isinstance(text, str) else text
    return [(flaw.code, flaw.line, flaw.column) for flaw in flaws(data, comments=comments)]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(value=VALUES, indent=st.none() | st.integers(0, 3))
def test_what_is_json_has_no_flaw(value: Any, indent: int | None) -> None:
    """Any document is right however it is laid out, with or without comments allowed."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    for comments in (False, True):
        assert (
            flaws(text.encode("utf-8", "surrogatepass"), comments=comments) == [] or "\\ud" in text
        )


@given(data=st.binary(max_size=200), comments=st.booleans())
def test_any_bytes_are_survived(data: bytes, comments: bool) -> None:
    """Whatever a file holds, there is an answer with a place in it."""
    for flaw in flaws(data, comments=comments):
        assert 1 <= flaw.line <= data.count(b"\n") + 1
        assert flaw.column >= 1


@given(text=st.text(alphabet='{}[]",:/*\\\n 1a', max_size=60))
def test_what_others_refuse_has_a_flaw(text: str) -> None:
    """It agrees with the standard library on what is JSON."""
    try:
        json.loads(text)
    except ValueError:
        assert [flaw.code for flaw in flaws(text.encode())] == [SYNTAX]
    else:
        assert SYNTAX not in [flaw.code for flaw in flaws(text.encode())]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("{", 1, 2),
        ('{"a": 1}\n}', 2, 1),
        ('{\n  "a": tru\n}', 2, 8),
        ("", 1, 1),
        (" \n", 1, 1),
        ('{"a": NaN}', 1, 7),
        ('["NaN",\n -Infinity]', 2, 2),
        ('["a\tb"]', 1, 4),
        ("[1] // no", 1, 5),
        (b'{"a": "caf\xe9"}', 1, 11),
        (b"\xff\xfe{\x00}\x00", 1, 1),
        (b'{\n"\xc3\xa9": "\xe9"}', 2, 7),
    ],
)
def test_the_first_mistake_is_found(text: str | bytes, line: int, column: int) -> None:
    """A syntax error is told once, at its line and column."""
    assert places(text) == [(SYNTAX, line, column)]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf{}",
        "[" + "9" * 5000 + "]",
        "1e999",
        '"\\ud800"',
        '{"a": {"a": 1}, "b": [{"a": 1}]}',
    ],
)
def test_what_is_only_unusual_passes(text: str | bytes) -> None:
    """A byte order mark, numbers without end, lone surrogates and keys that others have, too, are right."""
    assert places(text) == []


def test_repeated_keys_are_found() -> None:
    """Each repetition within one object is told where it is, however it is spelled."""
    text = '{\n  "a": 1,\n  "b": {"x": 1, "x": 2},\n  "\\u0061": "}",\n  "a": []\n}'
    assert places(text) == [(DUPLICATE, 3, 17), (DUPLICATE, 4, 3), (DUPLICATE, 5, 3)]


def test_a_text_nested_too_deep_is_told_of() -> None:
    """It may be right, so it is no syntax error, but nothing of it is known."""
    assert places("[" * 100_000 + "]" * 100_000) == [(DEPTH, 1, 1)]


COMMENTED = """\
// at the top
{
  /* of several
     lines, "}" */
  "url": "http://x/*y*/", // at the end
  "list": [1, 2,],
}
"""


def test_comments_are_passed_over_where_they_may_be() -> None:
    """Comments and commas too many are no flaw in such files, and are one elsewhere."""
    assert places(COMMENTED, comments=True) == []
    assert places(COMMENTED) == [(SYNTAX, 1, 1)]


def test_places_hold_behind_comments() -> None:
    """What is wrong behind a comment is found where it stands."""
    assert places('{ /* x\n y */ "a": oops }', comments=True) == [(SYNTAX, 2, 12)]
    assert places("[1, /* open", comments=True)[0][0] == SYNTAX
    assert places('{"a": 1, // x\n "a": 2,}', comments=True) == [(DUPLICATE, 2, 2)]


@pytest.mark.parametrize(
    ("path", "comments"),
    [
        ("tsconfig.json", True),
        ("a/tsconfig.build.json", True),
        ("base.tsconfig.json", True),
        (".vscode/settings.json", True),
        ("x/.devcontainer/a.json", True),
        ("a.JSONC", True),
        ("package.json", False),
        ("tsconfig.json/data.json", False),
        ("mytsconfig.json", False),
    ],
)
def test_files_that_may_have_comments_are_known_by_name(path: str, comments: bool) -> None:
    """Their tools read them so; in any other file a comment is an error."""
    assert has_comments(path) is comments


def test_a_large_text_takes_no_time_to_speak_of() -> None:
    """Patterns do not go back over what they have seen, not even in a text made to that end."""
    for text in (
        '"' * 400_001,
        "/*" * 200_000,
        '{"a' + "\\" * 300_001,
        "," * 300_000 + " " * 300_000,
    ):
        assert places(text, comments=True)[0][0] == SYNTAX


def test_a_text_full_of_repetitions_takes_no_time_either() -> None:
    """Only the first of many are told."""
    text = "{" + ",".join(['"a": 1'] * 200_000) + "}"
    assert len(places(text)) == MAX_REPEATED
