"""What `aim version`, `aim tools` and `aim setup` show, without any package manager at work."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.fake_npm import FakeNpm
from tests.support.packages import Aim, Machine, make_dist
from tests.support.registries import write_config
from tests.support.terminal import on_terminal, shown

AIM = (sys.executable, "-m", "penstock.aim_cli")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine of the test's own."""
    return Machine(tmp_path, monkeypatch)


@pytest.fixture
def aim(capsys: pytest.CaptureFixture[str]) -> Aim:
    """Runs `aim`."""
    return Aim(capsys)


def program(machine: Machine, name: str, prints: str) -> None:
    """Put a program on PATH that prints its version."""
    path = machine.bin / name
    path.write_text(f"#!{sys.executable} -S\nprint({prints!r})\n")
    path.chmod(0o755)


def application(machine: Machine, name: str, version: str) -> None:
    """Install what passes for an application of pipx, without a program of its own on PATH."""
    venv = machine.home / ".local" / "share" / "pipx" / "venvs" / name
    make_dist(venv / "lib" / "python3.11" / "site-packages", name, version)


def test_without_any_tool_the_check_says_so(machine: Machine, aim: Aim) -> None:
    """Nothing is pinned, nothing is installed: exit 0, and where pins are written."""
    said = aim("version", "check")
    assert (said.code, said.out) == (
        0,
        "No tools: nothing is installed, and environment of config/aim_config.json names none.\n",
    )
    assert aim("version", "sync").out == "Nothing to do.\n"
    assert aim("tools", "list").out == "No package manager has installed anything.\n"
    assert not machine.aim_home.exists()


def test_the_check_shows_every_status_and_exits_1_on_drift(machine: Machine, aim: Aim) -> None:
    """A table, the counts, and the command that mends it."""
    for name, version in (("good", "1.0"), ("old", "1.0"), ("extra", "1.0"), ("odd", "1.0")):
        application(machine, name, version)
    machine.pin(pipx={"good": "1.0", "old": "2.0", "gone": "1.0", "odd": "^^1"})
    said = aim("version", "check")
    assert said.code == 1
    assert "5 tools: 1 ok, 1 drift, 1 missing, 1 unexpected, 1 unknown" in said.out
    assert "aim version sync" in said.out
    document = aim("version", "check", "-j").json
    assert (document["drift_count"], document["has_drift"], document["total"]) == (2, True, 5)
    assert document["counts"]["drift"] == 1
    assert document["source"] == "config/aim_config.json"


@pytest.mark.parametrize("form", ["table", "json", "markdown"])
def test_the_report_has_three_forms_and_exits_0(machine: Machine, aim: Aim, form: str) -> None:
    """Whatever it says."""
    application(machine, "old", "1.0")
    machine.pin(pipx={"old": "2.0"})
    said = aim("version", "report", "--format", form)
    assert said.code == 0
    expected = {
        "table": "old   pipx     2.0     1.0        drift",
        "json": '"drift_count": 1',
        "markdown": "| old | pipx | 2.0 | 1.0 | drift |",
    }
    assert expected[form] in said.out


def test_programs_of_any_origin_are_asked_for_their_version(machine: Machine, aim: Aim) -> None:
    """By the registry's version command, or `--version` for one that it does not know."""
    program(machine, "goose", "goose 1.4.2")
    program(machine, "house-tool", "House Tool, version 7.1 (internal)")
    program(machine, "mute", "no number")
    machine.pin(tools={"goose": "^1.4", "house-tool": ">=8", "mute": "1", "absent": "1.0"})
    assert aim.versions() == {
        "goose": ("1.4.2", "ok"),
        "house-tool": ("7.1", "drift"),
        "mute": (None, "unknown"),
        "absent": (None, "missing"),
    }


def test_a_tools_own_pin_counts_too(machine: Machine, aim: Aim) -> None:
    """`pinnedVersion` of the registry, unless versionPins.tools says otherwise."""
    program(machine, "goose", "1.4.2")
    overlay = {"registry": {"tools": {"goose": {"pinnedVersion": "2.0"}}}}
    write_config(machine.repo, overlay)
    assert aim.versions() == {"goose": ("1.4.2", "drift")}
    write_config(
        machine.repo, {**overlay, "environment": {"versionPins": {"tools": {"goose": "1"}}}}
    )
    assert aim.versions() == {"goose": ("1.4.2", "drift")}


def test_a_program_that_no_manager_installs_is_not_synced(machine: Machine, aim: Aim) -> None:
    """The whole is refused, with what to do."""
    program(machine, "goose", "1.4.2")
    machine.pin(tools={"goose": "2.0"})
    said = aim("version", "sync")
    assert said.code == 2
    assert "goose: no package manager is known to install it" in said.err


def test_a_program_is_synced_by_its_manager(machine: Machine, aim: Aim) -> None:
    """Its package; one that is elsewhere on PATH stays, which is said and no success."""
    npm = FakeNpm(machine)
    program(machine, "codex", "codex 0.1.0")
    machine.pin(tools={"codex": "0.2.0"})
    said = aim("version", "sync", "--dry-run")
    assert "install -g" in said.out
    assert "@openai/codex@0.2.0" in said.out
    assert npm.calls == []


def test_what_is_installed_but_not_found_is_no_success(machine: Machine, aim: Aim) -> None:
    """Another program of the name comes first on PATH: the package is new, what would run is not."""
    FakeNpm(machine)
    program(machine, "amp", "0.1.0")
    command = ["npm", "install", "-g", "amp-cli"]
    overlay = {"registry": {"tools": {"amp": {"installCommand": command}}}}
    pins = {"environment": {"versionPins": {"tools": {"amp": "0.2.0"}}}}
    write_config(machine.repo, {**overlay, **pins})
    said = aim("version", "sync")
    assert said.code == 1
    assert "amp is 0.1.0 all the same, and pinned to 0.2.0" in said.out
    assert "Not everything is as pinned." in said.out


def test_wrong_pins_are_refused_all_at_once(machine: Machine, aim: Aim) -> None:
    """Before anything is changed."""
    application(machine, "a", "1.0")
    npm = FakeNpm(machine)
    machine.pin(pipx={"a": "^1"}, npm={"b": "==1", "c": "1.0.0"})
    said = aim("version", "sync")
    assert said.code == 2
    assert "npm, b: the pin '==1'" in said.err
    assert "pipx, a: the pin '^1'" in said.err
    assert "Mend environment.versionPins" in said.err
    assert npm.calls == []


def test_a_manager_that_is_not_there_is_named(
    machine: Machine, aim: Aim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it should have is missing, and a sync says how to get it."""
    monkeypatch.delenv("NPM_CONFIG_PREFIX")
    monkeypatch.setenv("PATH", str(machine.bin))
    (machine.bin / "git").symlink_to(shutil.which("git", path="/usr/bin:/bin") or "git")
    machine.pin(npm={"left-tool": "1.0.0"}, pipx={"demo": "1.0"})
    assert aim.versions() == {"left-tool": (None, "missing"), "demo": (None, "missing")}
    said = aim("version", "sync")
    assert said.code == 2
    assert "npm, pipx: not installed" in said.err
    assert "nodejs.org" in said.err


def test_a_manager_that_cannot_be_asked_is_believed(machine: Machine, aim: Aim) -> None:
    """winget keeps no files that could be read: its exit code is all there is."""
    for code in (0, 3):
        path = machine.bin / "winget"
        path.write_text(f"#!/bin/sh\necho $@\nexit {code}\n")
        path.chmod(0o755)
        said = aim("tools", "install", "Git.Git", "-m", "winget", "--version", "2.1", "--json")
        assert said.json["ok"] == (code == 0)
    assert "--id Git.Git --exact --silent --version 2.1" in said.json["results"][0]["message"]


def test_verify_tells_what_cannot_be_started(machine: Machine, aim: Aim) -> None:
    """Exit 1, each with its trouble; exit 0 when all are sound."""
    assert aim("tools", "verify").out == "All tools are sound.\n"
    application(machine, "demo", "1.0")
    machine.pin(pipx={"demo": "1.0", "gone": "1.0"}, tools={"mute": "1.0"})
    program(machine, "mute", "nothing")
    said = aim("tools", "verify", "--json")
    assert (said.code, said.json["ok"]) == (1, False)
    assert {tool["tool"]: tool["trouble"] for tool in said.json["tools"]} == {
        "demo": "its program demo is not on PATH",
        "gone": "is not installed",
        "mute": f"{machine.bin / 'mute'} names no version",
    }
    assert "aim version sync" in aim("tools", "verify").out


def test_pins_are_shown_and_kept_to_one_manager(machine: Machine, aim: Aim) -> None:
    """A dry run writes nothing; a manager alone leaves the pins of the others."""
    application(machine, "demo", "1.0")
    dry = aim("version", "pin", "--dry-run")
    assert "1 pins would be changed in config/aim_config.json." in dry.out
    assert not (machine.repo / "config").exists()
    assert aim("version", "pin", "-m", "npm").out == "0 pins changed in config/aim_config.json.\n"
    assert aim("version", "pin", "-m", "pipx", "--json").json["changed"] == 1
    written = json.loads((machine.repo / "config" / "aim_config.json").read_text())
    assert written == {"environment": {"versionPins": {"pipx": {"demo": "1.0"}}}}


def test_json_and_yaml_side_by_side_both_get_the_pins(machine: Machine, aim: Aim) -> None:
    """They must agree, so that one alone would be an error from then on."""
    application(machine, "demo", "1.0")
    for name in ("aim_config.json", "aim_config.yaml"):
        write_config(machine.repo, {"enable_aim": True}, f"config/{name}")
    assert aim("version", "pin").code == 0
    assert aim.versions() == {"demo": ("1.0", "ok")}


def test_undo_stands_alone(aim: Aim, machine: Machine) -> None:
    """With other options it is a mistake, and without anything to undo it says so."""
    assert aim("version", "sync", "--undo", "--force").code == 2
    said = aim("version", "sync", "--undo")
    assert (said.code, "nothing to undo" in said.err) == (2, True)
    assert machine.repo.is_dir()


def test_setup_with_everything_looks_at_the_health_too(machine: Machine, aim: Aim) -> None:
    """As text and as JSON; an unhealthy machine is a failure."""
    machine.configure(healthChecks={"requiredPaths": ["no/such/path"]})
    said = aim("setup", "--all")
    assert said.code == 1
    assert "Health: unhealthy" in said.out
    document = aim("setup", "--all", "--json")
    assert set(document.json) == {"tools", "sync", "health"}
    assert set(aim("setup", "--tools", "--json").json) == {"tools"}


def test_outside_of_a_repository_nothing_is_written_there(
    machine: Machine, aim: Aim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tools are the user's: they can be looked at and installed from anywhere, without a trail."""
    FakeNpm(machine)
    monkeypatch.chdir(machine.home)
    before = sorted(path.name for path in machine.home.iterdir())
    assert aim("tools", "install", "quick", "-m", "npm").code == 0
    assert aim.versions() == {"quick": ("9.9.9", "unexpected")}
    assert aim("tools", "uninstall", "quick", "-m", "npm").code == 0
    assert sorted(path.name for path in machine.home.iterdir()) == before


def test_without_auditing_nothing_is_recorded(machine: Machine, aim: Aim) -> None:
    """The switch counts here as everywhere."""
    FakeNpm(machine)
    given = {"enable_audit_logging": False, "environment": {"npmGlobal": ["quick"]}}
    write_config(machine.repo, given)
    assert aim("version", "sync").code == 0
    assert aim("version", "pin").code == 0
    assert aim("tools", "list").out.splitlines()[-1].split() == ["quick", "npm", "9.9.9", "9.9.9"]
    assert not (machine.repo / ".AIM_ai-tools-registry").exists()


def test_a_registry_that_is_missing_does_not_hide_other_tools(
    machine: Machine, aim: Aim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs are then looked for by their names."""
    monkeypatch.setenv("AIM_REGISTRY_PATH", str(machine.home / "gone"))
    program(machine, "house-tool", "7.1")
    machine.pin(tools={"house-tool": "7.1"})
    assert aim.versions() == {"house-tool": ("7.1", "ok")}


def test_progress_is_shown_on_a_terminal_alone(machine: Machine, aim: Aim) -> None:
    """Each command as it begins, and what is put back; a pipe gets the result only."""
    FakeNpm(machine)
    machine.pin(npm={"quick": "1.0.0", "fails": "1.0.0"})
    assert "npm: " not in aim("version", "sync").err
    code, text = on_terminal("version", "sync", cwd=machine.repo, program=AIM)
    assert code == 1
    screen = "".join(shown(text))
    assert "npm: " in screen
    assert "putting back: " in screen


def test_the_table_fits_a_terminal_of_80_columns(machine: Machine) -> None:
    """Long names and pins are wrapped, not cut."""
    application(machine, "a-tool-with-quite-a-long-name-indeed", "1.0")
    machine.pin(pipx={"a-tool-with-quite-a-long-name-indeed": ">=1.0,<2.0,!=1.3,!=1.4,!=1.5"})
    code, text = on_terminal("version", "check", cwd=machine.repo, program=AIM)
    assert code == 0
    assert max(map(len, shown(text))) <= 80
