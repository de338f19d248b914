"""Who is at work, and what of the machine and its tools that takes up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import field


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be at work at a time: workstreams in all, and holders of a resource key.

    `keys` are for example `{"tool:codex": 1, "capability:linting": 2}`; one that is missing has no
    limit.
    """

    total: int = 4
    keys: Mapping[str, int] = field(default_factory=dict)


class Slots:
    """The workstreams at work, with the units of limited keys that they hold."""

    def __init__(
        self, capacity: Capacity, keys: Mapping[str, Sequence[str]], alone: frozenset[str]
    ) -> None:
        self.capacity = capacity
        self.alone = alone
        self.working: dict[str, None] = {}
        self._limited = {
            ws: tuple(key for key in dict.fromkeys(own) if key in capacity.keys)
            for ws, own in keys.items()
        }
        self._used = dict.fromkeys(capacity.keys, 0)
        self._alone_working = 0

    def take(self, ws: str) -> None:
        """Put a workstream to work. Raises ValueError when it is at work already."""
        if ws in self.working:
            raise ValueError(f"{ws} is at work already")
        self.working[ws] = None
        self._alone_working += ws in self.alone
        for key in self._limited[ws]:
            self._used[key] += 1

    def give(self, ws: str) -> None:
        """Take a workstream off work. Raises ValueError when it is not at work."""
        if ws not in self.working:
            raise ValueError(f"{ws} is not at work")
        del self.working[ws]
        self._alone_working -= ws in self.alone
        for key in self._limited[ws]:
            self._used[key] -= 1

    def limited(self, ws: str) -> Sequence[str]:
        """The keys of a workstream that have a limit."""
        return self._limited[ws]

    def left(self, key: str) -> int:
        """How many more may hold a limited key."""
        return self.capacity.keys[key] - self._used[key]

    @property
    def full(self) -> bool:
        """Tell whether as many are at work as may be."""
        return len(self.working) >= self.capacity.total

    @property
    def shut(self) -> bool:
        """Tell whether nothing more may start whatever it is: full, or one runs alone."""
        return self.full or self._alone_working > 0

    def lone_worker(self) -> str | None:
        """The workstream at work that runs alone, None when there is none."""
        return next((ws for ws in self.working if ws in self.alone), None)
