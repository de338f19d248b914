"""Everything a running engine leans on, in one frozen value made by wiring."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from penstock.audit.api import AuditTrail
from penstock.checks.api import Checks
from penstock.engine.diskguard import Room
from penstock.engine.evidence import Evidence
from penstock.engine.ports import Clock
from penstock.engine.router import Router
from penstock.environment.api import Isolation
from penstock.leaks.found import LeakVerdict
from penstock.model.agents import Rung
from penstock.model.bundle import Bundle
from penstock.model.records import Attempt
from penstock.model.settings import BreakerLimits, CheckoutPolicy, PipelineSettings
from penstock.process.api import FilterFactory, Stop
from penstock.store.api import Journal
from penstock.tools.api import Toolbox
from penstock.worktrees.api import Repository


class Masks(Protocol):
    """Takes secrets out of text."""

    def text(self, text: str) -> str:
        """Return the text with every secret replaced."""
        ...

    def values(self, text: str) -> str:
        """Return the text with the known values replaced, and nothing that only looks like one."""
        ...

    def prose(self, text: str) -> str:
        """Return a text that somebody works by without secrets; what only a name gives away stays."""
        ...

    def patch(self, patch: bytes) -> bytes:
        """Return a patch whose added lines hold no secrets."""
        ...


class SlotLock(Protocol):
    """The lock of one of the slots of a tool, over all runs of this repository."""

    def __call__(self, tool_id: str, number: int, /) -> AbstractContextManager[None]:
        """Return the lock. Entering it raises ClaimError when it is taken."""
        ...


class Hold(Protocol):
    """Holds a run for this process, against every other one on this machine."""

    def __call__(self, run_id: str, /) -> AbstractContextManager[None]:
        """Return the lock of a run. Entering it raises ClaimError when another process has it."""
        ...


class LeakGate(Protocol):
    """Looks for secrets that commits bring along."""

    def judge(self, base: str, head: str) -> LeakVerdict:
        """Return what the commits from `base` to `head` bring. Raises GitError, ConfigError,
        EnvironmentProblem."""
        ...

    def note(self, commit: str, parent: str, oids: Iterable[str]) -> None:
        """Take down what objects a commit brought, so that git need not be asked for them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The edges of the engine.

    `limits_for(step, bundle)` gives the budgets of a step with all overrides. `jitter()` draws
    from 0.5..1.5. `watch_output(ws_id, step)` gives what takes the redacted output of an attempt
    as it comes, or None. `new_marker(...)` makes the value that every child of an attempt carries.
    `sweep(markers, cwds)` ends what a dead orchestrator left and returns how many there were.
    `owner` says who holds a run (host, process, start). `free_mb()` is the free disk space.
    `room(run_id, ws_id, busy)` tells whether there is room for a workstream to go to work beside those
    that are busy. `is_alive(attempt)` tells whether the process of an attempt still lives: its number, its start
    and its marker are all those recorded. `isolation` gives each workstream its ports and temporary
    folder. `ensure_descriptors(children)` raises EnvironmentProblem when this process could not
    watch so many.
    `router` is None where AIM is off or not to be reached, `audit` where auditing is off.
    `leaks` is None where nobody looks for secrets.
    `ladder` says who takes the first, second, ... FIX turn of a step; empty: the workstream's own tool.
    """

    root: Path
    settings: PipelineSettings
    checkout_policy: CheckoutPolicy
    limits_for: Callable[[str, Bundle], BreakerLimits]
    journal: Journal
    repository: Repository
    toolbox: Toolbox
    checks: Checks
    evidence: Evidence
    clock: Clock
    stop: Stop
    masks: Masks
    make_filter: FilterFactory
    watch_output: Callable[[str, str], Callable[[bytes], None] | None]
    hold: Hold
    jitter: Callable[[], float]
    new_marker: Callable[[str, str, str, int], str]
    sweep: Callable[[Iterable[str], Iterable[Path]], int]
    owner: Mapping[str, Any]
    free_mb: Callable[[], int]
    room: Callable[[str, str, Collection[str]], Room]
    is_alive: Callable[[Attempt], bool]
    isolation: Isolation
    slot_lock: SlotLock
    ensure_descriptors: Callable[[int], None]
    router: Router | None = None
    ladder: tuple[Rung, ...] = ()
    audit: AuditTrail | None = None
    leaks: LeakGate | None = None
