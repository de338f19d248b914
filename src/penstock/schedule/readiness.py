"""What may start now, and what everything else waits for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

import msgspec

from penstock.model.bundle import Bundle
from penstock.model.states import WORKSTREAM_MOVES, IntegrationState, WorkstreamState, is_terminal
from penstock.model.times import iso
from penstock.schedule.graph import build_dependency_graph, topological_order

_ENDED = frozenset(
    state
    for state in WorkstreamState
    if is_terminal(WORKSTREAM_MOVES, state) or state is WorkstreamState.FAILED
)
# A workstream that is done but whose work is not in the integration branch yet: those that
# depend on it would start without it. `none` means that there is nothing to merge.
_NOT_MERGED = (IntegrationState.QUEUED, IntegrationState.CONFLICT, IntegrationState.REJECTED)


class Reason(StrEnum):
    """What a workstream waits for."""

    DEPENDENCY = "dependency"
    APPROVAL = "approval"
    RATE_LIMIT = "rate_limit"
    BUDGET = "budget"
    PAUSED = "paused"
    OVERLAP = "overlap"
    GROUP = "group"
    ALONE = "alone"
    SLOTS = "slots"
    TOOL = "tool"
    CAPACITY = "capacity"


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Something outside the graph that holds a workstream or a run back.

    It is over at `until` (seconds since the epoch, UTC), or never by itself when that is None.
    """

    reason: Reason
    message: str
    until: float | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a workstream may start or go on; if not, what it waits for.

    `message` begins with the reason; `until` is the moment (seconds since the epoch, UTC) at which
    a rate limit ends, where it is known.
    """

    ready: bool
    reason: Reason | None = None
    message: str = ""
    until: float | None = None


READY = Verdict(ready=True)


class Readiness:
    """Readiness within one run, with what only depends on the bundles worked out once.

    Raises BundleCycleError when the dependencies form a cycle.
    """

    def __init__(self, bundles: Iterable[Bundle], approvals_needed: Collection[int] = ()) -> None:
        self._order = topological_order(bundles)
        self._parents = build_dependency_graph(self._order)[1]
        self._needed = frozenset(approvals_needed)

    def verdicts(
        self,
        states: Mapping[str, WorkstreamState],
        *,
        integration: Mapping[str, IntegrationState] | None = None,
        approved_gates: Collection[int] = (),
        holds: Mapping[str, Hold] | None = None,
        run_hold: Hold | None = None,
        now: float = 0.0,
    ) -> dict[str, Verdict]:
        """Return a verdict for each workstream that has not ended, in the order to start them.

        A workstream without a state is pending. One that has begun already is ready to go on
        unless it or the run is held. A dependency that is not among the bundles counts as met:
        whoever put the run together has seen to it.
        """
        merged = integration or {}
        behind = _behind(self._order, states, merged)
        found: dict[str, Verdict] = {}
        for bundle in self._order:
            state = states.get(bundle.id, WorkstreamState.PENDING)
            if state in _ENDED:
                continue
            waiting = None
            if state is WorkstreamState.PENDING:
                waiting = (
                    _dependency(bundle, self._parents[bundle.id], states, merged)
                    or _gate(bundle, behind, states)
                    or self._approval(bundle, approved_gates)
                )
            hold = _held(run_hold, now) or _held((holds or {}).get(bundle.id), now)
            found[bundle.id] = waiting or hold or READY
        return found

    def _approval(self, bundle: Bundle, approved: Collection[int]) -> Verdict | None:
        """The verdict that a gate which nobody has approved brings."""
        if bundle.gate not in self._needed or bundle.gate in approved:
            return None
        text = f"approval: gate {bundle.gate} needs `penstock approve RUN --gate {bundle.gate}`"
        return Verdict(ready=False, reason=Reason.APPROVAL, message=text)


def readiness(
    bundles: Iterable[Bundle],
    states: Mapping[str, WorkstreamState],
    *,
    integration: Mapping[str, IntegrationState] | None = None,
    approvals_needed: Collection[int] = (),
    approved_gates: Collection[int] = (),
    holds: Mapping[str, Hold] | None = None,
    run_hold: Hold | None = None,
    now: float = 0.0,
) -> dict[str, Verdict]:
    """Return the verdicts of `Readiness` for one moment. Raises BundleCycleError."""
    return Readiness(bundles, approvals_needed).verdicts(
        states,
        integration=integration,
        approved_gates=approved_gates,
        holds=holds,
        run_hold=run_hold,
        now=now,
    )


def _behind(
    bundles: Iterable[Bundle],
    states: Mapping[str, WorkstreamState],
    integration: Mapping[str, IntegrationState],
) -> tuple[int, str] | None:
    """The lowest gate that is not done with its first member that is not, or None.

    A member that is done but queued for its merge is not: the next gate would miss its work. A
    conflict is for those that depend on it to wait for.
    """
    open_members = (
        (bundle.gate, bundle.id)
        for bundle in bundles
        if states.get(bundle.id) is not WorkstreamState.DONE
        or integration.get(bundle.id) is IntegrationState.QUEUED
    )
    return min(open_members, default=None)


def _dependency(
    bundle: Bundle,
    parents: Iterable[str],
    states: Mapping[str, WorkstreamState],
    integration: Mapping[str, IntegrationState],
) -> Verdict | None:
    """The verdict that a dependency which is not met brings."""
    for parent in parents:
        state = states.get(parent, WorkstreamState.PENDING)
        if state is not WorkstreamState.DONE:
            return _wait(f"{bundle.id} depends on {parent}, which is {state.value}")
        merge = integration.get(parent)
        if merge in _NOT_MERGED:
            return _wait(
                f"{bundle.id} depends on {parent}, which is done, but not merged: {merge.value}"
            )
    return None


def _gate(
    bundle: Bundle, behind: tuple[int, str] | None, states: Mapping[str, WorkstreamState]
) -> Verdict | None:
    """The verdict that a lower gate which is not done brings."""
    if behind is None or behind[0] >= bundle.gate:
        return None
    gate, member = behind
    state = states.get(member, WorkstreamState.PENDING)
    what = "being merged" if state is WorkstreamState.DONE else state.value
    return _wait(f"{bundle.id} is of gate {bundle.gate}, and {member} of gate {gate} is {what}")


def _wait(text: str) -> Verdict:
    """A verdict for the reason `dependency`."""
    return Verdict(ready=False, reason=Reason.DEPENDENCY, message=f"dependency: {text}")


def _held(hold: Hold | None, now: float) -> Verdict | None:
    """The verdict of a hold that is not over."""
    if hold is None or (hold.until is not None and hold.until <= now):
        return None
    return held_verdict(hold)


def held_verdict(hold: Hold) -> Verdict:
    """The verdict of a hold."""
    end = "" if hold.until is None else f" (until {iso(hold.until)})"
    text = f"{hold.reason.value}: {hold.message}{end}"
    return Verdict(ready=False, reason=hold.reason, message=text, until=hold.until)
