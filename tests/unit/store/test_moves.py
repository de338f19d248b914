"""Random walks through the states: the journal allows what the tables allow, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from penstock.errors import InvalidTransitionError
from penstock.model.events import EventType
from penstock.model.states import (
    ATTEMPT_MOVES,
    INTEGRATION_MOVES,
    RUN_MOVES,
    RUN_RETRY,
    WORKSTREAM_MOVES,
    WORKSTREAM_RETRY,
    AttemptState,
    IntegrationState,
    RunState,
    WorkstreamState,
)
from penstock.store.sqlite import open_journal
from tests.support.journals import RUN, WS, StepClock, intent, seed

S = TypeVar("S")
Table = Mapping[S, frozenset[S]]


class Walk(RuleBasedStateMachine):
    """A journal beside the states that the tables say it must have."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = open_journal(None, clock=StepClock())
        seed(self.journal)
        self.run, self.ws = RunState.PENDING, WorkstreamState.PENDING
        self.integration = IntegrationState.NONE
        self.attempts: dict[int, AttemptState] = {}

    def teardown(self) -> None:
        """Give the database back."""
        self.journal.close()

    def tried(self, now: S, to: S, table: Table[S], extra: Table[S], act: Callable[[], Any]) -> S:
        """Try a move; return the state that must hold afterwards."""
        events = len(self.journal.list_events(limit=-1))
        legal = to == now or to in table[now] | extra.get(now, frozenset())
        try:
            act()
        except InvalidTransitionError:
            assert not legal
            assert len(self.journal.list_events(limit=-1)) == events
            return now
        assert legal
        assert (len(self.journal.list_events(limit=-1)) == events) == (to == now)
        return to

    @rule(to=st.sampled_from(RunState), retry=st.booleans())
    def move_run(self, to: RunState, retry: bool) -> None:
        """Move the run."""
        extra = RUN_RETRY if retry else {}
        self.run = self.tried(
            self.run, to, RUN_MOVES, extra, lambda: self.journal.move_run(RUN, to, retry=retry)
        )

    @rule(to=st.sampled_from(WorkstreamState), retry=st.booleans())
    def move_workstream(self, to: WorkstreamState, retry: bool) -> None:
        """Move the workstream."""
        extra = WORKSTREAM_RETRY if retry else {}
        self.ws = self.tried(
            self.ws,
            to,
            WORKSTREAM_MOVES,
            extra,
            lambda: self.journal.move_workstream(RUN, WS, to, retry=retry),
        )

    @rule(to=st.sampled_from(IntegrationState))
    def move_integration(self, to: IntegrationState) -> None:
        """Move the integration."""
        self.integration = self.tried(
            self.integration,
            to,
            INTEGRATION_MOVES,
            {},
            lambda: self.journal.move_integration(RUN, WS, to, payload={}),
        )

    @rule()
    def begin(self) -> None:
        """Begin an attempt."""
        begun = self.journal.begin_attempt(intent(attempt=len(self.attempts) + 1))
        self.attempts[begun.id] = AttemptState.RUNNING

    @rule(to=st.sampled_from(AttemptState), pick=st.integers(min_value=0, max_value=50))
    def finish(self, to: AttemptState, pick: int) -> None:
        """End one of the attempts."""
        if self.attempts:
            number = sorted(self.attempts)[pick % len(self.attempts)]
            self.attempts[number] = self.tried(
                self.attempts[number],
                to,
                ATTEMPT_MOVES,
                {},
                lambda: self.journal.finish_attempt(number, to),
            )

    @invariant()
    def rows_hold_what_the_tables_say(self) -> None:
        """Rows and the model agree."""
        ws = self.journal.get_workstream(RUN, WS)
        assert self.journal.get_run(RUN).status is self.run
        assert (ws.status, ws.integration) == (self.ws, self.integration)
        assert {a.id: a.status for a in self.journal.list_attempts(RUN)} == self.attempts

    @invariant()
    def events_replay_to_the_rows(self) -> None:
        """Following from and to of all changes leads from pending to the present state."""
        for kind, present in (
            (EventType.RUN_STATUS_CHANGED, self.run),
            (EventType.WORKSTREAM_STATUS_CHANGED, self.ws),
        ):
            state = "pending"
            for event in self.journal.list_events(event_type=kind, limit=-1):
                assert event.payload["from"] == state
                state = event.payload["to"]
            assert state == present.value


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
