"""One scan: a walk, the duplicates among what it comes by, the caches that are not where they belong."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from penstock.environment.scan.api import (
    MEGABYTE,
    CacheFound,
    DuplicateSet,
    Entry,
    HashIndex,
    Phase,
    Progress,
    ScanReport,
)
from penstock.environment.scan.caches import CacheNames, measured
from penstock.environment.scan.duplicates import DuplicateFinder
from penstock.environment.scan.walk import Walker, outermost


class ScanRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is scanned: `roots` and what is left out there (`skipped` absolute paths, `ignore` lines
    as of an ignore file; `obey`: the ignore files of the tree count too). Of duplicates only files
    of `min_bytes` and more, whose names end with one of `extensions`, if there are any. Caches
    within `central` are where they belong.
    """

    roots: tuple[Path, ...]
    duplicates: bool = True
    caches: bool = True
    cache_patterns: tuple[str, ...] = ()
    central: Path | None = None
    ignore: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    obey: bool = True
    min_bytes: int = 1
    extensions: tuple[str, ...] = ()

    def misplaces(self, path: str) -> bool:
        """Tell whether a cache there is not where it belongs."""
        return self.central is None or not Path(path).is_relative_to(self.central)

    def wants(self, entry: Entry) -> bool:
        """Tell whether a file may be a duplicate."""
        if entry.size < self.min_bytes:
            return False
        return not self.extensions or entry.path.lower().endswith(self.extensions)


def scan(
    request: ScanRequest,
    index: HashIndex,
    progress: Progress = lambda _phase, _done, _total: None,
) -> ScanReport:
    """Look for what a request asks for. What cannot be read becomes a note."""
    with _uncollected():
        return _scan(request, index, progress)


def _scan(request: ScanRequest, index: HashIndex, progress: Progress) -> ScanReport:
    began = time.monotonic()
    walker = Walker(
        CacheNames(request.cache_patterns),
        own=request.ignore,
        skipped=request.skipped,
        obey=request.obey,
        on_files=lambda count: progress(Phase.LISTING, count, 0),
    )
    met = [entry for entry in walker.files(request.roots) if request.wants(entry)]
    notes = list(walker.notes)
    sets: tuple[DuplicateSet, ...] = ()
    if request.duplicates:
        finder = DuplicateFinder(
            index, on_read=lambda done, total: progress(Phase.READING, done, total)
        )
        sets = finder.find(met)
        notes += finder.notes
    met_caches = sorted(walker.caches) if request.caches else []
    hits = [hit for hit in met_caches if request.misplaces(hit.path)]
    caches = tuple(measured(hit, notes.append) for hit in hits)
    return ScanReport(
        roots=tuple(outermost(request.roots)),
        duplicates=sets,
        misplaced_caches=tuple(sorted(caches, key=lambda cache: -cache.size_bytes)),
        total_scanned_files=walker.count,
        total_scanned_bytes=walker.size_bytes,
        total_wasted_mb=_megabytes(one.wasted for one in sets),
        total_cache_mb=_megabytes(cache.size_bytes for cache in caches),
        duration_s=round(time.monotonic() - began, 3),
        notes=tuple(notes),
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking through hundreds of thousands of values, none of which
    refers back to another, again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _megabytes(sizes: Iterable[int]) -> float:
    return round(sum(sizes) / MEGABYTE, 2)


def cleanable(report: ScanReport, patterns: Sequence[str]) -> tuple[CacheFound, ...]:
    """Return the caches that may be offered, with `patterns` only those of one of them."""
    return tuple(
        cache
        for cache in report.misplaced_caches
        if cache.cleanable and (not patterns or cache.pattern in patterns)
    )
