"""What we read from the files of package managers is what they say themselves."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from penstock.environment.api import Inventory, Manager
from penstock.environment.installers import inventories
from penstock.environment.installers.npm_root import global_root
from penstock.environment.installers.port import manager_environment
from penstock.environment.installers.python_place import find_python
from penstock.environment.versions.names import normalised
from tests.support.npm_registry import npm_registry
from tests.support.packages import Machine, make_wheel


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine of the test's own."""
    return Machine(tmp_path, monkeypatch)


def said(*argv: str | Path) -> str:
    """Return what a manager prints."""
    env = manager_environment(os.environ)
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout


def versions(inventory: Inventory) -> dict[str, str]:
    """Return the versions of an inventory by name."""
    assert inventory.problem is None
    return {package.name: package.version for package in inventory.packages.values()}


def _none(_: Machine, __: pytest.MonkeyPatch) -> None:
    """Leave it to where node lies."""


def _user_file(machine: Machine, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("PLACE", "filled")
    (machine.home / ".npmrc").write_text("; a comment\nfund=false\nprefix = ${HOME}/${PLACE}\n")


def _tilde(machine: Machine, _: pytest.MonkeyPatch) -> None:
    (machine.home / ".npmrc").write_text('prefix="~/own place"\n')


def _other_user_file(machine: Machine, patch: pytest.MonkeyPatch) -> None:
    (machine.home / "elsewhere").write_text(f"prefix={machine.home}/else\n")
    patch.setenv("npm_config_userconfig", str(machine.home / "elsewhere"))


def _lower_case(machine: Machine, patch: pytest.MonkeyPatch) -> None:
    _tilde(machine, patch)
    patch.setenv("npm_config_prefix", str(machine.home / "lower"))


def _prefix_variable(machine: Machine, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("PREFIX", str(machine.home / "from-variable"))


def _global_file(machine: Machine, patch: pytest.MonkeyPatch) -> None:
    _prefix_variable(machine, patch)
    folder = machine.home / "from-variable" / "etc"
    folder.mkdir(parents=True)
    (folder / "npmrc").write_text(f"prefix={machine.home}/global\n")


@pytest.mark.parametrize(
    "arrange",
    [_none, _user_file, _tilde, _other_user_file, _lower_case, _prefix_variable, _global_file],
)
def test_npm_names_the_same_root(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, arrange: Any
) -> None:
    """`npm root -g` is the folder that we found without starting npm, wherever it is stated."""
    with npm_registry() as registry:
        machine.use_npm(registry)
    monkeypatch.delenv("NPM_CONFIG_PREFIX")
    arrange(machine, monkeypatch)
    assert str(global_root(manager_environment(os.environ))) == said("npm", "root", "-g").strip()


def test_npm_lists_the_same_packages(machine: Machine) -> None:
    """Scoped ones, and one that is only linked, with their versions."""
    with npm_registry() as registry:
        machine.use_npm(registry)
        registry.publish("left-tool", "1.0.0")
        registry.publish("@scope/right-tool", "0.2.0-rc.1")
        said("npm", "install", "-g", "left-tool", "@scope/right-tool")
    own = machine.home / "own"
    own.mkdir()
    (own / "package.json").write_text('{"name": "own", "version": "3.0.0"}')
    said("npm", "install", "-g", own)
    listed = json.loads(said("npm", "list", "-g", "--depth=0", "--json"))["dependencies"]
    found = inventories.npm_inventory(manager_environment(os.environ))
    assert versions(found) == {name: entry["version"] for name, entry in listed.items()}
    assert len(listed) == 3


def test_pipx_lists_the_same_applications(machine: Machine) -> None:
    """`pipx list --json` has the same names and versions, whatever its home is called."""
    machine.use_python_tools()
    make_wheel(machine.wheels, "demo-tool", "1.0")
    make_wheel(machine.wheels, "Other.Tool", "2.0rc1")
    said("pipx", "install", "demo-tool")
    said("pipx", "install", "--suffix=-next", "other-tool==2.0rc1")
    venvs = json.loads(said("pipx", "list", "--json"))["venvs"].values()
    mains = [entry["metadata"]["main_package"] for entry in venvs]
    found = inventories.pipx_inventory(manager_environment(os.environ))
    assert versions(found) == {
        main["package"] + main["suffix"]: main["package_version"] for main in mains
    }
    assert len(mains) == 2


def test_pipx_and_uv_name_the_same_folders(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default, by XDG_DATA_HOME, by their own variables, and where an older pipx has been."""
    machine.use_python_tools()

    def agree() -> None:
        env = manager_environment(os.environ)
        assert (
            str(inventories.pipx_home(env))
            == said("pipx", "environment", "--value", "PIPX_HOME").strip()
        )
        assert str(inventories.uv_tools(env)) == said("uv", "tool", "dir").strip()

    agree()
    monkeypatch.setenv("XDG_DATA_HOME", str(machine.home / "data"))
    agree()
    (machine.home / ".local" / "pipx").mkdir(parents=True)
    agree()
    monkeypatch.setenv("PIPX_HOME", str(machine.home / "own"))
    monkeypatch.setenv("UV_TOOL_DIR", str(machine.home / "own tools"))
    agree()


def test_uv_lists_the_same_tools(machine: Machine) -> None:
    """`uv tool list` has the same names and versions."""
    machine.use_python_tools()
    make_wheel(machine.wheels, "demo-tool", "1.0", "1.1")
    make_wheel(machine.wheels, "other-tool", "2.0")
    said("uv", "tool", "install", "demo-tool<1.1")
    said("uv", "tool", "install", "other-tool")
    lines = [line for line in said("uv", "tool", "list").splitlines() if " v" in line]
    listed = dict(line.split(" v") for line in lines)
    assert versions(inventories.uv_inventory(manager_environment(os.environ))) == listed
    assert listed == {"demo-tool": "1.0", "other-tool": "2.0"}


@pytest.mark.parametrize("system", [False, True])
def test_pip_lists_the_same_distributions(machine: Machine, system: bool) -> None:
    """`pip list` has the same, also in an environment that sees the system's packages; `requested` is
    what does not only come along."""
    venv = machine.use_pip()
    make_wheel(machine.wheels, "low-level", "1.0", program=False)
    make_wheel(machine.wheels, "demo-tool", "1.0", requires=["low-level"])
    python = venv / "bin" / "python"
    said(python, "-m", "pip", "install", "demo-tool")
    if system:
        text = (venv / "pyvenv.cfg").read_text().replace("= false", "= true")
        (venv / "pyvenv.cfg").write_text(text)
    listed = json.loads(said(python, "-m", "pip", "list", "--format=json"))
    place = find_python(machine.repo, None, {}, manager_environment(os.environ))
    found = inventories.pip_inventory(place)
    names = {key: package.version for key, package in found.packages.items()}
    assert names == {normalised(Manager.PIP, entry["name"]): entry["version"] for entry in listed}
    assert [found.packages[n].requested for n in ("demo-tool", "low-level")] == [True, False]
