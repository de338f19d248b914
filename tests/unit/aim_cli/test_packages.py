"""How versions and changes of packages are shown."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from penstock.aim_cli import packages
from penstock.environment.api import (
    InstallResult,
    Manager,
    SyncReport,
    ToolVersion,
    VersionReport,
    VersionStatus,
)
from penstock.errors import Interrupted

DONE = InstallResult(tool="a", manager=Manager.NPM, success=True, action="install", message="fine")
FAILED = structs.replace(DONE, success=False, message="broken")
NOT_BEGUN = structs.replace(FAILED, action="none", message="not begun")
BACK = structs.replace(DONE, action="rollback")
LEFT = ToolVersion(tool="left", manager=Manager.TOOLS, pinned="2", status=VersionStatus.DRIFT)


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (SyncReport(), "Nothing to do."),
        (SyncReport(results=(DONE,)), "1 changed."),
        (SyncReport(results=(structs.replace(DONE, action="none"),)), "Nothing to do."),
        (SyncReport(results=(DONE,), remaining=(LEFT,)), "Not everything is as pinned."),
        (SyncReport(results=(DONE, FAILED), rolled_back=(BACK,)), "Failed: everything is as it was before."),
        (
            SyncReport(results=(DONE, FAILED), rolled_back=(BACK, FAILED)),
            "Failed, and not everything could be put back: see above.",
        ),
        (SyncReport(results=(FAILED, NOT_BEGUN)), "Failed: nothing was changed."),
        (SyncReport(results=(DONE, FAILED)), "Failed in part."),
    ],
)  # fmt: skip
def test_a_change_has_a_verdict_in_one_line(report: SyncReport, verdict: str) -> None:
    """What it came to, and above all whether things are as they were."""
    assert packages.verdict(report) == verdict


def shown(capsys: pytest.CaptureFixture[str], report: SyncReport, **how: Any) -> tuple[int, str]:
    """Return exit code and text of a change."""
    code = packages.finish(report, as_json=False, **how)
    return code, capsys.readouterr().out


def test_a_failed_change_shows_each_package(capsys: pytest.CaptureFixture[str]) -> None:
    """What was done, what failed, what was not begun, what was put back, and notes."""
    report = SyncReport(
        results=(DONE, FAILED, NOT_BEGUN), rolled_back=(BACK,), notes=("a note",), remaining=(LEFT,)
    )
    code, text = shown(capsys, report)
    assert code == 1
    for words in (
        "ok",
        "failed",
        "not begun",
        "Put back:",
        "a note",
        "left is not found all the same",
    ):
        assert words in text


def test_a_dry_run_shows_the_commands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """One a line, ready to be typed."""
    report = SyncReport(planned=("npm install -g a@1", "pipx install b==2"))
    assert shown(capsys, report, dry_run=True) == (0, "npm install -g a@1\npipx install b==2\n")
    assert shown(capsys, SyncReport(), dry_run=True) == (0, "Nothing to do.\n")


def test_an_interrupted_change_is_shown_and_then_raised(capsys: pytest.CaptureFixture[str]) -> None:
    """So that the exit code is that of an interruption."""
    with pytest.raises(Interrupted):
        packages.finish(SyncReport(results=(FAILED,), interrupted=True), as_json=True)
    assert '"interrupted": true' in capsys.readouterr().out


def report_of(*tools: ToolVersion, **more: Any) -> VersionReport:
    """Return a version report."""
    return VersionReport(timestamp="2026-01-31T10:20:30Z", tools=tools, **more)


def test_markdown_is_safe_from_what_versions_hold() -> None:
    """Bars and line ends would break the table."""
    odd = structs.replace(LEFT, pinned="^1 || 2", installed="1\n2")
    lines = list(packages.markdown(report_of(odd)))
    assert "| left | tools | ^1 \\|\\| 2 | 1 2 | drift |" in lines
    assert "- drift: 1" in lines


def test_a_report_says_what_is_to_be_done() -> None:
    """The command where there is drift, notes always."""
    lines = list(packages.version_lines(report_of(LEFT, notes=("a note",))))
    assert lines[0] == "1 tools: 1 drift"
    assert "aim version sync" in lines[1]
    assert lines[2] == "a note"
    fine = structs.replace(LEFT, status=VersionStatus.OK)
    assert list(packages.version_lines(report_of(fine))) == ["1 tools: 1 ok"]
    assert "pins.yaml names none" in next(packages.version_lines(report_of(source="pins.yaml")))


def test_why_something_is_unknown_is_shown() -> None:
    """In the column of the status."""
    unknown = structs.replace(LEFT, status=VersionStatus.UNKNOWN, detail="it names no version")
    assert packages.version_rows(report_of(unknown))[0][-1] == "unknown: it names no version"


def test_all_means_no_manager_in_particular() -> None:
    """One is itself."""
    assert packages.chosen("all") == ()
    assert packages.chosen("npm") == (Manager.NPM,)
