"""Hand-made journals: a clock that is set, and runs told step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from penstock.model.events import EventType
from penstock.model.records import Attempt, Cost, NewAttempt
from penstock.model.settings import Limits, PipelineSettings
from penstock.model.states import AttemptState, IntegrationState, RunState, WorkstreamState
from penstock.store.api import DocumentedJournal
from penstock.store.sqlite import open_journal
from tests.support.cli import bundle

BASE, HEAD = "b" * 40, "a" * 40
START = 1_700_000_000.0
SETTINGS = PipelineSettings(limits=Limits(max_parallel=2, max_cost_usd=5.0, max_tokens=10_000))
STEPS = (
    WorkstreamState.STARTED,
    WorkstreamState.EDITING,
    WorkstreamState.READY_FOR_STATIC,
    WorkstreamState.STATIC_CHECK,
    WorkstreamState.RUNTIME_TESTS,
    WorkstreamState.DONE,
)


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Story:
    """One run in a journal whose time is that of a clock."""

    def __init__(self, journal: DocumentedJournal, clock: SetClock, run_id: str = "run-1") -> None:
        self.journal = journal
        self.clock = clock
        self.run_id = run_id

    @property
    def now(self) -> float:
        """The time of the story."""
        return self.clock.now

    @now.setter
    def now(self, value: float) -> None:
        self.clock.now = value

    def begin(self, *bundles: Mapping[str, Any], **metadata: Any) -> None:
        """Start a run of these bundles."""
        branch = f"integration/{self.run_id}"
        self.journal.create_run(
            self.run_id, base_commit=BASE, integration_branch=branch, metadata=metadata
        )
        for one in bundles:
            self.journal.add_workstream(
                self.run_id, one["id"], gate=one["gate"], metadata={"bundle": dict(one)}
            )
        self.journal.move_run(self.run_id, RunState.RUNNING)

    def move(self, ws_id: str, to: WorkstreamState, **more: Any) -> None:
        """Bring a workstream to a state, through those before it."""
        row = self.journal.get_workstream(self.run_id, ws_id)
        done = STEPS.index(row.status) + 1 if row.status in STEPS else 0
        for state in STEPS[done : STEPS.index(to)] if to in STEPS else ():
            self.journal.move_workstream(self.run_id, ws_id, state)
        self.journal.move_workstream(self.run_id, ws_id, to, **more)

    def open_attempt(self, ws_id: str, step: str, **more: Any) -> Attempt:
        """Begin an attempt with the next number."""
        before = self.journal.list_attempts(self.run_id, ws_id, step_name=step)
        tool = "scripted" if step in ("edit", "fix") else None
        fields = {"tool_id": tool, **more}
        return self.journal.begin_attempt(
            NewAttempt(
                run_id=self.run_id, ws_id=ws_id, step_name=step, attempt=len(before) + 1, **fields
            )
        )

    def attempt(
        self,
        ws_id: str,
        step: str,
        took: float,
        *,
        status: AttemptState = AttemptState.SUCCEEDED,
        result: Mapping[str, Any] | None = None,
        usd: float | None = None,
        tokens: tuple[int, int] | None = None,
        **more: Any,
    ) -> None:
        """Record an attempt that takes `took` seconds."""
        begun = self.open_attempt(ws_id, step, **more)
        self.now += took
        self.journal.finish_attempt(
            begun.id,
            status,
            result=result,
            cost=self.cost(ws_id, usd, tokens) if usd is not None or tokens else None,
        )

    def cost(self, ws_id: str, usd: float | None, tokens: tuple[int, int] | None) -> Cost:
        """Return the cost of a turn."""
        return Cost(
            run_id=self.run_id,
            ws_id=ws_id,
            step_attempt_id=None,
            model_name=None,
            input_tokens=tokens[0] if tokens else None,
            output_tokens=tokens[1] if tokens else None,
            estimated_cost_usd=None,
            actual_cost_usd=usd,
            timestamp="2026-01-01T00:00:00.000000Z",
        )

    def finish(
        self, ws_id: str, *, edit: float = 10, static: float = 2, runtime: float = 8
    ) -> None:
        """Take a workstream from where it is to its merge."""
        self.move(ws_id, WorkstreamState.EDITING)
        self.attempt(ws_id, "edit", edit)
        self.move(ws_id, WorkstreamState.STATIC_CHECK)
        self.attempt(ws_id, "static", static)
        self.move(ws_id, WorkstreamState.RUNTIME_TESTS)
        self.attempt(ws_id, "runtime", runtime)
        self.move(ws_id, WorkstreamState.DONE)
        self.merge(ws_id)

    def merge(self, ws_id: str, to: IntegrationState = IntegrationState.MERGED) -> None:
        """Queue a done workstream and merge it."""
        for state in (IntegrationState.QUEUED, to):
            told = {"into": "integration/run-1", "conflicts": "a.py" if to == "conflict" else ""}
            self.journal.move_integration(self.run_id, ws_id, state, payload=told)

    def event(self, kind: EventType, ws_id: str | None = None, **payload: Any) -> None:
        """Record an event."""
        self.journal.record_event(kind, run_id=self.run_id, ws_id=ws_id, payload=payload)

    def another(self, run_id: str) -> Story:
        """Return another run of the same journal."""
        return Story(self.journal, self.clock, run_id)


@contextmanager
def told(*ws_ids: str, **metadata: Any) -> Iterator[Story]:
    """Give the story of a run that has just begun."""
    clock = SetClock()
    with open_journal(None, clock=clock) as journal:
        story = Story(journal, clock)
        story.begin(*(bundle(ws_id) for ws_id in ws_ids), **metadata)
        yield story
