"""Merging two commits without moving anything, and moving branches of ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.errors import GitError, RepositoryError
from penstock.worktrees.api import MergeOutcome
from penstock.worktrees.refs import Refs
from penstock.worktrees.repository import GitRepository
from tests.support.repos import git, make_repo, opened, write

Files = Mapping[str, str | bytes | None]
TRAILERS = {"Penstock-Run": "r"}


def grown(root: Path, name: str, files: Files, start: str = "HEAD") -> str:
    """Commit files on a branch of their own, in a worktree beside the checkout; return the commit."""
    tree = root.parent / f"{root.name}-{name}"
    git(root, "worktree", "add", "--quiet", "-b", name, str(tree), start)
    write(tree, files)
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--allow-empty", f"--message={name}")
    return git(root, "rev-parse", name)


def tried(repo: GitRepository, ours: Files, theirs: Files) -> MergeOutcome:
    """Merge two commits that change the first commit in these ways."""
    pair = (grown(repo.root, "ours", ours), grown(repo.root, "theirs", theirs))
    before = git(repo.root, "for-each-ref")
    outcome = repo.try_merge(*pair, message="Merge", trailers=TRAILERS)
    assert git(repo.root, "for-each-ref") == before
    return outcome


def shown(repo: GitRepository, outcome: MergeOutcome, path: str) -> str:
    """The text at a path of the merged tree."""
    return git(repo.root, "cat-file", "blob", f"{outcome.tree}:{path}")


def test_a_clean_merge_is_a_commit_that_no_branch_holds(repo: GitRepository) -> None:
    """Its parents are ours and theirs, its tree has both changes, and no ref has moved."""
    outcome = tried(repo, {"a.txt": "1\n"}, {"b.txt": "2\n"})
    names = git(repo.root, "ls-tree", "--name-only", str(outcome.tree)).split()
    assert {"a.txt", "b.txt"} < set(names)
    parents = [git(repo.root, "rev-parse", name) for name in ("ours", "theirs")]
    assert outcome.commit is not None
    assert git(repo.root, "log", "-1", "--format=%P", outcome.commit).split() == parents
    assert "Penstock-Run: r" in git(repo.root, "log", "-1", "--format=%B", outcome.commit)
    assert repo.tree_of(outcome.commit) == outcome.tree


def test_texts_in_conflict_carry_markers(repo: GitRepository) -> None:
    """The tree of a conflict has both texts and the base, and git's words say what it is about."""
    outcome = tried(repo, {"src/a.py": "A = 2\n", "x": "1"}, {"src/a.py": "A = 3\n", "y": "2"})
    assert (outcome.commit, outcome.conflicts) == (None, ("src/a.py",))
    text = shown(repo, outcome, "src/a.py")
    assert [line[:7] for line in text.split("\n")] == [
        "<<<<<<<", "A = 2", "|||||||", "A = 1", "=======", "A = 3", ">>>>>>>",
    ]  # fmt: skip
    assert [m.startswith("CONFLICT (content)") for m in outcome.messages] == [True]
    assert shown(repo, outcome, "x") + shown(repo, outcome, "y") == "12"


LONG = "".join(f"line {n}\n" for n in range(40))
BINARY = bytes(range(256)) * 8


@pytest.mark.parametrize(
    ("ours", "theirs", "path", "word"),
    [
        ({"docs/long.md": None, "one.md": LONG}, {"docs/long.md": None, "two.md": LONG},
         "docs/long.md", "rename/rename"),
        ({"spot": "a file\n"}, {"spot/inner": "a folder\n"}, "spot", "file/directory"),
        ({"src/a.py": None}, {"src/a.py": "A = 3\n"}, "src/a.py", "modify/delete"),
        ({"pic.bin": BINARY + b"\0a"}, {"pic.bin": BINARY + b"\0b"}, "pic.bin", "binary"),
        ({"k\u00e4se \u65e5.txt": "1\n"}, {"k\u00e4se \u65e5.txt": "2\n"},
         "k\u00e4se \u65e5.txt", "add/add"),
    ],
    ids=["rename", "folder", "delete", "binary", "name"],
)  # fmt: skip
def test_every_kind_of_conflict_is_named(
    repo: GitRepository, ours: Files, theirs: Files, path: str, word: str
) -> None:
    """Renames, folders, deletions, binary files and odd names are listed with git's words."""
    outcome = tried(repo, ours, theirs)
    assert outcome.commit is None
    assert any(name.startswith(path) for name in outcome.conflicts), outcome.conflicts
    assert any(word in said for said in outcome.messages), outcome.messages
    assert outcome.tree is not None
    assert git(repo.root, "cat-file", "-t", outcome.tree) == "tree"


def test_modes_in_conflict(repo: GitRepository) -> None:
    """A file that became a link on one side and was edited on the other is a conflict."""
    theirs = grown(repo.root, "theirs", {"src/a.py": "A = 3\n"})
    ours = grown(repo.root, "linked", {"src/a.py": None})
    tree = repo.root.parent / f"{repo.root.name}-linked"
    (tree / "src/a.py").symlink_to("b.py")
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message=link")
    ours = git(repo.root, "rev-parse", "linked")
    outcome = repo.try_merge(ours, theirs, message="m", trailers={})
    assert outcome.commit is None
    assert any("src/a.py" in name for name in outcome.conflicts)


def test_what_is_merged_already_is_ours(repo: GitRepository) -> None:
    """Trying to merge an ancestor gives the commit itself."""
    child = grown(repo.root, "child", {"a": "1"})
    outcome = repo.try_merge(child, repo.head(), message="m", trailers={})
    assert (outcome.commit, outcome.tree) == (child, repo.tree_of(child))


def test_a_repository_in_sha256_merges(tmp_path: Path) -> None:
    """Longer object ids change nothing."""
    path = tmp_path / "long"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", str(path))
    repo = opened(make_repo(path))
    outcome = tried(repo, {"a.txt": "1\n"}, {"b.txt": "2\n"})
    assert outcome.commit is not None
    assert len(outcome.commit) == 64
    assert git(path, "fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("way", ["driver", "default"])
def test_no_merge_driver_of_the_user_runs(root: Path, tmp_path: Path, way: str) -> None:
    """A driver that attributes or settings name gives way to git's merge of texts."""
    sign = tmp_path / "ran"
    git(root, "config", "merge.evil.driver", f"touch {sign}; exit 0")
    if way == "default":
        git(root, "config", "merge.default", "evil")
    else:
        write(root, {".gitattributes": "*.py merge=evil\n"})
    outcome = tried(opened(root), {"src/a.py": "A = 2\n"}, {"src/a.py": "A = 3\n"})
    assert outcome.conflicts == ("src/a.py",)
    assert not sign.exists()


def test_an_unknown_commit_is_an_error(repo: GitRepository) -> None:
    """Merging, or asking for the tree of, what is not there says so."""
    with pytest.raises(GitError):
        repo.try_merge(repo.head(), "1" * 40, message="m", trailers={})
    with pytest.raises(GitError):
        repo.tree_of("1" * 40)


def test_a_commit_of_any_tree(repo: GitRepository) -> None:
    """A tree becomes a commit with these parents; no branch moves."""
    outcome = tried(repo, {"src/a.py": "A = 2\n"}, {"src/a.py": "A = 3\n"})
    parent = git(repo.root, "rev-parse", "ours")
    commit = repo.commit_tree(str(outcome.tree), [parent], message="Both", trailers=TRAILERS)
    text = git(repo.root, "log", "-1", "--format=%P|%T|%s", commit)
    assert text == f"{parent}|{outcome.tree}|Both"


@pytest.mark.parametrize("tree", ["1" * 40, "", "HEAD", "HEAD^{tree}"])
def test_a_commit_of_no_tree_is_refused(repo: GitRepository, tree: str) -> None:
    """What is no tree of the repository, by its id, becomes no commit."""
    with pytest.raises(GitError, match="is no tree"):
        repo.commit_tree(tree, [repo.head()], message="m", trailers={})
    with pytest.raises(GitError, match="is no commit"):
        repo.commit_tree(repo.tree_of(repo.head()), ["1" * 40], message="m", trailers={})


def test_a_branch_advances_from_where_it_is_expected(repo: GitRepository) -> None:
    """It moves once; saying it again holds too; expected elsewhere, it stays."""
    first, then = repo.head(), grown(repo.root, "then", {"a": "1"})
    other = grown(repo.root, "other", {"b": "1"})
    repo.ensure_branch("integration/r", first)
    assert repo.advance("integration/r", then, expected=first)
    assert repo.advance("integration/r", then, expected=first)
    assert not repo.advance("integration/r", other, expected=first)
    assert repo.resolve("integration/r") == then


def test_only_free_branches_of_ours_advance(repo: GitRepository) -> None:
    """A branch of the user's, or one that is checked out, is never moved."""
    then = grown(repo.root, "then", {"a": "1"})
    with pytest.raises(RepositoryError, match="not a branch name"):
        repo.advance("main", then, expected=repo.head())
    repo.ensure_branch("integration/r", repo.head())
    git(repo.root, "checkout", "--quiet", "integration/r")
    with pytest.raises(RepositoryError, match="is checked out"):
        repo.advance("integration/r", then, expected=repo.head())
    assert not repo.advance("integration/none", then, expected=repo.head())


def test_a_ref_that_git_moves_meanwhile_is_elsewhere(
    repo: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A move between the look and the update is lost to nobody: ours is not made."""
    first, then = repo.head(), grown(repo.root, "then", {"a": "1"})
    other = grown(repo.root, "other", {"b": "1"})
    repo.ensure_branch("integration/r", then)
    answers, read = [first], Refs.read
    monkeypatch.setattr(
        Refs, "read", lambda refs, ref: answers.pop() if answers else read(refs, ref)
    )
    assert not repo.advance("integration/r", other, expected=first)
    assert git(repo.root, "rev-parse", "integration/r") == then


def test_a_death_between_commit_and_branch(repo: GitRepository) -> None:
    """The lock that a killed git left beside the branch is cleared, and the same move is made."""
    first, then = repo.head(), grown(repo.root, "then", {"a": "1"})
    repo.ensure_branch("integration/r", first)
    lock = repo.root / ".git/refs/heads/integration/r.lock"
    lock.write_text(f"{then}\n")
    os.utime(lock, (1, 1))
    assert repo.advance("integration/r", then, expected=first)
    assert repo.resolve("integration/r") == then
