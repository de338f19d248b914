"""What scans of files say: on the screen, and while they are at work."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
import msgspec

from penstock.aim_cli.options import F
from penstock.cli import output
from penstock.cli.checking import progress
from penstock.cli.words import bytes_in_words, moment, one_line, plural
from penstock.environment.scan.api import (
    MEGABYTE,
    CacheFound,
    CleanPlan,
    CleanResult,
    DuplicateSet,
    Phase,
    Progress,
    RestoreResult,
    ScanReport,
    TrashInfo,
)
from penstock.model.times import iso
from penstock.wiring import open_workspace

SHOWN = 20
"""So many sets, caches and notes are shown unless all are asked for."""
CACHE_COLUMNS = ("SIZE", "FILES", "CLEAN", "PATH")
TRASH_COLUMNS = ("ID", "MADE", "SIZE", "THINGS", "FROM")


def min_size_option(function: F) -> F:
    """Add `--min-size`."""
    return click.option(
        "--min-size", metavar="KB", type=click.IntRange(0), default=None,
        help="Compare files from this size on (default: minSizeKB of aim_config, 100).",
    )(function)  # fmt: skip


def listing_options(function: F) -> F:
    """Add `--all` and `--no-ignore`, handed on as `show_all` and `no_ignore`."""
    function = click.option(
        "--no-ignore", is_flag=True, help="Look at what .gitignore and .aiignore leave out, too."
    )(function)
    return click.option(
        "--all", "show_all", is_flag=True, help=f"Show more than the first {SHOWN}."
    )(function)


@contextmanager
def file_progress() -> Iterator[Progress | None]:
    """Show how far a scan is while the block runs; None where stderr is no terminal."""
    with progress("steps") as shown:
        if shown is None:
            yield None
            return

        def hear(phase: Phase, done: int, total: int) -> None:
            if phase is Phase.LISTING:
                shown("files listed", done, done + 1)
            else:
                shown("MB read", done // MEGABYTE, total // MEGABYTE)

        yield hear


def looked_at(paths: Sequence[str], **wanted: Any) -> ScanReport:
    """Scan with the arguments of `Workspace.scan_report`, show how far it is, and record it."""
    with open_workspace() as workspace, file_progress() as shown:
        report = workspace.scan_report(paths, on_progress=shown, **wanted)
        unrecorded = workspace.record_scan(message(report), details(report))
    if unrecorded is not None:
        output.warn(f"Warning: this scan is not in the audit trail: {unrecorded}")
    return report


def details(report: ScanReport) -> dict[str, Any]:
    """Return what the trail keeps of a scan: figures."""
    return {
        "scan": "files",
        "roots": list(report.roots),
        "files": report.total_scanned_files,
        "bytes": report.total_scanned_bytes,
        "duplicate_sets": len(report.duplicates),
        "wasted_mb": report.total_wasted_mb,
        "caches": len(report.misplaced_caches),
        "cache_mb": report.total_cache_mb,
    }


def message(report: ScanReport) -> str:
    """Return a scan in one line."""
    parts = [plural(report.total_scanned_files, "file")]
    if report.duplicates:
        parts.append(f"{plural(len(report.duplicates), 'set')} of duplicates")
    if report.misplaced_caches:
        parts.append(plural(len(report.misplaced_caches), "misplaced cache"))
    return "scan: " + ", ".join(parts)


# -- duplicates and caches ---------------------------------------------------------------------
def show_duplicates(report: ScanReport, *, show_all: bool) -> None:
    """Print sets of duplicates, those that waste most first."""
    shown = report.duplicates if show_all else report.duplicates[:SHOWN]
    for found in shown:
        for line in set_lines(found, report.roots):
            output.emit(line)
    _more(len(report.duplicates) - len(shown), "set")
    many = len(report.duplicates)
    wasted = bytes_in_words(sum(found.wasted for found in report.duplicates))
    said = f"{plural(many, 'set')} of duplicates, {wasted} wasted" if many else "No duplicates"
    output.emit(f"{said} ({scanned(report)}).")


def set_lines(found: DuplicateSet, roots: Sequence[str]) -> Iterator[str]:
    """Yield a set: what it wastes, then its files."""
    each = bytes_in_words(found.size_bytes)
    wasted = bytes_in_words(found.wasted)
    yield f"{len(found.files)} files of {each}, {wasted} wasted, SHA-256 {found.file_hash[:16]}"
    for path in found.files:
        yield f"    {shown_path(path, roots)}"


def show_caches(report: ScanReport, *, show_all: bool) -> None:
    """Print caches that are not where they belong, largest first."""
    shown = report.misplaced_caches if show_all else report.misplaced_caches[:SHOWN]
    if shown:
        output.table(CACHE_COLUMNS, [cache_row(cache, report.roots) for cache in shown])
    _more(len(report.misplaced_caches) - len(shown), "cache")
    many = len(report.misplaced_caches)
    size = bytes_in_words(sum(cache.size_bytes for cache in report.misplaced_caches))
    said = f"{plural(many, 'misplaced cache')}, {size}" if many else "No misplaced caches"
    output.emit(f"{said} ({scanned(report)}).")
    if any(cache.cleanable for cache in report.misplaced_caches):
        output.emit("Move those that may go to the trash: aim scan clean")


def cache_row(cache: CacheFound, roots: Sequence[str]) -> tuple[str, ...]:
    """Return a cache as a row of CACHE_COLUMNS."""
    return (
        bytes_in_words(cache.size_bytes),
        str(cache.file_count),
        "yes" if cache.cleanable else "no",
        shown_path(cache.path, roots),
    )


def show_notes(notes: Sequence[str], *, show_all: bool) -> None:
    """Say on stderr what was not looked at."""
    for note in notes if show_all else notes[:SHOWN]:
        output.warn(f"Not looked at: {one_line(note)}")
    if len(notes) > SHOWN and not show_all:
        output.warn(f"Not looked at: {len(notes) - SHOWN} more; see --all")


def scanned(report: ScanReport) -> str:
    """Say how much was looked at, and how long that took."""
    size = bytes_in_words(report.total_scanned_bytes)
    files = plural(report.total_scanned_files, "file")
    return f"{files}, {size} in {report.duration_s:.1f} s"


def shown_path(path: str, roots: Sequence[str]) -> str:
    """Return a path from the scanned folder on, when there is one alone; in one line."""
    short = os.path.relpath(path, roots[0]) if len(roots) == 1 else path
    return one_line(output.displayed(short.encode("utf-8", "replace").decode()))


def _more(number: int, noun: str) -> None:
    if number > 0:
        output.emit(f"... and {plural(number, f'more {noun}')}; see --all")


# -- cleaning ----------------------------------------------------------------------------------
def show_plan(plan: CleanPlan, *, show_all: bool) -> None:
    """Print what cleaning would move, and what it leaves alone, each with the reason."""
    shown = plan.items if show_all else plan.items[:SHOWN]
    for item in shown:
        path = shown_path(item.path, plan.roots)
        output.emit(f"{bytes_in_words(item.size_bytes):>9}  {path}: {_why(item.why)}")
    _more(len(plan.items) - len(shown), "thing")
    show_refused("Left alone", plan.refused, plan.roots, show_all=show_all)
    if plan.items:
        size = bytes_in_words(plan.size_bytes)
        output.emit(f"{plural(len(plan.items), 'thing')}, {size}, may go to the trash.")
    else:
        output.emit("Nothing to clean.")


def _why(text: str) -> str:
    return one_line(text.encode("utf-8", "replace").decode())


def show_refused(
    head: str, reasons: Mapping[str, str], roots: Sequence[str], *, show_all: bool
) -> None:
    """Print what stays where it is, with the reasons."""
    shown = list(reasons.items()) if show_all else list(reasons.items())[:SHOWN]
    for path, why in shown:
        output.emit(f"{head}: {shown_path(path, roots)}: {_why(why)}")
    _more(len(reasons) - len(shown), "thing")


def show_result(result: CleanResult, roots: Sequence[str]) -> None:
    """Print what cleaning did, and how to undo it."""
    show_refused("Stayed", result.stayed, roots, show_all=True)
    if result.trash_id is None:
        output.emit("Nothing was moved.")
        return
    moved = plural(len(result.moved), "thing")
    output.emit(f"Moved {moved}, {bytes_in_words(result.size_bytes)}, to the trash.")
    output.emit(f"Put back: aim scan restore {result.trash_id}")
    output.emit("Free the space for good: aim scan clean --empty-trash")


def plan_document(plan: CleanPlan, result: CleanResult | None) -> dict[str, Any]:
    """Return what cleaning found and did for machines."""
    items = [{**msgspec.to_builtins(item), "why": item.why} for item in plan.items]
    return {
        "roots": list(plan.roots),
        "items": items,
        "size_bytes": plan.size_bytes,
        "refused": dict(plan.refused),
        "done": msgspec.to_builtins(result) if result is not None else None,
    }


# -- the trash ---------------------------------------------------------------------------------
def trash_row(info: TrashInfo) -> tuple[str, ...]:
    """Return a set of the trash as a row of TRASH_COLUMNS."""
    return (
        info.trash_id,
        moment(iso(info.created_at)),
        bytes_in_words(info.size_bytes),
        str(info.items),
        ", ".join(_why(root) for root in info.roots),
    )


def show_restored(result: RestoreResult) -> None:
    """Print what was put back, and what could not be."""
    for path, why in result.stayed.items():
        output.emit(f"Stays in the trash: {shown_path(path, ())}: {_why(why)}")
    output.emit(f"Put back {plural(len(result.restored), 'thing')} of {result.trash_id}.")
