"""A trail under hard conditions: many processes, kills, threads, forks, a full disk, no permission."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.audit import ranges
from penstock.audit.api import Query
from penstock.errors import AIMAuditLogError
from tests.support.cli import plain_environment
from tests.support.trails import Scene

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A trail whose clock is the real one."""
    made = Scene(tmp_path)
    made.clock.now = time.time()
    yield made
    made.trail.close()


def worker(scene: Scene, name: str, count: int) -> subprocess.Popen[bytes]:
    """Start a process that appends."""
    line = [sys.executable, "-m", "tests.support.trail_worker"]
    place = [str(scene.folder), str(scene.key), name, str(count)]
    env = plain_environment()
    return subprocess.Popen([*line, *place], cwd=ROOT, env=env, stdout=subprocess.PIPE)


def hashes_of(scene: Scene) -> list[str]:
    """Return the hashes of all calls on file."""
    return [e.hash for e in scene.trail.query(Query()) if e.tool_id is not None]


def test_eight_processes_at_once(scene: Scene) -> None:
    """Every line that a process was promised is there, in one unbroken chain."""
    workers = [worker(scene, f"tool-{n}", 200) for n in range(8)]
    told = [digest for w in workers for digest in w.communicate()[0].decode().split()]
    assert [w.returncode for w in workers] == [0] * 8
    assert sorted(hashes_of(scene)) == sorted(told)
    assert len(told) == 1600
    report = scene.trail.verify()
    assert report.ok, report.damage


def test_killed_in_the_middle_of_appends(scene: Scene) -> None:
    """However often writers are killed, no promised line is lost and the chain stays whole."""
    told: list[str] = []
    for round_ in range(12):
        pair = [worker(scene, f"tool-{n}", 0) for n in range(2)]
        told += [first_line(w) for w in pair]
        time.sleep(0.003 * round_)  # a moment to be killed in, not one to wait for
        for w in pair:
            w.kill()
        for w in pair:
            told += [line.decode() for line in w.communicate()[0].split(b"\n")[:-1]]
    scene.call("after")
    assert set(told) <= set(hashes_of(scene))
    report = scene.trail.verify()
    assert report.ok, report.damage


def first_line(w: subprocess.Popen[bytes]) -> str:
    """Wait for the first line that a worker prints."""
    assert w.stdout is not None
    return w.stdout.readline().decode().strip()


def test_threads_share_one_trail(scene: Scene) -> None:
    """Threads of one process take turns."""
    threads = [threading.Thread(target=lambda: scene.calls(50)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert scene.trail.verify().entries == 200
    assert scene.trail.verify().ok


def test_a_forked_child_takes_a_lock_of_its_own(scene: Scene) -> None:
    """After a fork both go on with the same object, and the chain stays whole."""
    scene.call()
    with scene.trail._desk:
        child = os.fork()
        if child == 0:
            os._exit(0 if cannot_lock(scene) else 1)
        _, status = os.waitpid(child, 0)
    assert status == 0
    child = os.fork()
    if child == 0:
        scene.calls(50)
        os._exit(0)
    scene.calls(50)
    os.waitpid(child, 0)
    report = scene.trail.verify()
    assert (report.ok, report.entries) == (True, 101), report.damage


def cannot_lock(scene: Scene) -> bool:
    """Tell whether another has the lock."""
    import fcntl

    with (scene.folder / ".head").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk(scene: Scene) -> None:
    """An entry that finds no room raises, leaves nothing half, and the next one goes on."""
    scene.call()
    size = scene.file(today(scene)).stat().st_size
    with at_most(size + 100), pytest.raises(AIMAuditLogError, match="File too large") as caught:
        scene.call()
    assert "Free space" in str(caught.value.hint)
    assert scene.file(today(scene)).stat().st_size == size
    scene.call()
    report = scene.trail.verify()
    assert (report.ok, report.entries) == (True, 2)


def today(scene: Scene) -> str:
    """Return the only day of the trail."""
    return next(scene.folder.glob("*/audit.jsonl")).parent.name


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(scene: Scene) -> None:
    """A trail that may not be written stops before a run, with the place in the message."""
    scene.base.chmod(0o500)
    try:
        with pytest.raises(AIMAuditLogError, match="Permission denied"):
            scene.trail.require_writable()
    finally:
        scene.base.chmod(0o700)


@pytest.mark.parametrize("what", ["file", "link"])
def test_a_place_that_is_no_folder(scene: Scene, what: str) -> None:
    """A file in the trail's place is told; a linked file in a day is never followed."""
    target = scene.base / "precious"
    target.write_text("mine")
    if what == "file":
        scene.folder.write_text("")
    else:
        scene.trail.require_writable()
        scene.trail.close()
        (scene.folder / ".head").unlink()
        (scene.folder / ".head").symlink_to(target)
    with pytest.raises(AIMAuditLogError):
        scene.call()
    assert target.read_text() == "mine"


def test_large_trails_are_checked_in_several_processes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ranges that another process checks count as those that are checked here."""
    monkeypatch.setattr(ranges, "PARALLEL_FROM", 1)
    monkeypatch.setattr(ranges, "BLOCK", 1 << 12)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    scene.calls(100)
    scene.trail.anchor()
    report = scene.trail.verify()
    assert (report.ok, report.proven_entries) == (True, 100), report.damage
    day = today(scene)
    scene.edit(lambda lines: lines.__setitem__(90, lines[90].replace(b"done", b"dome")), day)
    assert [damage.line for damage in scene.trail.verify().damage] == [91]


def test_a_helper_that_cannot_be_started_is_done_without(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no other process can be had all is checked here."""
    monkeypatch.setattr(ranges, "PARALLEL_FROM", 1)
    monkeypatch.setattr(ranges, "BLOCK", 1 << 12)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    scene.calls(50)
    assert scene.trail.verify().ok
