"""`aim health check`, `report` and `verify` on machines of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.machines import Desk, make_desk


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """A repository on a machine with one AI tool that is signed in."""
    return make_desk(tmp_path, capsys, monkeypatch)


def test_a_machine_that_is_fit(desk: Desk) -> None:
    """With a tool that is signed in, everything passes, and `verify` says so with its exit code."""
    said = desk("health", "check")
    assert said.code == 0
    assert said.out.splitlines()[-1].startswith("healthy: ")
    assert desk("health", "verify").code == 0


def test_the_documented_shape(desk: Desk) -> None:
    """The report has the documented members, and counts its checks."""
    report = desk("health", "check", "--json").json
    assert set(report) == {"timestamp", "overall_status", "summary", "checks"}
    assert set(report["summary"]) == {"pass", "warn", "fail"}
    assert sum(report["summary"].values()) == len(report["checks"])
    for check in report["checks"]:
        assert {"name", "status", "message", "details", "timestamp"} <= set(check)


def test_a_warning_is_no_failure(desk: Desk) -> None:
    """Without any AI tool the machine is degraded: `check` exits 0, `verify` does not."""
    desk.remove("codex")
    assert desk("health", "check").code == 0
    said = desk("health", "verify")
    assert said.code == 1
    assert "warn  ai_tools: no AI tool is installed" in said.out


def test_a_failure(desk: Desk) -> None:
    """A required command that is not there makes it unhealthy, with the key to mend."""
    desk.configure(environment={"healthChecks": {"requiredCommands": ["no-such-program"]}})
    said = desk("health", "check")
    assert said.code == 1
    assert "1 of 1 required commands missing: no-such-program" in said.out
    assert "environment.healthChecks.requiredCommands" in said.out


@pytest.mark.parametrize("name", ["r.json", "r.html", "r.md"])
def test_a_report_in_a_file(desk: Desk, tmp_path: Path, name: str) -> None:
    """The file's name tells the form."""
    target = tmp_path / name
    assert desk("health", "report", "-o", str(target)).code == 0
    text = target.read_text(encoding="utf-8")
    assert text.startswith({"json": "{", "html": "<!doctype", "md": "# Health"}[name[2:]])


def test_what_is_recorded(desk: Desk) -> None:
    """Every look is an event of the audit trail."""
    desk("health", "check")
    (line,) = [json.loads(line) for line in desk.audit_lines()]
    assert line["event_type"] == "health_check"
    assert line["details"]["status"] == "healthy"
