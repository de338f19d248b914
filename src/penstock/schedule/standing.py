"""How far each workstream of a run is, and which of them nothing in the graph holds back.

Dependencies and gates are counted, so that a change costs what it changes and not the whole graph.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from penstock.model.bundle import Bundle
from penstock.model.states import WORKSTREAM_MOVES, IntegrationState, WorkstreamState, is_terminal
from penstock.schedule.graph import build_dependency_graph, topological_order
from penstock.schedule.readiness import Reason, Verdict

ENDED = frozenset(
    state
    for state in WorkstreamState
    if is_terminal(WORKSTREAM_MOVES, state) or state is WorkstreamState.FAILED
)
BEGUN = frozenset(WorkstreamState) - ENDED - {WorkstreamState.PENDING}
# A workstream that is done but whose work is not in the integration branch: those that depend on
# it would start without it. `none` means that there is nothing to merge.
NOT_MERGED = (IntegrationState.QUEUED, IntegrationState.CONFLICT, IntegrationState.REJECTED)


class Standing:
    """The recorded states of a run's workstreams; without one, they are pending.

    A dependency that is not among the bundles counts as met: whoever put the run together has seen
    to it. Methods that name a workstream raise KeyError when there is none of that id.
    """

    def __init__(self, bundles: Iterable[Bundle], approvals_needed: Collection[int] = ()) -> None:
        self.order = topological_order(bundles)
        self.bundles = {bundle.id: bundle for bundle in self.order}
        self.children, self.parents = build_dependency_graph(self.order)
        self.states = dict.fromkeys(self.bundles, WorkstreamState.PENDING)
        self.merges = dict.fromkeys(self.bundles, IntegrationState.NONE)
        self._missing = {ws: len(parents) for ws, parents in self.parents.items()}
        self._unapproved = set(approvals_needed)
        self._members: dict[int, list[str]] = {}
        for bundle in self.order:
            self._members.setdefault(bundle.gate, []).append(bundle.id)
        self._gates = sorted(self._members)
        self._places = {gate: at for at, gate in enumerate(self._gates)}
        self._open = {gate: len(members) for gate, members in self._members.items()}
        # The lowest gate with a member that is not through; all if there is none.
        self._at = 0

    def begun(self, ws: str) -> bool:
        """Tell whether a workstream has begun and not ended."""
        return self.states[ws] in BEGUN

    def ended(self, ws: str) -> bool:
        """Tell whether a workstream is done, failed, quarantined or canceled."""
        return self.states[ws] in ENDED

    def queued(self, ws: str) -> bool:
        """Tell whether the work of a workstream is on its way into the integration branch."""
        done = self.states[ws] is WorkstreamState.DONE
        return done and self.merges[ws] is IntegrationState.QUEUED

    def clear(self, ws: str) -> bool:
        """Tell whether dependencies, gates and approvals let a workstream start or go on."""
        if self.begun(ws):
            return True
        gate = self.bundles[ws].gate
        return (
            self.states[ws] is WorkstreamState.PENDING
            and not self._missing[ws]
            and gate not in self._unapproved
            and (self._at >= len(self._gates) or gate <= self._gates[self._at])
        )

    def record(self, ws: str, state: WorkstreamState, merge: IntegrationState) -> Iterator[str]:
        """Note how far a workstream is; yield those that this may have freed."""
        met, through = self._met(ws), self._through(ws)
        self.states[ws], self.merges[ws] = state, merge
        yield from self._count_met(ws, self._met(ws) - met)
        yield from self._count_through(ws, self._through(ws) - through)

    def approve(self, gates: Iterable[int]) -> Iterator[str]:
        """Note approvals; yield those that they may have freed."""
        for gate in gates:
            if gate in self._unapproved:
                self._unapproved.remove(gate)
                yield from self._members.get(gate, ())

    def _met(self, ws: str) -> bool:
        """Tell whether those that depend on a workstream need wait no more for it."""
        return self.states[ws] is WorkstreamState.DONE and self.merges[ws] not in NOT_MERGED

    def _through(self, ws: str) -> bool:
        """Tell whether higher gates need wait no more for a workstream.

        A member that is done but queued for its merge holds them: they would miss its work. A
        conflict is for those that depend on it to wait for.
        """
        return self.states[ws] is WorkstreamState.DONE and not self.queued(ws)

    def _count_met(self, ws: str, change: int) -> Iterator[str]:
        for child in self.children[ws] if change else ():
            self._missing[child] -= change
            if not self._missing[child]:
                yield child

    def _count_through(self, ws: str, change: int) -> Iterator[str]:
        if not change:
            return
        self._open[self.bundles[ws].gate] -= change
        before = self._at
        self._at = min(before, self._places[self.bundles[ws].gate])
        while self._at < len(self._gates) and not self._open[self._gates[self._at]]:
            self._at += 1
        for gate in self._gates[before + 1 : self._at + 1]:
            yield from self._members[gate]

    def verdict(self, ws: str) -> Verdict | None:
        """Return what in the graph a workstream waits for, None when nothing."""
        if self.clear(ws):
            return None
        return self._dependency(ws) or self._gate(ws) or self._approval(ws)

    def _dependency(self, ws: str) -> Verdict | None:
        unmet = [parent for parent in self.parents[ws] if not self._met(parent)]
        if not unmet:
            return None
        # What has ended without being met needs somebody; the rest comes by itself.
        parent = next((p for p in unmet if self.ended(p) and not self.queued(p)), unmet[0])
        state, merge = self.states[parent], self.merges[parent]
        what = f"is {state.value}"
        if state is WorkstreamState.DONE:
            what = f"is done, but not merged: {merge.value}"
        more = f" (and {len(unmet) - 1} more)" if len(unmet) > 1 else ""
        return _wait(Reason.DEPENDENCY, f"waits for {parent}, which {what}{more}")

    def _gate(self, ws: str) -> Verdict | None:
        own = self.bundles[ws].gate
        if self._at >= len(self._gates) or own <= (lower := self._gates[self._at]):
            return None
        inside = [member for member in self._members[lower] if not self._through(member)]
        member = next((m for m in inside if self.ended(m) and not self.queued(m)), inside[0])
        what = "being merged" if self.queued(member) else self.states[member].value
        text = f"gate {own} waits for {member} of gate {lower}, which is {what}"
        return _wait(Reason.DEPENDENCY, text)

    def _approval(self, ws: str) -> Verdict:
        gate = self.bundles[ws].gate
        text = f"gate {gate} needs approval: `penstock approve RUN --gate {gate}`"
        return _wait(Reason.APPROVAL, text)


def _wait(reason: Reason, text: str) -> Verdict:
    return Verdict(ready=False, reason=reason, message=f"{reason.value}: {text}")
