"""From the work of plugins to a report: a result for each file, a line for each plugin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import PurePath

from penstock.checks.inspection.assign import Assigned
from penstock.checks.inspection.suppress import split, suppressions
from penstock.checks.inspection.work import Tally
from penstock.checks.plugins.port import Unavailable
from penstock.model.finding import Category, Finding, Severity
from penstock.model.inspection import (
    ENGINE,
    NO_CHECKER,
    NOT_CHECKED,
    PLUGIN_FAILED,
    TOOL_MISSING,
    FileResult,
    FileStatus,
    PluginState,
    PluginUse,
)

SEARCHES = frozenset({"secrets"})
"""Plugins that search any file for one kind of trouble and are always there: that such a one has nothing
to say does not mean that anything has checked the file."""


def file_results(
    files: Sequence[str],
    tallies: Mapping[str, Tally],
    extra: Mapping[str, Sequence[Finding]],
    lines_of: Callable[[str], Sequence[str]],
    *,
    strict: bool,
    fixed_by: Mapping[str, tuple[str, ...]],
    searches: Collection[str] = SEARCHES,
) -> tuple[FileResult, ...]:
    """Return the results of files in their order. `extra` are the engine's own findings; plugins of
    `searches` do not count as having checked a file."""
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    looked_at: set[str] = set()
    fresh: set[str] = set()
    for plugin_id, tally in tallies.items():
        for path, findings in tally.found.items():
            found[path] += findings
        if plugin_id not in searches:
            looked_at |= tally.found.keys() | tally.failed.keys()
        fresh |= (tally.found.keys() | tally.failed.keys()) - tally.cached
    for plugin_id, tally in tallies.items():
        for path, reason in tally.failed.items():
            found[path].append(failure(plugin_id, path, reason))
    results = []
    for path in files:
        own = [*extra.get(path, ()), *sorted(found[path], key=_position)]
        if path not in looked_at and not own:
            own = [note(path, NO_CHECKER, "no plugin checks this file", Severity.WARNING)]
        kept, suppressed = split(own, suppressions(lines_of(path))) if own else ((), ())
        results.append(
            FileResult(
                path=path,
                status=status_of(kept, strict=strict),
                findings=tuple(kept),
                suppressed=tuple(suppressed),
                fixed_by=fixed_by.get(path, ()),
                cached=path in looked_at and path not in fresh,
            )
        )
    return tuple(results)


def without(results: Iterable[FileResult], unfinished: Collection[str]) -> list[FileResult]:
    """Return the results that stand: a file whose check was cut short has not passed."""
    left = frozenset(unfinished)
    return [one for one in results if one.path not in left or one.status is FileStatus.FAILED]


def _position(found: Finding) -> tuple[int, int, str, str, str]:
    return found.line or 0, found.column or 0, found.tool, found.code or "", found.message


def status_of(findings: Iterable[Finding], *, strict: bool) -> FileStatus:
    """Return whether findings fail a file: errors do, in strict mode warnings as well.

    That nothing checks a file never fails it.
    """
    failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    bad = any(f.severity in failing and f.code != NO_CHECKER for f in findings)
    return FileStatus.FAILED if bad else FileStatus.PASSED


def failure(plugin_id: str, path: str, reason: str) -> Finding:
    """Return the finding that a plugin could not check a file."""
    return Finding(
        tool=plugin_id, path=path, code=PLUGIN_FAILED, category=Category.OTHER, message=reason
    )


def missing(plugin_id: str, path: str, absent: Unavailable) -> Finding:
    """Return the finding that a required tool is missing."""
    hint = f" ({absent.hint})" if absent.hint else ""
    return Finding(tool=plugin_id, path=path, code=TOOL_MISSING, message=f"{absent.reason}{hint}")


def note(path: str, code: str, message: str, severity: Severity = Severity.ERROR) -> Finding:
    """Return a finding of the engine itself."""
    return Finding(tool=ENGINE, path=path, code=code, message=message, severity=severity)


def refusals(refused: Iterable[tuple[str, str]], *, strict: bool) -> tuple[FileResult, ...]:
    """Return failed results of named files that could not be taken."""
    results = []
    for path, why in refused:
        findings = (note(path, NOT_CHECKED, why),)
        status = status_of(findings, strict=strict)
        results.append(FileResult(path=path, status=status, findings=findings))
    return tuple(results)


def plugin_use(assigned: Assigned, tally: Tally, *, require: bool, named: bool) -> PluginUse:
    """Return what became of a plugin. `named`: it was asked for by its name."""
    if isinstance(assigned.found, Unavailable):
        return PluginUse(
            plugin_id=assigned.plugin_id,
            tool=_tool(assigned),
            state=_absent(assigned.found, require=require, named=named),
            files=len(assigned.files),
            reason=assigned.found.reason,
            hint=assigned.found.hint,
        )
    return PluginUse(
        plugin_id=assigned.plugin_id,
        tool=_tool(assigned),
        state=_state(assigned, tally),
        version=assigned.found.version if assigned.found is not None else None,
        files=len(assigned.files),
        cached=len(tally.cached),
        duration_s=round(tally.duration_s, 3),
        reason=next(iter(tally.failed.values()), None),
    )


def _tool(assigned: Assigned) -> str | None:
    """Return what the findings of a plugin call their tool."""
    spec = assigned.plugin.manifest.tool
    return None if spec is None else PurePath(spec.command).name


def _absent(found: Unavailable, *, require: bool, named: bool) -> PluginState:
    """Return the state of a plugin that cannot work; one that is not wanted here has nothing to do."""
    if found.by_choice:
        return PluginState.UNAVAILABLE if named else PluginState.IDLE
    return PluginState.FAILED if require else PluginState.UNAVAILABLE


def _state(assigned: Assigned, tally: Tally) -> PluginState:
    if not assigned.files:
        return PluginState.IDLE
    if tally.failed:
        return PluginState.FAILED
    return PluginState.CACHED if len(tally.cached) == len(assigned.files) else PluginState.RAN
