"""What the error engine reports: files with their findings, and the plugins that looked at them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from penstock.model.finding import Category, Finding, Severity

ENGINE = "penstock"
"""The tool of findings that the engine itself makes."""
NO_CHECKER = "no-checker"
PLUGIN_FAILED = "plugin-failed"
NOT_CHECKED = "not-checked"
TOOL_MISSING = "tool-missing"

HARD = frozenset({Category.SYNTAX, Category.TYPE, Category.TEST_FAILURE})
"""Categories of a hard fail, which no mode lets pass."""
STYLE = frozenset({Category.STYLE, Category.FORMATTING})


class FileStatus(StrEnum):
    """Whether a file passed."""

    PASSED = "PASSED"
    FAILED = "FAILED"


class PluginState(StrEnum):
    """What became of a plugin in a run."""

    RAN = "ran"
    CACHED = "cached"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"
    IDLE = "idle"  # no file for it


class PluginUse(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin in a run. `cached` of its `files` came from the cache; `hint` mends what `reason` says.
    `tool` is what its findings call their tool, None where that is not known."""

    plugin_id: str
    state: PluginState
    tool: str | None = None
    version: str | None = None
    files: int = 0
    cached: int = 0
    duration_s: float = 0.0
    reason: str | None = None
    hint: str | None = None


class FileResult(msgspec.Struct, frozen=True, kw_only=True):
    """One file. `findings` decide; those that a comment in the file suppresses, and those that the
    baseline knows, are kept apart. `fixed_by` are the fixers that changed it in this run."""

    path: str
    status: FileStatus
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()
    fixed_by: tuple[str, ...] = ()
    cached: bool = False

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(found.severity is Severity.ERROR for found in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return sum(found.severity is Severity.WARNING for found in self.findings)


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a plugin ran on a file, or did not: `because` names the parts of the key that changed."""

    plugin_id: str
    path: str
    cached: bool
    because: str


class CacheEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One kept result. `parts` is what the key was made of, for explaining a later miss;
    `expires_at` (seconds since the epoch) ends its life, None never."""

    key: bytes
    plugin_id: str
    path: str
    parts: bytes
    value: bytes
    expires_at: float | None = None


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the error engine.

    `problems` concern no single file (a manifest that cannot be read, a cache set aside);
    `unusable` are paths that were named and could not be taken, each with its reason.
    `fixed_known` counts findings of the baseline that are gone. `unfinished` are the files that an
    interruption left (partly) unchecked: only those that failed are among `files`. Times are seconds
    since the epoch and seconds.
    """

    started_at: float
    duration_s: float
    files: tuple[FileResult, ...] = ()
    plugins: tuple[PluginUse, ...] = ()
    problems: tuple[str, ...] = ()
    unusable: tuple[tuple[str, str], ...] = ()
    explanations: tuple[Explanation, ...] = ()
    fixed_known: int = 0
    interrupted: bool = False
    unfinished: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether every file passed and every named path was looked at."""
        whole = not self.unusable and not self.unfinished
        return whole and all(f.status is FileStatus.PASSED for f in self.files)

    @property
    def looked(self) -> frozenset[str]:
        """The tools whose word on the checked files is known: all their plugins did their work."""
        absent = (PluginState.UNAVAILABLE, PluginState.FAILED)
        missed = {use.tool for use in self.plugins if use.state in absent}
        named = {use.tool for use in self.plugins if use.tool is not None}
        return frozenset(named - missed)

    @property
    def infra(self) -> tuple[str, ...]:
        """Why the checks could not do their work: reasons of failed plugins, empty when they did."""
        return tuple(
            f"{use.plugin_id}: {use.reason}"
            for use in self.plugins
            if use.state is PluginState.FAILED
        )
