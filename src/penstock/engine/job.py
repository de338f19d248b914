"""One workstream at work: its bundle, its services, and the worktree it has been given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.engine.services import Services
from penstock.errors import Interrupted
from penstock.model.bundle import Bundle
from penstock.model.events import EventType
from penstock.model.records import Attempt, Workstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A workstream of a run with all that is needed to work on it.

    `forced_tool` is set when the user named the tool for this run, which beats a capability.
    `route` says why a turn of a capability has this tool.
    """

    services: Services
    run_id: str
    integration_branch: str
    bundle: Bundle
    tool_id: str
    model: str | None = None
    forced_tool: bool = False
    route: dict[str, object] | None = None

    @property
    def ws_id(self) -> str:
        """The workstream's id."""
        return self.bundle.id

    @property
    def branch(self) -> str:
        """The workstream's branch."""
        return f"workstream/{self.bundle.id}/{self.run_id}"

    def row(self) -> Workstream:
        """Return the workstream as the journal has it now."""
        return self.services.journal.get_workstream(self.run_id, self.ws_id)

    def attempts(self) -> list[Attempt]:
        """Return the attempts of this workstream, oldest first."""
        return self.services.journal.list_attempts(self.run_id, self.ws_id)

    def event(self, event_type: EventType, payload: dict[str, Any]) -> None:
        """Record an event of this workstream."""
        self.services.journal.record_event(
            event_type, run_id=self.run_id, ws_id=self.ws_id, payload=payload
        )

    def keep_patch(self, name: str, content: bytes) -> str:
        """Keep a patch and return its path relative to the repository."""
        path = self.services.evidence.patch(self.run_id, self.ws_id, name, content)
        return relative(path, self.services.root)

    def check_stop(self) -> None:
        """Raise Interrupted when the user asked to stop."""
        if self.services.stop.asked:
            raise Interrupted(f"{self.ws_id} was interrupted")


def relative(path: Path, root: Path) -> str:
    """Return `path` relative to `root` with `/`, or as it is when it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
