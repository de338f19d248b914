"""kill -9 at random moments of leasing, committing, merging and giving back; then recovery."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.worktrees.repository import GitRepository
from tests.campaign.worktree_worker import INTO, work
from tests.support.repos import FILES, git, make_repo, opened, state_of, write

KILLS = 40
TOP = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with enough files that a checkout takes a while, and a dirty checkout."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    many = {f"data/{n % 20}/{n}.txt": f"{n}\n" * 30 for n in range(600)}
    root = make_repo(tmp_path / "repo", {**FILES, **many})
    write(root, {"src/a.py": "mine, not committed\n"})
    return root


def start(root: Path, name: str, rounds: int) -> subprocess.Popen[str]:
    """Start a worker."""
    argv = [sys.executable, "-m", "tests.campaign.worktree_worker", str(root), name, str(rounds)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(argv, cwd=TOP, env=env, stdout=subprocess.PIPE, text=True)


def killed_after(root: Path, name: str, seconds: float) -> list[dict[str, str]]:
    """Let a worker run for `seconds` from its first step, kill it, and return what it told."""
    with start(root, name, 50) as worker:
        assert worker.stdout is not None
        lines = [worker.stdout.readline()]
        time.sleep(seconds)
        worker.send_signal(signal.SIGKILL)
        lines += worker.stdout.readlines()
    return [json.loads(line) for line in lines if line.endswith("\n")]


def last_workstream(told: list[dict[str, str]]) -> dict[str, str]:
    """What is known of the workstream that was going on: its facts, later ones winning."""
    facts: dict[str, str] = {}
    for line in told:
        facts = {**({} if line["at"] == "leasing" else facts), **line}
    return facts


def go_on(repo: GitRepository, facts: dict[str, str]) -> None:
    """Take an interrupted workstream to its end, as the engine does after a crash."""
    if facts["at"] in ("released", "done"):
        return
    base, branch = facts["base"], facts["branch"]
    head = facts.get("head", base)
    tree = repo.reopen(Path(facts["path"]), branch, base, head) if "path" in facts else None
    if tree is None:
        tree = repo.lease(branch.split("/")[1], "r", branch, head, base=base)
    tree.unrecorded_work()
    tree.reset(head)
    assert tree.changes().empty
    (tree.path / f"{branch.split('/')[1]}-end.txt").write_text("went on\n")
    assert [c.path for c in tree.changes().changes] == [f"{branch.split('/')[1]}-end.txt"]
    made = tree.commit("went on", {})
    assert repo.merge(branch, INTO, message="m", trailers={}).commit
    assert repo.is_ancestor(made, repo.resolve(INTO) or "")
    repo.release(tree)


def verify(root: Path, repo: GitRepository, before: dict[str, bytes]) -> None:
    """Nothing is damaged, nothing is stuck, and the user's checkout is as it was."""
    assert state_of(root) == before
    assert git(root, "fsck", "--strict", "--no-dangling") == ""
    states = [row["state"] for row in repo.overview()["worktrees"]]
    assert set(states) <= {"idle", "kept"}, states
    assert list((root / ".git").rglob("*.lock")) == []
    listed = git(root, "worktree", "list", "--porcelain").count("worktree ")
    assert listed == len(states) + 1
    assert list((root / ".worktrees/.trash").glob("*")) == []


@pytest.mark.slow
def test_kills_at_random_moments(root: Path) -> None:
    """After each of many kills, recovery lets the interrupted workstream go on to its end."""
    chance, before = random.Random(20_411), state_of(root)
    moments: set[str] = set()
    for number in range(KILLS):
        told = killed_after(root, f"k{number}", chance.uniform(0, 0.25))
        facts = last_workstream(told)
        moments.add(facts["at"])
        repo = opened(root, pool=2)
        repo.recover()
        go_on(repo, facts)
        verify(root, repo, before)
    assert len(moments) > 2


@pytest.mark.slow
def test_two_processes_at_once(root: Path) -> None:
    """Two processes in one repository, while a third recovers again and again, do not collide."""
    before = state_of(root)
    repo = opened(root, pool=2)
    workers = [start(root, name, 6) for name in ("x", "y")]
    while any(worker.poll() is None for worker in workers):
        repo.recover()
    told = []
    for worker in workers:
        with worker:
            told.append(worker.stdout.read().splitlines() if worker.stdout else [])
    assert [json.loads(lines[-1])["at"] for lines in told] == ["done", "done"]
    assert git(root, "rev-list", "--count", "--merges", INTO) == "12"
    verify(root, repo, before)


def test_a_killed_git_child_does_not_work_on(root: Path) -> None:
    """A git whose penstock is dead is ended by recovery before anything is mended."""
    with start(root, "k", 50) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        worker.kill()
        worker.stdout.read()
    repo = opened(root, pool=2)
    repo.recover()
    assert opened(root).recover() == ()
    work(repo, "after")
    verify(root, repo, state_of(root))
