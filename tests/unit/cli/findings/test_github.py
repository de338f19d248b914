"""A report as workflow commands of GitHub Actions."""

from __future__ import annotations

import re

from hypothesis import given

from penstock.cli.findings.github import command, render
from penstock.model.finding import Severity
from penstock.model.inspection import CheckReport, PluginState, PluginUse
from tests.support.findings import any_text, finding, report, reports, result

COMMAND = re.compile(r"::(?P<level>[a-z]+)(?: (?P<properties>[^:]*))?::(?P<message>.*)", re.DOTALL)
ROOT = "/repo"


def unescaped(text: str) -> str:
    """What the runner makes of an escaped text: the percent sign comes last."""
    for sign, escape in ((":", "%3A"), (",", "%2C"), ("\r", "%0D"), ("\n", "%0A"), ("%", "%25")):
        text = text.replace(escape, sign)
    return text


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """Read a command as the runner does: level, properties, message."""
    match = COMMAND.fullmatch(line)
    assert match, line
    pairs = [p.split("=", 1) for p in (match["properties"] or "").split(",") if p]
    message = match["message"]
    for sign, escape in (("\r", "%0D"), ("\n", "%0A"), ("%", "%25")):
        message = message.replace(escape, sign)
    return match["level"], {name: unescaped(value) for name, value in pairs}, message


def only(**fields: object) -> tuple[str, dict[str, str], str]:
    """The command for a file with one finding of these fields."""
    return parsed(render(report(result(finding(**fields))), ROOT).splitlines()[0])


def test_a_finding_has_its_file_place_and_title() -> None:
    """As GitHub documents them."""
    level, properties, message = only(
        line=3, column=8, end_column=10, code="F401", message="unused"
    )
    assert (level, message) == ("error", "unused")
    assert properties == {
        "file": "a.py", "line": "3", "col": "8", "endColumn": "10", "title": "ruff F401"
    }  # fmt: skip


def test_columns_are_told_within_one_line_only() -> None:
    """A finding over several lines has lines."""
    many = only(line=3, column=8, end_line=5, end_column=2)[1]
    assert many == {"file": "a.py", "line": "3", "endLine": "5", "title": "ruff"}
    assert only(line=3, column=8, end_line=3, end_column=9)[1]["endColumn"] == "9"


def test_a_finding_without_a_line_is_about_its_file() -> None:
    """Columns and ends without a line mean nothing."""
    assert only(column=4, end_line=9, end_column=3)[1] == {"file": "a.py", "title": "ruff"}


def test_errors_come_first_and_each_severity_has_its_level() -> None:
    """GitHub shows only the first of each kind."""
    kinds = (Severity.INFO, Severity.WARNING, Severity.ERROR)
    told = report(result(*(finding(severity=kind) for kind in kinds)))
    levels = [parsed(line)[0] for line in render(told, ROOT).splitlines()[:3]]
    assert levels == ["error", "warning", "notice"]


def test_what_is_set_aside_is_no_annotation() -> None:
    """It is counted in the last line."""
    told = report(result(suppressed=(finding(),), known=(finding(),)))
    assert render(told, ROOT).splitlines() == [
        "1 file: 1 passed, 0 failed; 0 errors, 0 warnings; 1 suppressed, 1 in the baseline; 0.4s"
    ]


def test_plugins_paths_and_problems_are_told_without_a_file() -> None:
    """What failed, what was skipped and how to get it, and what could not be taken."""
    failed = PluginUse(plugin_id="python_mypy", state=PluginState.FAILED, reason="boom")
    gone = PluginUse(plugin_id="bandit", state=PluginState.UNAVAILABLE, reason="no", hint="get it")
    bare = PluginUse(plugin_id="bare", state=PluginState.UNAVAILABLE)
    told = report(plugins=(failed, gone, bare), unusable=(("x.py", "none"),), problems=("odd",))
    assert [parsed(line) for line in render(told, ROOT).splitlines()[:-1]] == [
        ("error", {"title": "not checked", "file": "x.py"}, "none"),
        ("error", {"title": "python_mypy"}, "boom"),
        ("notice", {"title": "bandit skipped"}, "no - get it"),
        ("notice", {"title": "bare skipped"}, "its tool is missing"),
        ("warning", {"title": "penstock check"}, "odd"),
    ]


@given(any_text(), any_text(), any_text())
def test_every_text_comes_back_from_its_escapes(message: str, path: str, title: str) -> None:
    """Line ends, percent signs, colons and commas survive the way."""
    line = command("error", message, file=path, title=title)
    assert not set("\r\n") & set(line)
    assert parsed(line) == ("error", {"file": path, "title": title}, message)


def test_a_command_without_properties_has_none() -> None:
    """No blank is left behind."""
    assert command("notice", "50%", file=None) == "::notice::50%25"


@given(reports())
def test_each_line_is_one_command_and_the_last_one_the_totals(told: CheckReport) -> None:
    """No text of a tool can begin a line, and so a command, of its own."""
    lines = render(told, ROOT).split("\n")
    count = sum(len(file.findings) for file in told.files) + len(told.unusable)
    assert len([line for line in lines if line.startswith("::")]) == len(lines) - 1 >= count
    assert "\r" not in "".join(lines)
    assert not lines[-1].startswith("::")
