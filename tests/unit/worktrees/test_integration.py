"""Merging into the integration branch."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from penstock.errors import GitError, RepositoryError
from penstock.worktrees import objects
from penstock.worktrees.objects import Commit, Identity, known_descent, read_commit, write_commit
from penstock.worktrees.repository import GitRepository
from tests.support.repos import git, opened, write

INTO = "integration/r"


@pytest.fixture(autouse=True)
def _into(repo: GitRepository) -> None:
    repo.ensure_branch(INTO, repo.head())


def worked(repo: GitRepository, ws_id: str, files: dict[str, str | bytes | None]) -> str:
    """Make a workstream branch with one commit on the first commit; return its name."""
    branch = f"workstream/{ws_id}/r"
    tree = repo.lease(ws_id, "r", branch, repo.head())
    write(tree.path, files)
    tree.changes()
    tree.commit(ws_id, {})
    repo.release(tree)
    return branch


def merge(repo: GitRepository, branch: str) -> str | None:
    """Merge a branch; return the commit."""
    return repo.merge(
        branch, INTO, message=f"Merge {branch}", trailers={"Penstock-Run": "r"}
    ).commit


def test_the_first_merge_is_a_merge_commit(repo: GitRepository, root: Path) -> None:
    """Even what could be fast-forwarded gets a commit of its own, with the trailers."""
    branch = worked(repo, "a", {"a": "1"})
    commit = merge(repo, branch)
    assert git(root, "rev-parse", INTO) == commit
    parents = [git(root, "rev-parse", name) for name in ("main", branch)]
    assert git(root, "log", "-1", "--format=%P", INTO).split() == parents
    assert "Penstock-Run: r" in git(root, "log", "-1", "--format=%B%an", INTO)
    assert git(root, "diff", INTO, branch) == ""


def test_side_by_side_work_is_merged(repo: GitRepository, root: Path) -> None:
    """Branches from the same base end up in one tree."""
    for name in "abc":
        assert merge(repo, worked(repo, name, {f"{name}.txt": name}))
    assert set("abc") < {p[0] for p in git(root, "ls-tree", "--name-only", INTO).split()}
    assert git(root, "fsck", "--strict") == ""


def test_a_conflict_changes_nothing(repo: GitRepository, root: Path) -> None:
    """Conflicting paths are listed, and neither branch moves."""
    a = worked(repo, "a", {"src/a.py": "A = 2\n", "new \u00fc": "1\n"})
    b = worked(repo, "b", {"src/a.py": "A = 3\n", "new \u00fc": "2\n"})
    before = merge(repo, a)
    outcome = repo.merge(b, INTO, message="m", trailers={})
    assert outcome.commit is None
    assert outcome.conflicts == ("new \u00fc", "src/a.py")
    assert "conflicts in" in outcome.message
    assert git(root, "rev-parse", INTO) == before


def test_what_is_merged_already_stays(repo: GitRepository, root: Path) -> None:
    """A second merge of the same branch is the same commit, not another."""
    branch = worked(repo, "a", {"a": "1"})
    assert merge(repo, branch) == merge(repo, branch)


def test_packed_objects_are_merged(repo: GitRepository, root: Path) -> None:
    """What git has packed meanwhile is merged as well."""
    a, b = (worked(repo, name, {name: "1"}) for name in "ab")
    git(root, "gc", "--quiet")
    assert merge(repo, a)
    git(root, "gc", "--quiet")
    assert merge(repo, b)


def test_a_checked_out_target_is_refused(repo: GitRepository, root: Path) -> None:
    """A branch on which the user stands is not moved under them."""
    branch = worked(repo, "a", {"a": "1"})
    git(root, "checkout", "--quiet", INTO)
    with pytest.raises(RepositoryError, match="is checked out"):
        merge(repo, branch)


@pytest.mark.parametrize("missing", ["workstream/none/r", "integration/none"])
def test_a_missing_branch_is_named(repo: GitRepository, missing: str) -> None:
    """Merging what does not exist, or into it, says which branch it is."""
    branch = worked(repo, "a", {"a": "1"})
    names = (missing, INTO) if missing.startswith("w") else (branch, missing)
    with pytest.raises(RepositoryError, match=f"{missing} does not exist"):
        repo.merge(*names, message="m", trailers={})


def test_an_old_git_merges_only_what_is_trivial(root: Path) -> None:
    """Before git 2.38 there is no merge without a checkout; that is said when it is needed."""
    repo = opened(root)
    repo._site = dataclasses.replace(
        repo._site, git=dataclasses.replace(repo._site.git, version=(2, 37))
    )
    a, b = (worked(repo, name, {name: "1"}) for name in "ab")
    assert merge(repo, a)
    with pytest.raises(GitError, match=r"2\.38"):
        merge(repo, b)


def test_a_shared_repository_is_written_by_git(root: Path) -> None:
    """Where git must set group permissions, it writes the merge commit itself."""
    git(root, "config", "core.sharedRepository", "group")
    repo = opened(root)
    commit = merge(repo, worked(repo, "a", {"a": "1"}))
    assert git(root, "log", "-1", "--format=%an|%s", str(commit)) == (
        "Una User|Merge workstream/a/r"
    )


def test_a_commit_written_in_place_is_git_s(root: Path) -> None:
    """Our commit object has the id that git gives the same content, whatever the message."""
    links = Commit(git(root, "rev-parse", "HEAD^{tree}"), (git(root, "rev-parse", "HEAD"),))
    who = Identity("Ünä", "u@x")
    oid = write_commit(root / ".git", links, who, "subject\n\nbody é\n", 1_700_000_000.5)
    content = git(root, "cat-file", "commit", oid)
    assert git(root, "hash-object", "-t", "commit", "--stdin", stdin=content + "\n") == oid
    assert read_commit(root / ".git", oid) == links
    again = write_commit(root / ".git", links, who, "subject\n\nbody é\n", 1_700_000_000.5)
    assert again == oid


def test_a_commit_that_cannot_be_written_is_an_error(root: Path, tmp_path: Path) -> None:
    """A failing disk is said, with the folder."""
    with pytest.raises(GitError, match="cannot write a commit"):
        write_commit(tmp_path / "none", Commit("12" * 20, ()), Identity("a", "b"), "m", 0)


def test_reading_what_is_no_commit(root: Path) -> None:
    """Blobs, unknown ids and damaged objects are None."""
    blob = git(root, "rev-parse", "HEAD:README.md")
    assert read_commit(root / ".git", blob) is None
    assert read_commit(root / ".git", "0" * 40) is None
    (root / ".git/objects" / "00").mkdir(exist_ok=True)  # an object of ours may begin so
    (root / ".git/objects/00" / ("0" * 38)).write_bytes(b"rubbish")
    assert read_commit(root / ".git", "0" * 40) is None


def test_descent_is_known_within_loose_commits(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loose history answers for sure; beyond its end, or too far back, nothing is claimed."""
    first = git(root, "rev-parse", "HEAD")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "two")
    second = git(root, "rev-parse", "HEAD")
    common = root / ".git"
    assert known_descent(common, first, second) is True
    assert known_descent(common, second, first) is False
    assert known_descent(common, "0" * 40, second) is False
    monkeypatch.setattr(objects, "_WALK", 0)
    assert known_descent(common, first, second) is None
    monkeypatch.undo()
    git(root, "gc", "--quiet")
    assert known_descent(common, first, second) is None
