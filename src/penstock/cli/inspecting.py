"""`penstock check` and the hook: ask the workspace, show what it says, and end as it ended."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from penstock.cli import output
from penstock.cli.checking import (
    DEFAULT_BASELINE,
    CheckOptions,
    exit_code,
    progress,
    refuse_contradictions,
)
from penstock.cli.findings.formats import renderer
from penstock.cli.signals import stop_on_signals
from penstock.cli.words import plural
from penstock.errors import ExitCode, UsageError
from penstock.model.finding import Severity
from penstock.model.inspection import NO_CHECKER, CheckReport, FileStatus, PluginState
from penstock.process.api import Stop
from penstock.wiring import Workspace, open_workspace

if TYPE_CHECKING:
    from penstock.checks.api import Place, PluginInfo

LIST_COLUMNS = ("PLUGIN", "TOOL", "CACHED BY", "FILES")


class Found(Protocol):
    """The files that were meant, and what could not be taken."""

    @property
    def files(self) -> tuple[str, ...]:
        """What to check."""

    @property
    def unusable(self) -> tuple[tuple[str, str], ...]:
        """Mistakes in the command, with reasons."""

    @property
    def refused(self) -> tuple[tuple[str, str], ...]:
        """Files that cannot be judged, with reasons."""

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Files that are no matter for checkers, with reasons."""

    @property
    def listing(self) -> tuple[str, ...]:
        """All files of the project."""


# -- the command ---------------------------------------------------------------------------
def check(options: CheckOptions) -> ExitCode:
    """Do what one command line asks for and return what it ends with.

    Raises UsageError for options that contradict each other, an unknown plugin or revision.
    """
    refuse_contradictions(options)
    with open_workspace() as workspace:
        if options.listing:
            show_plugins(workspace.check_plugins(), as_json=options.style == "json")
            return ExitCode.DONE
        _demand_baseline(workspace, options)
        report = _judged(workspace, options, _inspected(workspace, options))
        show(report, workspace, options)
        _hint_at_warnings(report, options)
    return exit_code(report)


def check_staged() -> ExitCode:
    """Check what is staged, files and bundles, as the hook does; what passed is not told."""
    from penstock.cli.problems import show_errors
    from penstock.hooking import exported_bundles

    options = CheckOptions(staged=True)
    with open_workspace() as workspace, workspace.staged() as (place, found):
        report = _inspect(workspace, options, place, found)
        baseline = place.tree / DEFAULT_BASELINE
        if baseline.is_file():
            report = workspace.against(report, str(baseline), strict=False)
        source = workspace.check_place.tree
        bundles = None if report.interrupted else exported_bundles(place.tree, source)
        if report.files:
            show(_without_missing(report), workspace, options)
    code = exit_code(report)
    if bundles is None or bundles.ok:
        return code
    show_errors(bundles)
    return max(code, ExitCode.FAILED)


def _without_missing(report: CheckReport) -> CheckReport:
    """Return the report without the plugins whose tools are missing: not told at every commit."""
    there = tuple(use for use in report.plugins if use.state is not PluginState.UNAVAILABLE)
    return msgspec.structs.replace(report, plugins=there)


# -- checking ------------------------------------------------------------------------------
def _inspected(workspace: Workspace, options: CheckOptions) -> CheckReport:
    if options.staged:
        with workspace.staged(options.paths) as (place, found):
            return _inspect(workspace, options, place, found)
    try:
        selected = workspace.select(options.paths, changed=options.changed)
    except UsageError as error:
        raise _explained(error, workspace, options) from error
    return _inspect(workspace, options, workspace.check_place, selected)


def _explained(error: UsageError, workspace: Workspace, options: CheckOptions) -> UsageError:
    """Return the error, or one that tells a path apart which was taken for a revision."""
    taken = options.changed
    if not taken or not os.path.lexists(workspace.start / taken):
        return error
    words = ("penstock", "check", taken, *options.paths, "--changed")
    return UsageError(str(error), hint=f"For the path write: {shlex.join(words)}")


def _inspect(
    workspace: Workspace, options: CheckOptions, place: Place, found: Found
) -> CheckReport:
    from penstock.checks.api import InspectionRequest

    request = InspectionRequest(
        place=place,
        files=_without_baselines(found.files, workspace, options),
        only=options.only,
        skip=options.skip,
        fix=options.fix,
        require=options.require,
        strict=options.strict,
        use_cache=options.use_cache,
        explain=options.explain,
        unusable=found.unusable,
        refused=found.refused,
        listing=found.listing,
    )
    if options.verbose:
        for path, why in found.skipped:
            output.warn(f"{path}: skipped, {why}")
    opened = workspace.inspector(cache=options.cache, use_cache=options.use_cache)
    with opened as inspector, stop_on_signals(Stop()) as stop, progress() as shown:
        report = inspector.inspect(request, stop=stop, on_progress=shown)
    problem = workspace.log_checks(report) if options.use_cache else None
    if problem is not None:
        output.warn(f"Note: {problem}")
    return report


def _without_baselines(
    files: Sequence[str], workspace: Workspace, options: CheckOptions
) -> tuple[str, ...]:
    """Leave out what penstock writes itself: searches for secrets take its fingerprints for such."""
    named = workspace.start / (options.baseline or DEFAULT_BASELINE)
    ours = {DEFAULT_BASELINE, os.path.relpath(named, workspace.check_place.tree)}
    return tuple(name for name in files if name not in ours)


def _demand_baseline(workspace: Workspace, options: CheckOptions) -> None:
    """Raise ConfigError for a baseline that is not there, before the work and not after it."""
    named = options.baseline
    if (
        named is not None
        and not options.update_baseline
        and not (workspace.start / named).is_file()
    ):
        workspace.against(CheckReport(started_at=0.0, duration_s=0.0), named, strict=False)


def _judged(workspace: Workspace, options: CheckOptions, report: CheckReport) -> CheckReport:
    """Return the report with what the baseline knows set apart, having written it when asked to."""
    baseline = options.baseline
    if baseline is None and options.update_baseline:
        baseline = str(workspace.check_place.tree / DEFAULT_BASELINE)
    if baseline is None:
        return report
    if options.update_baseline and not report.interrupted:
        partly = bool(options.paths) or options.staged or options.changed is not None
        count = workspace.write_baseline(report, baseline, partly=partly)
        output.warn(f"{options.baseline or DEFAULT_BASELINE} knows {plural(count, 'finding')}")
    return workspace.against(report, baseline, strict=options.strict)


# -- showing -------------------------------------------------------------------------------
def show(report: CheckReport, workspace: Workspace, options: CheckOptions) -> None:
    """Print a report in the format that was asked for."""
    if options.summary:
        _show_lines(report, options)
    elif options.style != "text":
        output.emit(renderer(options.style)(report, str(workspace.root)))
    else:
        named = bool(options.paths) and not any(
            os.path.isdir(workspace.start / path)  # noqa: PTH112 - whatever it is, this says no
            for path in options.paths
        )
        output.emit(_text(report, options, passed=named or options.verbose))


def _hint_at_warnings(report: CheckReport, options: CheckOptions) -> None:
    """Say how to see what is not shown."""
    hidden = any(
        found.severity is Severity.WARNING and found.code != NO_CHECKER
        for file in report.files
        if file.status is FileStatus.PASSED
        for found in file.findings
    )
    if options.style == "text" and hidden and not (options.verbose or options.strict):
        output.warn("Hint: -v shows the warnings of files that passed, too.")


def _show_lines(report: CheckReport, options: CheckOptions) -> None:
    """Print the documented line of each file on stdout and all else on stderr."""
    from penstock.cli.findings.text import file_line

    for file in report.files:
        output.emit(file_line(file))
    output.warn(_text(report, options, passed=False, terminal=False))


def _text(
    report: CheckReport, options: CheckOptions, *, passed: bool, terminal: bool | None = None
) -> str:
    from penstock.cli.findings.text import render

    on_terminal = output.on_terminal(sys.stdout) if terminal is None else terminal
    return render(
        report,
        "",
        verbose=options.verbose,
        colour=on_terminal and not os.environ.get("NO_COLOR"),
        width=output.width() if on_terminal else 0,
        passed=passed,
    )


def show_plugins(plugins: Sequence[PluginInfo], *, as_json: bool) -> None:
    """Print each plugin with its tool, what its results stand on and its files; then those that
    cannot be used here, with what to do."""
    if as_json:
        output.emit_json({"plugins": plugins})
        return
    there = [_row(plugin) for plugin in plugins if plugin.available]
    missing = [(p.plugin_id, p.hint or "") for p in plugins if not p.available]
    _emit_table(LIST_COLUMNS, there)
    if missing:
        output.emit()
        _emit_table(("NOT HERE", "WHAT TO DO"), missing)


def _emit_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns; on a terminal the last one goes on below itself, so none is cut."""
    from penstock.cli.words import one_line

    widths = [max(len(line[i]) for line in (columns, *rows)) for i in range(len(columns) - 1)]
    indent = sum(widths) + 2 * len(widths)
    room = max(output.width() - indent, 20) if output.on_terminal() else sys.maxsize
    for line in (columns, *rows):
        first = "".join(f"{cell:<{size}}  " for cell, size in zip(line, widths, strict=False))
        for number, part in enumerate(_wrapped(one_line(line[-1]), room)):
            output.emit(((" " * indent if number else first) + part).rstrip())


def _wrapped(text: str, room: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, room, break_on_hyphens=False) or [""]


def _row(plugin: PluginInfo) -> tuple[str, ...]:
    files = " ".join(name for name in plugin.file_extensions if name != "*") or "any"
    rests = "" if plugin.default else " (only when named with --only)"
    return plugin.plugin_id, _tool(plugin), plugin.cached_by, files + rests


def _tool(plugin: PluginInfo) -> str:
    if plugin.executable is None:
        return "none needed"
    return f"{os.path.basename(plugin.executable)} {plugin.version or ''}".rstrip()  # noqa: PTH119 - a name
