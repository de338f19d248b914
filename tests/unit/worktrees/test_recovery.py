"""What a killed process leaves behind, piece by piece."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from penstock.process.identity import this_process
from penstock.worktrees import recovery
from penstock.worktrees.repository import GitRepository
from penstock.worktrees.slots import LeaseState, remove
from penstock.worktrees.worktree import GitWorktree
from tests.support.repos import git, make_repo, opened, state_of, write


@pytest.fixture
def dead(tree: GitWorktree) -> GitWorktree:
    """A worktree whose holder is dead."""
    orphan(tree)
    return tree


def orphan(tree: GitWorktree, state: LeaseState = LeaseState.TAKEN) -> None:
    """Write into the lease that its holder was a process that no longer lives."""
    held = tree.slot.lease()
    assert held is not None
    owner = msgspec.structs.replace(held.owner, pid=2**22 - 3, start=1)
    tree.slot.write_lease(msgspec.structs.replace(held, owner=owner, state=state))


def states(repo: GitRepository) -> list[str]:
    """The states of our worktrees."""
    return [row["state"] for row in repo.overview()["worktrees"]]


def test_nothing_to_do(repo: GitRepository) -> None:
    """A healthy repository is left as it is."""
    repo.release(repo.lease("a", "r", "workstream/a/r", repo.head()))
    assert repo.recover(live_runs=["r"]) == ()
    assert states(repo) == ["idle"]


def test_what_lives_is_left_alone(repo: GitRepository, tree: GitWorktree) -> None:
    """Locks in a worktree whose holder lives (here: we) are not touched."""
    lock = tree.slot.admin / "index.lock"
    lock.write_text("")
    assert repo.recover() == ()
    assert lock.exists()


def test_locks_of_the_dead_are_removed(repo: GitRepository, dead: GitWorktree) -> None:
    """Lock files in the admin folder go, uncommitted work stays."""
    for name in ("index.lock", "HEAD.lock", "logs/HEAD.lock"):
        (dead.slot.admin / name).write_text("")
    write(dead.path, {"new": "work"})
    assert len(repo.recover()) == 3
    assert list(dead.slot.admin.rglob("*.lock")) == []
    assert (dead.path / "new").exists()


def test_locks_of_our_refs_are_removed(repo: GitRepository, root: Path) -> None:
    """Lock files beside our branches go once they are old; those of the user's branches stay."""
    heads = root / ".git/refs/heads"
    old, theirs = heads / "workstream/a/r.lock", heads / "main.lock"
    write(heads, {"workstream/a/r.lock": "", "main.lock": ""})
    os.utime(old, (1, 1))
    assert repo.recover() == (f"removed {old}",)
    assert theirs.exists()


@pytest.mark.parametrize("name", ["config.lock", "packed-refs.lock", "HEAD.lock", "index.lock"])
def test_shared_locks_are_named_and_left(repo: GitRepository, root: Path, name: str) -> None:
    """Locks that the user's git may hold are never removed."""
    (root / ".git" / name).write_text("")
    assert repo.recover() == (f"left alone: {root}/.git/{name} (of another git)",)
    assert (root / ".git" / name).exists()


@pytest.mark.parametrize("state", [LeaseState.TAKING, LeaseState.RETURNING])
def test_half_way_in_or_out(repo: GitRepository, tree: GitWorktree, state: LeaseState) -> None:
    """A slot on its way in or out of the pool holds nothing of worth, and is removed."""
    orphan(tree, state)
    (line,) = repo.recover()
    assert "half-way" in line
    assert states(repo) == []
    assert not tree.path.exists()


@pytest.mark.parametrize("damage", ["initializing", "no HEAD", "no index"])
def test_half_made(repo: GitRepository, dead: GitWorktree, damage: str) -> None:
    """What `git worktree add` had only begun to make is removed, its branch left."""
    if damage == "initializing":
        (dead.slot.admin / "locked").write_text("initializing")
    elif damage == "no HEAD":
        (dead.slot.admin / "HEAD").unlink()
    else:
        (dead.slot.admin / "index").unlink()
        dead.slot.drop_lease()
    (line,) = repo.recover()
    assert "half-made" in line
    assert states(repo) == []
    assert repo.resolve(dead.branch) == dead.head


def test_a_half_made_slot_without_any_pointer(repo: GitRepository, root: Path) -> None:
    """An admin folder that does not say where its tree lies is removed with the tree."""
    write(root / ".git/worktrees/penstock-aaaa", {"locked": "initializing"})
    write(root / ".worktrees/.pool/penstock-aaaa", {"x": ""})
    assert len(repo.recover()) == 2
    assert not (root / ".git/worktrees").exists()
    assert list((root / ".worktrees/.pool").iterdir()) == []


def test_a_tree_deleted_by_hand(repo: GitRepository, dead: GitWorktree, root: Path) -> None:
    """Its admin folder is pruned, so that its branch is free again; the user's own are not."""
    git(root, "worktree", "add", "--quiet", str(root.parent / "mine"))
    remove(root.parent / "mine")
    remove(dead.path)
    (line,) = repo.recover()
    assert "deleted by hand" in line
    assert (root / ".git/worktrees/mine").exists()
    git(root, "branch", "-D", dead.branch)


def test_a_pointer_to_the_old_place(repo: GitRepository, root: Path) -> None:
    """A death between the move and git's being told: the pointer is put right."""
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    name = tree.slot.name
    repo.release(tree)
    pool = root / ".worktrees/.pool" / name
    (root / ".git/worktrees" / name / "gitdir").write_text(f"{root}/.worktrees/a/.git\n")
    assert repo.recover() == (f"mended gitdir of {pool}",)
    again = repo.lease("b", "r", "workstream/b/r", repo.head())
    assert again.slot.name == name
    assert again.changes().empty


def test_trash_is_emptied(repo: GitRepository, root: Path) -> None:
    """A tree that was being removed is removed."""
    write(root / ".worktrees/.trash", {"penstock-x/file": ""})
    repo.recover()
    assert list((root / ".worktrees/.trash").iterdir()) == []


def test_a_lease_with_a_dead_holder_frees_its_branch(
    repo: GitRepository, dead: GitWorktree
) -> None:
    """When the journal does not know of a lease, leasing again takes the branch; work is kept."""
    write(dead.path, {"new": "work"})
    tree = repo.lease("ws-a", "run-1", dead.branch, dead.base)
    assert tree.path.name == "ws-a--run-1"
    assert sorted(states(repo)) == ["kept", "taken"]
    assert (dead.path / "new").exists()


def test_orphaned_git_is_ended(repo: GitRepository, root: Path) -> None:
    """A child that bears the mark of a dead penstock is ended before anything is mended."""
    marker = recovery.marker_of(root / ".git", 2**22 - 3, 7)
    ours = recovery.marker_of(root / ".git", os.getpid(), this_process().start)
    argv = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"]

    def child(value: str) -> subprocess.Popen[bytes]:
        env = {**os.environ, "PENSTOCK_ATTEMPT": value}
        started = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE)
        assert started.stdout is not None
        started.stdout.readline()
        return started

    with child(marker) as orphaned, child(ours) as living:
        assert repo.recover() == ("ended 1 git processes of a penstock that died",)
        orphaned.wait(10)  # the sweep may have taken its exit code, as it was our child
        assert living.poll() is None
        living.kill()


def test_without_proc_the_leases_tell(
    repo: GitRepository, dead: GitWorktree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no /proc, the holders of slots give the marks to look for."""
    swept: list[set[str]] = []

    def sweep(marks: set[str]) -> int:
        swept.append(marks)
        return 0

    monkeypatch.setattr("penstock.process.proc.available", lambda: False)
    monkeypatch.setattr(recovery, "sweep_markers", sweep)
    monkeypatch.setattr(recovery, "is_alive", lambda owner: owner.start != 1)
    repo.recover()
    (marks,) = swept
    assert all(f":{2**22 - 3}:1" in mark for mark in marks)


def test_recover_never_touches_the_checkout(
    repo: GitRepository, dead: GitWorktree, root: Path
) -> None:
    """The user's files, index and settings are as before."""
    write(root, {"src/a.py": "mine\n"})
    before = state_of(root)
    repo.recover()
    assert state_of(root) == before


def test_a_fresh_lock_is_given_time(repo: GitRepository, root: Path) -> None:
    """A lock beside our ref that goes by itself within two seconds is not removed by us."""
    lock = root / ".git/refs/heads/workstream/a/r.lock"
    write(root, {".git/refs/heads/workstream/a/r.lock": ""})
    code = f"import time, os; time.sleep(0.3); os.unlink({str(lock)!r})"
    with subprocess.Popen([sys.executable, "-c", code]):
        began = time.monotonic()
        assert repo.recover() == ()
    assert time.monotonic() - began < 60


def test_a_full_disk_is_an_error_not_a_loss(root: Path, tmp_path: Path) -> None:
    """When git cannot write for want of space, the error says so and the work stays in the tree."""
    code = """
import resource, sys
from pathlib import Path
from penstock.errors import RepositoryError
from tests.support.repos import opened
repo = opened(Path(sys.argv[1]))
tree = repo.lease("a", "r", "workstream/a/r", repo.head())
(tree.path / "big").write_bytes(__import__("random").randbytes(3_000_000))
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    tree.changes()
except RepositoryError as error:
    print("refused", bool(str(error)))
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
print((tree.path / "big").stat().st_size)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parents[3])])}
    argv = [sys.executable, "-c", code, str(root)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused", "True", "3000000"]
    repo = opened(root)
    repo.recover()
    tree = repo.reopen(root / ".worktrees/a", "workstream/a/r", repo.head(), repo.head())
    assert tree is not None
    assert [c.path for c in tree.changes().changes] == ["big"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_git_folder(root: Path) -> None:
    """Without the right to write, leasing says so."""
    (root / ".git").chmod(0o500)
    try:
        with pytest.raises(Exception, match="cannot make the lock"):
            opened(root).ensure_branch("integration/r", opened(root).head())
    finally:
        (root / ".git").chmod(0o755)


def test_two_checkouts_do_not_mend_each_other(root: Path, tmp_path: Path) -> None:
    """Another checkout of the same repository keeps its slots."""
    git(root, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    other = opened(tmp_path / "linked")
    orphan(other.lease("a", "r", "workstream/a/r", other.head()), LeaseState.TAKING)
    assert opened(root).recover() == ()
    assert states(other) == ["taking"]
    assert make_repo(tmp_path / "third").exists()
