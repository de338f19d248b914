"""How long a run takes: its critical path, and its remaining time by playing it through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import groupby

import msgspec

from penstock.model.bundle import Bundle
from penstock.model.states import WorkstreamState
from penstock.schedule.frontier import Capacity, Frontier, no_keys
from penstock.schedule.graph import build_dependency_graph, topological_order

NO_KEYS: Mapping[str, int] = {}
NO_ELAPSED: Mapping[str, float] = {}


class Span(msgspec.Struct, frozen=True):
    """When a workstream starts and ends, in seconds from now."""

    start: float
    end: float


class _Chain(msgspec.Struct, frozen=True):
    """The longest chain that ends with a workstream: its length, and the one before."""

    length: float = 0.0
    last: str | None = None


def critical_path(
    bundles: Iterable[Bundle], duration_s: Callable[[str], float]
) -> tuple[tuple[str, ...], float]:
    """Return the longest chain of workstreams that wait for each other, and its length in seconds.

    A workstream waits for those it depends on and for all of every lower gate. No number of slots
    makes a run shorter than this. Of equal chains the one through the smallest ids is returned.
    Raises BundleCycleError.
    """
    order = topological_order(bundles)
    parents = build_dependency_graph(order)[1]
    before: dict[str, str | None] = {}
    chains: dict[str, _Chain] = {}
    barrier = _Chain()
    for _, members in groupby(sorted(order, key=lambda b: b.gate), key=lambda b: b.gate):
        inside: list[_Chain] = [barrier]
        for bundle in members:
            above = (chains[parent] for parent in parents[bundle.id] if parent in chains)
            longest = _longest((barrier, *above))
            before[bundle.id] = longest.last
            chains[bundle.id] = _Chain(longest.length + duration_s(bundle.id), bundle.id)
            inside.append(chains[bundle.id])
        barrier = _longest(inside)
    return _path(barrier.last, before), barrier.length


def _longest(chains: Iterable[_Chain]) -> _Chain:
    return min(chains, key=lambda chain: (-chain.length, chain.last or "~"))


def _path(last: str | None, before: Mapping[str, str | None]) -> tuple[str, ...]:
    path: list[str] = []
    while last is not None:
        path.append(last)
        last = before[last]
    return tuple(reversed(path))


def remaining_s(
    bundles: Iterable[Bundle],
    states: Mapping[str, WorkstreamState],
    durations: Mapping[str, float],
    slots: int,
    elapsed: Mapping[str, float] = NO_ELAPSED,
) -> float:
    """Return how many seconds from now the last workstream that can end will have ended.

    Arguments, rules and errors are those of `timeline`.
    """
    spans = timeline(bundles, states, durations, Capacity(total=slots), elapsed=elapsed)
    return max((span.end for span in spans.values()), default=0.0)


def timeline(
    bundles: Iterable[Bundle],
    states: Mapping[str, WorkstreamState],
    durations: Mapping[str, float],
    capacity: Capacity,
    *,
    elapsed: Mapping[str, float] = NO_ELAPSED,
    keys_of: Callable[[Bundle], Sequence[str]] = no_keys,
    overlap_holds: bool = True,
) -> dict[str, Span]:
    """Play the rest of a run through: return when each workstream starts and ends, in that order.

    List scheduling (Graham, "Bounds on multiprocessing timing anomalies", 1969) by the rules and in
    the order of `Frontier`. A workstream without a state is pending; one that has begun needs its
    duration (seconds) less what has elapsed; what is done counts as merged; gates count as
    approved. What waits for a failed workstream is left out.
    Raises KeyError when one that has not ended has no duration, BundleCycleError, ValueError.
    """
    frontier = Frontier(bundles, capacity=capacity, keys_of=keys_of, overlap_holds=overlap_holds)
    for known, state in states.items():
        frontier.record(known, state)
    running: list[tuple[float, str]] = []
    found: dict[str, Span] = {}
    now = 0.0
    while True:
        while (ws := frontier.next(now)) is not None:
            end = now + max(0.0, durations[ws] - elapsed.get(ws, 0.0))
            frontier.start(ws)
            found[ws] = Span(now, end)
            heappush(running, (end, ws))
        if not running:
            return found
        now, ended = heappop(running)
        frontier.stop(ended)
        frontier.record(ended, WorkstreamState.DONE)
