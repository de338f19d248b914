"""Handing over killed with SIGKILL at random moments, and many at once on the same branch."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.cli import bundle, child, git, make_repository, write_bundles

CONFIG = "static_tools: []\nruntime_tools: []\n"
FILES = 300
KILLS = 12


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository after a run that changed a few hundred files; `release` is where it started."""
    repo = make_repository(tmp_path_factory.mktemp("template") / "project")
    (repo / "config").mkdir()
    (repo / "config" / "pipeline.yaml").write_text(CONFIG)
    for number in range(FILES):
        (repo / f"old-{number}.txt").write_text(f"old {number}\n" * 200)
    git(repo, "add", "--all")
    git(repo, "commit", "-qm", "Files")
    git(repo, "branch", "release")
    edits: dict[str, str | None] = {f"old-{n}.txt": f"new {n}\n" * 300 for n in range(0, FILES, 2)}
    edits |= {f"old-{n}.txt": None for n in range(1, FILES, 2)}
    edits |= {f"deep/{n}/new.txt": "new\n" * 300 for n in range(FILES)}
    scope = {"files_scope": ["*.txt", "deep/**"], "metadata": {"scripted": [{"edits": edits}]}}
    write_bundles(
        repo,
        bundle("ws-one", **scope),
        bundle(
            "ws-two",
            files_scope=["ws-two.md"],
            metadata={"scripted": [{"edits": {"ws-two.md": "two\n"}}]},
        ),
    )
    done = child("run", "--all", "--run-id", "r1", cwd=repo)
    assert done.code == 0, done.err + done.out
    return repo


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A copy of that repository of one's own."""
    copy = tmp_path / "project"
    shutil.copytree(template, copy, symlinks=True)
    git(copy, "update-index", "--refresh")
    return copy


def begin(project: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start handing over, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "penstock", "integrate", "r1", *more],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def kill_after(project: Path, seconds: float, *more: str, whole: bool) -> bool:
    """Kill a hand-over, or its whole group with git, after a while; False when it was done by then."""
    process = begin(project, *more)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        if whole:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.communicate()
        return True
    return False


def left_behind(project: Path) -> list[str]:
    """Locks and notes of a hand-over that are still there."""
    kinds = ("*.lock", "penstock-handover*", "penstock-index*", "penstock-sign")
    return [path.name for kind in kinds for path in (project / ".git").rglob(kind)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_killed_at_any_moment_and_said_again(project: Path, strategy: str, seed: int) -> None:
    """After every kill the same command ends the work: the result is there once, and clean."""
    rng, deaths = random.Random(seed), 0
    more = ("--into", "main", "--update-checkout", "--strategy", strategy)
    took = duration(project, more)
    for number in range(3 * KILLS):
        if number >= KILLS and deaths > KILLS // 3:
            break
        start_anew(project)
        died = kill_after(project, rng.uniform(0.3, 1.0) * took, *more, whole=number % 2 == 0)
        deaths += died
        took *= 1.0 if died else 0.8  # the machine has become quicker than when it was measured
        said = child("integrate", "r1", *more, cwd=project)
        assert said.code == 0, said.err
        assert git(project, "status", "--porcelain") == "?? workstreams/"
        assert git(project, "diff", "main", "integration/r1") == ""
        assert left_behind(project) == []
        assert handed_once(project, strategy)
    assert deaths > KILLS // 3
    assert git(project, "fsck", "--strict", "--no-dangling") == ""


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_half_way(project: Path) -> None:
    """Interrupted at any moment, the checkout is at once as it was, or as it was to become."""
    rng = random.Random(7)
    more = ("--into", "main", "--update-checkout")
    took = duration(project, more)
    for _ in range(KILLS):
        start_anew(project)
        interrupt_after(project, rng.uniform(0.4, 1.0) * took, *more)
        assert git(project, "status", "--porcelain") == "?? workstreams/"
        assert left_behind(project) == []


def interrupt_after(project: Path, seconds: float, *more: str) -> None:
    """Send SIGINT to a hand-over and its children after a while, as a terminal does."""
    process = begin(project, *more)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate()
    assert process.returncode in (0, 130, -signal.SIGINT)


def duration(project: Path, more: tuple[str, ...]) -> float:
    """How long an undisturbed hand-over takes, in seconds."""
    began = time.monotonic()
    process = begin(project, *more)
    process.communicate(timeout=60)
    assert process.returncode == 0
    return time.monotonic() - began


def start_anew(project: Path) -> None:
    """Bring the checkout back to where the run started."""
    git(project, "reset", "-q", "--hard", "release")


def handed_once(project: Path, strategy: str) -> bool:
    """Tell whether main's own history holds the result once."""
    subjects = git(project, "log", "--first-parent", "--format=%s", "release..main").split("\n")
    count = 2 if strategy == "rebase" else 1
    return len(subjects) == count


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_two_at_once_hand_over_once(project: Path, strategy: str) -> None:
    """One does it; the others find it done, or that another process is at it. Nothing is lost."""
    racers = [begin(project, "--into", "release", "--strategy", strategy) for _ in range(4)]
    said = [racer.communicate(timeout=60)[1].decode() for racer in racers]
    codes = [racer.returncode for racer in racers]
    assert 0 in codes
    assert all(
        c == 0 or (c == 2 and "another process" in s) for c, s in zip(codes, said, strict=True)
    )
    assert git(project, "diff", "release", "integration/r1") == ""
    subjects = git(project, "log", "--first-parent", "--format=%s", "main..release").split("\n")
    assert len(subjects) == (2 if strategy == "rebase" else 1)


def test_two_runs_race_for_one_branch(project: Path) -> None:
    """One wins; the other is told that the branch has moved, and both results stay whole."""
    one = bundle(
        "ws-other", files_scope=["o.md"], metadata={"scripted": [{"edits": {"o.md": "o"}}]}
    )
    write_bundles(project, one)
    assert child("run", "ws-other", "--run-id", "s1", cwd=project).code == 0
    more = ("--into", "release")
    racers = [begin(project, *more), begin_other(project, *more)]
    said = [racer.communicate(timeout=60)[1].decode() for racer in racers]
    codes = [racer.returncode for racer in racers]
    assert sorted(codes) == [0, 2], said
    assert "release has moved" in said[codes.index(2)]
    winner = ("r1", "s1")[codes.index(0)]
    assert git(project, "diff", "release", f"integration/{winner}") == ""


def begin_other(project: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start handing over the other run."""
    return subprocess.Popen(
        [sys.executable, "-m", "penstock", "integrate", "s1", *more],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
