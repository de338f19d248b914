"""Keeping and undoing a turn: patches, revert, reset, commits, and unrecorded work."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.worktrees.paths import batches, glob_escaped
from penstock.worktrees.repository import GitRepository
from penstock.worktrees.slots import remove
from penstock.worktrees.worktree import GitWorktree, message
from tests.support.repos import git, opened, write

BINARY = bytes(range(256)) * 20


def test_a_patch_brings_the_work_back(tree: GitWorktree) -> None:
    """The patch of a turn applies on its start: text, binaries, modes, deletes and symlinks."""
    write(tree.path, {"src/a.py": "A = 2\n", "bin": BINARY, "README.md": None})
    (tree.path / "src/b.py").chmod(0o755)
    (tree.path / "link").symlink_to("src/a.py")
    wanted = tree.changes()
    paths = [path for change in wanted.changes for path in change.paths]
    patch = tree.patch(paths)
    tree.reset(tree.head)
    (tree.path.parent / "the.patch").write_bytes(patch)
    git(tree.path, "apply", "--index", str(tree.path.parent / "the.patch"))
    assert tree.changes().diff_hash == wanted.diff_hash


def test_a_patch_of_very_many_paths(tree: GitWorktree) -> None:
    """More paths than one command line takes are no trouble."""
    names = [f"many/{'x' * 150}{n:04d}" for n in range(900)]
    write(tree.path, dict.fromkeys(names, "1\n"))
    tree.changes()
    assert tree.patch(names).count(b"diff --git") == 900
    assert len(list(batches(names))) > 2
    assert list(batches([])) == []


def test_revert_brings_back_just_these(tree: GitWorktree) -> None:
    """Edited, added, deleted and renamed paths go back, the others stay staged."""
    write(tree.path, {"src/a.py": "A = 2\n", "new/file": "x", "README.md": None, "ok.txt": "1"})
    (tree.path / "docs/long.md").rename(tree.path / "docs/other.md")
    tree.changes()
    left = tree.revert(["src/a.py", "new/file", "README.md", "docs/long.md", "docs/other.md"])
    assert [c.path for c in left.changes] == ["ok.txt"]
    assert (tree.path / "docs/long.md").exists()
    assert not (tree.path / "new").exists()


def test_revert_of_a_file_that_became_a_folder(tree: GitWorktree) -> None:
    """A file replaced by a folder, and the reverse, are put right."""
    write(tree.path, {"README.md": None})
    write(tree.path, {"README.md/x": "1"})
    remove(tree.path / "src")
    write(tree.path, {"src": "a file now"})
    changes = tree.changes()
    left = tree.revert([path for change in changes.changes for path in change.paths])
    assert left.empty
    assert (tree.path / "src/a.py").read_text() == "A = 1\n"
    assert (tree.path / "README.md").is_file()


def test_revert_of_a_nested_repository(tree: GitWorktree) -> None:
    """A repository that was put into the tree is taken out again."""
    git(tree.path, "init", "--quiet", "nested")
    git(tree.path / "nested", "-c", "user.name=x", "-c", "user.email=x", "commit", "--allow-empty", "-qm", "x")  # fmt: skip
    tree.changes()
    assert tree.revert(["nested"]).empty
    assert not (tree.path / "nested").exists()


def test_reset_takes_untracked_and_leaves_ignored(tree: GitWorktree) -> None:
    """After a reset the tree is the commit's, nested repositories included; ignored files stay."""
    write(tree.path, {"src/a.py": "A = 2\n", "new": "x", "x.log": "kept"})
    git(tree.path, "init", "--quiet", "nested")
    tree.changes()
    tree.reset(tree.head)
    assert git(tree.path, "status", "--porcelain") == ""
    assert not (tree.path / "nested").exists()
    assert (tree.path / "x.log").exists()


def test_reset_goes_to_any_commit(tree: GitWorktree, root: Path) -> None:
    """Branch and tree go where they are told, forth and back."""
    write(tree.path, {"new": "x"})
    tree.changes()
    made = tree.commit("x", {})
    for commit in (tree.base, made):
        tree.reset(commit)
        assert (tree.head, git(root, "rev-parse", tree.branch)) == (commit, commit)
        assert tree.changes().empty


def test_a_commit_has_its_message_and_trailers(tree: GitWorktree, root: Path) -> None:
    """Subject, trailers and the user's identity are recorded; nothing is cleaned up by git."""
    write(tree.path, {"new": "x"})
    tree.changes()
    commit = tree.commit("# subject", {"Penstock-Run": "r\n1", "Penstock-Tool": "scripted"})
    assert git(root, "log", "-1", "--format=%an <%ae>|%s|%(trailers:only)", commit) == (
        "Una User <una@example.org>|# subject|Penstock-Run: r 1\nPenstock-Tool: scripted\n"
    )
    assert tree.head == commit == git(root, "rev-parse", tree.branch)


def test_messages() -> None:
    """A message never lacks a subject, and has a blank line before its trailers."""
    assert message("\0 ", {}) == "penstock\n"
    assert message("a", {"K": "v"}) == "a\n\nK: v\n"


def test_scope_since_base_spans_all_commits(tree: GitWorktree) -> None:
    """The diff of the branch against its base is the sum of its turns."""
    assert tree.scope_since_base() == ()
    write(tree.path, {"one": "1", "src/a.py": "A = 2\n"})
    tree.changes()
    tree.commit("one", {})
    first = tree.scope_since_base()
    assert [c.path for c in first] == ["one", "src/a.py"]
    write(tree.path, {"two": "2", "src/a.py": "A = 1\n"})
    tree.changes()
    tree.commit("two", {})
    assert [c.path for c in tree.scope_since_base()] == ["one", "two"]


def test_diff_text_is_cut(tree: GitWorktree) -> None:
    """The text of the diff is whole, or cut at a line with the number of bytes left out."""
    write(tree.path, {"src/a.py": "A = 2\n", "caf\u00e9": "\u00e9\n" * 100})
    tree.changes()
    tree.commit("one", {})
    whole = tree.diff_text(max_bytes=100_000)
    assert "+A = 2" in whole
    cut = tree.diff_text(max_bytes=200)
    assert whole.startswith(cut.rpartition("\n[")[0])
    assert cut.endswith("more bytes]\n")


def test_unrecorded_work_is_a_patch_that_changes_nothing(tree: GitWorktree, root: Path) -> None:
    """What a dead process left uncommitted can be kept, and the tree stays as it was."""
    write(tree.path, {"src/a.py": "A = 2\n", "new": BINARY})
    git(tree.path, "-c", "user.name=t", "-c", "user.email=t", "commit", "-qam", "unrecorded")
    write(tree.path, {"src/b.py": "B = 2\n"})
    before = git(tree.path, "status", "--porcelain"), git(root, "rev-parse", tree.branch)
    again = opened(root).reopen(tree.path, tree.branch, tree.base, tree.head)
    assert again is not None
    patch = again.unrecorded_work()
    assert all(part in patch for part in (b"+A = 2", b"+B = 2", b"GIT binary patch"))
    assert before == (git(tree.path, "status", "--porcelain"), git(root, "rev-parse", tree.branch))
    again.reset(again.head)
    assert again.unrecorded_work() == b""
    assert again.changes().empty


@pytest.mark.parametrize("damage", ["gone", "elsewhere", "admin", "index", "rubbish"])
def test_what_cannot_be_reopened(
    tree: GitWorktree, repo: GitRepository, tmp_path: Path, damage: str
) -> None:
    """A tree that is gone, lies elsewhere or has lost its admin folder is None."""
    path = tree.path
    if damage == "gone":
        remove(path)
    elif damage == "elsewhere":
        path = tmp_path
    elif damage == "admin":
        remove(tree.slot.admin)
    elif damage == "index":
        (tree.slot.admin / "index").unlink()
    else:
        (path / ".git").write_text("x")
        (tree.slot.admin / "gitdir").write_text("x")
    assert repo.reopen(path, tree.branch, tree.base, tree.head) is None


def test_reopen_mends(tree: GitWorktree, root: Path) -> None:
    """Locks, pointers, HEAD and the branch are put right before anything else is done."""
    (tree.slot.admin / "index.lock").write_text("")
    (tree.path / ".git").write_text("rubbish")
    (tree.slot.admin / "HEAD").write_text("ref: refs/heads/main\n")
    (tree.slot.admin / "MERGE_HEAD").write_text("x")
    git(root, "update-ref", "-d", f"refs/heads/{tree.branch}")
    again = opened(root).reopen(tree.path, tree.branch, tree.base, tree.head)
    assert again is not None
    assert git(tree.path, "status", "--porcelain", "--branch") == f"## {tree.branch}"
    assert again.changes().empty


def test_an_unreadable_index_is_made_anew(tree: GitWorktree, root: Path) -> None:
    """After a crash in the middle of writing it, the index is laid again from the commit."""
    write(tree.path, {"src/a.py": "A = 2\n"})
    (tree.slot.admin / "index").write_bytes(b"DIRC half")
    again = opened(root).reopen(tree.path, tree.branch, tree.base, tree.head)
    assert again is not None
    assert b"+A = 2" in again.unrecorded_work()
    assert [c.path for c in again.changes().changes] == ["src/a.py"]


def test_ignore_patterns_are_escaped() -> None:
    """A path stands for itself when it is made a pattern."""
    assert glob_escaped("a*[b]\\ c") == "a\\*\\[b\\]\\\\\\ c"
