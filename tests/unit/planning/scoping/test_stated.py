"""Paths that fields state, checked against what there is."""

from __future__ import annotations

import pytest

from penstock.planning.scoping.evidence import Evidence
from penstock.planning.scoping.ground import Ground
from penstock.planning.scoping.stated import stated_evidence
from penstock.planning.sources.api import Use
from tests.support.terrains import stated

GROUND = Ground(["src/a.py", "src/b/c.ts", "lib/c.ts", "docs/Guide.md"])


def judge(path: str, use: Use = Use.MODIFY) -> Evidence:
    """What comes of one stated path."""
    return stated_evidence([stated(path, use, line=3)], GROUND, 1.0)


@pytest.mark.parametrize(
    ("path", "found", "confidence"),
    [
        ("src/a.py", "src/a.py", 1.0),
        ("`src/a.py`", "src/a.py", 1.0),
        ("./src/b", "src/b/", 1.0),
        ("src/**", "src/**", 1.0),
        ("b/c.ts", "src/b/c.ts", 0.8),
        ("docs/guide.md", "docs/Guide.md", 0.8),
    ],
)
def test_what_is_stated_and_there(path: str, found: str, confidence: float) -> None:
    """What a field states and exists is as sure as the field is, less if it had to be looked for."""
    (guess,) = judge(path).guesses
    assert (guess.path, guess.use, guess.confidence) == (found, Use.MODIFY, confidence)


def test_what_is_stated_as_new() -> None:
    """What a field calls new is created."""
    (guess,) = judge("src/new.py", Use.CREATE).guesses
    assert (guess.path, guess.use, guess.evidence) == (
        "src/new.py",
        Use.CREATE,
        "stated in Files as new",
    )


def test_what_is_stated_as_new_and_is_there() -> None:
    """What a field calls new and exists is told, and changed."""
    found = judge("src/a.py", Use.CREATE)
    assert [there.path for there in found.existing] == ["src/a.py"]
    assert [guess.use for guess in found.guesses] == [Use.MODIFY]


def test_what_is_stated_to_be_read() -> None:
    """A reference stays one."""
    assert [guess.use for guess in judge("src/a.py", Use.READ).guesses] == [Use.READ]


@pytest.mark.parametrize("use", [Use.MODIFY, Use.READ])
def test_what_is_stated_and_not_there(use: Use) -> None:
    """What a field states and does not exist is told, not created."""
    found = judge("src/aa.py", use)
    assert found.guesses == []
    assert [missing.path for missing in found.unresolved] == ["src/aa.py"]
    assert found.misses == (use is Use.MODIFY)


def test_a_new_glob_is_no_file() -> None:
    """A pattern that nothing matches cannot be created."""
    found = judge("src/x/*.py", Use.CREATE)
    assert (found.guesses, [missing.path for missing in found.unresolved]) == ([], ["src/x/*.py"])


def test_a_name_of_several_files() -> None:
    """A name that two files have gives both, as doubtful ones."""
    guesses = judge("c.ts").guesses
    assert {guess.path for guess in guesses} == {"lib/c.ts", "src/b/c.ts"}
    assert {guess.confidence for guess in guesses} == {0.4}


@pytest.mark.parametrize("path", ["../a.py", "/etc/x", ".git/config", "~/x", "a\nb.py"])
def test_what_lies_outside(path: str) -> None:
    """Paths out of the repository are told and refused."""
    found = judge(path)
    assert (found.guesses, [refused.path for refused in found.refused]) == ([], [path])


def test_braces_and_blanks() -> None:
    """One field may state several paths in braces, or nothing at all."""
    assert [guess.path for guess in judge("src/{a.py,b}").guesses] == ["src/a.py", "src/b/"]
    assert judge("  ") == Evidence()
