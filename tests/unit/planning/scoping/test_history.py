"""Files that changed together, and how sure that makes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penstock.planning.scoping.api import Guess
from penstock.planning.scoping.history import MOST_FILES, MOST_PARTNERS, History
from tests.support.terrains import FakeTerrain

A, B, C = "src/a.py", "tests/test_a.py", "docs/a.md"


def partners(commits: Sequence[Sequence[str]], *paths: str) -> list[Guess]:
    """What some paths changed together with."""
    known = frozenset(path for commit in commits for path in commit) - {"gone.py"}
    return History(FakeTerrain(commits=commits), known).partners(paths)


def test_files_that_change_together() -> None:
    """A file that mostly changed with another is told with how often it did."""
    (guess,) = partners([[A, B]] * 3 + [[A, C]], A)
    assert (guess.path, guess.confidence) == (B, 0.34)
    assert guess.evidence == f"changed in 3 of the 4 commits that changed {A}"


def test_what_happens_seldom_tells_nothing() -> None:
    """Twice together is chance, and so is a small share of many changes."""
    assert partners([[A, B]] * 2, A) == []
    assert partners([[A, B]] * 3 + [[A, f"{n}.py"] for n in range(9)], A) == []


def test_large_commits_tell_nothing() -> None:
    """A commit of very many files is left out, and so is one of a single file."""
    large = [A, B, *(f"{n}.py" for n in range(MOST_FILES))]
    assert partners([large] * 5 + [[A]] * 5, A) == []


def test_what_is_gone_is_not_told() -> None:
    """A file that the repository has no more is no guess."""
    assert partners([[A, "gone.py"]] * 4, A) == []


def test_the_likeliest_come_first_within_bounds() -> None:
    """Of many partners the likeliest are told, in an order that never changes."""
    names = [f"f{n}.py" for n in range(9)]
    found = partners([[A, *names]] * 3 + [[A, "f8.py"]], A)
    assert [guess.path for guess in found] == ["f8.py", *names[: MOST_PARTNERS - 1]]


def test_files_that_are_asked_for_are_no_partners() -> None:
    """Of two files that are known already neither is a guess from the other."""
    assert partners([[A, B, C]] * 3, A, B) == partners([[A, C]] * 3, A)


def test_history_is_read_once_and_only_when_asked() -> None:
    """Git is not started for a plan that asks nothing of it, and once for all others."""
    asked = []

    class Counting(FakeTerrain):
        def history(self) -> Iterable[Sequence[str]]:
            asked.append(1)
            return iter([[A, B]] * 3)

    history = History(Counting(), frozenset([A, B]))
    assert (history.partners([]), asked) == ([], [])
    assert history.partners([A]) == history.partners([A]) != []
    assert history.partners(["other.py"]) == []
    assert asked == [1]
