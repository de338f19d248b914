"""What is guessed about the files of a task, and what the guesses are made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from penstock.planning.sources.api import Place, Use


class Rung(StrEnum):
    """How a path was found, the surest way first; `refined` ones were proposed by an AI tool."""

    STATED = "stated"
    NAMED = "named"
    SYMBOL = "symbol"
    SIBLING = "sibling"
    HISTORY = "history"
    REFINED = "refined"


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """A path that a task is about, with its evidence and a confidence from 0 to 1."""

    path: str
    use: Use
    rung: Rung
    confidence: float
    evidence: str
    place: Place | None = None


class Unresolved(msgspec.Struct, frozen=True, kw_only=True):
    """A path that a task names, that does not exist and is not said to be new."""

    path: str
    place: Place
    near: tuple[str, ...] = ()


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A path that a task names and that no workstream may touch, with why, and what may be meant."""

    path: str
    place: Place
    why: str
    near: tuple[str, ...] = ()


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one item's files: `guesses` at or above the threshold, and `doubtful` ones
    below it, which never become scope.

    `existing` are paths that the source calls new though they are there; `refused` those that lie
    outside of the repository, or are git's or ours.
    """

    guesses: tuple[Guess, ...] = ()
    doubtful: tuple[Guess, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    existing: tuple[Unresolved, ...] = ()
    refused: tuple[Refused, ...] = ()

    def paths(self, use: Use) -> tuple[str, ...]:
        """Return the paths of one use, in order, each once."""
        return tuple(dict.fromkeys(guess.path for guess in self.guesses if guess.use is use))


class Definition(msgspec.Struct, frozen=True, order=True):
    """A symbol that a file defines: where, and what it is (class, function, method, type)."""

    path: str
    line: int
    kind: str


class Symbols(Protocol):
    """The symbols that a repository defines."""

    def find(self, name: str) -> Sequence[Definition]:
        """Return the definitions of a name, sorted; capitals count."""
        ...


class Terrain(Protocol):
    """The repository that a plan is for. Without a repository all of it is empty."""

    def files(self) -> Sequence[str]:
        """Return the tracked and the untracked, not ignored files, sorted."""
        ...

    def size(self, path: str) -> int:
        """Return the bytes of a file, 0 when it cannot be looked at."""
        ...

    def read(self, path: str) -> bytes:
        """Return what a file holds. Raises OSError."""
        ...

    def history(self) -> Iterable[Sequence[str]]:
        """Yield the paths that each of the latest commits changed, newest first, within bounds."""
        ...
