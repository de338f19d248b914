"""The documented classes HealthMonitor and VersionControl, and get_scanner."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import penstock
from penstock.errors import ConfigError
from tests.support.fake_npm import FakeNpm
from tests.support.packages import Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine of the test's own."""
    return Machine(tmp_path, monkeypatch)


@pytest.mark.usefixtures("machine")
def test_health_is_reported_as_plain_values() -> None:
    """With the documented members."""
    report = penstock.HealthMonitor().generate_report()
    assert report["overall_status"] in ("healthy", "degraded", "unhealthy")
    assert set(report["summary"]) == {"pass", "warn", "fail"}
    assert {"name", "status", "message", "details", "timestamp"} <= set(report["checks"][0])


def test_versions_are_checked_and_synced(machine: Machine) -> None:
    """As documented: `check_all` is awaited, and its report knows drift."""
    FakeNpm(machine)
    machine.pin(npm={"quick": "1.0.0"})
    control = penstock.VersionControl()
    report = asyncio.run(control.check_all())
    assert (report.has_drift, report.drift_count) == (True, 1)
    assert asyncio.run(control.sync_all(dry_run=True)).planned
    assert asyncio.run(control.sync_all()).ok
    assert not asyncio.run(control.check_all()).has_drift
    assert control.pin_current().pins == {"npm": {"quick": "1.0.0"}}


def test_a_configuration_of_ones_own_counts_instead(machine: Machine) -> None:
    """Whole or its section alone; a wrong one is told at once."""
    FakeNpm(machine)
    pins = {"versionPins": {"npm": {"other": "2.0.0"}}}
    for given in (pins, {"environment": pins}):
        report = asyncio.run(penstock.VersionControl(given).check_all())
        assert [tool.tool for tool in report.tools] == ["other"]
    with pytest.raises(ConfigError):
        penstock.VersionControl({"environment": {"versionPins": {"gem": {}}}})


def test_installers_of_ones_own_are_asked(machine: Machine) -> None:
    """Whoever has other package managers can hand them over."""
    FakeNpm(machine)
    machine.pin(npm={"quick": "1.0.0"})
    with penstock.open_workspace() as workspace:
        installers = workspace.installers
    report = asyncio.run(penstock.VersionControl(None, installers).check_all())
    assert report.drift_count == 1


def test_what_lies_about_is_found(machine: Machine) -> None:
    """Duplicates and caches, together or alone."""
    for name in ("one", "two"):
        (machine.repo / name).write_bytes(b"x" * 300_000)
    scanner = penstock.get_scanner()
    assert len(scanner.scan_all()["duplicates"]) == 1
    assert len(scanner.find_duplicates()["duplicates"]) == 1
    assert not scanner.find_misplaced_caches()["duplicates"]
