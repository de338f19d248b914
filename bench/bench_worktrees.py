"""Worktrees of a repository of 20,000 files: leasing from the pool beside `git worktree add`.

    python -m bench.bench_worktrees [--files N] [--rounds N]

Makes the repository in a temporary folder (on --dir), prints a table, ends with 1 when a target is
missed. Times are medians in milliseconds on a warm cache.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from penstock.model.settings import WorktreeSettings
from penstock.process.spawn import spawned
from penstock.worktrees.repository import GitRepository, open_repository
from penstock.worktrees.worktree import GitWorktree

LEASE_LIMIT_MS, LEASE_RATIO, ALL_RATIO, TURN_LIMIT_MS = 100.0, 0.2, 2.0, 350.0


def git(root: Path, *args: str) -> str:
    """Run git as the user would."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{r}_{p}": "x" for r in ("AUTHOR", "COMMITTER") for p in ("NAME", "EMAIL")},
    }
    done = subprocess.run(["git", *args], cwd=root, env=env, capture_output=True, check=True)
    return done.stdout.decode().strip()


def make(root: Path, files: int) -> None:
    """Make a repository of `files` files of about 4 kB."""
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    fill(root, range(files), "first")
    commit(root)


def fill(root: Path, numbers: range, word: str) -> None:
    """Write files of the repository."""
    for number in numbers:
        path = root / f"pkg{number % 200:03d}" / f"module_{number:05d}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# {word} {number}\n" + f"value_{number} = {number}\n" * 180)


def commit(root: Path) -> str:
    """Commit everything; return the id."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=x")
    return git(root, "rev-parse", "HEAD")


def timed(action: Callable[[], object]) -> float:
    """Run an action; return the milliseconds that it took."""
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def lease(repo: GitRepository, name: str, start: str) -> GitWorktree:
    """A worktree at a commit."""
    return repo.lease(name, "bench", f"workstream/{name}/bench", start)


def lease_time(repo: GitRepository, start: str) -> float:
    """Time one lease; the worktree is given back."""
    name = f"w{time.monotonic_ns()}"
    began = time.perf_counter()
    tree = lease(repo, name, start)
    took = (time.perf_counter() - began) * 1000
    # a turn takes a while; files as old as the index (in seconds) are read again by any git
    time.sleep(1.1)
    repo.release(tree)
    return took


def add_time(root: Path, start: str) -> float:
    """Time one `git worktree add` with a branch of its own; the worktree is removed."""
    name = f"add{time.monotonic_ns()}"
    place = root.parent / name
    took = timed(lambda: git(root, "worktree", "add", "-b", name, str(place), start))
    git(root, "worktree", "remove", "--force", str(place))
    return took


def turn_times(repo: GitRepository, rounds: int) -> dict[str, list[float]]:
    """Time the parts of a turn: two fingerprints, the diff, the commit."""
    times: dict[str, list[float]] = {"fingerprints": [], "diff": [], "commit": [], "turn": []}
    tree = lease(repo, "turns", repo.head())
    time.sleep(1.1)
    tree.changes()
    for number in range(rounds):
        for inner in range(5):
            path = tree.path / f"pkg{inner:03d}" / f"module_{inner:05d}.py"
            path.write_text(path.read_text() + f"# round {number}\n")
        (tree.path / f"added_{number}.py").write_text("x = 1\n")
        began = time.perf_counter()
        repo.fingerprint().differences(repo.fingerprint())
        first = time.perf_counter()
        tree.changes()
        second = time.perf_counter()
        tree.commit("turn", {"Penstock-Run": "bench"})
        third = time.perf_counter()
        for name, took in zip(
            times, (first - began, second - first, third - second, third - began), strict=True
        ):
            times[name].append(took * 1000)
    repo.release(tree)
    return times


def small_times(folder: Path, rounds: int) -> tuple[list[float], int]:
    """Time a whole minimal workstream in a small repository, and count its git children."""
    root = folder / "small"
    make(root, 20)
    repo = open_repository(root, WorktreeSettings())
    repo.release(lease(repo, "warm", repo.head()))
    times, children = [], 0
    for number in range(rounds):
        before, began = spawned(), time.perf_counter()
        into = f"integration/{number}"
        tree = lease(repo, f"s{number}", repo.ensure_branch(into, repo.head()))
        path = tree.path / "pkg000/module_00000.py"
        path.write_text("edited\n")
        repo.fingerprint().differences(repo.fingerprint())
        tree.changes()
        tree.commit("turn", {})
        repo.merge(tree.branch, into, message="m", trailers={})
        repo.release(tree)
        times.append((time.perf_counter() - began) * 1000)
        children = max(children, spawned() - before)
    return times, children


def row(name: str, times: list[float], note: str = "") -> float:
    """Print a line of the table; return the median."""
    median = statistics.median(times)
    print(f"{name:<46}{median:>9.1f}{min(times):>9.1f}{max(times):>9.1f}  {note}")
    return median


def of_add(times: list[float], add: float) -> str:
    """Say how a median compares with that of `git worktree add`."""
    return f"{statistics.median(times) / add:.2f} of add"


def measure(folder: Path, files: int, rounds: int) -> bool:
    """Print the table; return whether all targets were met."""
    root = folder / "repo"
    make(root, files)
    base = git(root, "rev-parse", "HEAD")
    fill(root, range(100), "hundred")
    near = commit(root)
    fill(root, range(files), "all")
    far = commit(root)
    git(root, "checkout", "--quiet", "--detach", near)
    git(root, "repack", "-a", "-d", "-q")
    repo = open_repository(root, WorktreeSettings(pool=1))
    version, load = git(root, "--version").split()[-1], os.getloadavg()[0]
    print(f"{files} files; git {version}; {rounds} rounds; load {load:.1f}\n")
    print(f"{'':<46}{'median':>9}{'min':>9}{'max':>9}")
    first = lease_time(repo, near)
    names = ("add", "same", "hundred", "add far", "every")
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):  # interleaved, so that all see the same load
        times["add"].append(add_time(root, near))
        times["same"].append(lease_time(repo, near))
        times["hundred"].append(lease_time(repo, base))
        times["add far"].append(add_time(root, far))
        times["every"].append(lease_time(repo, far))
        lease_time(repo, near)
    add = row("git worktree add -b", times["add"])
    row("first lease (no slot yet)", [first])
    same = row("lease, 0 files differ", times["same"])
    hundred = row("lease, 100 files differ", times["hundred"], of_add(times["hundred"], add))
    add_far = row("git worktree add -b, all files differ", times["add far"])
    every = row("lease, all files differ", times["every"], of_add(times["every"], add_far))
    parts = turn_times(repo, rounds)
    row("two fingerprints", parts["fingerprints"])
    row("changes (stage and diff)", parts["diff"])
    row("commit", parts["commit"])
    turn = row("fingerprints, diff and commit", parts["turn"])
    small, children = small_times(folder, rounds)
    row("small repository: whole workstream", small, f"{children} git children")
    verdicts = {
        f"lease <= {LEASE_LIMIT_MS:.0f} ms with <= 100 files": max(same, hundred) <= LEASE_LIMIT_MS,
        f"lease <= {LEASE_RATIO} of git worktree add": hundred <= LEASE_RATIO * add,
        f"lease <= {ALL_RATIO} of it with all different": every <= ALL_RATIO * add_far,
        f"turn <= {TURN_LIMIT_MS:.0f} ms": turn <= TURN_LIMIT_MS,
        "7 git children at most": children <= 7,
    }
    print()
    for name, ok in verdicts.items():
        print(f"{'met ' if ok else 'MISSED'}  {name}")
    return all(verdicts.values())


def main() -> int:
    """Measure in a temporary folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--dir", type=Path, default=None)
    options = parser.parse_args()
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    folder = Path(tempfile.mkdtemp(prefix="penstock-bench-", dir=options.dir))
    try:
        return 0 if measure(folder, options.files, options.rounds) else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
