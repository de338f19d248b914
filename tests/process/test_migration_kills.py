"""A migration that is killed anywhere, or runs out of disk, is put back or goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import unprivileged
from tests.support.migrations import Ground
from tests.support.oldtrees import snapshot, write_tree

ROOT = Path(__file__).resolve().parents[2]
NOW = "2026-01-31T11:00:00Z"


def make_ground(tmp_path: Path) -> Ground:
    """A folder with an old tree, and a user's folder."""
    root = tmp_path / "repo"
    write_tree(root)
    return Ground(root, tmp_path / "home" / ".aim")


def killed(ground: Ground, step: int, *more: str) -> bool:
    """Run a migration that is killed at a step; tell whether it came that far."""
    line = [sys.executable, "-m", "tests.support.migrations", str(ground.root), str(ground.home)]
    done = subprocess.run([*line, str(step), *more], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


# backup: 3 copies, .gitignore, manifest; then the journal, aim_config, README, script, two reports,
# the journal
@pytest.mark.parametrize("step", [1, 4, 5, 6, 7, 8, 9, 10, 11, 12])
def test_a_killed_migration_is_put_back_and_done_again(tmp_path: Path, step: int) -> None:
    """Wherever the first is killed, the next one ends as if nothing had been."""
    ground = make_ground(tmp_path)
    before = snapshot(ground.root)
    assert killed(ground, step)
    report = ground.apply(mark=True, now=NOW)
    assert (report.recovered is not None) is (step > 6)
    assert not list((ground.root / "backups").glob("*.partial"))
    ground.roll_back()
    assert snapshot(ground.root) == before
    assert ground.desk.known() == frozenset()


@pytest.mark.parametrize("step", [7, 9, 12])
def test_a_killed_migration_can_be_rolled_back_at_once(tmp_path: Path, step: int) -> None:
    """`rollback` after a kill restores to the byte."""
    ground = make_ground(tmp_path)
    before = snapshot(ground.root)
    assert killed(ground, step)
    assert ground.roll_back().path is not None
    assert snapshot(ground.root) == before


def test_a_kill_among_the_names_of_secrets(tmp_path: Path) -> None:
    """The names that were there are whole, and the next migration ends as if nothing had been."""
    ground = make_ground(tmp_path)
    ground.desk.enter({"MINE": "x"})
    before = snapshot(ground.root), (ground.home / "secrets_metadata.json").read_bytes()
    assert killed(ground, 0, "--names")
    assert ground.desk.known() == {"MINE"}
    assert ground.apply(mark=True, now=NOW).recovered is not None
    assert ground.desk.known() == {"MINE", "OPENAI_API_KEY"}
    ground.roll_back()
    assert (snapshot(ground.root), (ground.home / "secrets_metadata.json").read_bytes()) == before


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_killed_rollback_goes_on(tmp_path: Path, step: int) -> None:
    """What it had not put back yet is put back by the next one."""
    ground = make_ground(tmp_path)
    before = snapshot(ground.root)
    ground.apply(mark=True)
    assert killed(ground, step, "--rollback")
    ground.roll_back()
    assert snapshot(ground.root) == before


ON_A_FULL_DISK = """
import os, resource, signal, sys
from pathlib import Path
from penstock.errors import PenstockError
from tests.support import unprivileged
from tests.support.migrations import Ground

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ground = Ground(Path(sys.argv[1]), Path(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    ground.apply(mark=True)
except PenstockError as error:
    os.write(2, str(error).encode())
    os._exit(3)
"""


@pytest.mark.parametrize("most", [100, 520, 700, 2000, 3000])
def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, most: int) -> None:
    """Where no file can grow beyond some bytes, it ends with an error, and whole files everywhere."""
    ground = make_ground(tmp_path)
    before = snapshot(ground.root)
    line = [
        sys.executable,
        "-B",
        "-c",
        ON_A_FULL_DISK,
        str(ground.root),
        str(ground.home),
        str(most),
    ]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("cannot ")
    assert snapshot(ground.root) == before
    assert ground.apply(mark=True, now=NOW).changed


def test_two_at_once_are_one_migration(tmp_path: Path) -> None:
    """The second waits, and finds nothing left to be done."""
    ground = make_ground(tmp_path)
    line = [
        sys.executable,
        "-m",
        "tests.support.migrations",
        str(ground.root),
        str(ground.home),
        "0",
    ]
    both = [subprocess.Popen([*line, "--whole"], cwd=ROOT) for _ in range(2)]
    assert [child.wait(60) for child in both] == [0, 0]
    assert len(list((ground.root / "backups").glob("aim-*"))) == 1
    assert ground.apply(mark=True).changed == ()


READ_ONLY = """
import sys
from pathlib import Path
from penstock.errors import EnvironmentProblem
from tests.support import unprivileged
from tests.support.migrations import Ground

try:
    Ground(Path(sys.argv[1]), Path(sys.argv[2])).apply(mark=True)
except EnvironmentProblem as error:
    print(error)
"""


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    """What was written before is put back, and the error names the file."""
    ground = make_ground(tmp_path)
    before = snapshot(ground.root)
    (ground.root / "AI_MANGER").chmod(0o500)
    said = unprivileged.python(READ_ONLY, [ground.root, ground.home], cwd=ROOT)
    (ground.root / "AI_MANGER").chmod(0o755)
    assert said.startswith("cannot write ")
    assert "README.md" in said
    assert snapshot(ground.root) == before
