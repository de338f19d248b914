"""One workstream at work: its bundle, its services, and the worktree it has been given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.engine.masked import masked
from penstock.engine.services import Services
from penstock.engine.signals import Signals
from penstock.errors import Interrupted, PenstockError
from penstock.model.agents import Rung
from penstock.model.bundle import Bundle
from penstock.model.events import EventType
from penstock.model.records import Attempt, Workstream
from penstock.schedule.readiness import Reason


class Waiting(PenstockError):  # noqa: N818 - a state, not an error
    """A workstream waits for something that this process does not sit out in its place.

    `until` is when that ends by itself (seconds since the epoch), None when it does not.
    `whole_run` tells that nothing else of the run may go on either.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: Reason,
        until: float | None = None,
        whole_run: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.until = until
        self.whole_run = whole_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A workstream of a run with all that is needed to work on it.

    `forced_tool` is set when the user named the tool for this run, which beats a capability.
    `route` says why a turn of a capability has this tool. `max_cost_usd` is the cap of the whole
    run. `rung` is the tier of the ladder that a FIX turn was given to. `signals` are shared by all
    workstreams of the run.
    """

    services: Services
    run_id: str
    integration_branch: str
    bundle: Bundle
    tool_id: str
    model: str | None = None
    forced_tool: bool = False
    route: dict[str, object] | None = None
    max_cost_usd: float | None = None
    rung: Rung | None = None
    signals: Signals = field(default_factory=Signals)

    @property
    def ws_id(self) -> str:
        """The workstream's id."""
        return self.bundle.id

    @property
    def branch(self) -> str:
        """The workstream's branch."""
        return f"workstream/{self.bundle.id}/{self.run_id}"

    @property
    def tier(self) -> Rung | None:
        """The tier that this turn was given to; None when another tool has come to take it."""
        rung = self.rung
        return rung if rung is not None and rung.tool_id in (None, self.tool_id) else None

    @property
    def turn_model(self) -> str | None:
        """The model that a tool is told to use: that of its tier, else the run's."""
        return (self.tier.model if self.tier is not None else None) or self.model

    def row(self) -> Workstream:
        """Return the workstream as the journal has it now."""
        return self.services.journal.get_workstream(self.run_id, self.ws_id)

    def attempts(self) -> list[Attempt]:
        """Return the attempts of this workstream, oldest first."""
        return self.services.journal.list_attempts(self.run_id, self.ws_id)

    def history(self) -> list[Attempt]:
        """Return the attempts that count for decisions: those since the last retry by the user."""
        retry = self.row().metadata.get("retry")
        after = int(retry["after"]) if retry else 0
        return [attempt for attempt in self.attempts() if attempt.sequence > after]

    def kept_edit(self) -> bool:
        """Tell whether the user's retry goes on with the edit that an earlier try has made."""
        retry = self.row().metadata.get("retry")
        return retry is not None and retry["from"] != "edit"

    def event(self, event_type: EventType, payload: dict[str, Any]) -> None:
        """Record an event of this workstream, without the secrets that its texts hold."""
        clean = masked(payload, self.services.masks.text)
        self.services.journal.record_event(
            event_type, run_id=self.run_id, ws_id=self.ws_id, payload=clean
        )

    def keep_patch(self, name: str, content: bytes) -> str:
        """Keep a patch and return its path relative to the repository."""
        clean = self.services.masks.patch(content)
        path = self.services.evidence.patch(self.run_id, self.ws_id, name, clean)
        return relative(path, self.services.root)

    def check_stop(self) -> None:
        """Raise Interrupted when the user asked to stop, Waiting when they asked to pause."""
        if self.services.stop.asked:
            raise Interrupted(f"{self.ws_id} was interrupted")
        if (pause := self.signals.pause) is not None:
            raise Waiting(f"{self.ws_id} is paused: {pause}", kind=Reason.PAUSED)


def relative(path: Path, root: Path) -> str:
    """Return `path` relative to `root` with `/`, or as it is when it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
