"""What reading a plan gives, whatever its dialect: units of work, their items, and what is odd."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from penstock.model.bundle import Priority


class Dialect(StrEnum):
    """Whose format a plan has."""

    OPENSPEC = "openspec"
    CCPM = "ccpm"
    SPEC_KIT = "spec-kit"
    TASK_MASTER = "task-master"
    CHECKLIST = "checklist"


class ItemState(StrEnum):
    """Whether an item is still to be done; `skipped` are deferred, cancelled and archived ones."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


class Severity(StrEnum):
    """How much a notice matters: an error is a contradiction within the plan."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Use(StrEnum):
    """What a task does with a file."""

    MODIFY = "modify"
    CREATE = "create"
    READ = "read"


class Place(msgspec.Struct, frozen=True, order=True):
    """A line of a file; `file` as people name it (from the repository's top, `-` for standard
    input), lines count from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something odd, wrong or unread in a plan, with its place and how to mend it.

    `code` is a stable kebab-case name such as `unknown-dependency`.
    """

    code: str
    severity: Severity
    text: str
    place: Place | None = None
    hint: str | None = None


class StatedPath(msgspec.Struct, frozen=True, kw_only=True):
    """A path that a field made for paths states (relevantFiles, **Files**, allowedEditRoots)."""

    path: str
    use: Use
    place: Place
    field: str


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """Text about a unit that may name files and symbols: an analysis, a design, a spec's section.

    `role` is what it is (`design`, `analysis`, `spec`, `plan`, `proposal`); `place` where it begins.
    """

    role: str
    text: str
    place: Place


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest thing that a plan counts: a box, a task file or one of its streams, a task or
    subtask.

    `key` is unique within its source and stays the same when other items come and go; `label` is
    the id as it is written (T012, 1.3, 5.2), None where there is none. `text` is one line without
    mark and label; `details` the lines below it. `raw_state` is the mark or status as written.
    `parallel` is what the author claims, None when nothing is said. `depends_on` are keys of
    items of the same source; a reference that leads nowhere is a notice instead.
    """

    key: str
    label: str | None
    text: str
    state: ItemState
    raw_state: str
    place: Place
    details: str = ""
    depends_on: tuple[str, ...] = ()
    parallel: bool | None = None
    paths: tuple[StatedPath, ...] = ()


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """Items that the source itself puts together: a group, story, phase, epic task, stream, task.

    `key` is unique within the source and fit for an id after slugging (`g1`, `us2`, `setup`,
    `12-a`, `5`); `kind` names what it is in the source's words. `gate` is the written order of
    groups or phases, 1 where the source has only dependencies. `depends_on` and `conflicts_with`
    are keys of units of the same source. `issue` becomes ccpm_issue. `acceptance` are criteria or
    scenarios as prose; `passages` may name paths; `forbidden` are paths that must not be touched.
    """

    key: str
    kind: str
    title: str
    place: Place
    items: tuple[Item, ...]
    issue: int | str
    gate: int = 1
    depends_on: tuple[str, ...] = ()
    conflicts_with: tuple[str, ...] = ()
    parallel_ok: bool = True
    priority: Priority = Priority.FOREGROUND
    acceptance: tuple[str, ...] = ()
    paths: tuple[StatedPath, ...] = ()
    forbidden: tuple[StatedPath, ...] = ()
    passages: tuple[Passage, ...] = ()
    metadata: dict[str, Any] = {}


class PlanSource(msgspec.Struct, frozen=True, kw_only=True):
    """One plan as read: every item of it is in exactly one unit.

    `id` is what people call it (a change id, an epic's name, NNN-slug, a tag) and `plan_id` what
    bundles carry as openspec_change (`epic/<name>`, `specs/<NNN-slug>`, `tag/<tag>`, the change id).
    `path` is where it was read from, as people name it. `files` are the SHA-256 of all files read,
    by name. `passages` concern all units.
    """

    dialect: Dialect
    id: str
    plan_id: str
    title: str
    path: str
    files: dict[str, str]
    units: tuple[Unit, ...]
    passages: tuple[Passage, ...] = ()
    paths: tuple[StatedPath, ...] = ()
    notices: tuple[Notice, ...] = ()
    metadata: dict[str, Any] = {}

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, in the order of the source."""
        return tuple(item for unit in self.units for item in unit.items)


class TracedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as a bundle remembers it, to find its line again."""

    key: str
    label: str | None
    text: str
    place: Place
    raw_state: str


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a bundle comes from: kept as `metadata.plan` of every bundle that a plan made.

    `items` are those the bundle will do, in the order of its tasks; `done` those of its units that
    were done before. `path` is that of the source, `files` are those of its files that concern these
    units, and `version` is a hash over all of them: bundles made of the same reading share it.
    """

    dialect: Dialect
    id: str
    path: str
    tag: str | None = None
    files: dict[str, str] = {}
    version: str = ""
    units: tuple[str, ...] = ()
    items: tuple[TracedItem, ...] = ()
    done: tuple[TracedItem, ...] = ()
