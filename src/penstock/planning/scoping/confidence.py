"""How sure each way of finding a path is, from 0 to 1; the default threshold for scope is 0.5.

The figures are ranks rather than chances: what lies above the threshold decides scope, and of two
ways to the same path the surer one is told.
"""

from __future__ import annotations

from typing import Final

from penstock.planning.scoping.ground import Match

STATED_BY_ITEM: Final = 1.0
STATED_BY_UNIT: Final = 0.95
STATED_BY_SOURCE: Final = 0.6
STATED_AREA: Final = 0.5
"""For a field that lists areas a change affects, which is more than any one task of it does."""

NAMED: Final[dict[Match, float]] = {
    Match.FILE: 0.9,
    Match.FOLDER: 0.75,
    Match.GLOB: 0.7,
    Match.CASE: 0.75,
    Match.TAIL: 0.75,
    Match.NAME: 0.65,
    Match.PLAN: 0.6,
}
IN_CODE: Final = 0.05
"""So much more for what stands in backticks."""
NAMED_NEW: Final = 0.85
NAMED_NEW_PLACE: Final = 0.75
"""For a path at which something new comes, while the path itself is not called new."""
NEW_WITHOUT_FOLDER: Final = 0.55
IN_COMMAND: Final = 0.6
ONE_OF_SEVERAL: Final = 0.4
ANALYSIS: Final = 0.8
"""The most that an analysis of the task gives."""

SYMBOL: Final[dict[int, float]] = {1: 0.75, 2: 0.55, 3: 0.4}
"""By how many files define it; more tell nothing."""
SYMBOL_PLAIN: Final = 0.1
"""So much less for a name that stands without backticks or `()`."""
SYMBOL_OWNED: Final = 0.85
"""For `Class.method` or `module.function` that one file defines both parts of."""
SYMBOL_COMMON: Final = 0.3

PASSAGE_OF_UNIT: Final = 0.6
PASSAGE_RELATED: Final = 0.6
PASSAGE_TOUCHING: Final = 0.5
PASSAGE_SHORT: Final = 0.5
PASSAGE_OTHER: Final = 0.35
SIBLING_OF_GROUP: Final = 0.55
SIBLING_OF_LARGE_GROUP: Final = 0.45
SIBLING_ELSEWHERE: Final = 0.4
BESIDE_A_MISS: Final = 0.4
"""The most that others' files give an item that names a path of its own which is not there."""
HISTORY: Final = 0.45
"""The most that history gives, for files which never changed without each other."""

_DIGITS: Final = 2


def below(confidence: float, threshold: float) -> float:
    """Return a confidence that does not reach a threshold."""
    return min(confidence, max(round(threshold - 0.01, _DIGITS), 0.0))


def rounded(confidence: float) -> float:
    """Return a confidence as it is told."""
    return round(confidence, _DIGITS)
