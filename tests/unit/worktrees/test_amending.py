"""Changing plain files of a branch of ours in one commit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import RepositoryError
from penstock.worktrees.repository import GitRepository
from tests.support.repos import git, make_repo, opened, state_of, write

BRANCH = "integration/r"
ODD = "plans/a b/[x] *ü.md"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with odd names, line ends that git would change, a link and a program."""
    files: dict[str, str | bytes] = {
        ".gitattributes": "*.md text eol=crlf\n", "plans/a.md": b"one\r\ntwo\n", ODD: "odd\n",
        "run.sh": "#!/bin/sh\n",
    }  # fmt: skip
    root = make_repo(tmp_path / "repo", files)
    (root / "run.sh").chmod(0o755)
    (root / "link.md").symlink_to("plans/a.md")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "More")
    return root


@pytest.fixture
def repo(root: Path) -> GitRepository:
    """The opened repository, with a branch of ours."""
    repo = opened(root)
    repo.ensure_branch(BRANCH, repo.head())
    return repo


def amend(repo: GitRepository, files: dict[str, bytes | None], at: str | None = None) -> str | None:
    """Change files on the branch."""
    tip = at or git(repo.root, "rev-parse", BRANCH)
    return repo.amend(BRANCH, tip, files, message="Change", trailers={"Run": "r"})


def test_a_commit_changes_these_files_and_no_other(repo: GitRepository) -> None:
    """Byte for byte, whatever git would do to line ends; the checkout is not touched."""
    before, base = state_of(repo.root), git(repo.root, "rev-parse", BRANCH)
    wanted: dict[str, bytes | None] = {
        ODD: b"x\r\ny\rz\n\xff",
        "fresh/deep.md": b"",
        "run.sh": b"a",
    }
    made = amend(repo, wanted)
    assert made is not None
    assert {name: repo.read_file(made, name) for name in wanted} == wanted
    changed = git(repo.root, "-c", "core.quotePath=false", "diff", "--name-only", base, BRANCH)
    assert sorted(changed.split("\n")) == sorted(wanted)
    assert git(repo.root, "log", "-1", "--format=%P|%B", BRANCH).startswith(f"{base}|Change\n\nRun: r")  # fmt: skip
    assert state_of(repo.root) == before
    assert git(repo.root, "fsck", "--strict", "--no-dangling") == ""


def test_modes_stay(repo: GitRepository) -> None:
    """A program stays one; a fresh file is none."""
    made = amend(repo, {"run.sh": b"a", "new.sh": b"b"})
    listed = git(repo.root, "ls-tree", str(made), "run.sh", "new.sh")
    assert [line.split()[0] for line in listed.split("\n")] == ["100644", "100755"]


def test_a_file_is_removed(repo: GitRepository) -> None:
    """None takes it away, its folder too; taking away what is not there is no change."""
    made = amend(repo, {"plans/a.md": None, "none.md": None})
    assert made is not None
    assert repo.read_file(made, "plans/a.md") is None
    assert repo.list_files(made, "plans") == (ODD,)


def test_the_same_contents_make_no_commit(repo: GitRepository) -> None:
    """The branch stays where it is."""
    tip = git(repo.root, "rev-parse", BRANCH)
    assert amend(repo, {"plans/a.md": repo.read_file(tip, "plans/a.md")}) == tip
    assert amend(repo, {}) == tip
    assert git(repo.root, "rev-parse", BRANCH) == tip


def test_a_branch_that_has_moved_is_left_alone(repo: GitRepository) -> None:
    """Whoever read the older commit must read again."""
    old = git(repo.root, "rev-parse", BRANCH)
    new = amend(repo, {"a.md": b"1"})
    assert amend(repo, {"b.md": b"1"}, at=old) is None
    assert git(repo.root, "rev-parse", BRANCH) == new


def test_a_checkout_that_is_on_the_branch_comes_along(repo: GitRepository) -> None:
    """Its files and index follow, and it is clean afterwards."""
    git(repo.root, "switch", "--quiet", BRANCH)
    amend(repo, {"run.sh": b"followed"})
    assert (repo.root / "run.sh").read_bytes() == b"followed"
    assert git(repo.root, "status", "--porcelain") == ""


def test_a_checkout_with_changes_is_not_touched(repo: GitRepository) -> None:
    """What was not committed would be lost."""
    git(repo.root, "switch", "--quiet", BRANCH)
    write(repo.root, {"run.sh": "mine"})
    before = state_of(repo.root)
    with pytest.raises(RepositoryError, match=r"not committed: run\.sh"):
        amend(repo, {"run.sh": b"theirs"})
    assert state_of(repo.root) == before


def test_checked_out_elsewhere_it_is_refused(repo: GitRepository, tmp_path: Path) -> None:
    """Another worktree's files would not fit their index any more."""
    git(repo.root, "worktree", "add", "--quiet", str(tmp_path / "other"), BRANCH)
    with pytest.raises(RepositoryError, match="checked out in"):
        amend(repo, {"a.md": b"1"})


@pytest.mark.parametrize(
    ("name", "error"),
    [("link.md", "no plain file"), ("../out.md", "failed"), (".git/config", "no plain file")],
)
def test_what_is_no_plain_file_is_refused(repo: GitRepository, name: str, error: str) -> None:
    """A link, and what lies outside or is git's own."""
    tip = git(repo.root, "rev-parse", BRANCH)
    with pytest.raises(RepositoryError, match=error):
        amend(repo, {name: b"1"})
    assert git(repo.root, "rev-parse", BRANCH) == tip


@pytest.mark.parametrize("name", ["link.md", "plans", "none", ":(glob)*.md", "plans/*.md"])
def test_what_is_no_plain_file_is_not_read(repo: GitRepository, name: str) -> None:
    """Names are taken as they are, patterns and links lead nowhere."""
    assert repo.read_file(repo.head(), name) is None


def test_bytes_are_read_as_git_has_them(repo: GitRepository) -> None:
    """Not as the checkout's line ends are."""
    assert repo.read_file(repo.head(), "plans/a.md") == b"one\ntwo\n"
    assert os.fsencode(ODD) in [os.fsencode(name) for name in repo.list_files("HEAD", "plans/")]


def test_a_repository_in_sha256_is_changed_too(tmp_path: Path) -> None:
    """Its object ids are longer; a file comes and one goes."""
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "repo")
    root = tmp_path / "repo"
    write(root, {"a.md": "a\n"})
    git(root, "add", "--all")
    git(root, "-c", "user.name=A", "-c", "user.email=a@example.invalid", "commit", "-qm", "First")
    repo = opened(root)
    repo.ensure_branch(BRANCH, repo.head())
    made = amend(repo, {"a.md": None, "b.md": b"b"})
    assert made is not None
    assert (repo.read_file(made, "a.md"), repo.read_file(made, "b.md")) == (None, b"b")


def test_another_branch_than_ours_is_refused(repo: GitRepository) -> None:
    """A branch of the user's only moves by a hand-over."""
    with pytest.raises(RepositoryError, match="not a branch name that penstock may write"):
        repo.amend("main", repo.head(), {"a": b"1"}, message="Change", trailers={})
