"""What `aim version`, `aim tools` and `aim setup` share: options, tables, and the way through a change."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import click
import msgspec

from penstock.aim_cli.options import F
from penstock.cli import output
from penstock.environment.api import InstallResult, Manager, SyncReport, VersionReport
from penstock.errors import ExitCode, Interrupted
from penstock.process.api import Stop

VERSION_COLUMNS = ("TOOL", "MANAGER", "PINNED", "INSTALLED", "STATUS")
CHANGE_COLUMNS = ("TOOL", "MANAGER", "RESULT", "WHAT")
PACKAGE_MANAGERS = tuple(manager.value for manager in Manager if manager is not Manager.TOOLS)


def manager_option(*, required: bool = False, programs: bool = True) -> Callable[[F], F]:
    """Add `--manager`/`-m`, handed to the command as `manager`: one of them, or all.

    `programs` allows `tools` too; a required one names a manager that installs, and never all.
    """
    names = (*PACKAGE_MANAGERS, *(("tools",) if programs else ()), *(() if required else ("all",)))
    return click.option(
        "--manager",
        "-m",
        type=click.Choice(names),
        required=required,
        default=None if required else "all",
        help="The package manager." if required else "One package manager alone.",
    )


def chosen(manager: str) -> tuple[Manager, ...]:
    """Return the managers that an option means; none is all."""
    return () if manager == "all" else (Manager(manager),)


def progress() -> Callable[[str], None]:
    """Return what says on a terminal what is being done; elsewhere nothing is said."""
    return output.warn if output.on_terminal(sys.stderr) else _silent


def _silent(_line: str) -> None:
    """Say nothing."""


def carried_out(change: Callable[[Stop], SyncReport]) -> SyncReport:
    """Make a change that Ctrl-C and TERM stop politely: what was changed is put back first."""
    from penstock.cli.signals import stop_on_signals

    with stop_on_signals(Stop()) as stop:
        return change(stop)


# -- versions ----------------------------------------------------------------------------------
def version_rows(report: VersionReport) -> list[tuple[str, ...]]:
    """Return a row of VERSION_COLUMNS for each tool."""
    return [
        (
            tool.tool,
            tool.manager.value,
            tool.pinned or "-",
            tool.installed or "-",
            tool.status.value + (f": {tool.detail}" if tool.status.value == "unknown" else ""),
        )
        for tool in report.tools
    ]


def version_document(report: VersionReport) -> dict[str, Any]:
    """Return a report for machines."""
    plain: dict[str, Any] = msgspec.to_builtins(report)
    return {
        **plain,
        "counts": report.counts,
        "total": len(report.tools),
        "has_drift": report.has_drift,
        "drift_count": report.drift_count,
    }


def version_lines(report: VersionReport) -> Iterator[str]:
    """Yield what a report comes to, and what to do about it."""
    counts = ", ".join(f"{n} {name}" for name, n in report.counts.items() if n)
    yield f"{len(report.tools)} tools: {counts}" if report.tools else _nothing(report)
    if report.has_drift:
        yield "Bring them to their pins: aim version sync (--dry-run shows the commands)"
    yield from report.notes


def _nothing(report: VersionReport) -> str:
    where = report.source or "config/aim_config.json"
    return f"No tools: nothing is installed, and environment of {where} names none."


# -- changes -----------------------------------------------------------------------------------
def change_document(report: SyncReport) -> dict[str, Any]:
    """Return what became of a change for machines."""
    plain: dict[str, Any] = msgspec.to_builtins(report)
    return {"ok": report.ok, **plain}


def show_change(report: SyncReport, *, dry_run: bool = False) -> None:
    """Show what became of a change, and what was put back."""
    if dry_run:
        for command in report.planned or ("Nothing to do.",):
            output.emit(command)
    elif report.results:
        output.table(CHANGE_COLUMNS, [_change_row(result) for result in report.results])
    if report.rolled_back:
        output.emit("\nPut back:")
        output.table(CHANGE_COLUMNS, [_change_row(result) for result in report.rolled_back])
    for tool in report.remaining:
        output.emit(
            f"{tool.tool} is {tool.installed or 'not found'} all the same, and pinned to"
            f" {tool.pinned}: look for another one on PATH (aim tools verify)."
        )
    for note in report.notes:
        output.emit(note)
    if not dry_run:
        output.emit(verdict(report))


def verdict(report: SyncReport) -> str:
    """Say in one line what a change came to."""
    failed = sum(not result.success for result in report.results)
    if report.ok:
        done = sum(result.action != "none" for result in report.results)
        return f"{done} changed." if done else "Nothing to do."
    if report.remaining and not failed:
        return "Not everything is as pinned."
    if report.rolled_back and all(result.success for result in report.rolled_back):
        return "Failed: everything is as it was before."
    if report.rolled_back:
        return "Failed, and not everything could be put back: see above."
    return "Failed: nothing was changed." if not _changed(report) else "Failed in part."


def _changed(report: SyncReport) -> bool:
    return any(result.success for result in report.results)


def _change_row(result: InstallResult) -> tuple[str, ...]:
    word = "ok" if result.success else "failed"
    word = "not begun" if result.action == "none" and not result.success else word
    return (result.tool, result.manager.value, word, result.message)


def finish(report: SyncReport, *, as_json: bool, dry_run: bool = False) -> int:
    """Show a change or print it as JSON, and return the exit code. Raises Interrupted."""
    if as_json:
        output.emit_json(change_document(report))
    else:
        show_change(report, dry_run=dry_run)
    if report.interrupted:
        raise Interrupted("stopped; what had been changed was put back")
    return int(ExitCode.DONE if report.ok else ExitCode.FAILED)


# -- reports -----------------------------------------------------------------------------------
def markdown(report: VersionReport) -> Iterator[str]:
    """Yield a version report as Markdown."""
    yield "# Versions of tools"
    yield ""
    yield f"{report.timestamp}, pins of {report.source or 'no file'}"
    yield ""
    yield from _markdown_table(VERSION_COLUMNS, version_rows(report))
    yield ""
    yield from _markdown_counts(report.counts)


def _markdown_table(columns: Collection[str], rows: Collection[Collection[str]]) -> Iterator[str]:
    yield _markdown_row([column.capitalize() for column in columns])
    yield _markdown_row(["---"] * len(columns))
    yield from (_markdown_row(row) for row in rows)


def _markdown_row(cells: Collection[str]) -> str:
    safe = (" ".join(cell.replace("|", "\\|").split()) for cell in cells)
    return f"| {' | '.join(safe)} |"


def _markdown_counts(counts: Mapping[str, int]) -> Iterator[str]:
    yield from (f"- {name}: {count}" for name, count in counts.items())
