"""What the escalation pipeline leans on, and how an agent is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from penstock.checks.api import Inspector
from penstock.engine.calls import CallResult
from penstock.engine.ports import Clock
from penstock.engine.services import Hold, Masks
from penstock.model.agents import AgentProfiles, Rung
from penstock.model.records import Attempt
from penstock.model.settings import CheckoutPolicy, Price
from penstock.process.api import Stop
from penstock.store.api import Journal
from penstock.worktrees.api import Repository


class FixOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One AI attempt: who is asked, for which files, in which tree.

    `scratch` takes the prompt, and the output where there is no `log` of its own; `marker` is for the environment of every process of it. `undo`
    brings the tree back to what it was, for the next tool after one that failed. `metadata` is that of
    the workstream's bundle.
    """

    run_id: str
    ws_id: str
    rung: Rung
    tree: Path
    scratch: Path
    files: tuple[str, ...]
    prompt: str
    marker: str
    log: Path | None
    undo: Callable[[], None]
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class AskAgent(Protocol):
    """Asks an agent through AIM, or its tool directly where AIM is off."""

    def __call__(self, order: FixOrder, stop: Stop, /) -> CallResult:
        """Ask it and return what came of it. Raises nothing for what tools do."""
        ...

    def require(self, rung: Rung, /) -> None:
        """Raise ConfigError when the tool or capability of an agent does not exist."""
        ...


class PipelineLock(Protocol):
    """The lock of one pipeline, against every other process on this machine."""

    def __call__(self, run_id: str, ws_id: str, /) -> AbstractContextManager[None]:
        """Return the lock. Entering it raises ClaimError when it is taken."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """The edges of the pipeline.

    `state` is the folder of the journal's evidence, `reports` that of the pipelines' own files
    (`.state/error_pipeline`). `repository()` opens the git repository, which only AI attempts need; it
    raises RepositoryError. `log_of` names the log of an attempt of the journal, `versions` are told in the quarantine. The others are as in Services.
    """

    root: Path
    state: Path
    reports: Path
    journal: Journal
    inspector: Inspector
    repository: Callable[[], Repository]
    profiles: AgentProfiles
    protected: tuple[str, ...]
    prices: Mapping[str, Price]
    checkout_policy: CheckoutPolicy
    ask: AskAgent
    masks: Masks
    clock: Clock
    stop: Stop
    hold: Hold
    lock: PipelineLock
    owner: Mapping[str, Any]
    sweep: Callable[[Iterable[str], Iterable[Path]], int]
    log_of: Callable[[Attempt], Path]
    new_marker: Callable[[str, str, str, int], str]
    versions: Mapping[str, str]


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline is begun with: paths relative to the tree, and choices that beat the
    configuration (None: as configured). `without` are agents that are not to be asked."""

    python_files: tuple[str, ...] = ()
    powershell_files: tuple[str, ...] = ()
    other_files: tuple[str, ...] = ()
    strict: bool | None = None
    mechanical: bool | None = None
    without: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """All files."""
        return (*self.python_files, *self.powershell_files, *self.other_files)
