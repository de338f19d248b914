"""What reading bundles gives, and writing them: the bundles, every problem of every file, changes."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from penstock.model.bundle import Bundle

MISSING_REFERENCES = "Missing dependency references"
CYCLES = "Dependency cycle(s) detected"
OVERLAPS = "File scope overlaps detected"
OVERLAPS_AUTHORING = "Overlapping file scopes"
DUPLICATE_ID = "Duplicate bundle id"

DEFAULT_CAPABILITIES: tuple[str, ...] = (
    "code_generation",
    "linting",
    "refactoring",
    "testing",
    "version_checking",
    "planning",
    "review",
)


class ProblemType(StrEnum):
    """What kind of problem a bundle has."""

    SCHEMA = "schema"
    DEPENDENCY = "dependency"
    CYCLE = "cycle"
    OVERLAP = "overlap"
    CONFIG = "config"
    UNEXPECTED = "unexpected"


class BundleProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One problem.

    `file` is the file as it was named; `id` the bundle's id where it has one; `path` the JSON path
    within the file, `$.tasks[2]` in a file of one object and `[3].gate` in a list, None when the
    problem is not at one place. `details` says what was expected and how to mend it.
    """

    type: ProblemType
    file: str | None
    id: str | None
    path: str | None
    details: str

    @property
    def text(self) -> str:
        """The problem in one line: `file: path: details`."""
        return ": ".join(part for part in (self.file, self.path, self.details) if part)


class LoadedBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle and the file it came from."""

    bundle: Bundle
    file: str


class ValidationReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that reading a set of bundles found.

    `errors` come in the order unknown fields, schema, duplicates, references, cycles, overlaps, and
    within that by file and place. `bundles` are those that could be read, sorted by id; `available`
    are the bundles of the directory beside the named files, which `depends_on` may name.
    `bundles_checked` counts bundles, wrong ones too.
    """

    ok: bool
    bundles_checked: int
    errors: tuple[BundleProblem, ...] = ()
    bundles: tuple[LoadedBundle, ...] = ()
    available: tuple[LoadedBundle, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the documented object {ok, bundles_checked, errors}."""
        return {
            "ok": self.ok,
            "bundles_checked": self.bundles_checked,
            "errors": [msgspec.to_builtins(problem) for problem in self.errors],
        }


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What writing a plan does to a folder, names sorted.

    `removed` are files of the same sources that the plan no longer has; `kept` those that people have
    edited and that are in nobody's way, with the reason; `conflicts` are those that would be written over or removed
    though a plan did not write them, or people have edited them, with the reason.
    """

    directory: str
    written: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: dict[str, str] = {}
    conflicts: dict[str, str] = {}

    @property
    def changes(self) -> bool:
        """Whether anything is written or removed."""
        return bool(self.written or self.removed)
