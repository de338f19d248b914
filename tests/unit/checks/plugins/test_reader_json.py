"""The reader of JSON by a mapping."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.model.finding import Category, Severity
from tests.support.readers import brief, parse, parse_json

FLAT = {
    "path": "file",
    "line": "at.line",
    "column": "at.col",
    "end_line": "to.0",
    "end_column": "to.1",
    "code": "rule",
    "message": "text",
    "severity": "level",
    "url": "doc",
    "fixable": "fix",
}
ITEM = {
    "file": "a.x",
    "at": {"line": 3, "col": 7},
    "to": [3, 9],
    "rule": "R1",
    "text": "wrong",
    "level": "error",
    "doc": "https://rules/R1",
    "fix": {"edits": []},
}


def test_every_field_is_found_by_its_path() -> None:
    """A path leads through objects and lists to each field of a finding."""
    parsed = parse_json("json", [ITEM], mapping={"items": "[]", **FLAT})
    assert parsed.ok
    (found,) = parsed.findings
    assert (found.path, found.line, found.column) == ("a.x", 3, 7)
    assert (found.end_line, found.end_column) == (3, 9)
    assert (found.code, found.message, found.severity) == ("R1", "wrong", Severity.ERROR)
    assert (found.url, found.tool) == ("https://rules/R1", "it")


def test_nested_lists_reach_what_encloses_a_finding() -> None:
    """`^` steps out of the list that holds a finding to the object that holds the list."""
    value = [
        {"filePath": "a.js", "messages": [{"m": "one"}, {"m": "two"}]},
        {"filePath": "b.js", "messages": []},
        {"filePath": "c.js", "messages": [{"m": "three"}]},
    ]
    mapping = {"items": "[].messages[]", "path": "^.filePath", "message": "m"}
    parsed = parse_json("json", value, mapping=mapping)
    assert brief(parsed) == ["a.js warning one", "a.js warning two", "c.js warning three"]


def test_three_lists_deep() -> None:
    """Each list that is gone through adds one step to go out."""
    value = {"runs": [{"n": "r", "files": [{"f": "a", "hits": [{"t": "x"}]}]}]}
    mapping = {
        "items": "runs[].files[].hits[]",
        "path": "^.f",
        "message": "t",
        "code": "^.^.n",
        "url": "^.^.^.nothing",
    }
    assert brief(parse_json("json", value, mapping=mapping)) == ["a warning r x"]


def test_objects_keyed_by_file() -> None:
    """`*` goes through an object's values, and `@key` is the key."""
    value = {"results": {"a.py": [{"m": "one"}], "b.py": [{"m": "two"}]}}
    mapping = {"items": "results.*[]", "path": "^.@key", "message": "m"}
    assert brief(parse_json("json", value, mapping=mapping)) == [
        "a.py warning one",
        "b.py warning two",
    ]
    mapping = {"items": "*", "path": "@key", "message": "m"}
    assert brief(parse_json("json", {"a": {"m": "x"}}, mapping=mapping)) == ["a warning x"]


def test_the_first_alternative_that_is_there_counts() -> None:
    """`a|b` falls through what is missing or null."""
    mapping = {"items": "[]", "message": "long | short", "code": "id|name"}
    value = [{"long": None, "short": "s", "name": "n"}, {"long": "l", "id": "i"}]
    assert brief(parse_json("json", value, mapping=mapping)) == ["warning n s", "warning i l"]


def test_a_single_object_is_one_finding() -> None:
    """Without `items` a list is gone through and an object is the finding."""
    mapping = {"message": "m"}
    assert brief(parse_json("json", {"m": "x"}, mapping=mapping)) == ["warning x"]
    assert brief(parse_json("json", [{"m": "x"}], mapping=mapping)) == ["warning x"]


def test_a_document_on_each_line() -> None:
    """The format `lines` reads one document per line, and none at all is clean."""
    mapping = {"format": "lines", "message": "m"}
    assert brief(parse("json", '{"m": "a"}\n\n{"m": "b"}\n', mapping=mapping)) == [
        "warning a",
        "warning b",
    ]
    assert parse("json", "", mapping=mapping).ok
    assert not parse("json", '{"m": "a"}\n{"m', mapping=mapping).ok


def test_nothing_at_all_is_clean_only_when_the_manifest_says_so() -> None:
    """A tool that should print JSON and prints nothing has done nothing."""
    assert not parse("json", "  \n").ok
    assert parse("json", " \n", mapping={"format": "document-or-nothing"}).ok
    assert not parse("json", "{", mapping={"format": "document-or-nothing"}).ok
    assert not parse("json", "{}", mapping={"format": "bogus"}).ok


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"error": "no configuration"}, "no 'results[]'"),
        ({"results": {"a": 1}}, "not a list"),
        ({"results": [1]}, "not an object"),
        ("text", "no 'results[]'"),
        ([], "no 'results[]'"),
    ],
)
def test_another_shape_is_not_ok(value: Any, why: str) -> None:
    """Where the list of findings is not where it should be, nothing is known."""
    parsed = parse_json("json", value, mapping={"items": "results[]", "message": "m"})
    assert not parsed.ok
    assert why in parsed.why


def test_a_null_list_is_an_empty_one() -> None:
    """Some languages print null for a list without members; deeper lists may be left out."""
    assert parse_json("json", {"results": None}, mapping={"items": "results[]"}).ok
    assert parse_json("json", [{"f": 1}], mapping={"items": "[].messages[]"}).findings == ()
    assert not parse_json("json", [], mapping={"items": "*"}).ok


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (0, None),
        (-3, None),
        ("12", 12),
        (" 7 ", 7),
        (4.0, 4),
        (True, None),
        (None, None),
        ("x", None),
        (10**30, None),
        (1e300, None),
        ([1], None),
    ],
)
def test_only_possible_lines_are_kept(given: Any, kept: int | None) -> None:
    """A line is a whole number from 1; anything else is no line."""
    parsed = parse_json("json", [{"m": "x", "l": given}], mapping={"message": "m", "line": "l"})
    assert parsed.findings[0].line == kept


def test_zero_based_positions_are_moved() -> None:
    """What counts from 0 is stored from 1, ends as well, each kind as the manifest says."""
    mapping = {"items": "[]", **FLAT}
    item = ITEM | {"at": {"line": 0, "col": 0}, "to": [1, 0]}
    (found,) = parse_json("json", [item], mapping=mapping, zero_based=["line", "column"]).findings
    assert (found.line, found.column, found.end_line, found.end_column) == (1, 1, 2, 1)
    (found,) = parse_json("json", [ITEM], mapping=mapping, zero_based=["column"]).findings
    assert (found.line, found.column) == (3, 8)


def test_words_and_codes_become_severities_and_categories() -> None:
    """The manifest's words come first, then its codes, the longest prefix first, then common words."""
    mapping = {"items": "[]", "message": "m", "code": "c", "severity": "s"}
    severities = {"Grave": "error", "S1": "info", "S*": "error", "S2*": "warning"}
    codes = [("grave", "S2"), ("", "S1"), ("", "S3"), ("", "S22"), ("HIGH", "T"), ("?", "T")]
    value = [{"m": "x", "s": said, "c": code} for said, code in codes]
    categories = {"S*": "security"}
    parsed = parse_json(
        "json",
        value,
        mapping=mapping,
        severities=severities,
        categories=categories,
        severity="info",
    )
    said = [f.severity.value for f in parsed.findings]
    assert said == ["error", "info", "error", "warning", "error", "info"]
    assert parsed.findings[0].category is Category.SECURITY
    assert parsed.findings[4].category is Category.OTHER


@pytest.mark.parametrize(
    ("given", "fixable"),
    [
        (True, True),
        ({"edit": 1}, True),
        ("yes", True),
        ("no", False),
        ("None", False),
        (None, False),
    ],
)
def test_fixable_takes_what_tools_say(given: Any, fixable: bool) -> None:
    """A fix, true, or a word other than no means that the tool can mend it."""
    mapping = {"message": "m", "fixable": "f"}
    assert (
        parse_json("json", [{"m": "x", "f": given}], mapping=mapping).findings[0].fixable is fixable
    )


def test_text_is_made_fit_for_one_line() -> None:
    """Control characters, line ends and lone surrogates do not get through; length is bounded."""
    mapping = {"message": "m", "path": "p"}
    parsed = parse("json", r'[{"m": "a\u0000\n\u001b[31mb\ud800 c", "p": "x\ny"}]', mapping=mapping)
    assert brief(parsed) == ["warning a [31mb c"]
    long = parse_json("json", [{"m": "y" * 9000}], mapping=mapping).findings[0].message
    assert len(long) == 2000
    assert long.endswith("...")


def test_bytes_that_are_no_text_do_no_harm() -> None:
    """Latin-1 in a message, and a byte order mark before the whole, are read."""
    parsed = parse("json", b'\xef\xbb\xbf[{"m": "caf\xe9"}]', mapping={"message": "m"})
    assert brief(parsed) == ["warning caf\ufffd"]


def test_a_finding_without_words_is_still_one() -> None:
    """The code stands in for a message, and if there is none, that is said."""
    mapping = {"items": "[]", "message": "m", "code": "c"}
    assert brief(parse_json("json", [{"c": "E1"}, {}], mapping=mapping)) == [
        "warning E1 E1",
        "warning no message",
    ]


def test_a_bottomless_document_is_not_ok() -> None:
    """Brackets without end are no JSON that could be read."""
    assert not parse("json", "[" * 200_000).ok
    assert not parse("json", json.dumps([ITEM])[:-3]).ok
    assert not parse("json", "[" + "1" * 5000 + "]").ok
