"""The figures of a run: what it used, how its tools did, and what went otherwise than straight on.

Durations are seconds, costs USD; None means unknown, never nothing.
"""

from __future__ import annotations

import msgspec

from penstock.model.progress import DaySpent, Usage


class DiffStat(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a diff; lines of binary files are not counted."""

    files: int = 0
    insertions: int = 0
    deletions: int = 0


class StepFigures(msgspec.Struct, frozen=True, kw_only=True):
    """All attempts of one step. Those lost or canceled are neither succeeded nor failed."""

    step_name: str
    attempts: int
    succeeded: int
    failed: int
    duration_sec: float


class ToolFigures(msgspec.Struct, frozen=True, kw_only=True):
    """All EDIT and FIX turns of one tool; `success_rate` is the share (0 to 1) of those that came to
    an end of their own, None without any."""

    tool_id: str
    turns: int
    succeeded: int
    failed: int
    success_rate: float | None
    duration_sec: float
    usage: Usage


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """A breaker that stopped a step."""

    ws_id: str
    step: str
    reason: str
    message: str = ""


class Flaky(msgspec.Struct, frozen=True, kw_only=True):
    """A check that failed and passed when it was run again on the same tree."""

    ws_id: str
    step: str
    check: str


class Offence(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that edited outside its scope, and what became of that edit."""

    ws_id: str
    step: str
    policy: str
    paths: tuple[str, ...]
    patch: str | None = None


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that another one of the same step followed with nothing in between; `why` is
    `lost` when its outcome was lost in a crash, else its own outcome."""

    ws_id: str
    step: str
    attempt: int
    tool_id: str | None
    why: str


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that could not be made."""

    ws_id: str
    paths: str


class Integration(msgspec.Struct, frozen=True, kw_only=True):
    """The way into the integration branch. `checks` counts the checks of merged trees that were
    recorded as attempts, `red` those that failed."""

    merged: int = 0
    open: int = 0
    checks: int = 0
    red: int = 0
    fixes: int = 0
    conflicts: tuple[Conflict, ...] = ()
    rejected: tuple[str, ...] = ()


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long (seconds) workstreams waited for something, added up over them."""

    reason: str
    times: int
    duration_sec: float


class Quarantine(msgspec.Struct, frozen=True, kw_only=True):
    """A workstream, or with `ws_id` None the whole run, that was set aside."""

    ws_id: str | None
    reason: str | None


class NotChecked(msgspec.Struct, frozen=True, kw_only=True):
    """A step that a workstream passed with no check to run, or never came to."""

    ws_id: str
    step: str
    why: str


class WorkstreamFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one workstream; `steps` are seconds by step."""

    ws_id: str
    usage: Usage
    max_cost_usd: float | None
    duration_sec: float
    steps: dict[str, float]
    diff: DiffStat | None = None


class RunFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a run. The caps are those of the settings now, and `today`, which is there
    where a day has a cap, is the day on which the figures were drawn up."""

    usage: Usage
    max_cost_usd: float | None = None
    max_tokens: int | None = None
    today: DaySpent | None = None
    workstreams: tuple[WorkstreamFigures, ...] = ()
    tools: tuple[ToolFigures, ...] = ()
    steps: tuple[StepFigures, ...] = ()
    breaker_trips: tuple[Trip, ...] = ()
    flaky: tuple[Flaky, ...] = ()
    scope_violations: tuple[Offence, ...] = ()
    attempts_again: tuple[Again, ...] = ()
    integration: Integration = Integration()
    waits: tuple[Wait, ...] = ()
    quarantines: tuple[Quarantine, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    diff: DiffStat | None = None
