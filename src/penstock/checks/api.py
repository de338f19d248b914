"""A check: what is run in a worktree to judge it, and what it said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from penstock.model.finding import Finding
from penstock.model.inspection import CacheEntry as CacheEntry  # the store makes them, too
from penstock.model.inspection import CheckReport
from penstock.process.api import FilterFactory, Stop


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One command that judges a worktree.

    `check_id` is a tool profile's id or the acceptance command as written. `parser` names the
    reader of its output (ruff, pytest, mypy, lines). `working_dir` is relative to the worktree.
    `problem` says why it can never run as it is written (an acceptance command that needs a
    shell): nothing is started for it, and its CheckRun carries the problem.
    """

    check_id: str
    step: str
    argv: tuple[str, ...]
    success_codes: tuple[int, ...] = (0,)
    timeout_s: float = 60.0
    parser: str = "lines"
    env: dict[str, str] = msgspec.field(default_factory=dict)
    profile: str | None = None
    acceptance: bool = False
    working_dir: str = "."
    problem: str | None = None


class CheckRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one check said.

    `problem` is set when the check could not do its work (tool missing, imports from outside the
    worktree): that is an environment error, which no FIX turn can mend. `flaky` means that it
    failed and passed when run once more. `tests` is how many tests ran, None when unknown.
    """

    check: Check
    passed: bool
    exit_code: int | None
    duration_s: float
    findings: tuple[Finding, ...] = ()
    tail: str = ""
    timed_out: bool = False
    flaky: bool = False
    tests: int | None = None
    swept: int = 0
    problem: str | None = None
    interrupted: bool = False


class CheckContext(msgspec.Struct, frozen=True, kw_only=True):
    """Where and for whom a check runs; `log` is appended to, `on_log` hears of the same.

    `env` are variables that every check gets, under those of its own tool profile; `on_start` hears
    of each process that is started (see Command).
    """

    worktree: Path
    repo_root: Path
    log: Path
    marker: str
    run_id: str
    ws_id: str
    on_log: Callable[[bytes], None] | None = None
    env: Mapping[str, str] = msgspec.field(default_factory=dict)
    on_start: Callable[[int, int], None] | None = None


class Checks(Protocol):
    """The checks of a repository."""

    def plan(
        self, step: str, tree: Path, acceptance_tests: tuple[str, ...]
    ) -> tuple[tuple[Check, ...], tuple[str, ...]]:
        """Return the checks of `step` (static or runtime) for this tree, and notes for the report.

        Configured tools win; absent ones are detected from the tree. Acceptance entries that are
        commands belong to runtime, the rest is prose and becomes a note.
        """
        ...

    def run(
        self, check: Check, context: CheckContext, stop: Stop, make_filter: FilterFactory
    ) -> CheckRun:
        """Run one check. A failing runtime check is run once more. Never raises for what it does."""
        ...


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where files are checked: `tree` holds them (a worktree, or what is staged), `root` is the
    repository, whose environment and state folder serve. Both absolute and resolved."""

    tree: Path
    root: Path


class InspectionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the error engine is asked for. `files` are relative to the tree, with forward slashes.

    `only` and `skip` are plugin ids or tools' names. `require`: a plugin whose tool is missing is an
    error. `strict`: warnings fail a file, too. `fix` lets fixers rewrite. `unusable` are named
    paths that selection refused, with the reason. `listing` are the files of the project where they
    are known already.
    """

    place: Place
    files: tuple[str, ...]
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    fix: bool = False
    require: bool = False
    strict: bool = False
    use_cache: bool = True
    explain: bool = False
    unusable: tuple[tuple[str, str], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    listing: tuple[str, ...] | None = None


class ResultCache(Protocol):
    """Results by key, shared by processes. Nothing here raises for a damaged or locked cache:
    a lookup then finds nothing, and `notes` says so once."""

    def lookup(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the values of those keys that are there, and mark them as used."""
        ...

    def save(self, entries: Sequence[CacheEntry]) -> None:
        """Keep results, all or none; prune what is beyond the bounds."""
        ...

    def last_parts(self, plugin_id: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return for each path the parts of the newest result of a plugin, where there is one."""
        ...

    def facts(self, names: Sequence[str]) -> dict[str, str]:
        """Return small remembered facts (tool identity -> version)."""
        ...

    def remember(self, facts: Mapping[str, str]) -> None:
        """Keep small facts."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know: set aside, rebuilt, read-only."""
        ...

    def close(self) -> None:
        """Give the file back."""
        ...


class Inspector(Protocol):
    """The error engine."""

    def inspect(
        self,
        request: InspectionRequest,
        *,
        stop: Stop | None = None,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> CheckReport:
        """Check files. `on_progress` hears (plugin id, files done, files in all).

        Raises UsageError for an unknown plugin id in `only` or `skip`; never for what a tool does.
        """
        ...

    def plugins(self, place: Place) -> tuple[PluginInfo, ...]:
        """Return every plugin with its tool found or how to install it, in the order they run."""
        ...


class PluginInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin as `penstock check --list` shows it."""

    plugin_id: str
    name: str
    kind: str
    file_extensions: tuple[str, ...]
    requires: tuple[str, ...]
    available: bool
    executable: str | None = None
    version: str | None = None
    hint: str | None = None
    cached_by: str = ""
    origin: str = "built in"
    default: bool = True
