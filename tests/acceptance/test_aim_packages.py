"""`aim version`, `aim tools` and `aim setup` with the real pip, pipx, uv and npm, without a network."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.npm_registry import Registry, npm_registry
from tests.support.packages import Aim, Machine, make_wheel


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine of the test's own."""
    return Machine(tmp_path, monkeypatch)


@pytest.fixture
def aim(capsys: pytest.CaptureFixture[str]) -> Aim:
    """Runs `aim`."""
    return Aim(capsys)


@pytest.fixture
def npm(machine: Machine) -> Iterator[Registry]:
    """The real npm with a registry of ours."""
    with npm_registry() as registry:
        machine.use_npm(registry)
        registry.publish("left-tool", "1.0.0", "1.1.0", "2.0.0")
        registry.publish("@scope/right-tool", "0.1.0", "0.2.0", program="right-tool")
        yield registry


def answer(program: Path) -> str:
    """Return what an installed program prints."""
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip()


# -- npm ---------------------------------------------------------------------------------------
@pytest.mark.usefixtures("npm")
def test_npm_packages_are_brought_to_their_pins(machine: Machine, aim: Aim) -> None:
    """Exact pins and ranges, scoped packages too; afterwards everything is ok."""
    machine.pin(npm={"left-tool": "^1.0", "@scope/right-tool": "0.1.0"})
    assert aim.versions() == {
        "left-tool": (None, "missing"),
        "@scope/right-tool": (None, "missing"),
    }
    assert aim("version", "sync").code == 0
    assert aim.versions() == {
        "left-tool": ("1.1.0", "ok"),
        "@scope/right-tool": ("0.1.0", "ok"),
    }
    assert answer(machine.prefix / "bin" / "left-tool") == "left-tool 1.1.0"
    assert aim("tools", "verify").code == 0


@pytest.mark.usefixtures("npm")
def test_a_failed_sync_puts_the_versions_from_before_back(machine: Machine, aim: Aim) -> None:
    """One package that does not exist: the other is as it was, which is shown."""
    assert aim("tools", "install", "left-tool", "-m", "npm", "--version", "1.0.0").code == 0
    machine.pin(npm={"left-tool": "2.0.0", "no-such-tool": "1.0.0"})
    said = aim("version", "sync")
    assert said.code == 1
    assert "Failed: everything is as it was before." in said.out
    assert "is 1.0.0 again" in said.out
    assert aim.versions()["left-tool"] == ("1.0.0", "drift")
    assert answer(machine.prefix / "bin" / "left-tool") == "left-tool 1.0.0"


@pytest.mark.usefixtures("npm")
def test_what_was_not_there_is_removed_again(machine: Machine, aim: Aim) -> None:
    """After a failure nothing is left of what had been installed before it."""
    machine.pin(npm={"left-tool": "2.0.0", "@scope/right-tool": "9.9.9"})
    said = aim("version", "sync", "--json")
    assert (said.code, said.json["ok"]) == (1, False)
    back = said.json["rolled_back"]
    assert [(r["tool"], r["success"], r["version"]) for r in back] == [("left-tool", True, None)]
    assert not (machine.prefix / "bin" / "left-tool").exists()
    assert not (machine.aim_home / "installing.json").exists()


def test_a_dry_run_prints_the_commands_and_asks_nobody(
    machine: Machine, aim: Aim, npm: Registry
) -> None:
    """The commands of the managers, ready to be typed; the registry hears of nothing."""
    machine.pin(npm={"left-tool": "^1.0"})
    said = aim("version", "sync", "--dry-run")
    assert said.code == 0
    assert "install -g" in said.out
    assert "'left-tool@^1.0'" in said.out
    assert npm.asked == []
    assert aim.versions() == {"left-tool": (None, "missing")}


@pytest.mark.usefixtures("npm")
def test_npm_packages_come_and_go(machine: Machine, aim: Aim) -> None:
    """Installed newest, listed, left alone the second time, removed; then it is not there."""
    said = aim("tools", "install", "left-tool", "--manager", "npm", "--json")
    result = said.json["results"][0]
    assert (result["version"], result["action"]) == ("2.0.0", "install")
    assert result["rollback_data"] == {"previous_version": None}
    again = aim("tools", "install", "left-tool", "--manager", "npm")
    assert "2.0.0 is installed already" in again.out
    listed = aim("tools", "list", "--json").json
    assert [(tool["tool"], tool["installed"]) for tool in listed] == [("left-tool", "2.0.0")]
    assert aim("tools", "uninstall", "left-tool", "-m", "npm").code == 0
    gone = aim("tools", "uninstall", "left-tool", "-m", "npm")
    assert gone.code == 2
    assert "npm has no package left-tool" in gone.err


@pytest.mark.usefixtures("npm")
def test_an_install_without_a_version_takes_the_pinned_one(machine: Machine, aim: Aim) -> None:
    """What is pinned is what is installed, unless a version is asked for."""
    machine.pin(npm={"left-tool": "~1.0"})
    aim("tools", "install", "left-tool", "-m", "npm")
    assert aim.versions() == {"left-tool": ("1.0.0", "ok")}
    aim("tools", "install", "left-tool@2.0.0", "-m", "npm")
    assert aim.versions() == {"left-tool": ("2.0.0", "drift")}


@pytest.mark.usefixtures("npm")
def test_what_is_installed_is_pinned(machine: Machine, aim: Aim) -> None:
    """`pin` writes exact versions into aim_config; the check then finds no drift, and a file of one's
    own gets the same."""
    aim("tools", "install", "@scope/right-tool", "-m", "npm")
    assert aim.versions()["@scope/right-tool"] == ("0.2.0", "unexpected")
    assert aim("version", "pin").code == 0
    assert aim.versions()["@scope/right-tool"] == ("0.2.0", "ok")
    aim("version", "pin", "--output", "pins.json")
    written = json.loads((machine.repo / "pins.json").read_text())
    assert written == {"environment": {"versionPins": {"npm": {"@scope/right-tool": "0.2.0"}}}}


# -- pipx and uv -------------------------------------------------------------------------------
@pytest.mark.parametrize("manager", ["pipx", "uv"])
def test_python_tools_are_brought_to_their_pins(machine: Machine, aim: Aim, manager: str) -> None:
    """From nothing, to another version, and to what a range allows."""
    machine.use_python_tools()
    make_wheel(machine.wheels, "demo-tool", "1.0", "1.5", "2.0")
    for pin, version in (("1.0", "1.0"), ("2.0", "2.0"), (">=1,<2", "1.5")):
        machine.pin(**{manager: {"Demo_Tool": pin}})
        assert aim.versions()["Demo_Tool"][1] != "ok"
        assert aim("version", "sync").code == 0
        assert aim.versions() == {"Demo_Tool": (version, "ok")}
        assert answer(machine.bin / "demo-tool") == f"demo-tool {version}"
    assert aim("tools", "verify").code == 0


@pytest.mark.parametrize("manager", ["pipx", "uv"])
def test_a_python_tool_that_fails_has_the_others_put_back(
    machine: Machine, aim: Aim, manager: str
) -> None:
    """The one that was there is there again, the one that was not is gone."""
    machine.use_python_tools()
    make_wheel(machine.wheels, "demo-tool", "1.0", "2.0")
    make_wheel(machine.wheels, "other-tool", "1.0")
    assert aim("tools", "install", "demo-tool==1.0", "-m", manager).code == 0
    machine.pin(**{manager: {"demo-tool": "2.0", "other-tool": "1.0", "third-tool": "7"}})
    said = aim("version", "sync")
    assert (said.code, "everything is as it was" in said.out) == (1, True)
    assert aim.versions() == {
        "demo-tool": ("1.0", "drift"),
        "other-tool": (None, "missing"),
        "third-tool": (None, "missing"),
    }
    assert answer(machine.bin / "demo-tool") == "demo-tool 1.0"


@pytest.mark.parametrize("manager", ["pipx", "uv"])
def test_python_tools_are_removed(machine: Machine, aim: Aim, manager: str) -> None:
    """Program and environment are gone, and the manager knows nothing of it."""
    machine.use_python_tools()
    make_wheel(machine.wheels, "demo-tool", "1.0")
    aim("tools", "install", "demo-tool", "-m", manager)
    assert aim("tools", "uninstall", "demo-tool", "-m", manager).code == 0
    assert not (machine.bin / "demo-tool").exists()
    assert aim.versions() == {}


def test_managers_work_side_by_side_and_fail_together(
    machine: Machine, aim: Aim, npm: Registry
) -> None:
    """A failure of one manager has what the others did put back as well."""
    machine.use_python_tools()
    make_wheel(machine.wheels, "demo-tool", "1.0")
    machine.pin(uv={"demo-tool": "1.0"}, npm={"left-tool": "77.0.0"})
    assert aim("version", "sync").code == 1
    assert aim.versions() == {"demo-tool": (None, "missing"), "left-tool": (None, "missing")}
    npm.publish("left-tool", "77.0.0")
    assert aim("version", "sync").code == 0
    assert aim.versions() == {"demo-tool": ("1.0", "ok"), "left-tool": ("77.0.0", "ok")}


# -- what can no longer be downloaded ----------------------------------------------------------
def withdrawn(machine: Machine, name: str) -> None:
    """Leave no trace of version 1.0 where managers look for it."""
    for wheel in machine.wheels.glob(f"{name}-1.0-*"):
        wheel.unlink()
    for cache in ("uv", "pip"):
        shutil.rmtree(machine.home / cache, ignore_errors=True)


@pytest.mark.parametrize("manager", ["pipx", "uv", "pip"])
def test_what_can_no_longer_be_had_is_put_back_from_a_copy(
    machine: Machine, aim: Aim, manager: str
) -> None:
    """As when the network is gone, which is why the sync failed; the program is the one from before."""
    machine.use_python_tools()
    venv = machine.use_pip()
    make_wheel(machine.wheels, "demo-tool", "1.0", "2.0")
    aim("tools", "install", "demo-tool==1.0", "-m", manager)
    withdrawn(machine, "demo_tool")
    machine.pin(**{manager: {"demo-tool": "2.0", "not-there": "1.0"}})
    said = aim("version", "sync")
    assert (said.code, "everything is as it was" in said.out) == (1, True), said.out
    assert aim.versions()["demo-tool"] == ("1.0", "drift")
    program = (venv / "bin" if manager == "pip" else machine.bin) / "demo-tool"
    assert answer(program) == "demo-tool 1.0"
    assert [path.name for path in machine.aim_home.iterdir()] == ["installing.lock"]


def test_npm_packages_that_were_withdrawn_are_put_back(
    machine: Machine, aim: Aim, npm: Registry
) -> None:
    """From the copy, with what the program needs."""
    aim("tools", "install", "left-tool@1.0.0", "-m", "npm")
    npm.withdraw("left-tool", "1.0.0")
    machine.pin(npm={"left-tool": "2.0.0", "no-such-tool": "1.0.0"})
    said = aim("version", "sync")
    assert (said.code, "everything is as it was" in said.out) == (1, True), said.out
    assert answer(machine.prefix / "bin" / "left-tool") == "left-tool 1.0.0"


# -- pip ---------------------------------------------------------------------------------------
def test_pip_brings_the_environment_to_its_pins(machine: Machine, aim: Aim) -> None:
    """In the repository's own environment; what came along is no surprise."""
    venv = machine.use_pip()
    make_wheel(machine.wheels, "low-level", "1.0", program=False)
    make_wheel(machine.wheels, "demo-tool", "1.0", "2.0", requires=["low-level"])
    machine.pin(pip={"demo-tool": "1.0"})
    assert aim("version", "sync").code == 0
    assert aim.versions() == {"demo-tool": ("1.0", "ok")}
    assert answer(venv / "bin" / "demo-tool") == "demo-tool 1.0"


def test_a_failed_sync_restores_all_of_pips_environment(machine: Machine, aim: Aim) -> None:
    """Also what came along, in another version or newly, is as it was."""
    machine.use_pip()
    make_wheel(machine.wheels, "low-level", "1.0", "2.0", program=False)
    make_wheel(machine.wheels, "brand-new", "1.0", program=False)
    make_wheel(machine.wheels, "demo-tool", "1.0", requires=["low-level==1.0"])
    make_wheel(machine.wheels, "demo-tool", "2.0", requires=["low-level==2.0", "brand-new"])
    machine.pin(pip={"demo-tool": "1.0"})
    aim("version", "sync")
    machine.pin(pip={"demo-tool": "2.0", "not-there": "1.0", "low-level": "2.0"})
    assert aim("version", "sync").code == 1
    assert aim.versions() == {
        "demo-tool": ("1.0", "drift"),
        "low-level": ("1.0", "drift"),
        "not-there": (None, "missing"),
    }


def test_no_environment_to_install_into_is_said(machine: Machine, aim: Aim) -> None:
    """An environment that is named and not there: nothing else is changed in its stead."""
    machine.configure(pipEnvironment="nowhere", versionPins={"pip": {"demo-tool": "1.0"}})
    assert aim.versions() == {"demo-tool": (None, "missing")}
    for command in (("version", "sync"), ("tools", "install", "demo-tool", "-m", "pip")):
        said = aim(*command)
        assert said.code == 2
        assert "pip: not installed" in said.err
        assert "environment.pipEnvironment" in said.err


# -- setup -------------------------------------------------------------------------------------
@pytest.mark.usefixtures("npm")
def test_setup_installs_what_is_named_and_pinned(machine: Machine, aim: Aim) -> None:
    """Applications without a pin in their newest version, pinned ones as pinned."""
    machine.configure(
        npmGlobal=["left-tool", "@scope/right-tool"], versionPins={"npm": {"left-tool": "1.0.0"}}
    )
    dry = aim("setup", "--dry-run")
    assert (dry.code, dry.out.count("install -g")) == (0, 4)
    assert aim("setup").code == 0
    assert aim.versions() == {"left-tool": ("1.0.0", "ok"), "@scope/right-tool": ("0.2.0", "ok")}
    assert "Nothing to do." in aim("setup").out


@pytest.mark.usefixtures("npm")
def test_install_all_leaves_other_versions_alone(machine: Machine, aim: Aim) -> None:
    """It installs what is missing; without rollback what could be installed stays."""
    aim("tools", "install", "left-tool@1.0.0", "-m", "npm")
    machine.pin(npm={"left-tool": "2.0.0", "@scope/right-tool": "0.1.0", "no-such-tool": "1.0.0"})
    said = aim("tools", "install-all", "--no-rollback", "--sequential")
    assert said.code == 1
    assert aim.versions() == {
        "left-tool": ("1.0.0", "drift"),
        "@scope/right-tool": ("0.1.0", "ok"),
        "no-such-tool": (None, "missing"),
    }
