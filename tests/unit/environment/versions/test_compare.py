"""What is pinned beside what is installed."""

from __future__ import annotations

import pytest

from penstock.environment.api import (
    Inventory,
    Manager,
    Package,
    ToolVersion,
    VersionReport,
    VersionStatus,
)
from penstock.environment.versions.compare import Wanted, compare

NPM, PIP, PIPX = Manager.NPM, Manager.PIP, Manager.PIPX


def inventory(manager: Manager, problem: str | None = None, **versions: str) -> Inventory:
    """Return an inventory with these versions."""
    packages = {
        name.replace("_", "-"): Package(name=name, version=v, manager=manager, place="/x")
        for name, v in versions.items()
    }
    return Inventory(manager=manager, packages=packages, problem=problem)


def one(pin: str | None, found: Inventory, name: str = "demo") -> ToolVersion:
    """Return how one wanted package stands."""
    return next(iter(compare([Wanted(found.manager, name, pin)], found)))


@pytest.mark.parametrize(
    ("manager", "pin", "installed", "status"),
    [
        (NPM, "1.2.3", "1.2.3", "ok"),
        (NPM, "^1.2", "1.9.0", "ok"),
        (NPM, "^1.2", "2.0.0", "drift"),
        (NPM, "^1.2", "not-a-version", "unknown"),
        (NPM, "^^1", "1.0.0", "unknown"),
        (PIPX, "1.2", "1.2.0", "ok"),
        (PIPX, ">=1,<2", "1.9", "ok"),
        (PIPX, "1.2.*", "1.3", "drift"),
        (PIPX, None, "1.3", "ok"),
        (PIPX, "latest", "1.3", "ok"),
        (PIPX, "1.0", "", "unknown"),
        (PIPX, " ", "1.0", "unknown"),
        (Manager.TOOLS, "^1.2", "1.3.0", "ok"),
        (Manager.TOOLS, ">=1,<2", "2.0", "drift"),
    ],
)
def test_a_version_is_held_against_its_pin(
    manager: Manager, pin: str | None, installed: str, status: str
) -> None:
    """Exact pins and ranges in the manager's own words; what cannot be compared is unknown."""
    assert one(pin, inventory(manager, demo=installed)).status == status


def test_what_is_not_there_is_missing() -> None:
    """A package that is wanted and not installed is missing, with and without a pin."""
    assert one("1.0", inventory(PIPX)).status is VersionStatus.MISSING
    assert one(None, inventory(PIPX)).status is VersionStatus.MISSING


def test_what_cannot_be_told_is_unknown_with_the_reason() -> None:
    """Without an inventory nobody knows whether a package is there."""
    found = one("1.0", inventory(PIPX, problem="there is no home folder"))
    assert (found.status, found.detail) == (VersionStatus.UNKNOWN, "there is no home folder")


@pytest.mark.parametrize("name", ["--index-url", "../x", "https://x", "a b", "", "x" * 300])
def test_what_is_no_name_is_unknown(name: str) -> None:
    """Options, paths and URLs name no package."""
    found = one("1.0", inventory(PIPX), name)
    assert found.status is VersionStatus.UNKNOWN
    assert "no name of a package" in str(found.detail)


def test_names_are_compared_as_their_manager_does() -> None:
    """`Demo_Tool` is `demo-tool` for Python; extras are not part of the name."""
    found = inventory(PIPX, demo_tool="1.0")
    assert one("1.0", found, "Demo_Tool").status is VersionStatus.OK
    assert one("1.0", found, "demo.tool[extra]").status is VersionStatus.OK


def test_what_nobody_pinned_is_unexpected() -> None:
    """Installed and not named; npm itself, and what only came along, surprise nobody."""
    found = list(compare([Wanted(NPM, "a")], inventory(NPM, a="1.0.0", b="2.0.0", npm="11.0.0")))
    assert [(t.tool, t.status.value) for t in found] == [("a", "ok"), ("b", "unexpected")]
    along = Package(name="c", version="1", manager=PIP, place="/x", requested=False)
    assert list(compare([], Inventory(manager=PIP, packages={"c": along}))) == []


def test_a_report_counts_its_tools() -> None:
    """Every status is counted; drift is what `sync` would change."""
    statuses = ("ok", "drift", "missing", "unexpected", "drift")
    tools = tuple(ToolVersion(tool="x", manager=PIP, status=VersionStatus(s)) for s in statuses)
    report = VersionReport(timestamp="2026-01-01T00:00:00Z", tools=tools)
    assert report.counts == {"ok": 1, "drift": 2, "missing": 1, "unexpected": 1, "unknown": 0}
    assert (report.drift_count, report.has_drift) == (3, True)
