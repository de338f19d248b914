"""The readers of Python's tools on what older versions print, and on what is out of the ordinary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.model.finding import Finding
from tests.support.readers import brief, parse, parse_json

SYNTAX = {"severities": {"invalid-syntax": "error"}, "categories": {"invalid-syntax": "syntax"}}
PYTHON_READERS = ["bandit", "detect_secrets", "pip_audit", "pylint", "pyright", "ruff", "semgrep"]


@pytest.mark.parametrize("name", PYTHON_READERS)
@pytest.mark.parametrize("text", ["", "null", "3", '"x"', "[3]", '{"results": 3}', "Traceback"])
def test_json_of_another_shape_is_nothing_to_go_by(name: str, text: str) -> None:
    """Readers of JSON say why they cannot read."""
    parsed = parse(name, text, exit_code=0)
    assert not parsed.ok
    assert parsed.why


# -- ruff ------------------------------------------------------------------------------------------
def ruff_item(**fields: Any) -> dict[str, Any]:
    """Return one diagnostic of ruff."""
    place = {"row": 2, "column": 5}
    return {
        "filename": "a.py",
        "message": "it is wrong",
        "code": "F401",
        "location": place,
        "end_location": place,
        "fix": None,
        **fields,
    }


def only(name: str, value: Any, **fields: Any) -> Finding:
    """Return the one finding that is read."""
    parsed = parse_json(name, value, **fields)
    assert parsed.ok, parsed.why
    assert len(parsed.findings) == 1
    return parsed.findings[0]


def test_a_syntax_error_of_old_ruff_had_no_code() -> None:
    """Before 0.9 the code was null."""
    found = only("ruff", [ruff_item(code=None)], **SYNTAX)
    assert (found.code, found.category, found.severity) == ("invalid-syntax", "syntax", "error")


@pytest.mark.parametrize(
    ("fix", "fixable"),
    [
        (None, False),
        ({"applicability": "safe"}, True),
        ({"applicability": "unsafe"}, False),
        ({"applicability": "display-only"}, False),
        ({"applicability": "Automatic"}, True),
        ({}, False),
    ],
)
def test_only_safe_mendings_are_mendings(fix: Any, fixable: bool) -> None:
    """What `ruff --fix` would not apply by itself is not fixable."""
    assert only("ruff", [ruff_item(fix=fix)]).fixable is fixable


def test_a_finding_of_ruff_may_have_no_place() -> None:
    """A file that cannot be read has no lines."""
    item = ruff_item(location=None, end_location=None, message=None)
    found = only("ruff", [item])
    assert (found.line, found.column, found.end_line, found.message) == (None, None, None, "F401")


def test_ruff_with_everything_excluded_is_content() -> None:
    """The formatter of ruff then prints a warning in place of JSON."""
    warning = "warning: No Python files found under the given path(s)\n"
    assert parse("ruff", "", stderr=warning, exit_code=0).ok
    assert parse("ruff_format", "", stderr=warning, exit_code=0).findings == ()


# -- formatters ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Would reformat: a b.py\n1 file would be reformatted\n", ["a b.py warning format"]),
        (
            "unformatted: File would be reformatted\n --> a b.py:1:6\n  |\n",
            ["a b.py warning format"],
        ),
        ("error: Failed to parse a.py:1:7: Expected a name\n", ["a.py:1:7 error invalid-syntax"]),
        ("error: Failed to read a.py: no UTF-8\n", ["a.py error unreadable"]),
        ("invalid-syntax: Expected\n --> a.py:1:7\n", ["a.py:1:7 error invalid-syntax"]),
        ("io: no valid UTF-8\n--> a.py:1:1\n", ["a.py error unreadable"]),
        ("2 files already formatted\n", []),
        ("note: see below\n", []),
    ],
)
def test_every_ruff_says_what_it_would_format(text: str, said: list[str]) -> None:
    """The words of ruff's formatter, before 0.16 and since."""
    parsed = parse("ruff_format", text, exit_code=1)
    assert [_place_and_code(found) for found in parsed.findings] == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("would reformat a b.py\n", ["a b.py warning format"]),
        ("error: cannot parse: a.py:1:6\n    def f(:\n", ["a.py:1:6 error invalid-syntax"]),
        (
            "error: cannot format a.py: Cannot parse: 1:6: def f(:\n",
            ["a.py:1:6 error invalid-syntax"],
        ),
        (
            "error: cannot format a.py: Cannot parse for target version Python 3.11: 1:6: def f(:\n",
            ["a.py:1:6 error invalid-syntax"],
        ),
        ("error: cannot format a.py: invalid encoding\n", ["a.py error unreadable"]),
        ("Oh no! \U0001f4a5\n1 file would be reformatted.\n", []),
    ],
)
def test_every_black_says_what_it_would_format(text: str, said: list[str]) -> None:
    """The words of black, today's and before."""
    parsed = parse("black", "", stderr=text, exit_code=123)
    assert [_place_and_code(found) for found in parsed.findings] == said


@pytest.mark.parametrize("name", ["black", "ruff_format", "codespell"])
def test_a_crash_is_nothing_to_go_by(name: str) -> None:
    """A traceback after some lines is a crash and no list of findings."""
    trace = "Traceback (most recent call last):\n  File x\nKeyError: 'x'\n"
    parsed = parse(name, "a.py:1: teh ==> the\n", stderr=f"would reformat a.py\n{trace}")
    assert (parsed.ok, parsed.why) == (False, "it crashed: KeyError: 'x'")


def _place_and_code(found: Finding) -> str:
    where = ":".join(str(part) for part in (found.path, found.line, found.column) if part)
    return f"{where} {found.severity.value} {found.code}"


# -- mypy ------------------------------------------------------------------------------------------
def mypy_line(**fields: Any) -> str:
    """Return one message of mypy."""
    base = {"file": "a.py", "line": 3, "column": 0, "message": "no", "hint": None}
    return json.dumps({**base, "code": "misc", "severity": "error", **fields})


def test_positions_of_mypy_count_from_one() -> None:
    """Columns count from 0, but for syntax errors; a line of -1 is none."""
    lines = [
        mypy_line(column=4, end_line=3, end_column=9),
        mypy_line(column=4, code="syntax"),
        mypy_line(line=-1, column=-1, end_line=-1, end_column=0, code=None),
    ]
    found = parse("mypy", "\n".join(lines), exit_code=2).findings
    places = [(one.line, one.column, one.end_line, one.end_column) for one in found]
    assert places == [(3, 5, 3, 10), (3, 4, None, None), (None, None, None, None)]
    assert found[2].code == "blocked"


def test_hints_and_notes_of_mypy_are_kept() -> None:
    """A hint goes with its message; a note is information."""
    lines = [mypy_line(hint="see\nthere"), mypy_line(severity="note", message="Revealed type")]
    found = parse("mypy", "\n".join(["a plugin prints", *lines])).findings
    assert [(one.message, one.severity.value) for one in found] == [
        ("no (see there)", "error"),
        ("Revealed type", "info"),
    ]


@pytest.mark.parametrize(
    "stderr", ["mypy: error: unrecognized arguments: --output\n", "INTERNAL ERROR\n", ""]
)
def test_mypy_without_a_message_is_nothing_to_go_by(stderr: str) -> None:
    """A failing exit code without a message is no pass; a mypy before 1.11 knows no JSON."""
    assert not parse("mypy", "", stderr=stderr, exit_code=2).ok


# -- others ----------------------------------------------------------------------------------------
def test_what_codespell_is_asked_to_print_besides_is_passed_over() -> None:
    """Context, summaries and counts of a user's configuration are no findings; names of files are."""
    text = "> teh end\nb.py:1: teh ==> the\n: after\nteh.py: teh ==> the\n\n---8<---\nSUMMARY:\nteh 2\n"
    parsed = parse("codespell", text, stderr="WARNING: Cannot decode\n2\n", exit_code=65)
    assert [(one.path, one.line, one.fixable) for one in parsed.findings] == [
        ("b.py", 1, True),
        ("teh.py", None, False),
    ]


def test_a_file_name_of_codespell_may_have_colons() -> None:
    """The last number before the words is the line."""
    found = parse("codespell", "a:3:b.py:12: abd ==> and, bad\n", exit_code=65).findings
    assert [(one.path, one.line, one.fixable) for one in found] == [("a:3:b.py", 12, False)]


def test_pylint_may_complain_before_its_json() -> None:
    """Words about a configuration that cannot be read stand before the report."""
    text = 'Failed to load "x"\n{\n "messages": [],\n "statistics": {}}\n'
    assert parse("pylint", text, exit_code=0).ok


def test_a_secret_keeps_its_place_in_the_baseline(tmp_path: Path) -> None:
    """A baseline that cannot be read knows no secrets."""
    report = {"results": {"./a.py": [{"type": "Hex", "hashed_secret": "1", "line_number": 2}]}}
    for text in ("", "{", '{"results": []}'):
        (tmp_path / ".secrets.baseline").write_text(text)
        assert brief(parse_json("detect_secrets", report, tree=tmp_path)) != []
    (tmp_path / ".secrets.baseline").write_text(json.dumps(report).replace("./a", "a"))
    assert brief(parse_json("detect_secrets", report, tree=tmp_path)) == []


@pytest.mark.parametrize(
    ("metadata", "url"),
    [
        ({}, None),
        ({"references": ["https://a.example", "https://b.example"]}, "https://a.example"),
        ({"references": "https://a.example"}, "https://a.example"),
        ({"references": [3]}, None),
        ({"source": "https://rule.example"}, "https://rule.example"),
        ({"references": ["see the book"]}, None),
    ],
)
def test_the_page_of_a_rule_of_semgrep(metadata: dict[str, Any], url: str | None) -> None:
    """The first reference that is an address explains a rule."""
    extra = {"message": "no", "severity": "ERROR", "metadata": metadata}
    place = {"line": 1, "col": 1}
    result = {"check_id": "d.r", "path": "a.py", "start": place, "end": place, "extra": extra}
    assert only("semgrep", {"results": [result]}).url == url
