"""An issue, what it is told, and the port to whoever keeps issues."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec


class Stage(StrEnum):
    """What became of a workstream, as far as an issue is concerned."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    CANCELED = "canceled"
    INTEGRATED = "integrated"


class Issue(msgspec.Struct, frozen=True):
    """An issue by its number; `repository` is owner/name, None is whatever the checkout belongs to."""

    number: int
    repository: str | None = None


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """A change of labels."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the tracker took it; `reason` says why not. `final` means that asking again is no use:
    the program is missing, or it hung."""

    ok: bool
    reason: str | None = None
    final: bool = False


class IssueTracker(Protocol):
    """Keeps issues. Nothing raises: what goes wrong is in the answer. Bounded in time."""

    def comment(self, issue: Issue, body: str) -> Answer:
        """Add a comment in Markdown."""
        ...

    def relabel(self, issue: Issue, labels: Labels) -> Answer:
        """Change the labels; they must be there already."""
        ...

    def stop(self) -> None:
        """End what is under way at once, and start nothing any more. From any thread."""
        ...
