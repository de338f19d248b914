"""Who follows the making of a plan, and the index of symbols that is only opened when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from penstock.planning.scoping.api import Definition, Symbols


def _quiet(*_told: object) -> None:
    """Tell nobody."""


class Following(NamedTuple):
    """`progress` is told what is worked on, how many of it are done and how many there are; `problem`
    is told of what went wrong beside the plan, in a sentence."""

    progress: Callable[[str, int, int], None] = _quiet
    problem: Callable[[str], None] = _quiet


SILENT = Following()


class LazySymbols:
    """Symbols that are indexed when the first is asked for: a plan that names its files asks for none."""

    def __init__(self, opened: Callable[[], Symbols]) -> None:
        self._open = opened

    @cached_property
    def _index(self) -> Symbols:
        return self._open()

    def find(self, name: str) -> Sequence[Definition]:
        """Return the definitions of a name, sorted; capitals count."""
        return self._index.find(name)
