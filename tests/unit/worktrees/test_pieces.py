"""Small parts on their own, where a whole repository would be the long way round."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import GitError, RepositoryError
from penstock.worktrees import slots
from penstock.worktrees.config import overlay, sensitive
from penstock.worktrees.creation import create_repository
from penstock.worktrees.diff import Entry, content_hash, parse_raw, parse_status
from penstock.worktrees.git import Git, find_git
from penstock.worktrees.names import is_valid_branch
from penstock.worktrees.paths import make_writable, undoing
from penstock.worktrees.refs import Refs, read_text
from tests.support.repos import git, opened, write


def entry(letter: str, path: str, old_path: str | None = None, oid: str = "b" * 40) -> Entry:
    """A change as git tells it."""
    return Entry(
        letter=letter,
        path=path,
        old_path=old_path,
        old_mode="100644",
        new_mode="000000" if letter == "D" else "100644",
        old_oid="a" * 40,
        new_oid=oid,
    )


def test_a_rename_hashes_like_a_delete_and_an_add() -> None:
    """The hash knows what came of it, not what git called it."""
    moved = content_hash([entry("R", "new", "old")])
    assert moved == content_hash([entry("A", "new"), entry("D", "old")])
    assert moved != content_hash([entry("A", "new")])
    assert content_hash([]) == content_hash(())


@given(st.permutations([entry("A", "a"), entry("M", "b"), entry("D", "c"), entry("R", "d", "e")]))
def test_the_hash_does_not_depend_on_order(entries: list[Entry]) -> None:
    """Any order of the same changes gives the same hash."""
    assert content_hash(entries) == content_hash(sorted(entries, key=lambda e: e.path))


@settings(deadline=None)
@given(st.text(min_size=1, max_size=12, alphabet="ab/.@{}~^: \\*[?-\x01é"))
def test_branch_names_are_judged_as_git_does(name: str) -> None:
    """Our rules for branch names are those of `git check-ref-format`, `@` alone and a leading `-` apart."""
    good = git(Path("/"), "check-ref-format", "--normalize", f"refs/heads/{name}", ok=False)
    ours_too = name != "@" and not name.startswith("-")
    assert is_valid_branch(name) == (good == f"refs/heads/{name}" and ours_too)


def test_unmerged_and_dirty_paths_are_left_over() -> None:
    """Status lines of conflicts, of edits after staging, and of submodules are told apart."""
    oid = "1" * 40
    lines = [
        f"1 .M N... 100644 100644 100644 {oid} {oid} a b",
        f"1 .M S.M. 160000 160000 160000 {oid} {oid} sub",
        f"u UU N... 100644 100644 100644 100644 {oid} {oid} {oid} c d",
        "? new",
        "! ign/",
    ]
    status = parse_status("\0".join(lines).encode() + b"\0")
    assert (status.left, status.dirty_submodules) == (("a b", "c d"), ("sub",))
    assert (status.untracked, status.ignored, status.clean) == (("new",), ("ign/",), False)


def test_raw_lines_of_copies_and_renames() -> None:
    """A copy is an added path; a rename has both."""
    old, new = "1" * 40, "2" * 40
    data = f":100644 100644 {old} {new} C75\0a\0b\0:100644 100644 {old} {new} R90\0c\0d\0"
    assert [(e.path, e.old_path, e.kind.value) for e in parse_raw(data.encode())] == [
        ("b", None, "added"),
        ("d", "c", "renamed"),
    ]


def test_undoing_half_a_rename() -> None:
    """Either name of a rename can be undone alone."""
    moved = [entry("R", "new", "old")]
    zero = "0" * 40
    assert undoing(moved, frozenset(["new"])) == ([f"0 {zero}\tnew"], ["new"], [])
    assert undoing(moved, frozenset(["old"])) == ([f"100644 {'a' * 40}\told"], [], ["old"])
    assert undoing(moved, frozenset(["other"])) == ([], [], [])


def test_settings_are_overlaid_where_they_matter() -> None:
    """Programs and filters go back to what they were; what is harmless to us stays."""
    trusted = {"filter.lfs.clean": "git-lfs clean %f"}
    now = {
        "filter.x.clean": "evil",
        "filter.x.required": "true",
        "core.autocrlf": "true",
        "alias.x": "!y",
    }
    assert sensitive({**now, "user.name": "x", "remote.origin.url": "y"}) == now
    assert overlay(trusted, now) == {
        "core.autocrlf": "false",
        "filter.lfs.clean": "git-lfs clean %f",
        "filter.x.clean": "",
        "filter.x.required": "false",
    }


@pytest.fixture
def asking(root: Path) -> Refs:
    """Refs of a repository that does not keep them in files, so that git is asked."""
    site = opened(root)._site
    return Refs(site.git, site.common, in_files=False)


def test_refs_are_asked_of_git_when_they_are_in_no_files(asking: Refs, root: Path) -> None:
    """With another store of refs, git gives the same answers."""
    head = git(root, "rev-parse", "HEAD")
    assert asking.read("refs/heads/main") == asking.head(root / ".git") == head
    assert asking.read("refs/heads/none") is None


def test_symbolic_refs_are_followed(root: Path) -> None:
    """A ref that names another is followed, but not for ever."""
    refs = opened(root)._site.refs
    git(root, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    (root / ".git/refs/heads/loop").write_text("ref: refs/heads/loop\n")
    assert refs.read("refs/heads/alias") == git(root, "rev-parse", "HEAD")
    assert refs.read("refs/heads/loop") is None
    (root / ".git/refs/heads/rubbish").write_text("xyz\n")
    assert refs.read("refs/heads/rubbish") is None
    (root / "HEAD").write_text("xyz\n")
    assert refs.head(root) is None


def test_head_that_went_away(root: Path) -> None:
    """When the user deletes the branch they stand on, that is said."""
    repo = opened(root)
    git(root, "update-ref", "-d", "refs/heads/main")
    with pytest.raises(RepositoryError, match="names no commit"):
        repo.head()
    assert repo.resolve("HEAD") is None


def test_a_ref_that_moved_is_not_overwritten(root: Path) -> None:
    """An update with another old value than the ref has is refused by git."""
    repo = opened(root)
    repo.ensure_branch("integration/r", repo.head())
    with pytest.raises(GitError, match="update-ref"):
        repo._site.refs.update("refs/heads/integration/r", repo.head(), "12" * 20, "x")


def test_git_that_cannot_be_started(root: Path) -> None:
    """An executable that vanished is an error of git, not a crash."""
    found = find_git(root)
    gone = Git(executable="/no/such/git", version=(2, 40), cwd=root, base_env=found.base_env)
    with pytest.raises(GitError, match="cannot be started"):
        gone.call("version")


def test_git_that_takes_too_long(root: Path) -> None:
    """A git over its time is ended, and that is said with the command."""
    (root / "slow").write_text("#!/bin/sh\nsleep 30\n")
    (root / "slow").chmod(0o755)
    slow = Git(
        executable=str(root / "slow"), version=(2, 40), cwd=root, base_env={"PATH": "/bin:/usr/bin"}
    )
    with pytest.raises(GitError, match=r"took longer than 0\.1 s"):
        slow.call("status", timeout=0.1)


def test_closed_folders_are_opened_to_be_removed(tmp_path: Path) -> None:
    """What stands in the way of removing a tree is made writable and tried again."""
    write(tmp_path, {"t/a/b": "1"})
    (tmp_path / "t/a").chmod(0o500)
    slots._make_writable_and_retry(os.unlink, str(tmp_path / "t/a/b"), None)
    assert not (tmp_path / "t/a/b").exists()
    slots._make_writable_and_retry(os.scandir, str(tmp_path / "t/a"), None)
    assert not (tmp_path / "t/a").exists()
    slots.remove(tmp_path / "none")


def test_folders_are_made_writable(tmp_path: Path) -> None:
    """Every folder of a tree can be entered again."""
    write(tmp_path, {"t/a/b": "1"})
    (tmp_path / "t/a").chmod(0o500)
    make_writable(tmp_path / "t")
    assert (tmp_path / "t/a").stat().st_mode & 0o700 == 0o700


def test_a_lock_that_goes_by_itself(tmp_path: Path) -> None:
    """A lock that is not there (any more) was not removed by us."""
    assert not slots.remove_stale(tmp_path / "x.lock", 1.0)
    assert read_text(tmp_path / "x.lock") is None


def test_a_file_that_cannot_be_replaced(tmp_path: Path) -> None:
    """A write into a folder that is not there is an error of git's files."""
    with pytest.raises(GitError, match="cannot write"):
        slots.replace_file(tmp_path / "none" / "x", "y")


def test_a_repository_is_made_for_the_demonstration(tmp_path: Path) -> None:
    """What lies in a folder becomes the first commit, without any identity set up."""
    write(tmp_path, {"a": "1"})
    create_repository(tmp_path, "first")
    assert git(tmp_path, "log", "--format=%s %an") == "first penstock"
    assert opened(tmp_path).tracked_own_paths() == ()
