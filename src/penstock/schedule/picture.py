"""A set of workstreams as a graph: its waves, its critical path, what it gains by running parallel,
and what keeps it from gaining more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec
from msgspec.structs import replace

from penstock.model.bundle import Bundle
from penstock.model.states import WorkstreamState
from penstock.schedule.conflicts import simultaneous_overlaps
from penstock.schedule.estimate import critical_path, timeline
from penstock.schedule.frontier import no_keys
from penstock.schedule.graph import build_dependency_graph, topological_order
from penstock.schedule.slots import Capacity
from penstock.schedule.waves import CONFLICT_LIMIT, group_conflicts, parallel_plan

# So many pairs of a conflict group are looked at to find its members: few of them name them all.
PAIR_LIMIT = 100_000

KeysOf = Callable[[Bundle], Sequence[str]]


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A workstream in the graph.

    `wave` counts from 1. `duration`, `start` and `end` are in the unit of the graph; start and end
    are None for what has ended, and for what cannot start because of what has failed.
    """

    ws_id: str
    gate: int
    wave: int
    depends_on: tuple[str, ...]
    priority: str
    conflict_group: str | None
    parallel_ok: bool
    critical: bool
    duration: float
    start: float | None
    end: float | None
    status: str | None = None


class Serial(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that makes workstreams run one after the other though no dependency does.

    `kind` is gate, alone, group, overlap, tool or capability; `what` is the gate, group, claim or
    name concerned. `workstreams` are those that it holds apart (for a gate: that it holds back).
    """

    kind: str
    what: str
    workstreams: tuple[str, ...]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """The graph with what it says of time.

    `unit` is seconds where durations are known, else workstreams (each takes one). `work` is the
    sum of all durations, `critical_length` that of the longest chain of waiting, `lower_bound` what
    no schedule on `slots` slots can beat, `length` what the scheduler's own order takes, `speedup`
    is work / length, and `max_speedup` what there is with any number of slots. `costs` says how much
    longer each kind of `serial` makes the run.
    """

    unit: str
    slots: int
    nodes: tuple[Node, ...]
    waves: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    work: float
    critical_length: float
    lower_bound: float
    length: float
    speedup: float
    max_speedup: float
    serial: tuple[Serial, ...]
    costs: dict[str, float]
    warnings: tuple[str, ...] = ()


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a run goes by beside its bundles."""

    capacity: Capacity
    keys_of: KeysOf = no_keys
    overlap_holds: bool = True


def picture(
    bundles: Iterable[Bundle],
    rules: Rules,
    *,
    durations: Mapping[str, float] | None = None,
    states: Mapping[str, WorkstreamState] | None = None,
) -> Picture:
    """Draw up the graph of a set of workstreams.

    `durations` are in seconds; without them, or without one of them, each workstream counts 1.
    `states` are those of a run; what has ended takes no more time, but stays in waves and path.
    Raises BundleCycleError, and ValueError for a claim that is none.
    """
    order = topological_order(bundles)
    known = {b.id: (durations or {}).get(b.id) for b in order}
    times = {ws: took for ws, took in known.items() if took is not None}
    seconds = bool(times) and len(times) == len(known)
    return _Drawing(order, rules, times if seconds else dict.fromkeys(known, 1.0), states).draw(
        "seconds" if seconds else "workstreams"
    )


class _Drawing:
    """A graph on its way onto paper."""

    def __init__(
        self,
        order: Sequence[Bundle],
        rules: Rules,
        times: Mapping[str, float],
        states: Mapping[str, WorkstreamState] | None,
    ) -> None:
        self._order = order
        self._rules = rules
        self._times = times
        self._states = states or {}
        total = rules.capacity.total
        self._plan = parallel_plan(order, total, overlap_holds=rules.overlap_holds)

    def draw(self, unit: str) -> Picture:
        """Put everything together."""
        path, longest = critical_path(self._order, self._times.__getitem__)
        slots = self._rules.capacity.total
        work = sum(self._times.values())
        length = self._length(self._order, self._rules)
        serial = tuple(self._serial())
        return Picture(
            unit=unit,
            slots=slots,
            nodes=self._nodes(frozenset(path)),
            waves=self._plan.waves,
            critical_path=path,
            work=_rounded(work),
            critical_length=_rounded(longest),
            lower_bound=_rounded(max(longest, work / slots)),
            length=_rounded(length),
            speedup=_ratio(work, length),
            max_speedup=_ratio(work, longest),
            serial=serial,
            costs=self._costs({one.kind for one in serial}, length),
            warnings=self._plan.warnings,
        )

    def _length(self, bundles: Sequence[Bundle], rules: Rules) -> float:
        """How long everything takes from the beginning, by the order of the scheduler."""
        spans = timeline(
            bundles,
            {},
            self._times,
            rules.capacity,
            keys_of=rules.keys_of,
            overlap_holds=rules.overlap_holds,
        )
        return max((span.end for span in spans.values()), default=0.0)

    def _nodes(self, critical: frozenset[str]) -> tuple[Node, ...]:
        waves = {ws: at for at, wave in enumerate(self._plan.waves, 1) for ws in wave}
        rules = self._rules
        spans = timeline(
            self._order,
            self._states,
            self._times,
            rules.capacity,
            keys_of=rules.keys_of,
            overlap_holds=rules.overlap_holds,
        )
        parents = build_dependency_graph(self._order)[1]
        return tuple(
            Node(
                ws_id=b.id,
                gate=b.gate,
                wave=waves[b.id],
                depends_on=parents[b.id],
                priority=b.priority.value,
                conflict_group=b.conflict_group,
                parallel_ok=b.parallel_ok,
                critical=b.id in critical,
                duration=_rounded(self._times[b.id]),
                start=_rounded(spans[b.id].start) if b.id in spans else None,
                end=_rounded(spans[b.id].end) if b.id in spans else None,
                status=self._states[b.id].value if b.id in self._states else None,
            )
            for b in sorted(self._order, key=lambda b: (waves[b.id], b.id))
        )

    def _serial(self) -> Iterator[Serial]:
        """Yield everything that keeps workstreams apart though no dependency does."""
        yield from _gates(self._order)
        for bundle in self._order:
            if not bundle.parallel_ok and len(self._order) > 1:
                yield Serial(kind="alone", what="parallel_ok", workstreams=(bundle.id,))
        yield from _groups(self._order)
        if self._rules.overlap_holds:
            for found in simultaneous_overlaps(self._order, CONFLICT_LIMIT):
                what = found.claim_a
                if found.claim_b != found.claim_a:
                    what = f"{found.claim_a} and {found.claim_b}"
                yield Serial(kind="overlap", what=what, workstreams=(found.a, found.b))
        yield from self._limits()

    def _limits(self) -> Iterator[Serial]:
        """Yield the limits of tools and capabilities that are below what may run at a time."""
        capacity = self._rules.capacity
        for key, limit in sorted(capacity.keys.items()):
            users = tuple(b.id for b in self._order if key in self._rules.keys_of(b))
            if limit < min(len(users), capacity.total):
                kind, _, name = key.partition(":")
                yield Serial(kind=kind, what=f"{name} ({limit} at a time)", workstreams=users)

    def _costs(self, kinds: set[str], length: float) -> dict[str, float]:
        """How much shorter the run would be without each kind of what holds it up."""
        free = {
            kind: self._length([without(b, kind) for b in self._order], self._without(kind))
            for kind in sorted(kinds)
        }
        return {kind: _rounded(max(0.0, length - shorter)) for kind, shorter in free.items()}

    def _without(self, kind: str) -> Rules:
        """The rules, one kind of constraint lifted."""
        if kind == "overlap":
            return replace(self._rules, overlap_holds=False)
        if kind not in ("tool", "capability"):
            return self._rules
        old = self._rules.capacity
        keys = {key: limit for key, limit in old.keys.items() if not key.startswith(f"{kind}:")}
        return replace(self._rules, capacity=replace(old, keys=keys))


def without(bundle: Bundle, kind: str) -> Bundle:
    """Return a bundle with one kind of constraint lifted; another kind leaves it as it is."""
    if kind == "gate":
        return replace(bundle, gate=1)
    if kind == "alone":
        return replace(bundle, parallel_ok=True)
    if kind == "group":
        return replace(bundle, conflict_group=None)
    return bundle


def _gates(order: Sequence[Bundle]) -> Iterator[Serial]:
    """Yield each gate but the first, with its members."""
    gates = sorted({bundle.gate for bundle in order})
    for gate in gates[1:]:
        members = tuple(sorted(b.id for b in order if b.gate == gate))
        yield Serial(kind="gate", what=str(gate), workstreams=members)


def _groups(order: Sequence[Bundle]) -> Iterator[Serial]:
    """Yield each conflict group that keeps something apart, with its members."""
    members: dict[str, set[str]] = {}
    by_id = sorted(order, key=lambda b: b.id)
    for conflict in islice(group_conflicts(by_id), PAIR_LIMIT):
        name = conflict.reason.partition(":")[2]
        members.setdefault(name, set()).update((conflict.a, conflict.b))
    for name, found in sorted(members.items()):
        yield Serial(kind="group", what=name, workstreams=tuple(sorted(found)))


def _ratio(work: float, length: float) -> float:
    return round(work / length, 2) if length else 1.0


def _rounded(value: float) -> float:
    return round(value, 3)
