"""JSON with comments: what is tolerated, and what is told with its place."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.config.comments import blank_comments
from penstock.planning.parse import (
    MAX_DEPTH,
    MAX_FLAWS,
    SyntaxProblemError,
    depth_message,
    json_path,
    parse,
    size,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def problem(text: str) -> str:
    """The message of a text that is no JSON."""
    with pytest.raises(SyntaxProblemError) as caught:
        parse(text)
    return str(caught.value)


def flaws(text: str) -> dict[str, str]:
    """The flaws of a document by JSON path."""
    return {json_path(flaw.path): flaw.details for flaw in parse(text).flaws}


@pytest.mark.parametrize(
    ("text", "blanked"),
    [
        ('{"a": 1} // end', '{"a": 1}       '),
        ('{"a": "http://x"} // u', '{"a": "http://x"}     '),
        ('{"a": "/* no */"}', '{"a": "/* no */"}'),
        ('["\\"//", 1] /* c */', '["\\"//", 1]        '),
        ("/* a\nb */ 1", "    \n     1"),
        ("1 // a\r\n// b\n2", "1     \r\n    \n2"),
        ("1 /**/ 2", "1      2"),
        ("/*/ 1 */ 2", "         2"),
        ("1 / 2", "1 / 2"),
        ('"\\\\" // c', '"\\\\"     '),
        ("no comment at all", "no comment at all"),
    ],
)
def test_comments_become_spaces_outside_strings(text: str, blanked: str) -> None:
    """Whatever stands in a string stays; lines and columns do not move."""
    assert blank_comments(text) == blanked


@settings(deadline=None)
@given(JSON, st.sampled_from(["// x\n", "/* y\n// */", " "]))
def test_comments_around_any_document_change_nothing(value: Any, comment: str) -> None:
    """A document reads the same with comments before and behind it, slashes in texts or not."""
    text = comment + json.dumps(value, indent=1, ensure_ascii=False) + comment
    assert len(blank_comments(text)) == len(text)
    assert json.loads(blank_comments(text)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty; expected an object or a list"),
        ("  // only a comment", "empty; expected an object or a list"),
        ('{\n "a": 1,\n}', "line 2 column 8: a trailing comma; remove it"),
        ('["a",\n "b", // last\n]', "line 2 column 5: a trailing comma; remove it"),
        ("[,]", "line 1 column 2: a trailing comma; remove it"),
        ("[,1]", "line 1 column 2: expecting value"),
        ("]", "line 1 column 1: expecting value"),
        ('{"a": 1 /* open', "line 1 column 9: the comment that '/*' opens is never closed"),
        ('{"a": 1} {"b": 2}', "line 1 column 10: something follows the end; put several bundles"),
        ("{'a': 1}", "line 1 column 2: expecting property name enclosed in double quotes"),
        ('{"a" 1}', "line 1 column 6: expecting ':' delimiter"),
        ('{"a": tru}', "line 1 column 7: expecting value"),
        ('{"a": "x\ny"}', "line 1 column 9: invalid control character"),
        ('{"a": "x', "line 1 column 7: unterminated string"),
        ('"\\x"', "line 1 column 2: invalid \\escape"),
        ('{"a": 1\x00}', "line 1 column 8"),
    ],
)
def test_a_text_that_is_no_json_is_told_with_line_and_column(text: str, message: str) -> None:
    """Each message says where, and where there is a usual mistake, what to do."""
    assert problem(text).startswith(message)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 10_000, 200_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded_with_the_place(depth: int, opening: str, closing: str) -> None:
    """Ten thousand levels are an error with a place, not a crash, closed or not."""
    at = MAX_DEPTH * len(opening) + 1
    expected = f"line 2 column {at}: nested deeper than {MAX_DEPTH} levels"
    assert problem("\n" + opening * depth + "1" + closing * depth).startswith(expected)


def test_the_deepest_allowed_document_is_read() -> None:
    """The bound itself is allowed, and brackets in texts do not count."""
    text = "[" * (MAX_DEPTH - 1) + '"[[[["' + "]" * (MAX_DEPTH - 1)
    assert parse(text).flaws == ()


def test_a_stack_that_was_used_up_before_is_told_without_a_place() -> None:
    """The decoder may give up on a document that is not too deep by itself."""
    assert depth_message("[]") == f"nested deeper than {MAX_DEPTH} levels; flatten it"


def test_repeated_keys_are_told_with_their_path() -> None:
    """Wherever a key comes twice, also in an object that is itself given twice."""
    text = '{"a": {"b": 1, "b": 2}, "l": [{"c": 1, "c": 1, "c": 1}], "a b": 1, "a b": 2}'
    found = flaws(text)
    assert set(found) == {"$.a.b", "$.l[0].c", '$["a b"]'}
    assert found["$.a.b"] == 'the key "b" is repeated; keep one of them'
    assert set(flaws('{"x": {"b": 1, "b": 2}, "x": 3}')) == {"$.x"}


@pytest.mark.parametrize(
    "number",
    ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 19, "-" + "9" * 30, "9" * 5000],
)
def test_numbers_that_nothing_can_hold_are_told(number: str) -> None:
    """NaN, infinities and integers beyond 64 bits are flaws at their place."""
    found = flaws(f'{{"a": [0, {number}]}}')
    assert list(found) == ["$.a[1]"]
    assert "no number within 64 bits" in found["$.a[1]"]
    assert len(found["$.a[1]"]) < 100
    assert parse(f"[{number}]").value == [0]


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63 - 1), 0, 10**18])
def test_integers_of_64_bits_are_kept(number: int) -> None:
    """The largest integers that a column can hold are fine."""
    assert parse(f"[{number}]").value == [number]
    assert parse("[1.5e300, -0.0]").value == [1.5e300, -0.0]


@pytest.mark.parametrize(("escape", "name"), [("\\u0000", "U+0000"), ("\\ud800", "U+D800")])
def test_texts_that_are_no_text_are_told(escape: str, name: str) -> None:
    """NUL and half surrogates are flaws, in values and in keys, and are taken out."""
    parsed = parse(f'{{"a": ["x{escape}y"], "k{escape}": 1}}')
    assert [json_path(flaw.path) for flaw in parsed.flaws] == ["$", "$.a[0]"]
    assert all(name in flaw.details for flaw in parsed.flaws)
    assert parsed.value == {"a": ["xy"], "k": 1}


def test_flaws_stop_at_a_limit() -> None:
    """Of a million wrong numbers, a thousand are told, and none is kept."""
    parsed = parse("[" + ",".join(["NaN"] * 2000) + "]")
    assert len(parsed.flaws) == MAX_FLAWS
    assert parsed.value == [0] * 2000


@pytest.mark.parametrize(("limit", "expected"), [(100, 7), (1, 3)])
def test_size_counts_values_up_to_a_limit(limit: int, expected: int) -> None:
    """Every value counts, the document itself too; counting stops behind the limit."""
    assert size({"a": [1, 2, {"b": 3}], "c": 4}, limit) == expected


def test_whole_surrogate_pairs_are_texts() -> None:
    """An emoji written as two escapes is one character."""
    parsed = parse('["\\ud83d\\ude00"]')
    assert (parsed.value, parsed.flaws) == (["\U0001f600"], ())


@pytest.mark.parametrize(
    ("path", "in_list", "text"),
    [
        ((), False, "$"),
        ((), True, "$"),
        (("tasks", 2), False, "$.tasks[2]"),
        ((3, "gate"), True, "[3].gate"),
        (("a b", 'c"'), False, '$["a b"]["c\\""]'),
        (("x" * 100,), False, "$." + "x" * 100),
        (("x" * 101,), False, '$["' + "x" * 60 + '..."]'),
        (("\n",), False, '$["\\n"]'),
    ],
)
def test_json_paths(path: tuple[str | int, ...], in_list: bool, text: str) -> None:
    """Paths read like the documentation's, strange keys quoted."""
    assert json_path(path, in_list=in_list) == text


@pytest.mark.parametrize(
    "text",
    [
        '"' * 200_000,
        "/" * 200_000,
        "/*" + "*" * 200_000,
        '"\\' * 100_000,
        "[" + "{}," * 100_000 + "{}]",
        '{"a":1,' * 50_000,
        "// " + "x" * 1_000_000,
    ],
)
def test_nothing_takes_long(text: str) -> None:
    """Hostile texts are refused or read in a moment."""
    start = time.perf_counter()
    with suppress(SyntaxProblemError):
        parse(text)
    assert time.perf_counter() - start < 10
