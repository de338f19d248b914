"""The gate: what the commits of a branch bring, with git's help and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.environment.scan.gate import SecretGate
from penstock.environment.scan.gitblobs import Git, read_loose
from penstock.errors import GitError
from penstock.leaks.baseline import Baseline, Entry, key_id
from penstock.leaks.found import LeakVerdict
from penstock.leaks.match import LeakFinder
from penstock.worktrees.git import find_git
from tests.support.planting import commit, line_with, token
from tests.support.repos import git, make_repo

KEY = b"k" * 32


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository without secrets."""
    return make_repo(tmp_path / "repo")


def no_git() -> Git:
    """Stand where git must not be needed."""
    raise AssertionError("git was asked")


def gate(
    repo: Path, baseline: Baseline | None = None, asking: Callable[[], Git] | None = None
) -> SecretGate:
    """Return the gate of a repository."""
    ask = asking or (lambda: find_git(repo))
    return SecretGate(ask, repo / ".git" / "objects", LeakFinder, lambda: (baseline, KEY))


def head(repo: Path) -> str:
    """Return the commit at HEAD."""
    return git(repo, "rev-parse", "HEAD")


def paths(verdict: LeakVerdict) -> tuple[list[str], list[str]]:
    """Return the paths of what is present and of what is past."""
    return [one.path for one in verdict.present], [one.path for one in verdict.past]


def test_what_is_at_the_head_is_present(repo: Path) -> None:
    """A secret that the head has is told with the commit that brought it."""
    base = head(repo)
    first = commit(repo, "a key", {"key.py": line_with(token())})
    last = commit(repo, "more", {"other.py": "A = 1\n"})
    (found,) = gate(repo).judge(base, last).present
    assert (found.path, found.line, found.commit) == ("key.py", 1, first)


def test_what_was_taken_out_is_past(repo: Path) -> None:
    """A secret of an earlier commit is told as such; beside it what is still there."""
    base = head(repo)
    commit(repo, "keys", {"a.py": line_with(token(1)), "b.py": line_with(token(2))})
    last = commit(repo, "gone", {"a.py": "A = 1\n"})
    assert paths(gate(repo).judge(base, last)) == (["b.py"], ["a.py"])


def test_what_the_base_has_is_not_brought(repo: Path) -> None:
    """Neither an old secret in a file that changes nor its file under another name counts."""
    base = commit(repo, "old", {"key.py": line_with(token()) + "B = 2\n" * 20})
    commit(repo, "edit", {"key.py": "A = 1\n" + line_with(token()) + "B = 2\n" * 20})
    git(repo, "mv", "key.py", "moved.py")
    last = commit(repo, "move", {})
    assert gate(repo).judge(base, last).ok


def test_a_copy_of_an_old_secret_counts(repo: Path) -> None:
    """What spreads to another file is brought there."""
    base = commit(repo, "old", {"key.py": line_with(token())})
    last = commit(repo, "copy", {"src/a.py": "A = 1\n" + line_with(token())})
    assert paths(gate(repo).judge(base, last)) == (["src/a.py"], [])


def test_marks_do_not_count(repo: Path) -> None:
    """A branch cannot allow its own secret."""
    base = head(repo)
    text = line_with(token()).replace("\n", "  # penstock: allow-secret\n")
    assert not gate(repo).judge(base, commit(repo, "a key", {"key.py": text})).ok


def test_the_baseline_counts(repo: Path) -> None:
    """What the user's baseline knows, in that file, may pass."""
    base = head(repo)
    last = commit(repo, "a key", {"key.py": line_with(token())})
    (found,) = gate(repo).judge(base, last).present
    entry = Entry(found.path, found.rule, found.fingerprint)
    known = Baseline(key_id=key_id(KEY), entries=(entry,))
    assert gate(repo, known).judge(base, last).ok


def test_what_others_have_merged_is_theirs(repo: Path) -> None:
    """Of a branch with the base merged into it only its own commits count."""
    git(repo, "checkout", "--quiet", "-b", "side")
    commit(repo, "side", {"s.py": "S = 1\n"})
    git(repo, "checkout", "--quiet", "main")
    base = commit(repo, "main", {"m.py": line_with(token())})
    git(repo, "checkout", "--quiet", "side")
    git(repo, "merge", "--quiet", "--no-edit", "main")
    assert gate(repo).judge(base, head(repo)).ok


# -- without git -----------------------------------------------------------------------------
def objects(repo: Path, revision: str) -> list[str]:
    """Return the objects that a commit brought."""
    raw = git(repo, "diff-tree", "-r", "--no-commit-id", "--root", revision)
    return [line.split()[3] for line in raw.splitlines()]


def test_noted_commits_need_no_git(repo: Path) -> None:
    """A clean branch whose commits were noted is passed without starting anything."""
    judge = gate(repo, asking=no_git)
    base = parent = head(repo)
    for number in range(3):
        made = commit(repo, f"{number}", {f"{number}.py": f"A = {number}\n"})
        judge.note(made, parent, objects(repo, made))
        parent = made
    assert judge.judge(base, parent).ok
    assert judge.judge(base, parent).ok
    assert judge.judge(parent, parent).ok


def test_a_noted_secret_is_found_with_git(repo: Path) -> None:
    """What looks like a secret is looked at closely."""
    judge, base = gate(repo), head(repo)
    made = commit(repo, "a key", {"key.py": line_with(token())})
    judge.note(made, base, objects(repo, made))
    assert paths(judge.judge(base, made)) == (["key.py"], [])


@pytest.mark.parametrize("packed", [True, False])
def test_what_is_not_all_noted_or_loose_is_asked_of_git(repo: Path, packed: bool) -> None:
    """A commit between that nobody noted, or an object in a pack, makes it ask git."""
    judge, base = gate(repo), head(repo)
    first = commit(repo, "a key", {"key.py": line_with(token())})
    last = commit(repo, "clean", {"b.py": "B = 2\n"})
    judge.note(last, first, objects(repo, last))
    if packed:
        judge.note(first, base, objects(repo, first))
        git(repo, "gc", "--quiet")
    assert paths(judge.judge(base, last)) == (["key.py"], [])


def test_a_secret_is_never_remembered_as_clean(repo: Path) -> None:
    """The baseline may change meanwhile, so what was found is looked at anew."""
    known: list[Baseline | None] = [None]
    base = head(repo)
    last = commit(repo, "a key", {"key.py": line_with(token())})
    judge = SecretGate(
        lambda: find_git(repo), repo / ".git" / "objects", LeakFinder, lambda: (known[0], KEY)
    )
    (found,) = judge.judge(base, last).present
    entry = Entry(found.path, found.rule, found.fingerprint)
    known[0] = Baseline(key_id=key_id(KEY), entries=(entry,))
    assert judge.judge(base, last).ok


def test_a_commit_that_is_gone_is_an_error(repo: Path) -> None:
    """What cannot be looked through does not pass."""
    with pytest.raises(GitError):
        gate(repo).judge(head(repo), "0" * 39 + "1")


@pytest.mark.parametrize("content", [b"", b"no zlib", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_a_damaged_object_is_left_to_git(tmp_path: Path, content: bytes) -> None:
    """What does not read as a whole blob is none."""
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / "cd").write_bytes(content)
    assert read_loose(tmp_path, "abcd") is None
    assert read_loose(tmp_path, "abce") is None
