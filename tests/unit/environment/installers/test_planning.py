"""Which changes lead to the pins, and what is refused before anything is changed."""

from __future__ import annotations

import pytest
from msgspec import structs

from penstock.environment.api import Manager, ToolVersion, VersionReport, VersionStatus
from penstock.environment.installers.managers import make_installers
from penstock.environment.installers.origins import Origin
from penstock.environment.installers.planning import (
    Plan,
    plan_sync,
    require_managers,
    single_change,
)
from penstock.errors import ConfigError, EnvironmentProblem, ToolMissingError, UsageError

NPM, PIPX, TOOLS, WINGET = Manager.NPM, Manager.PIPX, Manager.TOOLS, Manager.WINGET


def tool(name: str, status: str, manager: Manager = PIPX, pin: str | None = "1.0") -> ToolVersion:
    """Return a tool of a report."""
    installed = None if status == "missing" else "0.9"
    return ToolVersion(
        tool=name,
        manager=manager,
        pinned=pin,
        installed=installed,
        status=VersionStatus(status),
        detail="a reason",
    )


def plan(
    *tools: ToolVersion,
    origin: Origin | None = None,
    force: bool = False,
    only_missing: bool = False,
) -> Plan:
    """Return the plan for a report with these tools."""
    report = VersionReport(timestamp="2026-01-01T00:00:00Z", tools=tools)
    return plan_sync(report, lambda _: origin, force=force, only_missing=only_missing)


ALL = tuple(tool(status.value, status.value) for status in VersionStatus)


def test_what_is_not_as_pinned_is_changed() -> None:
    """Drift and missing; what is ok, unexpected or unknown stays."""
    found = plan(*ALL)
    assert [change.name for change in found.changes] == ["drift", "missing"]
    assert found.notes == ["unknown (pipx) is left alone: a reason"]


def test_force_takes_what_is_as_pinned_too() -> None:
    """Never what nobody pinned."""
    found = plan(*ALL, force=True)
    assert [change.name for change in found.changes] == ["ok", "drift", "missing"]
    assert all(change.force for change in found.changes)


def test_only_missing_leaves_other_versions_alone() -> None:
    """As `install-all` does."""
    assert [change.name for change in plan(*ALL, only_missing=True).changes] == ["missing"]


def test_programs_are_changed_by_the_manager_that_installs_them() -> None:
    """Its package, with the options that the install command has."""
    origin = Origin(Manager.UV, "aider-chat", ("--python", "3.12"))
    (change,) = plan(tool("aider", "drift", TOOLS, ">=1,<2"), origin=origin).changes
    assert (change.manager, change.name, change.tool) == (Manager.UV, "aider-chat", "aider")
    assert change.options == ("--python", "3.12")


def test_a_program_of_unknown_origin_is_refused() -> None:
    """All or nothing: what cannot be brought to its pin keeps the rest from being changed."""
    with pytest.raises(EnvironmentProblem, match="goose: no package manager") as caught:
        plan(tool("goose", "drift", TOOLS), tool("x", "drift"))
    assert "instead of tools" in str(caught.value.hint)


def test_a_pin_that_the_manager_does_not_understand_is_refused() -> None:
    """Every wrong pin is named, those of programs in the words of their manager."""
    origin = Origin(PIPX, "x")
    with pytest.raises(ConfigError) as caught:
        plan(tool("a", "drift", PIPX, "^1"), tool("b", "drift", TOOLS, "^1"), origin=origin)
    assert "pipx, a: the pin '^1'" in str(caught.value)
    assert "tools, b: the pin '^1'" in str(caught.value)


@pytest.mark.parametrize("name", ["--index-url=https://x", "../x", "git+https://x"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """Whatever its status: nothing of it comes near a command line."""
    for status in ("missing", "unknown", "drift"):
        with pytest.raises(ConfigError, match="is no name of a package"):
            plan(tool(name, status, pin=None))


def test_what_nothing_can_be_told_of_is_left_to_its_manager() -> None:
    """As where there is no home: the manager says whether it can be installed."""
    unknown = structs.replace(tool("x", "unknown"), installed=None)
    assert [change.name for change in plan(unknown).changes] == ["x"]


def test_winget_is_left_out() -> None:
    """A file that several platforms share must not keep the others from their tools."""
    found = plan(tool("Git.Git", "unknown", WINGET), tool("x", "drift"))
    assert [change.name for change in found.changes] == ["x"]
    assert "Git.Git is left alone" in found.notes[0]
    assert "--manager winget" in found.notes[0]


# -- one package -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("manager", "package", "version", "name", "pin"),
    [
        (PIPX, "x", None, "x", "3.0"),
        (PIPX, "x", "1.0", "x", "1.0"),
        (PIPX, "x==1.0", None, "x", "1.0"),
        (NPM, "@a/x", None, "@a/x", "3.0"),
        (NPM, "@a/x@^1", None, "@a/x", "^1"),
        (NPM, "x@latest", None, "x", "latest"),
    ],
)
def test_the_version_asked_for_beats_the_pinned_one(
    manager: Manager, package: str, version: str | None, name: str, pin: str
) -> None:
    """In the name, or as an option; without either the pinned one."""
    change = single_change(manager, package, version, pinned="3.0")
    assert change.name == name
    assert change.pin is not None
    assert change.pin.text == pin


@pytest.mark.parametrize(
    ("manager", "package", "version"),
    [
        (PIPX, "x==1", "2"), (PIPX, "", None), (PIPX, "--help", None), (PIPX, "./x", None),
        (PIPX, "git+https://x", None), (NPM, "x@file:y", None), (PIPX, "x==", None),
        (NPM, "x", "next"), (PIPX, "x", "--pre"), (WINGET, "x", "^1"),
    ],
)  # fmt: skip
def test_what_is_no_package_or_version_is_refused(
    manager: Manager, package: str, version: str | None
) -> None:
    """Nothing of it reaches a command line."""
    with pytest.raises(UsageError):
        single_change(manager, package, version)


def test_a_manager_that_is_not_there_is_named_with_its_cure() -> None:
    """All of them in one message."""
    installers = make_installers({"PATH": "/nowhere"}, lambda: None)
    changes = [single_change(manager, "x", None) for manager in (NPM, PIPX, Manager.PIP)]
    with pytest.raises(ToolMissingError, match="npm, pip, pipx: not installed") as caught:
        require_managers(changes, installers)
    assert "nodejs.org" in str(caught.value.hint)
