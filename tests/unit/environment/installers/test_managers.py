"""The commands of managers, word by word."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.environment.api import Inventory, Manager, Package
from penstock.environment.installers.managers import make_installers
from penstock.environment.installers.port import Change
from penstock.environment.versions.pins import parse_pin

ABSENT = make_installers({"PATH": "/nowhere"}, lambda: None)
QUIET = "--no-audit --no-fund --no-update-notifier --loglevel=error"
PIP = "python3 -m pip"
PIP_QUIET = "--no-input --disable-pip-version-check --quiet"


def command(manager: Manager, pin: str | None = None, **more: Any) -> str:
    """Return the command for a package `x`."""
    parsed = None if pin is None else parse_pin(manager, pin)
    change = Change(tool="x", manager=manager, name="x", pin=parsed, **more)
    return " ".join(ABSENT[manager].commands(change))


@pytest.mark.parametrize(
    ("manager", "pin", "expected"),
    [
        (Manager.PIPX, "1.0", "pipx install x==1.0"),
        (Manager.UV, "1.0", "uv tool install x==1.0"),
        (Manager.NPM, "^1.0", f"npm install -g {QUIET} x@^1.0"),
        (Manager.PIP, "1.0", f"{PIP} install {PIP_QUIET} x==1.0"),
        (Manager.WINGET, "1.0", "winget install --id x --exact --silent --version 1.0"),
        (Manager.WINGET, None, "winget install --id x --exact --silent"),
    ],
)
def test_install(manager: Manager, pin: str | None, expected: str) -> None:
    """As the managers document it."""
    assert command(manager, pin) == expected


@pytest.mark.parametrize(
    ("manager", "expected"),
    [
        (Manager.PIPX, "pipx install --force x"),
        (Manager.UV, "uv tool install --force x"),
        (Manager.NPM, f"npm install -g --force {QUIET} x"),
        (Manager.PIP, f"{PIP} install {PIP_QUIET} --force-reinstall x"),
        (Manager.WINGET, "winget install --id x --exact --silent --force"),
    ],
)
def test_install_again(manager: Manager, expected: str) -> None:
    """With `force` what is there is installed once more."""
    assert command(manager, force=True) == expected


@pytest.mark.parametrize(
    ("manager", "expected"),
    [
        (Manager.PIPX, "pipx uninstall x"),
        (Manager.UV, "uv tool uninstall x"),
        (Manager.NPM, f"npm uninstall -g {QUIET} x"),
        (Manager.PIP, f"{PIP} uninstall {PIP_QUIET} --yes x"),
        (Manager.WINGET, "winget uninstall --id x --exact --silent"),
    ],
)
def test_uninstall(manager: Manager, expected: str) -> None:
    """Without a question."""
    assert command(manager, remove=True) == expected


def test_pipx_replaces_only_when_told() -> None:
    """It leaves what is there alone without `--force`, and exits 0 all the same."""
    assert command(Manager.PIPX, "2.0", replaces=True) == "pipx install --force x==2.0"


def test_winget_says_that_nothing_can_be_told() -> None:
    """It keeps no files that could be read."""
    assert ABSENT[Manager.WINGET].inventory().problem == "what winget has cannot be told"


def inventory(**versions: str) -> Inventory:
    """Return what pip has."""
    packages = {
        name: Package(name=name, version=version, manager=Manager.PIP, place="/x")
        for name, version in versions.items()
    }
    return Inventory(manager=Manager.PIP, packages=packages)


def test_all_of_an_environment_is_restored_by_two_commands() -> None:
    """What came is removed, what changed or went is put back, what stayed is not touched."""
    pip = ABSENT[Manager.PIP]
    before = pip.snapshot(inventory(a="1", b="1", c="1"), ("new",))
    commands = [
        " ".join(argv) for _, argv, _ in pip.restore(before, {"a": "1", "b": "2", "new": "1"})
    ]
    assert commands == [
        f"{PIP} uninstall {PIP_QUIET} --yes new",
        f"{PIP} install {PIP_QUIET} --no-deps b==1 c==1",
    ]
    assert list(pip.restore(before, {"a": "1", "b": "1", "c": "1"})) == []
