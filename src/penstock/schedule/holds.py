"""What holds workstreams back from outside of the graph: pauses, rate limits, budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from penstock.schedule.readiness import Hold


class Holds:
    """The holds of a run, of single workstreams, and of resource keys such as `tool:codex`."""

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        self._keys = keys
        self._all: Hold | None = None
        self._own: dict[str, Hold] = {}
        self._by_key: dict[str, Hold] = {}

    def set_all(self, hold: Hold | None) -> None:
        """Hold everything, or let go of it."""
        self._all = hold

    def set_own(self, ws: str, hold: Hold | None) -> None:
        """Hold one workstream, or let go of it."""
        _put(self._own, ws, hold)

    def set_key(self, key: str, hold: Hold | None) -> list[str]:
        """Hold whatever needs a key, or let go of it; return those workstreams."""
        _put(self._by_key, key, hold)
        return [ws for ws, keys in self._keys.items() if key in keys]

    def everything(self, now: float) -> Hold | None:
        """Return the hold of the whole run, None when there is none or it is over."""
        return self._all if self._all is not None and active(self._all, now) else None

    def of(self, ws: str, now: float) -> Hold | None:
        """Return the hold of one workstream (its own or a key's) that lasts longest, or None."""
        longest: Hold | None = None
        for hold in self._around(ws) if self._own or self._by_key else ():
            if active(hold, now) and (longest is None or _end(hold) > _end(longest)):
                longest = hold
        return longest

    def _around(self, ws: str) -> Iterator[Hold]:
        if ws in self._own:
            yield self._own[ws]
        for key in self._keys[ws] if self._by_key else ():
            if key in self._by_key:
                yield self._by_key[key]

    def ends(self, now: float) -> float | None:
        """Return the earliest moment after `now` at which a hold ends by itself, or None."""
        holds = [*self._own.values(), *self._by_key.values()]
        if self._all is not None:
            holds.append(self._all)
        return min((h.until for h in holds if h.until is not None and h.until > now), default=None)


def active(hold: Hold, now: float) -> bool:
    """Tell whether a hold is not over."""
    return hold.until is None or hold.until > now


def _end(hold: Hold) -> float:
    return float("inf") if hold.until is None else hold.until


def _put(holds: dict[str, Hold], name: str, hold: Hold | None) -> None:
    if hold is None:
        holds.pop(name, None)
    else:
        holds[name] = hold
