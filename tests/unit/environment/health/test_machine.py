"""What is told of Python, git, commands, paths, the disk and PATH."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.environment.api import Finding, Verdict
from penstock.environment.health import machine
from penstock.environment.health.probing import NoAnswer, Probe, run_probes
from tests.support.programs import Machine

IDENTITY = (
    'case "$*" in *get-regexp*) printf "user.name\\nAda\\0user.email\\na@example.invalid\\0";; '
)


@pytest.fixture
def place(tmp_path: Path) -> Machine:
    """A machine of its own."""
    return Machine(tmp_path)


def environ(place: Machine, *more: str) -> dict[str, str]:
    """Return an environment whose PATH is the machine's own folder and these."""
    return {**place.environ, "PATH": os.pathsep.join([str(place.bin), *more])}


def git(place: Machine, script: str) -> Finding:
    """Look at a git that is this script."""
    place.program("git", script)
    return machine.git(place.home, environ(place, "/bin", "/usr/bin"))


# -- Python ----------------------------------------------------------------------------------
@pytest.mark.parametrize(("version", "status"), [((3, 9, 9), "warn"), ((3, 10, 0), "pass")])
def test_an_old_python(version: tuple[int, int, int], status: str) -> None:
    """Below 3.10 is a warning."""
    assert machine.python(version).status.value == status


def test_our_own_python() -> None:
    """It is told which one runs."""
    found = machine.python()
    assert found.status is Verdict.PASS
    assert Path(found.details["executable"]).exists()


# -- git -------------------------------------------------------------------------------------
def test_git_with_an_identity(place: Machine) -> None:
    """Version and author are told."""
    found = git(place, IDENTITY + '*) echo "git version 2.45.1";; esac')
    assert found.status is Verdict.PASS
    assert found.message == "git 2.45.1, commits as Ada <a@example.invalid>"


def test_git_that_merges_slowly(place: Machine) -> None:
    """One before 2.38 works, and it is said what a later one would be good for."""
    found = git(place, IDENTITY + '*) echo "git version 2.34.0";; esac')
    assert found.status is Verdict.PASS
    assert "quicker from 2.38 on" in found.message


def test_git_without_an_identity(place: Machine) -> None:
    """Commits would be penstock's: a warning, with the commands to set it."""
    found = git(place, 'case "$*" in *--version*) echo "git version 2.45.1";; *) exit 1;; esac')
    assert found.status is Verdict.WARN
    assert "user.name and user.email not set" in found.message
    assert found.hint == "git config --global user.name ...; git config --global user.email ..."


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('echo "git version 2.30.9"', "git 2.30.9 is too old"),
        ("echo I am git, believe me", "names no version"),
        ("exit 3", "names no version"),
        ("kill -9 $$", "names no version"),
    ],
)
def test_a_git_that_will_not_do(place: Machine, script: str, told: str) -> None:
    """Too old, lying, failing or dying: each fails with what to install."""
    found = git(place, script)
    assert found.status is Verdict.FAIL
    assert told in found.message
    assert found.hint is not None


def test_no_git(place: Machine) -> None:
    """Without git nothing can be run."""
    found = machine.git(place.home, environ(place))
    assert (found.status, found.message) == (Verdict.FAIL, "git is not installed")


def test_a_git_that_hangs(place: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and named as what did not answer."""
    monkeypatch.setattr(machine, "CHILD_S", 0.2)
    with pytest.raises(NoAnswer, match=r"git --version did not answer within 0\.2 s"):
        git(place, "exec sleep 30")


def test_settings_of_a_repository_count(place: Machine, tmp_path: Path) -> None:
    """git is asked from the folder that it is about, and by the user's own configuration."""
    (place.home / ".gitconfig").write_text("[user]\nname = Grace\nemail = g@example.invalid\n")
    found = machine.git(tmp_path, environ(place, "/usr/bin", "/bin"))
    assert found.details["identity"] == {"user.name": "Grace", "user.email": "g@example.invalid"}


# -- what is required ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("missing", "there", "status"),
    [
        (0, 0, "pass"),
        (0, 3, "pass"),
        (1, 2, "warn"),
        (1, 1, "fail"),
        (2, 3, "warn"),
        (3, 2, "fail"),
    ],
)
def test_required_commands(place: Machine, missing: int, there: int, status: str) -> None:
    """None missing passes, under half is a warning, half or more a failure."""
    names = [place.program(f"there{n}").name for n in range(there)]
    names += [f"missing{n}" for n in range(missing)]
    assert machine.required_commands(names, environ(place)).status.value == status


def test_required_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative ones are below the root, `~` is the home, and a link to nowhere is there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("below", "home"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    found = machine.required_paths(["below", "~/home", "link", str(tmp_path), "gone"], tmp_path)
    assert (found.status, found.details["missing"]) == (Verdict.WARN, ["gone"])


# -- the disk --------------------------------------------------------------------------------
@pytest.mark.parametrize(("part", "status"), [(2.0, "fail"), (0.75, "warn"), (0.1, "pass")])
def test_free_space(tmp_path: Path, part: float, status: str) -> None:
    """Less than needed fails, less than twice that is a warning."""
    free = machine.disk(tmp_path, 0).details["free_mb"]
    assert machine.disk(tmp_path, int(free * part)).status.value == status


def test_a_disk_that_is_gone(tmp_path: Path) -> None:
    """A folder that is not there can be told nothing of: that is no failure of the machine."""
    report = run_probes([Probe("disk", lambda: machine.disk(tmp_path / "gone", 1))])
    assert report.checks[0].status is Verdict.WARN


# -- PATH ------------------------------------------------------------------------------------
def test_two_installations(place: Machine, tmp_path: Path) -> None:
    """Two different files of one name are told, the hiding one first."""
    second = Machine(tmp_path / "second")
    paths = [str(one.program("codex")) for one in (place, second)]
    found = machine.path_order(["codex", "other"], environ(place, str(second.bin)))
    assert found.status is Verdict.WARN
    assert found.details["duplicates"] == {"codex": paths}
    assert found.message == f"{paths[0]} hides {paths[1]}"


def test_one_installation_twice(place: Machine, tmp_path: Path) -> None:
    """A link to the same file, a folder, a file that nobody may run, and PATH named twice are no second one."""
    first = place.program("codex")
    others = [tmp_path / name for name in ("linked", "folder", "plain")]
    for other in others:
        other.mkdir()
    (others[0] / "codex").symlink_to(first)
    (others[1] / "codex").mkdir()
    (others[2] / "codex").write_text("text")
    found = machine.path_order(["codex"], environ(place, str(place.bin), *map(str, others)))
    assert (found.status, found.details["duplicates"]) == (Verdict.PASS, {})


@pytest.mark.parametrize(("entry", "told"), [("", "(empty)"), (".", "."), ("node/bin", "node/bin")])
def test_an_entry_that_means_where_we_stand(place: Machine, entry: str, told: str) -> None:
    """Empty and relative entries would start what an agent left in the working folder."""
    found = machine.path_order([], environ(place, entry))
    assert found.status is Verdict.WARN
    assert found.message == f"{told} means the current folder"


def test_a_folder_that_anybody_may_write_to(place: Machine) -> None:
    """Who may write there decides what is started; a sticky folder keeps others off."""
    place.bin.chmod(0o777)
    assert machine.path_order([], environ(place)).message == f"anybody may write to {place.bin}"
    place.bin.chmod(0o1777)
    assert machine.path_order([], environ(place)).status is Verdict.PASS


def test_a_folder_that_is_not_there(place: Machine, tmp_path: Path) -> None:
    """It does no harm, and is told among the details."""
    gone = str(tmp_path / "gone")
    found = machine.path_order(["codex"], environ(place, gone))
    assert (found.status, found.details["missing"]) == (Verdict.PASS, [gone])
