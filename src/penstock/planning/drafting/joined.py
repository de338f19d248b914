"""Sets of numbers that are joined, one pair at a time (union-find)."""

from __future__ import annotations


class Joined:
    """Numbers in disjoint sets; each set is known by its lowest number."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def first(self, at: int) -> int:
        """Return the lowest number of the set that a number is in."""
        while (above := self._above.get(at, at)) != at:
            self._above[at] = self._above.get(above, above)
            at = above
        return at

    def join(self, a: int, b: int) -> None:
        """Make one set of those that two numbers are in."""
        low, high = sorted((self.first(a), self.first(b)))
        self._above[low] = low
        self._above[high] = low

    def sets(self) -> dict[int, int]:
        """Return the first of its set for each number that was joined with another one."""
        first = {at: self.first(at) for at in sorted(self._above)}
        shared = {low for at, low in first.items() if at != low}
        return {at: low for at, low in first.items() if low in shared}
