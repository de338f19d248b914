"""Cleaning with real processes: killed, two at once, on a full disk, over file systems."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.environment.scan.trash import Trash
from tests.support.scanning import state, tree

TOP = Path(__file__).parents[2]
WORKER = (sys.executable, "-m", "tests.support.scan_worker")
COUNT = 4


def cluttered(folder: Path) -> Path:
    """A folder with caches, of several files each, and duplicates."""
    files = {f"d{n}/__pycache__/{m}/x": f"{n}{m}" for n in range(COUNT) for m in range(3)}
    return tree(folder, {**files, "a": "same", "b": "same", "c": "same"})


def start(
    *arguments: str | Path, before: Callable[[], None] | None = None
) -> subprocess.Popen[str]:
    """Start a cleaning that waits to be told to begin; `before` is called in the child first."""
    pipe = subprocess.PIPE
    argv = [*WORKER, *map(str, arguments)]
    return subprocess.Popen(
        argv, cwd=TOP, stdin=pipe, stdout=pipe, stderr=pipe, text=True, preexec_fn=before
    )


def begin(*workers: subprocess.Popen[str]) -> list[tuple[int, str, str]]:
    """Let cleanings begin together; return their exit codes, last lines and errors."""
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    said = [worker.communicate(timeout=60) for worker in workers]
    return [(w.returncode, out.strip(), err) for w, (out, err) in zip(workers, said, strict=True)]


def restore_all(home: Path) -> None:
    """Put everything back."""
    bin_ = Trash(home)
    for found in bin_.sets():
        assert bin_.restore(found).stayed == {}


@pytest.mark.parametrize("moments", [(0,), (1,), (3,), (COUNT + 1,), (0, 0), (1, 1), (2, 2)])
def test_a_killed_cleaning_is_undone(tmp_path: Path, moments: tuple[int, ...]) -> None:
    """Wherever it was killed, each file is in its place or in the trash, and all come back."""
    top = cluttered(tmp_path / "r")
    before = state(top)
    ((code, _, err),) = begin(start(top, tmp_path / "t", *map(str, moments)))
    assert code == -signal.SIGKILL, err
    kept = [path for path in (tmp_path / "t").rglob("*") if path.is_file()]
    kept = [path for path in kept if path.name != "manifest.jsonl"]
    assert len(state(top)) + len(kept) == len(before)
    restore_all(tmp_path / "t")
    assert state(top) == before


def test_two_cleanings_at_once(tmp_path: Path) -> None:
    """Each thing is moved by one of them, a file of each set stays, and all come back."""
    top = cluttered(tmp_path / "r")
    before = state(top)
    home = tmp_path / "t"
    said = begin(*(start(top, home) for _ in range(3)))
    assert [code for code, _, _ in said] == [0, 0, 0], said
    assert sum(int(out) for _, out, _ in said) == COUNT + 2
    assert len(state(top)) == 1
    restore_all(home)
    assert state(top) == before
    assert list(home.iterdir()) == []


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Nothing is moved, since what was moved could not be written down."""
    import resource

    top = cluttered(tmp_path / "r")
    before = state(top)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

    ((code, _, err),) = begin(start(top, tmp_path / "t", before=limit))
    assert code == 1
    assert "EnvironmentProblem: nothing was moved" in err
    assert state(top) == before
    assert Trash(tmp_path / "t").sets() == []


@pytest.fixture
def other_file_system(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the temporary one."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    with tempfile.TemporaryDirectory(dir=shared) as name:
        yield Path(name)


def test_another_file_system(tmp_path: Path, other_file_system: Path) -> None:
    """What lies on it stays on it, in a folder that the next scan does not look into."""
    top = cluttered(other_file_system / "r")
    before = state(top)
    ((code, out, err),) = begin(start(top, tmp_path / "t"))
    assert (code, out) == (0, str(COUNT + 2)), err
    assert (top / ".aim-trash").is_dir()
    ((code, out, err),) = begin(start(top, tmp_path / "t"))
    assert (code, out) == (0, "0"), err
    restore_all(tmp_path / "t")
    assert state(top) == before
    assert not (top / ".aim-trash").exists()
