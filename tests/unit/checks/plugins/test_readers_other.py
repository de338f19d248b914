"""Readers of single tools: what these print when something is unusual."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.model.finding import Category, Severity
from tests.support.readers import brief, parse, parse_json

TRACEBACK = "Traceback (most recent call last):\n  x\nUnicodeDecodeError: 'utf-8'\n"


# -- Prettier ------------------------------------------------------------------------------------
@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree with a.js and b.md."""
    for name in ("a.js", "b.md"):
        (tmp_path / name).write_text("x\n")
    return tmp_path


FRAME = "[error]   1 | x = {\n[error] > 2 |\n[error]     | ^\n[error]\n"


def test_prettier_prints_on_both_streams(tree: Path) -> None:
    """Paths come on one, syntax errors with the code around them on the other."""
    said = f"[error] a.js: SyntaxError: Unexpected token (2:1)\n{FRAME}[warn] something\n"
    parsed = parse("prettier", "b.md\n", stderr=said, tree=tree, category="formatting")
    assert parsed.ok
    assert brief(parsed) == [
        "b.md warning format would be reformatted",
        "a.js:2:1 error syntax Unexpected token",
    ]


def test_a_syntax_error_without_a_place_is_one_all_the_same(tree: Path) -> None:
    """Some parsers do not say where."""
    parsed = parse("prettier", stderr="[error] a.js: SyntaxError: no idea\n", tree=tree)
    assert brief(parsed) == ["a.js error syntax no idea"]


@pytest.mark.parametrize(
    "said",
    [
        "[error] Invalid configuration for file a.js:",
        "[error] Cannot find package 'prettier-plugin-x' imported from noop.js",
        '[error] No files matching the pattern were found: "gone.js".',
        "[error] a.js: TypeError: cannot read properties of undefined",
    ],
)
def test_other_errors_of_prettier_are_no_findings(tree: Path, said: str) -> None:
    """They say that it could not do its work, whatever else it printed."""
    parsed = parse("prettier", "b.md\n", stderr=f"{said}\n{FRAME}", tree=tree)
    assert not parsed.ok
    assert parsed.why in said


# -- mdformat ------------------------------------------------------------------------------------
def test_mdformat_breaks_its_lines() -> None:
    """A path with blanks may be broken in the middle; a warning is no error."""
    said = 'Error: File\n"/t/a b\nc.md" is not\nformatted.\nWarning: can not format\nthis table\n'
    parsed = parse("mdformat", stderr=said, stream="stderr", category="formatting")
    assert parsed.ok
    assert [f.path for f in parsed.findings] == ["/t/a b c.md"]


def test_other_errors_of_mdformat_are_no_findings() -> None:
    """A broken configuration, and a crash after the first file, are no result."""
    first = 'Error: File "/t/a.md" is not formatted.\n'
    for said in ("Error: Invalid key 'x' in /t/.mdformat.toml.\n", TRACEBACK):
        parsed = parse("mdformat", stderr=first + said, stream="stderr")
        assert not parsed.ok
        assert parsed.why
        assert len(parsed.findings) == 1


# -- ESLint --------------------------------------------------------------------------------------
def eslint(**message: Any) -> Any:
    """Return the only finding that a message of ESLint becomes."""
    value = [{"filePath": "/t/a.js", "messages": [{"ruleId": "x/y", "message": "m", **message}]}]
    (found,) = parse_json("eslint", value, category="style").findings
    return found


def test_rules_of_plugins_have_no_page() -> None:
    """Only the rules of ESLint itself are explained on its pages."""
    assert eslint(severity=1).url is None
    assert eslint(ruleId="semi").url == "https://eslint.org/docs/latest/rules/semi"


@pytest.mark.parametrize(
    ("message", "code", "severity"),
    [
        ({"severity": 1}, "x/y", Severity.WARNING),
        ({"severity": 2}, "x/y", Severity.ERROR),
        ({"severity": 1, "ruleId": None}, None, Severity.WARNING),
        ({"severity": 2, "ruleId": None, "fatal": True}, "syntax", Severity.ERROR),
    ],
)
def test_levels_of_eslint(message: dict[str, Any], code: str | None, severity: Severity) -> None:
    """2 is an error; what is fatal could not be parsed; a directive without use has no rule."""
    found = eslint(**message)
    assert (found.code, found.severity) == (code, severity)
    assert found.category is (Category.SYNTAX if code == "syntax" else Category.STYLE)


@pytest.mark.parametrize("line", [0, -1, 0.5, None, 1e30])
def test_a_place_that_is_none_is_left_out(line: float | None) -> None:
    """Parsers of plugins give odd places."""
    assert eslint(line=line, column=line, severity=2).line is None


# -- the others ----------------------------------------------------------------------------------
def test_markdownlint_without_rules_or_places() -> None:
    """A rule of the user's own may leave out nearly everything."""
    item = {"fileName": "a.md", "ruleNames": [], "errorRange": [3, -2], "lineNumber": 1}
    (found,) = parse_json("markdownlint", [item]).findings
    assert (found.code, found.message, found.column, found.end_column) == (None, "no message", 3, 3)
    (found,) = parse_json("markdownlint", [item | {"lineNumber": 0}]).findings
    assert (found.line, found.column) == (None, None)


def test_markdownlint_that_prints_words_is_not_ok() -> None:
    """Nothing is clean, anything else that is no JSON is not."""
    assert parse("markdownlint", "", exit_code=0).ok
    assert not parse("markdownlint", "Cannot load custom rule x", exit_code=3).ok


def test_shellcheck_codes_get_their_letters() -> None:
    """Numbers become the names that everybody knows."""
    comment = {"file": "a.sh", "code": 2086, "message": "", "level": "style", "line": 1}
    parsed = parse_json("shellcheck", {"comments": [comment]}, severities={"style": "info"})
    assert brief(parsed) == ["a.sh:1 info SC2086 SC2086"]
    assert not parse_json("shellcheck", {"error": 1}).ok


def test_gitleaks_with_a_bare_leak() -> None:
    """What it does not say is not made up; the secret is never read."""
    parsed = parse_json("gitleaks", [{"File": "a", "Secret": "hidden", "Match": "hidden"}])
    assert brief(parsed) == ["a warning a secret"]
    assert "hidden" not in repr(parsed)
    assert not parse_json("gitleaks", None).ok


def test_script_analyzer_errors_are_told() -> None:
    """Each file that could not be looked at is named."""
    record = {"path": "a.ps1", "severity": "ParseError", "rule": None, "message": None}
    parsed = parse_json("psscriptanalyzer", {"records": [record], "errors": ["b: x", "c: y"]})
    assert (parsed.ok, parsed.why) == (False, "b: x; c: y")
    assert parsed.findings[0].category is Category.SYNTAX
