"""Syncs that are killed, stopped, lied to, or run twice at once; real processes, an npm on demand."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_npm import FakeNpm
from tests.support.packages import Aim, Machine

AIM = (sys.executable, "-m", "penstock.aim_cli")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine of the test's own."""
    return Machine(tmp_path, monkeypatch)


@pytest.fixture
def npm(machine: Machine) -> Iterator[FakeNpm]:
    """An npm that obeys the names of packages."""
    fake = FakeNpm(machine)
    yield fake
    fake.go_on()


@pytest.fixture
def aim(capsys: pytest.CaptureFixture[str]) -> Aim:
    """Runs `aim`."""
    return Aim(capsys)


def started(npm: FakeNpm) -> subprocess.Popen[str]:
    """Start a sync as a process of its own, and wait until it installs the slow package."""
    child = subprocess.Popen(
        [*AIM, "version", "sync"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    npm.await_call("slow@")
    return child


def killed(npm: FakeNpm) -> None:
    """Kill a sync while it installs the slow package, after quick@2.0.0 was installed."""
    child = started(npm)
    child.kill()
    child.communicate()
    npm.go_on()


@pytest.fixture
def cut_off(machine: Machine, npm: FakeNpm, aim: Aim) -> FakeNpm:
    """A machine on which a sync was killed: quick was 1.0.0, and slow was not there."""
    aim("tools", "install", "quick@1.0.0", "-m", "npm")
    machine.pin(npm={"quick": "2.0.0", "slow": "1.0.0"})
    killed(npm)
    return npm


@pytest.mark.usefixtures("cut_off")
def test_a_sync_that_was_killed_is_told_of_and_undone(machine: Machine, aim: Aim) -> None:
    """`--undo` puts back what was there; a second one has nothing to undo."""
    assert "cut off before its end" in aim("version", "check").out
    assert aim("version", "sync", "--undo").code == 0
    assert aim.versions() == {"quick": ("1.0.0", "drift"), "slow": (None, "missing")}
    assert not (machine.aim_home / "installing.json").exists()
    assert aim("version", "sync", "--undo").code == 2


@pytest.mark.usefixtures("cut_off")
def test_a_sync_that_was_killed_is_completed(aim: Aim) -> None:
    """The next sync ends what was begun, and nothing is told of it any more."""
    assert aim("version", "sync").code == 0
    assert aim.versions() == {"quick": ("2.0.0", "ok"), "slow": ("1.0.0", "ok")}
    assert "cut off" not in aim("version", "check").out


@pytest.mark.usefixtures("cut_off")
def test_a_failing_completion_goes_back_to_the_beginning(machine: Machine, aim: Aim) -> None:
    """What the killed sync had changed is put back too, though this one has not changed it."""
    machine.pin(npm={"quick": "2.0.0", "fails": "1.0.0"})
    assert aim("version", "sync").code == 1
    machine.pin(npm={"quick": "1.0.0"})
    assert aim.versions() == {"quick": ("1.0.0", "ok")}


def versions_there(npm: FakeNpm) -> dict[str, str]:
    """Return what is installed, as it lies on disk."""
    files = (npm.prefix / "lib" / "node_modules").glob("*/package.json")
    return {path.parent.name: json.loads(path.read_text())["version"] for path in files}


@pytest.mark.parametrize("calls", range(1, 6))
def test_a_kill_at_any_command_can_be_undone(
    machine: Machine, npm: FakeNpm, aim: Aim, calls: int
) -> None:
    """Killed while the first, second, ... package is installed: what was there before comes back."""
    names = [f"tool-{number}" for number in range(5)]
    machine.pin(npm=dict.fromkeys(names[::2], "1.0.0"))
    aim("version", "sync")
    before = versions_there(npm)
    machine.pin(npm=dict.fromkeys(names, "2.0.0"))
    child = subprocess.Popen([*AIM, "version", "sync"], stdout=subprocess.DEVNULL)
    npm.await_call(f"{names[calls - 1]}@2.0.0")
    child.kill()
    child.wait()
    npm.await_version(names[calls - 1], "2.0.0")  # npm itself lives on, and ends what it began
    if (machine.aim_home / "installing.json").exists():
        assert aim("version", "sync", "--undo").code == 0
        assert versions_there(npm) == before
    else:
        assert versions_there(npm) == dict.fromkeys(names, "2.0.0")


@pytest.mark.usefixtures("cut_off")
@pytest.mark.parametrize(
    "command",
    [
        ("tools", "install", "more", "-m", "npm"),
        ("tools", "uninstall", "quick", "-m", "npm"),
        ("tools", "install-all"),
        ("version", "sync", "-m", "npm"),
    ],
)
def test_nothing_else_is_changed_before_a_cut_off_sync_is_ended(
    command: tuple[str, ...], aim: Aim
) -> None:
    """Changes of other extent would lose sight of what must be undone."""
    said = aim(*command)
    assert said.code == 2
    assert "aim version sync --undo" in said.err


def test_a_manager_that_outlives_its_sync_is_ended(
    machine: Machine, npm: FakeNpm, aim: Aim
) -> None:
    """Killed with npm still at work: it must not go on while what it does is undone."""
    machine.pin(npm={"slow": "1.0.0"})
    child = started(npm)
    child.kill()
    child.communicate()
    assert npm.is_at_work()
    assert aim("version", "sync", "--undo").code == 0
    assert not npm.is_at_work()
    assert versions_there(npm) == {}


def test_what_a_killed_sync_had_installed_is_installed_again(cut_off: FakeNpm, aim: Aim) -> None:
    """It has the right version, and may be half there all the same."""
    assert aim("version", "sync").code == 0
    assert len([call for call in cut_off.calls if "quick@2.0.0" in call]) == 2


def test_two_at_once_do_not_mix(machine: Machine, npm: FakeNpm, aim: Aim) -> None:
    """The second is turned away while the first works, and the first ends well."""
    machine.pin(npm={"slow": "1.0.0"})
    first = started(npm)
    said = aim("tools", "install", "quick", "-m", "npm", "--json")
    npm.go_on()
    out, err = first.communicate(timeout=60)
    assert (first.returncode, err) == (0, ""), out
    assert said.code == 2
    assert aim.versions() == {"slow": ("1.0.0", "ok")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_puts_back_what_was_changed(
    machine: Machine, npm: FakeNpm, aim: Aim, number: signal.Signals
) -> None:
    """Ctrl-C and TERM end the manager, have everything put back, and exit 130."""
    machine.pin(npm={"quick": "2.0.0", "slow": "1.0.0", "more": "1.0.0"})
    child = started(npm)
    child.send_signal(number)
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "not begun" in out
    assert {version for version, _ in aim.versions().values()} == {None}
    assert not (machine.aim_home / "installing.json").exists()


# -- managers that lie and fail ----------------------------------------------------------------
@pytest.mark.parametrize(
    ("package", "why"),
    [
        ("liar", "its manager reports success, but it is not there"),
        ("other", "0.0.1 is there instead of 1.0.0"),
        ("fails", "exit code 7"),
    ],
)
@pytest.mark.usefixtures("npm")
def test_a_manager_is_not_believed(machine: Machine, aim: Aim, package: str, why: str) -> None:
    """What is there afterwards counts, whatever the manager says; it is taken back."""
    machine.pin(npm={package: "1.0.0"})
    said = aim("version", "sync", "--json")
    assert said.code == 1
    assert why in said.json["results"][0]["message"]
    assert aim.versions() == {package: (None, "missing")}


@pytest.mark.usefixtures("npm")
def test_passwords_in_what_a_manager_says_are_masked(machine: Machine, aim: Aim) -> None:
    """A URL with a password reaches neither the screen nor the audit trail."""
    machine.pin(npm={"fails": "1.0.0"})
    said = aim("version", "sync")
    recorded = aim("audit", "query", "--format", "json").out
    assert "exit code 7" in recorded
    assert "hunter2secret" not in said.out + said.err + recorded


def test_what_cannot_be_put_back_is_said_with_the_command(
    machine: Machine, npm: FakeNpm, aim: Aim
) -> None:
    """The record stays, so that `--undo` can try again."""
    machine.pin(npm={"sticky": "2.0.0", "fails": "1.0.0"})
    said = aim("version", "sync")
    assert "not everything could be put back" in said.out
    assert "uninstall -g" in said.out
    assert (machine.aim_home / "installing.json").exists()
    assert npm.has("sticky")


def test_every_change_is_in_the_audit_trail(machine: Machine, npm: FakeNpm, aim: Aim) -> None:
    """Installing, upgrading, removing and syncing, with the version from before."""
    aim("tools", "install", "quick@1.0.0", "-m", "npm")
    machine.pin(npm={"quick": "2.0.0"})
    aim("version", "sync")
    aim("tools", "uninstall", "quick", "-m", "npm")
    aim("version", "pin")
    lines = map(json.loads, aim("audit", "query", "--format", "json").out.splitlines())
    entries = [(e["event_type"], e["details"].get("rollback_data")) for e in lines]
    assert sorted(kind for kind, _ in entries) == [
        "config_update", "tool_install", "tool_uninstall", "tool_upgrade", "version_sync",
    ]  # fmt: skip
    assert ("tool_upgrade", {"previous_version": "1.0.0"}) in entries


# -- places that cannot be written -------------------------------------------------------------
def test_without_a_record_nothing_is_changed(machine: Machine, npm: FakeNpm, aim: Aim) -> None:
    """Where what must be undone cannot be noted, no manager is started."""
    machine.pin(npm={"quick": "1.0.0"})
    machine.aim_home.write_text("in the way")
    said = aim("version", "sync")
    assert said.code == 2
    assert npm.calls == []


def test_a_folder_that_others_may_enter_is_refused(
    machine: Machine, npm: FakeNpm, aim: Aim
) -> None:
    """What is put back is told by a file there: others must not be able to write it."""
    machine.pin(npm={"quick": "1.0.0"})
    machine.aim_home.mkdir()
    machine.aim_home.chmod(0o777)
    assert aim("version", "sync").code == 2
    assert npm.calls == []


def test_without_a_trail_nothing_is_changed(machine: Machine, npm: FakeNpm, aim: Aim) -> None:
    """What could not be recorded is not done."""
    machine.pin(npm={"quick": "1.0.0"})
    (machine.repo / ".AIM_ai-tools-registry").write_text("in the way")
    said = aim("version", "sync")
    assert (said.code, npm.calls) == (2, [])


def test_a_record_that_is_no_record_is_as_good_as_none(
    machine: Machine, npm: FakeNpm, aim: Aim
) -> None:
    """Rubbish in its place stops nobody: it was never written whole."""
    machine.pin(npm={"quick": "1.0.0"})
    machine.aim_home.mkdir(mode=0o700)
    for rubbish in (
        b"",
        b"\xff",
        b"[]",
        b'{"before": {"npm": {"x": 1}}}',
        b'{"before": {"gem": {}}}',
    ):
        (machine.aim_home / "installing.json").write_bytes(rubbish)
        assert "cut off" not in aim("version", "check").out
    assert aim("version", "sync").code == 0
    assert npm.has("quick")
    assert [path.name for path in machine.aim_home.iterdir()] == ["installing.lock"]
