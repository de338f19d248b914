"""A frontier against a slow model of the rules, through random runs with failures and kills."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.model.bundle import Bundle
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.schedule.frontier import Capacity, Frontier
from penstock.schedule.readiness import Hold, Reason
from tests.support.bundles import bundle
from tests.support.schedule_model import BEGUN, Model

W, M = WorkstreamState, IntegrationState
CLAIMS = ["src/", "src/a.py", "src/*.py", "src/b.py", "docs/**", "docs/x/", "lib/[ab].c", "x"]
KEYS = ["tool:codex", "tool:aider", "capability:linting"]
ENDS = [W.DONE, W.DONE, W.DONE, W.DONE, W.FAILED, *BEGUN[:2]]
OPEN = (W.PENDING, *BEGUN)
STEPS = 100


class Plan(msgspec.Struct, kw_only=True):
    """A run to play: its bundles with their keys, what limits it, and the seed of what happens."""

    bundles: list[Bundle]
    keys: dict[str, list[str]]
    approvals: set[int]
    total: int
    limits: dict[str, int]
    overlap_holds: bool
    patience: int
    seed: int


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A few workstreams, more or less contended; the rest comes from the seed."""
    seed = draw(st.integers(0, 1 << 32))
    rng = random.Random(seed)
    bundles = list(acyclic(rng, draw(st.integers(2, 14)), draw(st.sampled_from([0.2, 0.5, 0.8]))))
    return Plan(
        bundles=bundles,
        keys={b.id: rng.sample(KEYS, rng.choice([0, 1, 1, 2])) for b in bundles},
        approvals=set(rng.sample([1, 2, 3], rng.choice([0, 0, 1]))),
        total=draw(st.integers(1, 6)),
        limits={key: rng.choice([1, 1, 2]) for key in KEYS[: rng.choice([0, 1, 2, 3])]},
        overlap_holds=rng.random() < 0.8,
        patience=draw(st.sampled_from([1, 2, 4, 50])),
        seed=seed,
    )


def acyclic(rng: random.Random, count: int, contended: float) -> Sequence[Bundle]:
    """Workstreams with random claims, dependencies, gates, groups and priorities."""
    ids = [f"ws-{at:02}" for at in range(count)]
    rng.shuffle(ids)
    found: list[Bundle] = []
    gate = 1
    for at, ws_id in enumerate(ids):
        gate += rng.random() < 0.05
        claims = rng.sample(CLAIMS, rng.choice([1, 2])) if rng.random() < contended else []
        found.append(
            bundle(
                ws_id,
                files_scope=claims or [f"own/{ws_id}"],
                depends_on=rng.sample(ids[:at], min(at, rng.choice([0, 0, 0, 0, 1, 2]))),
                gate=gate,
                conflict_group=rng.choice("gh") if rng.random() < contended else None,
                parallel_ok=rng.random() > contended / 8,
                priority="background" if rng.random() < 0.3 else "foreground",
            )
        )
    return found


class Play:
    """A run under a frontier and the model of it, both told the same."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = random.Random(plan.seed + 1)
        self.model = Model(
            plan.bundles, plan.approvals, plan.total, plan.limits, plan.keys, plan.overlap_holds
        )
        self.now = 0.0
        self.build()

    def build(self) -> None:
        """Make a frontier from what is recorded, as after a kill."""
        model, plan = self.model, self.plan
        self.passes: dict[str, int] = {}
        self.frontier = Frontier(
            plan.bundles,
            approvals_needed=plan.approvals,
            capacity=Capacity(total=plan.total, keys=plan.limits),
            keys_of=lambda one: plan.keys[one.id],
            overlap_holds=plan.overlap_holds,
            patience=plan.patience,
        )
        for ws in model.bundles:
            self.frontier.record(ws, model.state[ws], model.merge[ws])
        self.frontier.approve(plan.approvals - model.unapproved)
        self.frontier.hold_all(model.run_hold)
        for name, hold in model.holds.items():
            self.tell_hold(name, hold)

    def tell_hold(self, name: str, hold: Hold | None) -> None:
        """Tell the frontier of a hold."""
        tell = self.frontier.hold if name in self.model.bundles else self.frontier.hold_key
        tell(name, hold)

    def record(self, ws: str, state: WorkstreamState, merge: IntegrationState = M.NONE) -> None:
        """Tell both how far a workstream is."""
        self.model.state[ws], self.model.merge[ws] = state, merge
        self.frontier.record(ws, state, merge)

    # -- what happens ----------------------------------------------------------------------
    def start(self) -> None:
        """Start what the frontier offers, after asking the model."""
        found = self.frontier.next(self.now)
        self.check_offer(found)
        if found is None:
            return
        self.check_fairness(found)
        self.frontier.start(found)
        self.model.working.append(found)
        if self.model.state[found] is W.PENDING:
            self.record(found, W.STARTED)

    def stop(self) -> None:
        """Somebody at work ends, or is interrupted."""
        if not self.model.working:
            return
        ws, end = self.rng.choice(self.model.working), self.rng.choice(ENDS)
        self.model.working.remove(ws)
        self.frontier.stop(ws)
        done = self.rng.choice([M.NONE, M.QUEUED, M.QUEUED, M.MERGED])
        self.record(ws, end, done if end is W.DONE else M.NONE)

    def integrate(self) -> None:
        """A queued workstream arrives, or does not."""
        queued = [ws for ws, merge in self.model.merge.items() if merge is M.QUEUED]
        if queued:
            merge = self.rng.choice([M.MERGED, M.MERGED, M.CONFLICT, M.REJECTED])
            self.record(self.rng.choice(queued), W.DONE, merge)

    def retry(self) -> None:
        """A failed one or a conflict is tried again."""
        for ws in self.model.bundles:
            if self.model.state[ws] is W.FAILED:
                self.record(ws, W.PENDING)
            elif self.model.merge[ws] is M.CONFLICT:
                self.record(ws, W.DONE, M.QUEUED)

    def cancel(self) -> None:
        """One that waits is given up."""
        waiting = [ws for ws, s in self.model.state.items() if s in OPEN]
        waiting = [ws for ws in waiting if ws not in self.model.working]
        if waiting:
            self.record(self.rng.choice(waiting), W.CANCELED)

    def hold(self) -> None:
        """Somebody or a key is held."""
        name = self.rng.choice([*self.model.bundles, *KEYS])
        end = self.rng.choice([None, self.now + 1, self.now + 5])
        self.model.holds[name] = Hold(reason=Reason.RATE_LIMIT, message="limited", until=end)
        self.tell_hold(name, self.model.holds[name])

    def let_go(self) -> None:
        """A hold is taken back."""
        if self.model.holds:
            name = self.rng.choice(sorted(self.model.holds))
            del self.model.holds[name]
            self.tell_hold(name, None)

    def pause(self) -> None:
        """The run is paused."""
        self.model.run_hold = Hold(reason=Reason.PAUSED, message="by the user")
        self.frontier.hold_all(self.model.run_hold)

    def resume(self) -> None:
        """The run goes on."""
        self.model.run_hold = None
        self.frontier.hold_all(None)

    def wait(self) -> None:
        """Time passes, or the clock is set back."""
        self.now += self.rng.choice([1.0, 1.0, 10.0, -3.0])

    def approve(self) -> None:
        """All gates are approved."""
        self.frontier.approve(self.model.unapproved)
        self.model.unapproved.clear()

    def kill(self) -> None:
        """Everything in memory is lost; nobody is at work any more."""
        self.model.working.clear()
        self.build()

    def go_on(self) -> None:
        """Let something happen, most often work."""
        often = [self.start] * 8 + [self.stop] * 4 + [self.integrate] * 4 + [self.resume] * 2
        seldom = [self.cancel, self.hold, self.hold, self.let_go, self.let_go, self.wait, self.wait]
        self.rng.choice(
            [*often * 4, *seldom, *[self.retry] * 6, self.pause, self.approve, self.kill]
        )()

    # -- what holds ------------------------------------------------------------------------
    def check_offer(self, found: str | None) -> None:
        """The frontier offers the first of those that may start."""
        model, first = self.model, self.frontier.reserving
        legal = [ws for ws in model.bundles if model.legal(ws, self.now)]
        if first is not None and legal:
            assert model.clear(first)
            assert not model.held(first, self.now)
            legal = [ws for ws in legal if not model.barred(ws, first)]
        assert found == min(legal, key=model.order, default=None)

    def check_fairness(self, found: str) -> None:
        """The first that waits for the busy is passed over `patience` times at most by what takes
        its needs, not at all if it has begun."""
        model = self.model
        waiting = [ws for ws in model.bundles if model.waits_for_busy(ws, self.now)]
        self.passes = {ws: count for ws, count in self.passes.items() if ws in waiting}
        first = min(waiting, key=model.order, default=found)
        if model.barred(found, first):
            self.passes[first] = self.passes.get(first, 0) + 1
            allowed = 0 if model.state[first] in BEGUN else self.plan.patience
            assert self.passes[first] <= allowed

    def check_always(self) -> None:
        """Never more at work than the capacity; whoever waits may start, or is told why not."""
        model = self.model
        assert list(self.frontier.at_work) == model.working
        assert len(model.working) <= model.total
        verdicts = self.frontier.verdicts(self.now)
        idle = [ws for ws in model.bundles if ws not in model.working]
        assert set(verdicts) == {ws for ws in idle if model.state[ws] in OPEN}
        for ws, verdict in verdicts.items():
            assert verdict.ready or verdict.message.startswith(f"{verdict.reason}: ")
            assert not verdict.ready or model.legal(ws, self.now)

    def drain(self) -> None:
        """Let everything go, and work until nothing more starts."""
        for name in list(self.model.holds):
            del self.model.holds[name]
            self.tell_hold(name, None)
        self.resume()
        self.approve()
        for _ in range(4 * len(self.model.bundles)):
            self.start()
            self.finish_one()

    def finish_one(self, at: int = 0) -> None:
        """Merge what is queued, then finish one of those at work, by default the longest there."""
        for ws in self.model.bundles:
            if self.model.merge[ws] is M.QUEUED:
                self.record(ws, W.DONE, M.MERGED)
        if self.model.working:
            ws = self.model.working.pop(min(at, len(self.model.working) - 1))
            self.frontier.stop(ws)
            self.record(ws, W.DONE, M.MERGED)


@settings(max_examples=600, deadline=None)
@given(plans())
def test_a_frontier_offers_what_the_rules_allow(plan: Plan) -> None:
    """Whatever happens: never two that collide, never before its dependencies, never more than the
    capacity, the most important first, nobody passed over for long; and in the end everything is
    done but what waits for something that somebody must mend."""
    play = Play(plan)
    for step in range(STEPS):
        play.go_on()
        if step % 4 == 0:
            play.check_always()
    play.drain()
    left = [ws for ws, state in play.model.state.items() if state in OPEN]
    assert [ws for ws in left if not play.model.stuck(ws)] == []


@settings(max_examples=150, deadline=None)
@given(plans())
def test_an_undisturbed_run_is_done_by_work_alone(plan: Plan) -> None:
    """Started as far as possible, one finished at a time, in any order: all is done in the end."""
    play = Play(plan)
    play.approve()
    for _ in plan.bundles:
        for _ in range(plan.total + 1):
            play.start()
        play.finish_one(play.rng.randrange(plan.total))
    assert set(play.model.state.values()) == {W.DONE}
