"""A frontier against a slow model of the rules, through random runs with failures and kills."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from penstock.model.bundle import Bundle
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.schedule.frontier import Capacity, Frontier
from penstock.schedule.readiness import Hold, Reason
from tests.support.bundles import bundle
from tests.support.schedule_model import BEGUN, Model

W, M = WorkstreamState, IntegrationState
CLAIMS = ["src/", "src/a.py", "src/*.py", "src/b.py", "docs/**", "docs/x/", "lib/[ab].c", "x"]
KEYS = ["tool:codex", "tool:aider", "capability:linting"]
ENDS = [W.DONE, W.DONE, W.DONE, W.FAILED, W.CANCELED]


@st.composite
def acyclic_bundles(draw: st.DrawFn) -> list[Bundle]:
    """A few bundles with random claims, dependencies, gates, groups, priorities."""
    ids = [f"ws-{at}" for at in range(draw(st.integers(2, 9)))]
    gate = 1
    found: list[Bundle] = []
    for at, ws_id in enumerate(ids):
        gate += draw(st.sampled_from([0, 0, 0, 1]))
        above = st.lists(st.sampled_from(ids[:at]), max_size=2, unique=True) if at else st.just([])
        found.append(
            bundle(
                ws_id,
                files_scope=draw(st.lists(st.sampled_from(CLAIMS), max_size=2)) or [f"own/{ws_id}"],
                depends_on=draw(above),
                gate=gate,
                conflict_group=draw(st.sampled_from([None, None, None, "g", "h"])),
                parallel_ok=draw(st.sampled_from([True, True, True, False])),
                priority=draw(st.sampled_from(["foreground", "foreground", "background"])),
            )
        )
    return found


class Runs(RuleBasedStateMachine):
    """A run under a frontier and the model of it, both told the same."""

    @initialize(
        bundles=acyclic_bundles(),
        approvals=st.sets(st.sampled_from([1, 2, 3]), max_size=1),
        total=st.integers(1, 4),
        limits=st.dictionaries(st.sampled_from(KEYS), st.integers(1, 2)),
        overlap_holds=st.sampled_from([True, True, True, False]),
        patience=st.integers(1, 4),
        data=st.data(),
    )
    def begin(
        self,
        bundles: list[Bundle],
        approvals: set[int],
        total: int,
        limits: dict[str, int],
        overlap_holds: bool,
        patience: int,
        data: st.DataObject,
    ) -> None:
        """Draw a run."""
        some_keys = st.lists(st.sampled_from(KEYS), max_size=2, unique=True)
        keys = {b.id: data.draw(some_keys) for b in bundles}
        self.patience = patience
        self.approvals = approvals
        self.model = Model(bundles, approvals, total, limits, keys, overlap_holds)
        self.now = 0.0
        self.build()

    def build(self) -> None:
        """Make a frontier from what is recorded, as after a kill."""
        model = self.model
        self.waited: dict[str, int] = {}
        self.frontier = Frontier(
            model.bundles.values(),
            approvals_needed=self.approvals,
            capacity=Capacity(total=model.total, keys=model.limits),
            keys_of=self.keys_of,
            overlap_holds=model.overlap_holds,
            patience=self.patience,
        )
        for ws in model.bundles:
            self.frontier.record(ws, model.state[ws], model.merge[ws])
        self.frontier.approve(self.approvals - model.unapproved)
        self.frontier.hold_all(model.run_hold)
        for name, hold in model.holds.items():
            self.tell_hold(name, hold)

    def keys_of(self, one: Bundle) -> Sequence[str]:
        """The keys drawn for a workstream."""
        return self.model.keys[one.id]

    def tell_hold(self, name: str, hold: Hold | None) -> None:
        """Tell the frontier of a hold."""
        tell = self.frontier.hold if name in self.model.bundles else self.frontier.hold_key
        tell(name, hold)

    def record(self, ws: str, state: WorkstreamState, merge: IntegrationState = M.NONE) -> None:
        """Tell both how far a workstream is."""
        self.model.state[ws], self.model.merge[ws] = state, merge
        self.frontier.record(ws, state, merge)

    @rule()
    def start(self) -> None:
        """Start what the frontier offers, after asking the model."""
        found = self.frontier.next(self.now)
        self.check(found)
        if found is None:
            return
        self.frontier.start(found)
        self.model.working.append(found)
        if self.model.state[found] is W.PENDING:
            self.record(found, W.STARTED)

    def check(self, found: str | None) -> None:
        """The frontier offers the first of those that may start."""
        model, first = self.model, self.frontier.reserving
        legal = [ws for ws in model.bundles if model.legal(ws, self.now)]
        if first is not None and legal:
            assert model.clear(first)
            assert not model.held(first, self.now)
            legal = [ws for ws in legal if not model.barred(ws, first)]
        assert found == min(legal, key=model.order, default=None)

    @precondition(lambda self: self.model.working)
    @rule(data=st.data(), end=st.sampled_from([*ENDS, *BEGUN]))
    def stop(self, data: st.DataObject, end: WorkstreamState) -> None:
        """Somebody at work ends, or is interrupted."""
        ws = data.draw(st.sampled_from(self.model.working))
        self.model.working.remove(ws)
        self.frontier.stop(ws)
        merges = st.sampled_from([M.NONE, M.QUEUED, M.QUEUED]) if end is W.DONE else st.just(M.NONE)
        self.record(ws, end, data.draw(merges))

    @precondition(lambda self: M.QUEUED in self.model.merge.values())
    @rule(merge=st.sampled_from([M.MERGED, M.MERGED, M.CONFLICT, M.REJECTED]))
    def integrate(self, merge: IntegrationState) -> None:
        """A queued workstream arrives, or does not."""
        ws = next(ws for ws, merge in self.model.merge.items() if merge is M.QUEUED)
        self.record(ws, W.DONE, merge)

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """A failed one or a conflict is tried again."""
        for ws in self.model.bundles:
            if self.model.state[ws] is W.FAILED and data.draw(st.booleans()):
                self.record(ws, W.PENDING)
            elif self.model.merge[ws] is M.CONFLICT and data.draw(st.booleans()):
                self.record(ws, W.DONE, M.QUEUED)

    @rule(data=st.data(), until=st.sampled_from([None, 1.0, 5.0, 60.0]))
    def hold(self, data: st.DataObject, until: float | None) -> None:
        """Somebody or a key is held."""
        name = data.draw(st.sampled_from([*self.model.bundles, *KEYS]))
        end = None if until is None else self.now + until
        hold = Hold(reason=Reason.RATE_LIMIT, message="limited", until=end)
        self.model.holds[name] = hold
        self.tell_hold(name, hold)

    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        """A hold is taken back."""
        if self.model.holds:
            name = data.draw(st.sampled_from(sorted(self.model.holds)))
            del self.model.holds[name]
            self.tell_hold(name, None)

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        """The run is paused, or goes on."""
        hold = Hold(reason=Reason.PAUSED, message="by the user") if paused else None
        self.model.run_hold = hold
        self.frontier.hold_all(hold)

    @rule(seconds=st.sampled_from([1.0, 10.0, -3.0]))
    def wait(self, seconds: float) -> None:
        """Time passes, or the clock is set back."""
        self.now += seconds

    @rule()
    def approve(self) -> None:
        """All gates are approved."""
        self.frontier.approve(self.model.unapproved)
        self.model.unapproved.clear()

    @rule()
    def kill(self) -> None:
        """Everything in memory is lost; nobody is at work any more."""
        self.model.working.clear()
        self.build()

    @invariant()
    def nobody_overlaps(self) -> None:
        """No two at work collide, and never more than the capacity are at work."""
        if not hasattr(self, "model"):
            return
        model = self.model
        assert list(self.frontier.at_work) == model.working
        assert len(model.working) <= model.total

    @invariant()
    def each_has_a_verdict(self) -> None:
        """Whoever has not ended and is not at work may start, or waits for something named."""
        if not hasattr(self, "model"):
            return
        model = self.model
        verdicts = self.frontier.verdicts(self.now)
        idle = [ws for ws in model.bundles if ws not in model.working]
        assert set(verdicts) == {w for w in idle if model.state[w] in (W.PENDING, *BEGUN)}
        for ws, verdict in verdicts.items():
            assert verdict.ready or verdict.message.startswith(f"{verdict.reason}: ")
            assert not verdict.ready or model.legal(ws, self.now)

    def teardown(self) -> None:
        """Without holds, every run ends: all is done, or waits for what somebody must mend."""
        if not hasattr(self, "model"):
            return
        self.let_all_go()
        for _ in range(8 * len(self.model.bundles)):
            self.start()
            self.finish_one()
        left = [ws for ws in self.model.bundles if self.model.state[ws] in (W.PENDING, *BEGUN)]
        assert [ws for ws in left if not self.model.stuck(ws)] == []

    def let_all_go(self) -> None:
        """End every hold, approve every gate."""
        for name in list(self.model.holds):
            del self.model.holds[name]
            self.tell_hold(name, None)
        self.pause(paused=False)
        self.approve()

    def finish_one(self) -> None:
        """Merge what is queued, then finish whoever has been at work longest."""
        for ws in self.model.bundles:
            if self.model.merge[ws] is M.QUEUED:
                self.record(ws, W.DONE, M.MERGED)
        if self.model.working:
            ws = self.model.working.pop(0)
            self.frontier.stop(ws)
            self.record(ws, W.DONE, M.MERGED)


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
