"""Which repositories are taken, and what is said of the others."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from penstock.errors import EnvironmentProblem, GitError, RepositoryError, ToolMissingError
from penstock.worktrees.repository import GitRepository
from penstock.worktrees.worktree import GitWorktree
from tests.support.repos import git, make_repo, opened, write


def refusal(path: Path) -> EnvironmentProblem:
    """The error of opening `path`; it always says how to mend it."""
    with pytest.raises(EnvironmentProblem) as caught:
        opened(path)
    assert caught.value.hint
    return caught.value


def test_the_top_is_found_from_below(root: Path) -> None:
    """A folder inside the checkout stands for its repository."""
    assert opened(root / "src").root == root


def test_head_is_the_commit_of_the_checkout(repo: GitRepository, root: Path) -> None:
    """`head` and `resolve` agree with git."""
    commit = git(root, "rev-parse", "HEAD")
    assert repo.head() == commit
    assert [repo.resolve(n) for n in ("HEAD", "main", commit[:10])] == [commit] * 3
    assert repo.resolve("no-such-name") is None
    assert repo.resolve("workstream/no/branch") is None


def test_a_killed_git_has_answered_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a git that was killed did not say is not taken for a no."""
    commit = git(root, "rev-parse", "HEAD")
    real, fake = shutil.which("git"), tmp_path / "bin/git"
    deadly = 'case "$*" in *--verify*|*merge-base*) kill -9 $$ ;; esac'
    write(tmp_path, {"bin/git": f'#!/bin/sh\n{deadly}\nexec {real} "$@"\n'})
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=os.pathsep)
    repo = opened(root)
    with pytest.raises(GitError, match="signal 9"):
        repo.resolve(commit)
    with pytest.raises(GitError, match="signal 9"):
        repo.is_ancestor(commit, "0" * 40)


def test_a_detached_head_is_fine(root: Path) -> None:
    """A checkout without a branch is opened as any other."""
    git(root, "checkout", "--quiet", "--detach")
    assert opened(root).head() == git(root, "rev-parse", "HEAD")


def test_packed_refs_are_read(root: Path) -> None:
    """Refs that git has packed are found."""
    git(root, "branch", "workstream/a/r")
    git(root, "pack-refs", "--all")
    assert opened(root).resolve("workstream/a/r") == git(root, "rev-parse", "HEAD")


def test_no_folder(tmp_path: Path) -> None:
    """A path that is no folder is refused."""
    assert "not a folder" in str(refusal(tmp_path / "nothing"))


def test_no_repository(tmp_path: Path) -> None:
    """A folder outside any repository is refused."""
    assert "not a git repository" in str(refusal(tmp_path))


def test_a_bare_repository(tmp_path: Path) -> None:
    """A bare repository has no checkout to work beside."""
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    assert "bare repository" in str(refusal(tmp_path / "bare.git"))


def test_inside_the_git_folder(root: Path) -> None:
    """The git folder itself is not a checkout."""
    assert "not in the checkout" in str(refusal(root / ".git"))


def test_no_commit(tmp_path: Path) -> None:
    """A repository without a commit has nothing to start from."""
    git(tmp_path, "init", "--quiet", "empty")
    assert "no commit" in str(refusal(tmp_path / "empty"))


def test_a_worktree_of_ours(tree: GitWorktree) -> None:
    """Our own worktrees are not worked in as if they were the user's checkout."""
    assert "penstock made" in str(refusal(tree.path))


def test_in_the_middle_of_a_merge(root: Path) -> None:
    """A repository in the middle of a merge is refused, with the command that ends it."""
    git(root, "checkout", "--quiet", "-b", "other")
    write(root, {"src/a.py": "A = 2\n"})
    git(root, "commit", "--quiet", "-am", "two")
    git(root, "checkout", "--quiet", "main")
    write(root, {"src/a.py": "A = 3\n"})
    git(root, "commit", "--quiet", "-am", "three")
    git(root, "merge", "other", ok=False)
    error = refusal(root)
    assert "a merge" in str(error)
    assert "git merge --abort" in str(error.hint)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("rebase-merge", "rebase"),
        ("BISECT_START", "bisection"),
    ],
)
def test_in_the_middle_of_something_else(root: Path, name: str, what: str) -> None:
    """Every operation that git keeps half done is named."""
    (root / ".git" / name).write_text("x")
    assert what in str(refusal(root))


def test_git_missing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git on PATH the user is told to install it."""
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(ToolMissingError, match="not installed"):
        opened(root)


@pytest.mark.parametrize("said", ["git version 2.30.9", "something else"])
def test_git_too_old(root: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """A git older than we need is refused by its version."""
    fake = root / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\necho '{said}'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    with pytest.raises(ToolMissingError, match="too old"):
        opened(root)


def test_broken_settings(root: Path) -> None:
    """A `.git/config` that cannot be read is said so."""
    (root / ".git" / "config").write_text("[core\nrubbish")
    assert "config" in str(refusal(root))


def test_variables_of_git_do_not_lead_elsewhere(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIT_DIR and the like from the caller's environment (a git hook, say) are not followed."""
    other = make_repo(tmp_path / "other", {"x": "1"})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert opened(root).root == root


def test_tracked_own_paths_are_refused_with_the_way_out(root: Path) -> None:
    """A repository that tracks `state/` is told which setting moves ours."""
    repo = opened(root)
    repo.require_own_paths_untracked()
    write(root, {"state/x.txt": "1", "logs/y": "2", "statement.txt": "3"})
    git(root, "add", "--force", "state", "logs", "statement.txt")
    assert repo.tracked_own_paths() == ("state", "logs")
    with pytest.raises(RepositoryError, match="state/, logs/") as caught:
        repo.require_own_paths_untracked()
    assert "`db`" in str(caught.value.hint)


def test_a_tracked_log_folder_names_git_rm(root: Path) -> None:
    """What no setting moves is to be taken out of git."""
    write(root, {"logs/y": "2"})
    git(root, "add", "--force", "logs")
    with pytest.raises(RepositoryError) as caught:
        opened(root).require_own_paths_untracked()
    assert caught.value.hint == "take it out of git: git rm -r --cached logs"


def test_a_user_in_a_linked_worktree(root: Path, tmp_path: Path) -> None:
    """The user's checkout may itself be a linked worktree; ours lie below it."""
    git(root, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    repo = opened(tmp_path / "linked")
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    assert tree.path == (tmp_path / "linked/.worktrees/a").resolve()
    repo.release(tree)
    assert opened(root).recover() == ()
    assert len(repo.overview()["worktrees"]) == 1
    assert opened(root).overview()["worktrees"] == []


def test_an_identity_is_made_up_when_there_is_none(root: Path) -> None:
    """Without user.name and user.email, commits are penstock's."""
    git(root, "config", "--unset", "user.email")
    repo = opened(root)
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    write(tree.path, {"new": "1"})
    tree.changes()
    commit = tree.commit("x", {})
    assert git(root, "log", "-1", "--format=%an <%ae> %cn", commit) == (
        "penstock <penstock@localhost> penstock"
    )


def test_a_git_that_fails_says_why(repo: GitRepository) -> None:
    """The error of a git command carries the command, its exit code and its last words."""
    with pytest.raises(GitError, match=r"git update-ref .* failed \(exit 128\)"):
        repo.ensure_branch("integration/r", "0123456789" * 4)


def test_only_branches_of_ours_are_written(repo: GitRepository) -> None:
    """Any other branch name is refused before git is asked."""
    for name in (
        "main",
        "workstream/..",
        "integration/a b",
        "workstream/",
        "-x",
        "integration/x.lock",
    ):
        with pytest.raises(RepositoryError, match="may write"):
            repo.ensure_branch(name, repo.head())


def test_ensure_branch_keeps_what_is_there(repo: GitRepository, root: Path) -> None:
    """A branch is made once, and stays where it is afterwards."""
    first = repo.head()
    assert repo.ensure_branch("integration/r", first) == first
    write(root, {"x": "1"})
    git(root, "add", "x")
    git(root, "commit", "--quiet", "-m", "more")
    assert repo.ensure_branch("integration/r", repo.head()) == first


def test_ancestors(repo: GitRepository, root: Path) -> None:
    """Ancestry is told for loose commits, packed ones, and ids that nobody knows."""
    first = repo.head()
    git(root, "commit", "--quiet", "--allow-empty", "-m", "two")
    second = repo.head()
    for _ in range(2):
        assert repo.is_ancestor(first, second)
        assert repo.is_ancestor(first, first)
        assert not repo.is_ancestor(second, first)
        assert not repo.is_ancestor("0" * 40, second)
        git(root, "gc", "--quiet")


def test_a_repository_in_sha256(tmp_path: Path) -> None:
    """Repositories with SHA-256 ids work the same."""
    path = tmp_path / "sha256"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", str(path))
    git(path, "-c", "user.name=x", "-c", "user.email=y", "commit", "--allow-empty", "-qm", "one")
    repo = opened(path)
    repo.ensure_branch("integration/r", repo.head())
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    write(tree.path, {"new": "1"})
    tree.changes()
    tree.commit("x", {})
    merged = repo.merge("workstream/a/r", "integration/r", message="m", trailers={})
    assert len(merged.commit or "") == 64
    git(path, "fsck", "--strict")
