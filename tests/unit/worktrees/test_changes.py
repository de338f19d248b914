"""What a turn changed, whatever way it went about it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from penstock.errors import GitError, RepositoryError
from penstock.worktrees.api import Change, ChangeKind, Changes
from penstock.worktrees.diff import content_hash
from penstock.worktrees.repository import GitRepository
from penstock.worktrees.worktree import GitWorktree
from tests.support.repos import git, make_repo, opened, write

NOTHING = content_hash(())


def kinds(changes: Changes) -> dict[str, str]:
    """Path -> what happened to it."""
    return {change.path: change.kind.value for change in changes.changes}


def only(changes: Changes) -> Change:
    """The one change there is."""
    (change,) = changes.changes
    return change


def test_an_untouched_tree_is_empty(tree: GitWorktree) -> None:
    """Nothing changed gives no change and the constant hash."""
    changes = tree.changes()
    assert changes.empty
    assert changes.diff_hash == NOTHING
    assert (changes.ignored, changes.hidden, changes.tampering) == ((), (), ())


def test_adds_edits_and_deletes(tree: GitWorktree) -> None:
    """The three plain kinds are told apart, untracked files count as added."""
    write(tree.path, {"src/a.py": "A = 2\n", "deep/er/new.py": "", "README.md": None})
    assert kinds(tree.changes()) == {
        "README.md": "deleted",
        "deep/er/new.py": "added",
        "src/a.py": "modified",
    }


def test_a_rename_has_both_names(tree: GitWorktree) -> None:
    """A file that was moved is one change with two paths."""
    (tree.path / "docs/long.md").rename(tree.path / "docs/other.md")
    change = only(tree.changes())
    assert (change.kind, change.paths) == (ChangeKind.RENAMED, ("docs/long.md", "docs/other.md"))


def test_an_executable_bit_is_a_change_of_mode(tree: GitWorktree) -> None:
    """Making a file executable is seen although its content is the same."""
    (tree.path / "src/a.py").chmod(0o755)
    change = only(tree.changes())
    assert change.kind is ChangeKind.MODE_CHANGED
    assert (change.old_mode, change.new_mode) == ("100644", "100755")


def test_a_file_that_becomes_a_symlink_changes_its_type(tree: GitWorktree) -> None:
    """A file replaced by a symlink is a change of type, with the target."""
    (tree.path / "src/a.py").unlink()
    (tree.path / "src/a.py").symlink_to("b.py")
    change = only(tree.changes())
    assert change.kind is ChangeKind.TYPE_CHANGED
    assert (change.symlink_target, change.escapes) == ("b.py", False)


@pytest.mark.parametrize(
    ("target", "escapes"),
    [
        ("../README.md", False),
        ("../../outside", True),
        ("/etc/passwd", True),
        ("../.git", True),
        ("nowhere", False),
        ("../src/../../x", True),
    ],
)
def test_symlinks_that_lead_out_are_marked(tree: GitWorktree, target: str, escapes: bool) -> None:
    """A symlink escapes when it is absolute, leads out of the tree, or into git's files."""
    (tree.path / "src/link").symlink_to(target)
    change = only(tree.changes())
    assert (change.symlink_target, change.escapes) == (target, escapes)


def test_a_symlink_through_a_symlink_is_followed(tree: GitWorktree) -> None:
    """A link whose way leads through another link out of the tree escapes as well."""
    (tree.path / "up").symlink_to("..")
    (tree.path / "x").symlink_to("up/secret")
    assert [change.escapes for change in tree.changes().changes] == [True, True]


@pytest.mark.parametrize(
    "name", ["a b.txt", "ümläut/日本.txt", "new\nline.txt", 'quo"te', "tab\there", ":(top)x", "-n", "*", "[a]", "é"]
)  # fmt: skip
def test_strange_names(tree: GitWorktree, repo: GitRepository, name: str) -> None:
    """Any name that a file can have is staged, reported, patched, committed and reverted."""
    write(tree.path, {name: "1\n", "other": "2\n"})
    assert set(kinds(tree.changes())) == {name, "other"}
    assert b"+1" in tree.patch([name])
    assert b"+2" not in tree.patch([name])
    assert set(kinds(tree.revert(["other"]))) == {name}
    commit = tree.commit("x", {})
    assert git(repo.root, "ls-tree", "-r", "-z", "--name-only", commit).split("\0").count(name) == 1


def test_a_name_that_is_not_utf8(tree: GitWorktree) -> None:
    """Undecodable names keep their bytes."""
    Path(os.fsdecode(os.fsencode(tree.path) + b"/caf\xe9")).write_text("x")
    assert os.fsencode(only(tree.changes()).path) == b"caf\xe9"


def test_line_endings_are_kept(tree: GitWorktree, repo: GitRepository) -> None:
    """CRLF files are committed as they are when the repository asks for nothing else."""
    write(tree.path, {"dos.txt": "a\r\nb\r\n"})
    tree.changes()
    commit = tree.commit("x", {})
    assert git(repo.root, "cat-file", "-s", f"{commit}:dos.txt") == "6"


def test_equal_trees_have_equal_hashes(tree: GitWorktree) -> None:
    """A-B-A: the hash follows the content, not the way to it; back at the base it is the constant."""
    write(tree.path, {"src/a.py": "A = 2\n"})
    first = tree.changes().diff_hash
    tree.commit("one", {})
    write(tree.path, {"src/a.py": "A = 3\n", "more": "x"})
    second = tree.changes().diff_hash
    tree.commit("two", {})
    write(tree.path, {"src/a.py": "A = 2\n", "more": None})
    assert tree.changes().diff_hash == first != second
    write(tree.path, {"src/a.py": "A = 1\n"})
    assert tree.changes().diff_hash == NOTHING


def test_a_turn_without_change_keeps_the_hash(tree: GitWorktree) -> None:
    """After a commit, a turn that changes nothing has the hash of what is committed."""
    write(tree.path, {"src/a.py": "A = 2\n"})
    first = tree.changes().diff_hash
    tree.commit("one", {})
    changes = tree.changes()
    assert changes.empty
    assert changes.diff_hash == first


def test_a_rename_hashes_like_what_it_is(tree: GitWorktree) -> None:
    """The same tree has the same hash in the first turn and when its halves came one by one."""
    moved = (tree.path / "docs/long.md").read_text()
    write(tree.path, {"docs/long.md": None})
    tree.changes()
    tree.commit("one", {})
    write(tree.path, {"docs/other.md": moved})
    in_two = tree.changes().diff_hash
    tree.reset(tree.base)
    (tree.path / "docs/long.md").rename(tree.path / "docs/other.md")
    assert tree.changes().diff_hash == in_two


def test_ignored_files_are_listed_not_staged(tree: GitWorktree) -> None:
    """What the ignore rules hide is named once, when it appears or changes, and never committed."""
    write(tree.path, {"run.log": "1", "build/out/x.o": "2", "build/y.o": "3"})
    changes = tree.changes()
    assert changes.empty
    assert changes.ignored == ("build/out/x.o", "build/y.o", "run.log")
    assert tree.changes().ignored == ()
    write(tree.path, {"run.log": "longer"})
    assert tree.changes().ignored == ("run.log",)


def test_a_flood_of_ignored_files_is_bounded(
    tree: GitWorktree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound a folder is named as a whole."""
    monkeypatch.setattr("penstock.worktrees.ignored.LIMIT", 3)
    write(tree.path, {f"node_modules/{n}.js": "x" for n in range(9)})
    assert "node_modules/" in tree.changes().ignored
    assert len(tree.changes().ignored) <= 4


def test_excluded_paths_are_left_out(tree: GitWorktree) -> None:
    """A path in `exclude` is neither staged nor reported."""
    write(tree.path, {"src/a.py": "A = 2\n", "notes/x.txt": "1"})
    assert kinds(tree.changes(exclude=["notes"])) == {"src/a.py": "modified"}


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_index_flags_do_not_hide_an_edit(tree: GitWorktree, flag: str) -> None:
    """A tool that tells git to overlook a file is overlooked itself: the edit is seen, and said."""
    git(tree.path, "update-index", flag, "src/a.py")
    write(tree.path, {"src/a.py": "A = 666\n"})
    changes = tree.changes()
    assert kinds(changes) == {"src/a.py": "modified"}
    assert changes.hidden == ("src/a.py",)
    assert tree.changes().hidden == ()


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_index_flags_are_found_after_a_restart(tree: GitWorktree, root: Path, flag: str) -> None:
    """A process that opens a left worktree, not knowing its index, finds the flags too."""
    git(tree.path, "update-index", flag, "src/a.py")
    write(tree.path, {"src/a.py": "A = 666\n"})
    again = opened(root).reopen(tree.path, tree.branch, tree.base, tree.head)
    assert again is not None
    assert b"A = 666" in again.unrecorded_work()
    write(tree.path, {"src/a.py": "A = 667\n"})
    git(tree.path, "update-index", flag, "src/a.py")
    changes = again.changes()
    assert (kinds(changes), changes.hidden) == ({"src/a.py": "modified"}, ("src/a.py",))


def test_sparse_checkout_by_a_tool_shows_as_deletions(tree: GitWorktree) -> None:
    """Files that a tool takes out of sight by a sparse checkout are deletions to us."""
    git(tree.path, "sparse-checkout", "set", "--no-cone", "/src/", ok=False)
    changes = tree.changes()
    assert kinds(changes)["README.md"] == "deleted"
    assert "README.md" in changes.hidden


def forge(index: Path, oid: str, by: str) -> None:
    """Replace one object id in an index, and mend its checksum."""
    data = index.read_bytes().replace(bytes.fromhex(oid), bytes.fromhex(by))[:-20]
    index.write_bytes(data + hashlib.sha1(data).digest())  # noqa: S324 - git's own sum


def test_a_forged_index_hides_nothing(tree: GitWorktree, root: Path) -> None:
    """An index whose stored file times were forged to fit an edited file is put aside."""
    write(tree.path, {"src/a.py": "A = 7\n"})
    os.utime(tree.path / "src/a.py", (1e9, 1e9))  # old, so that git trusts what is stored
    git(tree.path, "add", "src/a.py")
    edited, first = git(tree.path, "rev-parse", ":src/a.py"), git(root, "rev-parse", ":src/a.py")
    forge(tree.slot.admin / "index", edited, first)
    assert git(tree.path, "status", "--porcelain") == ""
    assert kinds(tree.changes()) == {"src/a.py": "modified"}


def test_a_same_size_edit_with_its_old_time_is_seen(tree: GitWorktree) -> None:
    """An edit that keeps size and modification time is seen through the change time."""
    path = tree.path / "src/a.py"
    times = path.stat()
    path.write_text("A = 9\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert kinds(tree.changes()) == {"src/a.py": "modified"}


def test_commits_of_the_tool_are_part_of_the_diff(tree: GitWorktree, root: Path) -> None:
    """A tool that commits by itself is judged by its whole turn, and its commit is replaced."""
    write(tree.path, {"src/a.py": "A = 2\n"})
    git(tree.path, "-c", "user.name=t", "-c", "user.email=t", "commit", "-qam", "mine")
    write(tree.path, {"b.txt": "2"})
    assert kinds(tree.changes()) == {"src/a.py": "modified", "b.txt": "added"}
    commit = tree.commit("ours", {})
    assert git(root, "rev-parse", f"{commit}^") == tree.base


@pytest.mark.parametrize("meddle", ["flag", "touch"])
def test_a_same_size_edit_within_the_second_is_seen(tree: GitWorktree, meddle: str) -> None:
    """An index that is put back, or was touched, looks as old as it is: git counts in seconds."""
    index, entry = tree.slot.admin / "index", tree.path / "src/a.py"
    second = index.stat().st_mtime_ns // 10**9 * 10**9
    os.utime(entry, ns=(second, second))
    git(tree.path, "add", "src/a.py")
    os.utime(index, ns=(second, second))
    tree.remember_index()
    entry.write_text("A = 9\n")
    os.utime(entry, ns=(second, second))
    if meddle == "flag":
        git(tree.path, "update-index", "--assume-unchanged", "src/a.py")
    later = second + 60 * 10**9
    os.utime(index, ns=(later, later))
    assert kinds(tree.changes()) == {"src/a.py": "modified"}


def test_a_switched_branch_is_switched_back(tree: GitWorktree, root: Path) -> None:
    """A tool that switches to another branch does not take our commit there."""
    git(tree.path, "checkout", "--quiet", "-b", "mine")
    write(tree.path, {"b.txt": "2"})
    assert kinds(tree.changes()) == {"b.txt": "added"}
    commit = tree.commit("ours", {})
    assert git(root, "rev-parse", tree.branch) == commit
    assert git(root, "rev-parse", "mine") == tree.base


def test_a_deleted_branch_is_put_back(tree: GitWorktree, root: Path) -> None:
    """A tool that deletes its own branch finds it made again."""
    git(tree.path, "update-ref", "-d", f"refs/heads/{tree.branch}")
    write(tree.path, {"b.txt": "2"})
    assert not tree.changes().empty
    assert git(root, "rev-parse", f"{tree.commit('x', {})}^") == tree.base


def test_a_merge_half_way_is_ended(tree: GitWorktree, root: Path) -> None:
    """A conflicted merge that a tool leaves becomes plain changes, not a merge commit of ours."""
    git(root, "checkout", "--quiet", "-b", "side")
    write(root, {"src/a.py": "A = 5\n"})
    git(root, "commit", "--quiet", "-am", "side")
    write(tree.path, {"src/a.py": "A = 6\n"})
    git(tree.path, "-c", "user.name=t", "-c", "user.email=t", "commit", "-qam", "mine")
    git(tree.path, "-c", "user.name=t", "-c", "user.email=t", "merge", "side", ok=False)
    assert kinds(tree.changes()) == {"src/a.py": "modified"}
    commit = tree.commit("x", {})
    assert git(root, "rev-list", "--parents", "-1", commit).split()[1:] == [tree.base]


def test_a_nested_repository_is_marked(tree: GitWorktree) -> None:
    """A repository cloned into the tree shows as a submodule."""
    make_repo(tree.path / "vendor/thing", {"x": "1"})
    change = only(tree.changes())
    assert (change.path, change.submodule, change.new_mode) == ("vendor/thing", True, "160000")


def test_a_nested_repository_without_a_commit_is_marked(tree: GitWorktree) -> None:
    """One that git cannot even add is reported all the same, and what lies beside it is staged."""
    (tree.path / "vendor").mkdir()
    git(tree.path / "vendor", "init", "--quiet", "thing")
    write(tree.path, {"b.txt": "2", "vendor/thing/x": "1"})
    changes = tree.changes()
    assert kinds(changes) == {"b.txt": "added", "vendor/thing": "added"}
    assert [c.submodule for c in changes.changes] == [False, True]
    assert kinds(tree.revert(["vendor/thing"])) == {"b.txt": "added"}
    assert not (tree.path / "vendor/thing").exists()


def test_what_git_cannot_stage_is_an_error(tree: GitWorktree, root: Path) -> None:
    """A file that cannot be stored fails the diff instead of vanishing from it."""
    write(tree.path, {"b.txt": "2"})
    oid = git(tree.path, "hash-object", "b.txt")
    (root / ".git/objects" / oid[:2]).write_text("in the way")
    with pytest.raises(GitError, match="git add --all"):
        tree.changes()


def test_a_lock_that_is_a_folder_is_removed(tree: GitWorktree) -> None:
    """Rubbish that a tool puts in place of git's lock files does not stop the diff."""
    write(tree.slot.admin, {"index.lock/x": ""})
    assert tree.changes().empty


def test_a_file_system_failure_is_said_in_words(tree: GitWorktree) -> None:
    """A failing system call becomes an error that says what was being done and where."""
    (tree.slot.admin / "index").unlink()
    (tree.slot.admin / "index").mkdir()
    with pytest.raises(RepositoryError, match=r"cannot take the diff .*index"):
        tree.changes()
