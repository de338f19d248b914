"""The parallel plan: which workstreams could run side by side, wave after wave."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from penstock.errors import BundleCycleError
from penstock.model.bundle import Bundle
from penstock.schedule.conflicts import claim_neighbours, claims_of, rivals, simultaneous_overlaps
from penstock.schedule.graph import Edges, build_dependency_graph, rank, topological_order

# More pairs than this say no more to a reader; the waves respect all of them.
CONFLICT_LIMIT = 1000
MANY_WAVES = 256

# Gate, and position within the longest chain of dependencies in that gate.
Level = tuple[int, int]


class Conflict(msgspec.Struct, frozen=True, order=True):
    """Two workstreams (`a` < `b`) that are kept apart though nothing orders them.

    `reason` is `conflict_group:NAME` or `file_scope:CLAIM`.
    """

    a: str
    b: str
    reason: str


class ParallelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan. `errors` are set, and `waves` empty, when no order exists.

    `max_parallelism` is the size of the largest wave. `estimated_speedup` is the number of
    workstreams over the number of waves: what parallel work gains if all take equally long and a
    wave waits for its slowest. `bottlenecks` are the workstreams that run alone in a wave while
    others wait for them.
    """

    valid: bool
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    waves: tuple[tuple[str, ...], ...] = ()
    bottlenecks: tuple[str, ...] = ()
    max_parallelism: int = 0
    estimated_speedup: float = 1.0
    conflicts: tuple[Conflict, ...] = ()


def parallel_plan(
    bundles: Iterable[Bundle], max_parallel: int = 4, *, overlap_holds: bool = True
) -> ParallelPlan:
    """Plan the waves of a set of bundles; without `overlap_holds` overlaps keep nobody apart.

    Raises ValueError when `max_parallel` is less than 1 or a claim is none.
    """
    found = sorted(bundles, key=lambda b: b.id)
    try:
        planned = waves(found, max_parallel, overlap_holds=overlap_holds)
    except BundleCycleError as error:
        return ParallelPlan(valid=False, errors=(str(error),))
    children = build_dependency_graph(found)[0]
    return ParallelPlan(
        valid=True,
        warnings=tuple(_warnings(found)),
        waves=planned,
        bottlenecks=tuple(w[0] for w in planned if len(w) == 1 and children[w[0]]),
        max_parallelism=max(map(len, planned), default=0),
        estimated_speedup=round(len(found) / len(planned), 2) if planned else 1.0,
        conflicts=_conflicts(found, overlap_holds),
    )


def waves(
    bundles: Sequence[Bundle], max_parallel: int = 4, *, overlap_holds: bool = True
) -> tuple[tuple[str, ...], ...]:
    """Return waves of ids; all of one wave may run together, a wave starts when those before it end.

    Within a gate the workstreams fall into levels by their longest chain of dependencies, and each
    level is split so that in no wave two share a conflict group or overlap, `parallel_ok` false
    runs alone, and at most `max_parallel` run.
    Raises BundleCycleError, and ValueError when `max_parallel` is less than 1.
    """
    if max_parallel < 1:
        raise ValueError(f"max_parallel must be at least 1, not {max_parallel}")
    order = topological_order(bundles)
    levels = _levels(order, build_dependency_graph(order)[1])
    by_level: dict[Level, list[Bundle]] = {}
    for bundle in order:
        by_level.setdefault(levels[bundle.id], []).append(bundle)
    claims = {b.id: claims_of(b) if overlap_holds else () for b in order}
    neighbours = claim_neighbours(claim for own in claims.values() for claim in own)
    planned: list[tuple[str, ...]] = []
    for level in sorted(by_level):
        split = _Split(neighbours, max_parallel)
        for bundle in sorted(by_level[level], key=rank):
            split.place(bundle, claims[bundle.id])
        planned += (tuple(wave.members) for wave in split.waves)
    return tuple(planned)


def _levels(order: Sequence[Bundle], parents: Edges) -> dict[str, Level]:
    """The gate of each workstream, and how many in a row it waits for within that gate."""
    found: dict[str, Level] = {}
    for bundle in order:
        above = (found[parent] for parent in parents[bundle.id])
        depth = max((depth + 1 for gate, depth in above if gate == bundle.gate), default=0)
        found[bundle.id] = (bundle.gate, depth)
    return found


class _Wave:
    """A wave with its members and all that they hold: claims, and conflict groups as (name,)."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.members: list[str] = []
        self.held: set[str | tuple[str]] = set()


class _Split:
    """One level on its way into waves: each workstream goes into the first wave that takes it."""

    def __init__(self, neighbours: Mapping[str, Sequence[str]], max_parallel: int) -> None:
        self.waves: list[_Wave] = []
        self._neighbours = neighbours
        self._max = max_parallel
        self._open: list[_Wave] = []
        self._last: dict[str | tuple[str], int] = {}

    def place(self, bundle: Bundle, claims: Iterable[str]) -> None:
        """Put a workstream into a wave."""
        own: set[str | tuple[str]] = set(claims)
        if bundle.conflict_group is not None:
            own.add((bundle.conflict_group,))
        wave = self._first_fit(own) if bundle.parallel_ok else None
        if wave is None:
            wave = _Wave(len(self.waves))
            self.waves.append(wave)
            if bundle.parallel_ok:
                self._open.append(wave)
        wave.members.append(bundle.id)
        wave.held |= own
        self._last.update(dict.fromkeys(own, wave.position))
        if bundle.parallel_ok and len(wave.members) >= self._max:
            self._open.remove(wave)

    def _first_fit(self, own: Iterable[str | tuple[str]]) -> _Wave | None:
        """Return the first open wave that holds nothing in the way of these claims and groups."""
        barred: set[str | tuple[str]] = set()
        for key in own:
            barred.update(self._neighbours[key] if isinstance(key, str) else (key,))
        start = 0
        if len(self._open) > MANY_WAVES:
            # Thousands that bar each other would look through thousands of waves each: start
            # behind the last wave that bars this one, at the price of a gap now and then.
            last = max((self._last[key] for key in barred if key in self._last), default=-1)
            start = bisect_right(self._open, last, key=lambda wave: wave.position)
        candidates = (self._open[at] for at in range(start, len(self._open)))
        return next((wave for wave in candidates if wave.held.isdisjoint(barred)), None)


def _conflicts(bundles: Sequence[Bundle], overlap_holds: bool) -> tuple[Conflict, ...]:
    """The pairs that nothing but a conflict group or their claims keeps apart, sorted."""
    free = [msgspec.structs.replace(b, conflict_group=None, parallel_ok=True) for b in bundles]
    by_scope = simultaneous_overlaps(free, CONFLICT_LIMIT) if overlap_holds else []
    found = [
        *islice(group_conflicts(bundles), CONFLICT_LIMIT),
        *(Conflict(o.a, o.b, f"file_scope:{o.claim_a}") for o in by_scope),
    ]
    return tuple(sorted(found)[:CONFLICT_LIMIT])


def group_conflicts(bundles: Sequence[Bundle]) -> Iterator[Conflict]:
    """Yield the pairs that nothing but their conflict group, or running alone, keeps apart.

    `bundles` are sorted by id. There can be a pair for any two members of a group.
    """
    free = [msgspec.structs.replace(b, conflict_group=None, parallel_ok=True) for b in bundles]
    groups = {bundle.id: bundle.conflict_group for bundle in bundles}

    def group_of(bundle: Bundle) -> tuple[str, ...]:
        group = groups[bundle.id]
        return () if group is None else (group,)

    names = {group: [group] for group in groups.values() if group is not None}
    for a, b in rivals(free, group_of, names):
        yield Conflict(a.id, b.id, f"conflict_group:{groups[a.id]}")


def _warnings(bundles: Sequence[Bundle]) -> Iterator[str]:
    """Yield what is allowed but slows the run down."""
    alone = [bundle.id for bundle in bundles if not bundle.parallel_ok]
    if alone:
        yield f"parallel_ok is false, so these run alone: {', '.join(alone[:20])}"
    gates = {bundle.gate for bundle in bundles}
    if len(gates) > 1:
        yield f"{len(gates)} gates: each waits for the slowest workstream of the one before"
