"""What was found out of an item's files so far, before it is decided what of it counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from penstock.planning.scoping.api import Guess, Refused, Unresolved


@dataclass(slots=True)
class Evidence:
    """Guesses in the order they were found, and paths that came to nothing. `misses` counts those
    of the latter that were named as more than something to read."""

    guesses: list[Guess] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    existing: list[Unresolved] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    misses: int = 0

    def take(self, other: Evidence) -> None:
        """Add all of another."""
        self.guesses += other.guesses
        self.take_odd(other)

    def take_odd(self, other: Evidence) -> None:
        """Add what came to nothing, without the guesses."""
        self.unresolved += other.unresolved
        self.existing += other.existing
        self.refused += other.refused
        self.misses += other.misses
