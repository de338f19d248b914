"""Handing the result of a run over to a branch of the user's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import HandoverConflictError, RepositoryError
from penstock.worktrees.api import Handover, HandoverStrategy
from penstock.worktrees.repository import GitRepository
from tests.support.repos import git, make_repo, opened, state_of, write
from tests.unit.worktrees.test_merging import grown

SOURCE = "integration/r"
STRATEGIES = tuple(HandoverStrategy)
MERGE, SQUASH, REBASE = STRATEGIES
Files = Mapping[str, str | bytes | None]
strategies = pytest.mark.parametrize("strategy", STRATEGIES)


def work(repo: GitRepository, ws_id: str, files: Files, start: str | None = None) -> None:
    """Commit files in a workstream that starts at the run's base, and merge it."""
    base = start or git(repo.root, "merge-base", SOURCE, "HEAD")
    tree = repo.lease(ws_id, "r", f"workstream/{ws_id}/r", base)
    write(tree.path, files)
    tree.changes()
    tree.commit(f"Work of {ws_id}", {"Penstock-Workstream": ws_id})
    repo.release(tree)
    merged = repo.merge(f"workstream/{ws_id}/r", SOURCE, message=f"Merge {ws_id}", trailers={})
    assert merged.commit is not None


@pytest.fixture
def base(repo: GitRepository) -> str:
    """Where the run started; three workstreams are merged, and a branch `target` waits."""
    base = repo.head()
    repo.ensure_branch(SOURCE, base)
    for name in "abc":
        work(repo, name, {f"{name}.txt": name})
    git(repo.root, "branch", "target")
    return base


def give(repo: GitRepository, base: str, strategy: HandoverStrategy, **more: Any) -> Handover:
    """Hand over to `target`."""
    wish: dict[str, Any] = {"target": "target", "message": "Result", "trailers": {"Run": "r"}}
    wish |= {"strategy": strategy, "base": base, **more}
    return repo.handover(SOURCE, **wish)


def log(root: Path, name: str, form: str = "%s") -> list[str]:
    """The history of a branch since main, oldest first."""
    found = git(root, "log", "--reverse", "--topo-order", f"--format={form}", name, "--not", "main")
    return found.split("\n") if found else []


@strategies
def test_the_target_gets_the_tree_that_was_checked(
    repo: GitRepository, base: str, strategy: HandoverStrategy
) -> None:
    """Whatever the way, the tree is that of the integration branch, and nothing else moves."""
    before = state_of(repo.root)
    given = give(repo, base, strategy)
    assert (given.previous, given.as_checked, given.already) == (base, True, False)
    assert git(repo.root, "rev-parse", "target") == given.commit
    assert repo.tree_of(given.commit) == repo.tree_of(given.source)
    assert [c.subject for c in given.commits] == [f"Work of {name}" for name in "abc"]
    assert "3 files changed" in given.stat
    assert state_of(repo.root) == before
    assert git(repo.root, "fsck", "--strict", "--no-dangling") == ""


def test_a_merge_is_a_merge_commit(repo: GitRepository, base: str) -> None:
    """Its parents are the target and the integration branch; the trailers are in its message."""
    given = give(repo, base, MERGE)
    parents = git(repo.root, "log", "-1", "--format=%P", "target").split()
    assert parents == [base, git(repo.root, "rev-parse", SOURCE)]
    text = git(repo.root, "log", "-1", "--format=%B", "target")
    assert text.startswith("Result\n\nRun: r\n")
    assert f"Penstock-Source: {given.source}" in text


def test_a_squash_is_one_commit(repo: GitRepository, base: str) -> None:
    """One commit on the target, which names what it was made of."""
    given = give(repo, base, SQUASH)
    assert log(repo.root, "target", "%P %s") == [f"{base} Result"]
    assert f"Penstock-Source: {given.source}" in git(
        repo.root, "log", "-1", "--format=%B", "target"
    )


def test_a_rebase_is_a_line_of_the_commits(repo: GitRepository, base: str) -> None:
    """Merges go, authors, times, messages and trailers stay, in the order of the work."""
    own = log(repo.root, SOURCE, "%an %ae %at %s%(trailers:separator=|)")
    give(repo, base, REBASE)
    now = log(repo.root, "target", "%an %ae %at %s%(trailers:separator=|)")
    assert now == [line for line in own if "Merge" not in line]
    assert all(" " not in line for line in log(repo.root, "target", "%P"))


@strategies
def test_a_second_time_it_is_there_already(
    repo: GitRepository, base: str, strategy: HandoverStrategy
) -> None:
    """Said again, also in another way, it changes nothing."""
    first = give(repo, base, strategy)
    for again in STRATEGIES:
        second = give(repo, base, again)
        assert (second.already, second.commit, second.commits) == (True, first.commit, ())


@strategies
def test_what_is_merged_later_is_handed_over_later(
    repo: GitRepository, base: str, strategy: HandoverStrategy
) -> None:
    """A target that holds an earlier part of the same run has not moved; the rest is added."""
    first = give(repo, base, strategy)
    work(repo, "d", {"a.txt": "again", "d.txt": "d"}, start=SOURCE)
    second = give(repo, base, strategy)
    assert (second.previous, second.as_checked) == (first.commit, True)
    assert [c.subject for c in second.commits] == ["Work of d"]
    assert give(repo, base, strategy).already


@strategies
def test_a_moved_target_is_refused_unless_allowed(
    repo: GitRepository, base: str, strategy: HandoverStrategy
) -> None:
    """It names both commits; when allowed, both works are there and it says they are unchecked."""
    moved = grown(repo.root, "mine", {"mine.txt": "m"})
    git(repo.root, "branch", "--force", "target", moved)
    with pytest.raises(RepositoryError, match=f"target has moved.*{moved[:12]}, 1 commit after"):
        give(repo, base, strategy)
    given = give(repo, base, strategy, allow_moved=True)
    assert (given.previous, given.as_checked) == (moved, False)
    files = git(repo.root, "ls-tree", "--name-only", "target").split()
    assert {"mine.txt", "a.txt", "b.txt", "c.txt"} < set(files)


@strategies
def test_a_conflict_changes_nothing(
    repo: GitRepository, base: str, strategy: HandoverStrategy
) -> None:
    """The files are named, the target stays, and the exit code is that of failed work."""
    moved = grown(repo.root, "mine", {"b.txt": "mine\n"})
    git(repo.root, "branch", "--force", "target", moved)
    with pytest.raises(HandoverConflictError, match=r"b\.txt") as caught:
        give(repo, base, strategy, allow_moved=True)
    assert caught.value.exit_code == 1
    assert git(repo.root, "rev-parse", "target") == moved


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("none", "there is no branch none"),
        ("-x", "is no name"),
        ("a..b", "is no name"),
        ("integration/r", "works on itself"),
        ("main", "is checked out in"),
    ],
)
def test_a_target_that_cannot_be(repo: GitRepository, base: str, target: str, words: str) -> None:
    """What does not exist, is no branch, is ours or is checked out is refused."""
    with pytest.raises(RepositoryError, match=words):
        give(repo, base, MERGE, target=target)


@pytest.mark.parametrize("how", ["worktree", "rebase", "bisect"])
def test_a_target_in_use_elsewhere(
    repo: GitRepository, base: str, tmp_path: Path, how: str
) -> None:
    """Checked out, rebased or bisected in another worktree, it is not moved under anybody."""
    other = tmp_path / "other"
    git(repo.root, "worktree", "add", "--quiet", str(other), "target")
    if how != "worktree":
        git(other, "checkout", "--quiet", "--detach")
        admin = Path(git(other, "rev-parse", "--absolute-git-dir"))
        name = {"rebase": "rebase-merge/head-name", "bisect": "BISECT_START"}[how]
        write(admin, {name: "refs/heads/target\n" if how == "rebase" else "target\n"})
    with pytest.raises(RepositoryError, match=f"checked out in {other}"):
        give(repo, base, MERGE, update_checkout=True)


def test_a_missing_source_is_named(repo: GitRepository, base: str) -> None:
    """Without the integration branch, or with one that does not come from the base, nothing is done."""
    other = grown(repo.root, "other", {"o": "o"})
    with pytest.raises(RepositoryError, match="does not come from"):
        give(repo, other, MERGE)
    git(repo.root, "branch", "-D", SOURCE)
    with pytest.raises(RepositoryError, match=f"{SOURCE} does not exist"):
        give(repo, base, MERGE)


def test_a_branch_from_before_the_run(repo: GitRepository, base: str, root: Path) -> None:
    """A merge would bring along the user's commits, so it is refused; a squash brings the run's."""
    git(root, "checkout", "--quiet", "--orphan", "older")
    git(root, "commit", "--quiet", "--message=older")
    git(root, "checkout", "--quiet", "main")
    with pytest.raises(RepositoryError, match="more than the run's own"):
        give(repo, base, MERGE, target="older", allow_moved=True)
    for strategy in (SQUASH, REBASE):
        git(root, "branch", "--force", "copy", "older")
        given = give(repo, base, strategy, target="copy", allow_moved=True)
        assert len(given.commits) == 3
        assert "a.txt" in git(root, "ls-tree", "--name-only", "copy")


@strategies
def test_a_dry_run_writes_nothing(
    repo: GitRepository, base: str, strategy: HandoverStrategy
) -> None:
    """It says what would be done; no branch and no object is there afterwards that was not before."""
    before = [git(repo.root, *args) for args in (("for-each-ref",), ("count-objects",))]
    told = give(repo, base, strategy, dry_run=True)
    assert (told.dry_run, told.commit, len(told.commits)) == (True, base, 3)
    assert "3 files changed" in told.stat
    assert [git(repo.root, *args) for args in (("for-each-ref",), ("count-objects",))] == before
    give(repo, base, strategy)
    assert give(repo, base, strategy, dry_run=True).already


def test_a_run_that_changed_nothing(repo: GitRepository, root: Path) -> None:
    """An integration branch that stands at the base is there already."""
    base = repo.head()
    repo.ensure_branch(SOURCE, base)
    git(root, "branch", "target")
    assert give(repo, base, SQUASH).already


def test_a_rebase_of_what_is_in_a_merge_only(repo: GitRepository, base: str, root: Path) -> None:
    """A merge commit with changes of its own cannot be replayed; that is said, not lost."""
    tree = git(root, "rev-parse", f"{SOURCE}^{{tree}}")
    blob = git(root, "hash-object", "-w", "--stdin", stdin="evil\n")
    listing = git(root, "ls-tree", tree) + f"\n100644 blob {blob}\tevil.txt\n"
    odd = git(root, "mktree", stdin=listing)
    parents = [git(root, "rev-parse", name) for name in (SOURCE, "workstream/a/r")]
    commit = repo.commit_tree(odd, parents, message="Merge", trailers={})
    assert repo.advance(SOURCE, commit, expected=parents[0])
    with pytest.raises(HandoverConflictError, match="changes of its own"):
        give(repo, base, REBASE)
    assert repo.tree_of(give(repo, base, MERGE).commit) == odd


def test_a_replayed_commit_that_is_there_already_is_left_out(
    repo: GitRepository, base: str
) -> None:
    """Where the target has a change under another name, that commit goes, the others come."""
    moved = grown(repo.root, "mine", {"b.txt": "b"})
    git(repo.root, "branch", "--force", "target", moved)
    given = give(repo, base, REBASE, allow_moved=True)
    assert [c.subject for c in given.commits] == ["Work of a", "Work of c"]


def test_odd_commits_are_replayed_as_they_are(repo: GitRepository, base: str, root: Path) -> None:
    """Encoding, author and a message without an end of line stay byte for byte."""
    head, tree = git(root, "rev-parse", SOURCE), git(root, "rev-parse", f"{SOURCE}^{{tree}}")
    raw = (
        f"tree {tree}\nparent {head}\nauthor J\u00f6rg <j@x> 1700000000 +0530\n"
        f"committer C <c@x> 1700000001 -0800\nencoding latin-1\n\nempty, no newline"
    )
    odd = git(root, "hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)
    assert repo.advance(SOURCE, odd, expected=head)
    give(repo, base, REBASE)
    now = git(root, "cat-file", "commit", "target").split("\n")
    assert now[2] == "author J\u00f6rg <j@x> 1700000000 +0530"
    assert (now[4], now[-1]) == ("encoding latin-1", "empty, no newline")


def test_a_repository_in_sha256_is_handed_over(tmp_path: Path) -> None:
    """Longer object ids change nothing, in any strategy."""
    path = tmp_path / "long"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", str(path))
    repo = opened(make_repo(path))
    base = repo.head()
    repo.ensure_branch(SOURCE, base)
    for name in "ab":
        work(repo, name, {f"{name}.txt": name})
    for strategy in STRATEGIES:
        git(path, "branch", strategy.value)
        assert give(repo, base, strategy, target=strategy.value).as_checked
        assert give(repo, base, strategy, target=strategy.value).already


@pytest.fixture
def booby_trapped(repo: GitRepository, base: str) -> Path:
    """A repository whose hooks and settings leave a file when anything of them runs; that file."""
    root, sign = repo.root, repo.root.parent / "ran"
    git(root, "branch", "--force", "target", grown(root, "mine", {"mine.txt": "m"}))
    for hook in ("reference-transaction", "post-checkout", "post-merge", "commit-msg"):
        write(root, {f".git/hooks/{hook}": f"#!/bin/sh\ntouch {sign}\n"})
        (root / ".git/hooks" / hook).chmod(0o755)
    for key in ("gpg.program", "core.editor", "merge.evil.driver", "core.fsmonitor"):
        git(root, "config", key, f"touch {sign}")
    git(root, "config", "commit.gpgSign", "true")
    write(root, {".git/info/attributes": "*.txt merge=evil\n"})
    return sign


@strategies
def test_nothing_of_the_user_s_runs(
    repo: GitRepository, base: str, booby_trapped: Path, strategy: HandoverStrategy
) -> None:
    """Neither hooks nor drivers nor signing nor an editor are started by handing over."""
    give(opened(repo.root), base, strategy, allow_moved=True)
    assert not booby_trapped.exists()
