"""What changes of packages are called in the audit trail."""

from __future__ import annotations

import pytest

from penstock.environment.api import InstallResult, Manager, SyncReport, ToolVersion, VersionStatus
from penstock.environment.installers.auditing import events_of, summary


def result(action: str, *, success: bool = True, version: str | None = "2.0") -> InstallResult:
    """Return what became of a package."""
    return InstallResult(
        tool="demo",
        manager=Manager.UV,
        success=success,
        version=version,
        message="a message",
        action=action,
        command="uv tool install demo==2.0",
        rollback_data={"previous_version": "1.0"},
    )


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (result("install"), "tool_install"),
        (result("upgrade"), "tool_upgrade"),
        (result("uninstall"), "tool_uninstall"),
        (result("rollback"), "tool_upgrade"),
        (result("rollback", version=None), "tool_uninstall"),
    ],
)
def test_each_action_has_its_event(one: InstallResult, kind: str) -> None:
    """With the version from before and the command."""
    (event,) = events_of(SyncReport(results=(one,)))
    assert (event.kind, event.severity) == (kind, "info")
    assert event.message == f"uv {one.action} demo: a message"
    assert event.details["rollback_data"] == {"previous_version": "1.0"}
    assert event.details["command"] == "uv tool install demo==2.0"


def test_what_was_not_begun_is_no_event() -> None:
    """A failure is one, and an error."""
    report = SyncReport(results=(result("none", success=False), result("install", success=False)))
    (event,) = events_of(report)
    assert (event.severity, event.message) == ("error", "uv install demo: failed: a message")


def test_what_was_put_back_is_recorded_behind_what_failed() -> None:
    """In the order in which it happened."""
    report = SyncReport(
        results=(result("upgrade", success=False),), rolled_back=(result("rollback"),)
    )
    assert [event.message.split()[1] for event in events_of(report)] == ["upgrade", "rollback"]


def test_a_sync_is_summed_up() -> None:
    """Names by what became of them; anything short of success is an error."""
    left = ToolVersion(tool="left", manager=Manager.TOOLS, status=VersionStatus.DRIFT)
    good = SyncReport(results=(result("install"),), notes=("a note",))
    words, severity, details = summary(good)
    assert (words, severity) == ("1 changed, 0 failed, 0 put back", "info")
    assert (details["changed"], details["notes"]) == (["demo"], ["a note"])
    _, severity, details = summary(SyncReport(remaining=(left,)))
    assert (severity, details["remaining"]) == ("error", ["left"])
