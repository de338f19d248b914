"""A draft: the bundles that a plan makes, and where every item of the plan went."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.model.bundle import Bundle, NonEmpty
from penstock.planning.scoping.api import Guess
from penstock.planning.sources.api import Notice, PlanSource, TracedItem

DEFAULT_THRESHOLD = 0.5
RESOLVED = frozenset({"parallel-overlap"})
"""Codes of errors to which a draft has an answer: what is wrongly called parallel gets an order."""
Count = Annotated[int, Meta(ge=1)]


class GroupBy(StrEnum):
    """What items make a workstream: `auto` takes the units of the dialect."""

    AUTO = "auto"
    STORY = "story"
    GROUP = "group"
    ISSUE = "issue"
    DIRECTORY = "directory"
    LANGUAGE = "language"
    ITEM = "item"
    ALL = "all"


class PlanOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be chosen: the keys of `--options`.

    Limits are for one workstream; estimates are in lines and tokens. `tool` goes into the bundles;
    `files_scope` supplies a scope to what has none. `group_by` and limits never drop an item.
    `sketch` writes what needs a scope as placeholders that no run takes.
    """

    group_by: GroupBy = GroupBy.AUTO
    max_files: Count = 20
    max_tasks: Count = 20
    max_lines: Count = 2000
    max_context_tokens: Count = 100_000
    threshold: Annotated[float, Meta(ge=0, le=1)] = DEFAULT_THRESHOLD
    tool: NonEmpty | None = None
    capability: NonEmpty | None = None
    files_scope: tuple[str, ...] = ()
    sketch: bool = False


class ItemCount(msgspec.Struct, frozen=True, kw_only=True):
    """Where the items went: total is the sum of the others."""

    total: int
    planned: int
    done: int
    needs_scope: int
    skipped: int


class NeedsScope(msgspec.Struct, frozen=True, kw_only=True):
    """Items that belong together and of which nobody knows the files."""

    source: str
    unit: str
    title: str
    items: tuple[TracedItem, ...]
    doubtful: tuple[Guess, ...] = ()
    why: str = ""


class PlannedBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle, the file it goes to (a name without folder), and why it has its scope and order."""

    bundle: Bundle
    file: str
    evidence: tuple[Guess, ...] = ()
    reasons: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that was made of some sources. The same sources and repository give the same plan.

    `stems` are what the files of each source are called by.
    """

    sources: tuple[PlanSource, ...]
    bundles: tuple[PlannedBundle, ...]
    needs_scope: tuple[NeedsScope, ...]
    items: ItemCount
    notices: tuple[Notice, ...]
    options: PlanOptions
    stems: tuple[str, ...] = ()

    @property
    def contradicts(self) -> bool:
        """Whether any notice is an error."""
        return any(notice.severity == "error" for notice in self.notices)

    @property
    def unresolved(self) -> tuple[Notice, ...]:
        """The errors to which the draft has no answer: its bundles may not be what is meant."""
        errors = (notice for notice in self.notices if notice.severity == "error")
        return tuple(notice for notice in errors if notice.code not in RESOLVED)
