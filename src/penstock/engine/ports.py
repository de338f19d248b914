"""What the engine is asked for and whom it tells: run requests, observers, the clock."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from penstock.model.bundle import Bundle
from penstock.model.records import Event


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A set of validated bundles to run together.

    `run_id` None makes one from the clock. `tool` beats every bundle's own. `model` is handed to
    tools that take one. `max_parallel` beats limits.max_parallel; with `fail_fast` nothing starts
    any more once a workstream has failed. `max_cost_usd` beats limits.max_cost_usd. `preflight` is
    what was found before, to be kept with the run; None when nobody looked.
    """

    bundles: tuple[Bundle, ...]
    run_id: str | None = None
    tool: str | None = None
    model: str | None = None
    max_parallel: int | None = None
    fail_fast: bool = False
    max_cost_usd: float | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    preflight: dict[str, Any] | None = None


class ResumeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What beats the choices that a run began with; None leaves one as it was. `preflight` is what was
    found before it went on, to be kept with the run."""

    tool: str | None = None
    max_parallel: int | None = None
    max_cost_usd: float | None = None
    preflight: dict[str, Any] | None = None


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One command of a dry run; `argv` is masked."""

    step: str
    what: str
    argv: tuple[str, ...]


class PlannedWorkstream(msgspec.Struct, frozen=True, kw_only=True):
    """What a dry run would do for one workstream."""

    ws_id: str
    tool: str
    branch: str
    depends_on: tuple[str, ...]
    prompt: str
    steps: tuple[PlannedStep, ...]
    notes: tuple[str, ...] = ()


class Observer(Protocol):
    """Somebody who watches a run live. Called from the thread that works; must not raise."""

    def event(self, event: Event) -> None:
        """Take notice of an event that has just been recorded."""
        ...

    def output(self, ws_id: str, step: str, line: str) -> None:
        """Take notice of a redacted line that a tool or check printed."""
        ...


class Clock(Protocol):
    """The time, in seconds since the epoch (UTC)."""

    def __call__(self) -> float:
        """Return the present moment."""
        ...
