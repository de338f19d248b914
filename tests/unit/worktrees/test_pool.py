"""Leasing worktrees and giving them back."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from penstock.errors import EnvironmentProblem, GitError, RepositoryError
from penstock.process.spawn import spawned
from penstock.worktrees.repository import GitRepository
from penstock.worktrees.slots import remove
from penstock.worktrees.worktree import GitWorktree
from tests.support.repos import git, make_repo, opened, state_of, write


def lease(repo: GitRepository, ws_id: str, start: str | None = None) -> GitWorktree:
    """A worktree for a workstream of run r."""
    return repo.lease(ws_id, "r", f"workstream/{ws_id}/r", start or repo.head())


def states(repo: GitRepository) -> list[str]:
    """The states of our worktrees, sorted."""
    return sorted(row["state"] for row in repo.overview()["worktrees"])


def commit(root: Path, **files: str) -> str:
    """Commit files on the user's branch."""
    write(root, files)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "more")
    return git(root, "rev-parse", "HEAD")


def test_a_lease_is_a_clean_tree_on_its_branch(repo: GitRepository, root: Path) -> None:
    """Path, branch, base and head are as asked, and the files are those of the start."""
    tree = lease(repo, "a")
    assert tree.path == root / ".worktrees/a"
    assert (tree.branch, tree.base, tree.head) == ("workstream/a/r", repo.head(), repo.head())
    assert git(tree.path, "status", "--porcelain", "--branch") == "## workstream/a/r"
    assert (tree.path / "src/a.py").read_text() == "A = 1\n"


def test_the_users_checkout_is_untouched(root: Path) -> None:
    """A dirty checkout is byte for byte what it was after a whole workstream beside it."""
    write(root, {"src/a.py": "mine\n", "untracked": "x", "staged": "y", ".env": "SECRET=1\n"})
    git(root, "add", "staged")
    before = state_of(root)
    repo = opened(root)
    tree = lease(repo, "a")
    repo.ensure_branch("integration/r", repo.head())
    write(tree.path, {"src/a.py": "A = 2\n"})
    tree.changes()
    tree.commit("x", {})
    repo.merge(tree.branch, "integration/r", message="m", trailers={})
    repo.release(tree)
    assert state_of(root) == before
    assert ".worktrees" not in git(root, "status", "--porcelain")


def test_a_slot_is_used_again(repo: GitRepository) -> None:
    """The second lease is laid on the slot of the first, under another name."""
    first = lease(repo, "a")
    name = first.slot.name
    repo.release(first)
    assert (first.path.exists(), states(repo)) == (False, ["idle"])
    second = lease(repo, "b")
    assert second.slot.name == name
    assert git(second.path, "status", "--porcelain", "--branch") == "## workstream/b/r"
    assert git(second.path, "rev-parse", "--show-toplevel") == str(second.path)


def test_a_minimal_workstream_takes_seven_children(repo: GitRepository) -> None:
    """With a warm pool: lease, changes, commit, merge and release, the run's branch included."""
    repo.release(lease(repo, "warm"))
    before = spawned()
    base = repo.ensure_branch("integration/r", repo.head())
    tree = lease(repo, "a", base)
    write(tree.path, {"src/a.py": "A = 2\n"})
    tree.changes()
    made = tree.commit("x", {})
    tree.scope_since_base()
    assert not repo.is_ancestor(made, repo.resolve("integration/r") or "")
    repo.merge(tree.branch, "integration/r", message="m", trailers={})
    repo.release(tree)
    assert spawned() - before <= 7


def test_nothing_of_one_lease_reaches_the_next(repo: GitRepository) -> None:
    """Ignored files, empty folders, commits and settings of a tree stay behind."""
    tree = lease(repo, "a")
    write(tree.path, {"src/a.py": "A = 2\n", "x.log": "1", "build/o": "1"})
    (tree.path / "empty/inner").mkdir(parents=True)
    git(tree.path, "config", "--worktree", "user.name", "x", ok=False)
    tree.changes()
    tree.commit("x", {})
    repo.release(tree)
    tree = lease(repo, "b")
    assert (tree.path / "src/a.py").read_text() == "A = 1\n"
    assert sorted(p.name for p in tree.path.iterdir()) == [
        ".git", ".gitignore", "README.md", "docs", "src",
    ]  # fmt: skip
    assert not (tree.slot.admin / "config.worktree").exists()


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_hidden_work_keeps_a_tree_out_of_the_pool(repo: GitRepository, flag: str) -> None:
    """A tree with index flags is not given to the next workstream."""
    tree = lease(repo, "a")
    git(tree.path, "update-index", flag, "src/a.py")
    repo.release(tree)
    assert states(repo) == ["taken"]


@pytest.mark.parametrize("files", [{"new": "x"}, {"src/a.py": "A = 2\n"}, {"src/a.py": None}])
def test_uncommitted_work_keeps_a_tree_out_of_the_pool(
    repo: GitRepository, files: dict[str, str | None]
) -> None:
    """A tree that holds more than its commit stays where it is, as it is."""
    tree = lease(repo, "a")
    write(tree.path, files)
    repo.release(tree)
    assert states(repo) == ["taken"]
    assert git(tree.path, "status", "--porcelain") != ""


def test_unrecorded_commits_keep_a_tree_out_of_the_pool(repo: GitRepository) -> None:
    """A branch that a tool has moved on is not given back either."""
    tree = lease(repo, "a")
    git(tree.path, "-c", "user.name=t", "-c", "user.email=t", "commit", "-qm", "x", "--allow-empty")
    repo.release(tree)
    assert states(repo) == ["taken"]


def test_a_tree_deleted_by_hand_is_released_without_a_word(repo: GitRepository) -> None:
    """Giving back what is gone is no error; its branch can be leased again."""
    tree = lease(repo, "a")
    remove(tree.path)
    repo.release(tree)
    again = lease(repo, "a")
    assert again.path == tree.path
    assert states(repo) == ["taken"]


def test_something_else_is_not_released(repo: GitRepository) -> None:
    """Only worktrees of this kind can be given back."""
    with pytest.raises(TypeError):
        repo.release("x")


def test_the_pool_has_a_size(root: Path) -> None:
    """At most `pool` idle slots are kept; the others are removed, admin folder and all."""
    repo = opened(root, pool=2)
    trees = [lease(repo, name) for name in "abc"]
    for tree in trees:
        repo.release(tree)
    assert states(repo) == ["idle", "idle"]
    assert git(root, "worktree", "list").count("\n") == 2


def test_without_a_pool_every_tree_is_removed(root: Path) -> None:
    """`pool: 0` keeps nothing."""
    repo = opened(root, pool=0)
    repo.release(lease(repo, "a"))
    assert states(repo) == []
    assert not (root / ".git/worktrees").exists()


def test_the_nearest_slot_is_taken(root: Path, repo: GitRepository) -> None:
    """Among idle slots the one whose tree differs least from the start is chosen."""
    first = repo.head()
    second = commit(root, **{f"many/{n}": "x" for n in range(9)})
    third = commit(root, one="x")
    trees = [lease(repo, "a", first), lease(repo, "b", second)]
    names = [tree.slot.name for tree in trees]
    for tree in trees:
        repo.release(tree)
    near = lease(repo, "c", third)
    assert near.slot.name == names[1]
    assert lease(repo, "d", first).slot.name == names[0]


def test_a_slot_too_far_away_is_left(
    root: Path, repo: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large repository a tree is laid anew when most files of the nearest slot differ."""
    monkeypatch.setattr("penstock.worktrees.pool.MANY_FILES", 5)
    first = repo.head()
    far = commit(root, **dict.fromkeys(("README.md", "src/a.py", "src/b.py"), "other\n"))
    tree = lease(repo, "a", first)
    repo.release(tree)
    fresh = lease(repo, "b", far)
    assert fresh.slot.name != tree.slot.name
    assert lease(repo, "c", first).slot.name == tree.slot.name
    repo.release(fresh)
    near = commit(root, one="1")
    assert lease(repo, "d", near).slot.name == fresh.slot.name


def test_a_path_that_is_taken_gets_the_run_id(repo: GitRepository, root: Path) -> None:
    """A second run of the same workstream lies beside the first, and a third thing beside that."""
    (root / ".worktrees").mkdir()
    lease(repo, "a")
    (root / ".worktrees/a--s").write_text("")
    tree = repo.lease("a", "s", "workstream/a/s", repo.head())
    assert tree.path.name == "a--s--2"
    assert repo.lease("a", "t", "workstream/a/t", repo.head()).path.name == "a--t"


@pytest.mark.parametrize("ws_id", ["../x", "a/b", "", ".hidden", "a\nb", "-x", "x" * 200])
def test_ids_that_cannot_be_folders_are_refused(repo: GitRepository, ws_id: str) -> None:
    """A workstream id never leads out of our folder."""
    with pytest.raises(RepositoryError, match="cannot name a worktree"):
        repo.lease(ws_id, "r", "workstream/a/r", repo.head())


def test_a_branch_that_blocks_ours_is_named(repo: GitRepository, root: Path) -> None:
    """git cannot have `workstream/a` beside `workstream/a/r`: the error says which to rename."""
    git(root, "branch", "workstream/a")
    with pytest.raises(GitError, match="workstream/a/r cannot be made") as caught:
        lease(repo, "a")
    assert caught.value.hint == (
        "rename or delete that branch: git branch -m workstream/a <another-name>"
    )
    assert "taking" not in states(repo)


def test_a_branch_that_blocks_the_integration_is_named(repo: GitRepository, root: Path) -> None:
    """The same for the run's own branch, also when the other one is packed."""
    git(root, "branch", "integration")
    git(root, "pack-refs", "--all")
    with pytest.raises(GitError, match="beside integration"):
        repo.ensure_branch("integration/r", repo.head())


def test_a_branch_checked_out_by_the_user_is_left_alone(repo: GitRepository, root: Path) -> None:
    """A branch that the user stands on is not moved under their feet."""
    tree = lease(repo, "a")
    repo.release(tree)
    git(root, "checkout", "--quiet", tree.branch)
    with pytest.raises(RepositoryError, match="is checked out in") as caught:
        lease(repo, "a")
    assert str(root) in str(caught.value.hint)


def test_the_same_branch_is_leased_once(repo: GitRepository) -> None:
    """A branch that has a worktree in this process does not get another."""
    lease(repo, "a")
    with pytest.raises(RepositoryError, match="is checked out"):
        lease(repo, "a")


def test_a_branch_is_leased_again_after_its_return(repo: GitRepository, root: Path) -> None:
    """A workstream that goes on later gets its branch back at the commit asked for."""
    tree = lease(repo, "a")
    write(tree.path, {"b": "1"})
    tree.changes()
    made = tree.commit("x", {})
    repo.release(tree)
    tree = repo.lease("a", "r", tree.branch, made, base=tree.base)
    assert (tree.head, tree.base) == (made, repo.head())
    assert [c.path for c in tree.scope_since_base()] == ["b"]
    assert git(root, "rev-parse", tree.branch) == made


def test_an_unknown_start_leaves_nothing_behind(repo: GitRepository) -> None:
    """A lease that fails gives its slot up."""
    with pytest.raises(GitError):
        lease(repo, "a", "12" * 20)
    assert states(repo) == []
    assert lease(repo, "a").changes().empty


def test_eight_threads_lease_at_once(root: Path) -> None:
    """Threads that lease, commit, merge and release at the same time do not collide."""
    repo = opened(root)
    repo.ensure_branch("integration/r", repo.head())
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(3):
                tree = lease(repo, f"w{number}-{turn}", repo.head())
                write(tree.path, {f"f{number}-{turn}": "x"})
                tree.changes()
                tree.commit("x", {})
                assert repo.merge(tree.branch, "integration/r", message="m", trailers={}).commit
                repo.release(tree)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(git(root, "ls-tree", "--name-only", "integration/r").split()) == 4 + 24
    assert states(repo) == ["idle"] * 4
    assert git(root, "fsck", "--strict") == ""


def test_a_full_or_forbidden_home_is_said(root: Path, repo: GitRepository) -> None:
    """When our folder cannot be made, the error names it."""
    (root / ".worktrees").write_text("in the way")
    with pytest.raises(EnvironmentProblem, match="cannot lay a worktree"):
        lease(repo, "a")


def test_write_protected_rubbish_is_cleaned(repo: GitRepository) -> None:
    """Folders without write permission do not keep a slot from being cleaned."""
    tree = lease(repo, "a")
    write(tree.path, {"build/deep/x": "1"})
    (tree.path / "build/deep").chmod(0o500)
    (tree.path / "build").chmod(0o500)
    repo.release(tree)
    assert states(repo) == ["idle"]


def test_a_shallow_clone_works(root: Path, tmp_path: Path) -> None:
    """A clone without history is as good."""
    commit(root, one="1")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{root}", "shallow")
    repo = opened(tmp_path / "shallow")
    tree = lease(repo, "a")
    assert (tree.path / "one").exists()


def test_a_sparse_checkout_of_the_user_gives_whole_trees(root: Path) -> None:
    """Worktrees hold all files, whatever part of them the user looks at."""
    git(root, "sparse-checkout", "set", "--no-cone", "/docs/")
    repo = opened(root)
    tree = lease(repo, "a")
    assert (tree.path / "src/a.py").exists()
    assert tree.changes().empty
    assert not (root / "src").exists()


def test_lfs_pointers_stay_pointers(root: Path) -> None:
    """With a smudge filter like that of Git LFS, no download is asked for and nothing is changed."""
    fetch = 'test -n "$GIT_LFS_SKIP_SMUDGE" || exit 1; cat'
    git(root, "config", "filter.lfs.smudge", fetch)
    git(root, "config", "filter.lfs.clean", "cat")
    git(root, "config", "filter.lfs.required", "true")
    commit(root, **{".gitattributes": "*.bin filter=lfs\n", "big.bin": "version https://git-lfs\n"})
    tree = lease(opened(root), "a")
    assert (tree.path / "big.bin").read_text() == "version https://git-lfs\n"
    assert tree.changes().empty


def test_a_long_path_and_a_space_in_the_top(tmp_path: Path) -> None:
    """The repository may lie at a path with spaces, quotes and letters of any script."""
    repo = opened(make_repo(tmp_path / "my 'repo' ü"))
    tree = lease(repo, "ws")
    write(tree.path, {"b": "1"})
    assert len(tree.changes().changes) == 1
    repo.release(tree)
