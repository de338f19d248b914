"""How far a run has come: the documented snapshot and metrics, and what a live view shows."""

from __future__ import annotations

import msgspec

from penstock.model.states import IntegrationState, WorkstreamState


class ProgressSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run has come at one moment; a task is a workstream.

    `failed_tasks` are those that ended otherwise than done, `pending_tasks` those that have not
    ended. `completion_percent` is the share of done ones, 100 without any task. Times are ISO 8601
    UTC, durations seconds. What is estimated comes from durations in the journal and is None
    while it holds none that fits. `current_task` is the workstream that is at work the longest,
    `current_task_progress` the percent of its work that is done.
    """

    run_id: str
    timestamp: str
    total_tasks: int
    completed_tasks: int
    failed_tasks: int
    pending_tasks: int
    completion_percent: float
    started_at: str | None = None
    estimated_completion: str | None = None
    elapsed_seconds: float = 0.0
    estimated_remaining_seconds: float | None = None
    current_task: str | None = None
    current_task_progress: float | None = None


class RunMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over a run; a step is a recorded attempt, of which lost and canceled ones are neither
    completed nor failed. `error_events` tell of something that went wrong."""

    run_id: str
    status: str
    total_steps: int
    completed_steps: int
    failed_steps: int
    total_events: int
    error_events: int
    created_at: str
    started_at: str | None = None
    ended_at: str | None = None
    duration_seconds: float | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What turns used. The amounts are those that are known, None when none is; `unpriced` turns
    have no known cost, so that `cost_usd` is a lower bound where it is not 0."""

    turns: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    unpriced: int = 0

    @property
    def tokens(self) -> int | None:
        """Tokens in and out together."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)


class DaySpent(msgspec.Struct, frozen=True, kw_only=True):
    """What all runs have spent on a UTC day, against the caps of a day, None where there is none.

    `cost_usd` lacks the cost of `unpriced` turns.
    """

    day: str
    cost_usd: float
    tokens: int
    unpriced: int = 0
    max_cost_usd: float | None = None
    max_tokens: int | None = None


class WorkstreamNow(msgspec.Struct, frozen=True, kw_only=True):
    """One workstream at one moment. Times are seconds since the epoch.

    `step`, `attempt` and `tool_id` are of the attempt under way, between two the tool of the last
    EDIT turn; `waiting` says in one word what
    it waits for (a reason of `workstream_waiting`, or `slots`), and `reason` why it waits or failed.
    """

    ws_id: str
    state: WorkstreamState
    integration: IntegrationState = IntegrationState.NONE
    step: str = ""
    attempt: int = 0
    tool_id: str = ""
    began_at: float | None = None
    ended_at: float | None = None
    usage: Usage = Usage()
    waiting: str | None = None
    reason: str | None = None
    working: bool = False


class RunNow(msgspec.Struct, frozen=True, kw_only=True):
    """A run at one moment, for who watches it.

    `waiting` counts the workstreams that wait by what they wait for. `critical_path` is the chain
    of workstreams that takes the longest from now on, and `critical_path_s` how long (seconds);
    None without history. `today` is there where a day has a cap. `seen_at` is the moment, in seconds since the epoch.
    """

    run_id: str
    status: str
    reason: str | None
    seen_at: float
    snapshot: ProgressSnapshot
    workstreams: tuple[WorkstreamNow, ...]
    working: int = 0
    waiting: dict[str, int] = msgspec.field(default_factory=dict)
    usage: Usage = Usage()
    max_cost_usd: float | None = None
    max_tokens: int | None = None
    today: DaySpent | None = None
    critical_path: tuple[str, ...] = ()
    critical_path_s: float | None = None
