"""Cleaning up: what of a scan may go, and moving it to the trash, each thing looked at once more."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from penstock.environment.scan.api import (
    CacheFound,
    CleanItem,
    CleanPlan,
    CleanResult,
    DuplicateSet,
    Kind,
    ScanReport,
)
from penstock.environment.scan.contents import are_same
from penstock.environment.scan.moving import NotMovedError
from penstock.environment.scan.protect import Guard
from penstock.environment.scan.scanner import cleanable
from penstock.environment.scan.trash import Trash
from penstock.errors import EnvironmentProblem


class Cleaner:
    """Plans and does a cleaning. `guard` is asked when planning, and again right before each move."""

    def __init__(self, guard: Guard, trash: Trash) -> None:
        self._guard = guard
        self._trash = trash

    def plan(
        self, report: ScanReport, *, patterns: Sequence[str] = (), duplicates: bool = False
    ) -> CleanPlan:
        """Return what of a report may go; with `duplicates` all but one of each set too.

        Of a set those that may not go stay, or else the oldest does.
        """
        refused: dict[str, str] = {}
        items = list(self._caches(report, patterns, refused))
        for found in report.duplicates if duplicates else ():
            items += self._copies(report.roots, found, refused)
        return CleanPlan(roots=report.roots, items=tuple(items), refused=refused)

    def _caches(
        self, report: ScanReport, patterns: Sequence[str], refused: dict[str, str]
    ) -> Iterator[CleanItem]:
        for cache in cleanable(report, patterns):
            root = _root_of(report.roots, cache.path)
            why = self._refusal(cache.path, root)
            if why is not None:
                refused[cache.path] = why
                continue
            yield _cache_item(cache, root)

    def _copies(
        self, roots: Sequence[str], found: DuplicateSet, refused: dict[str, str]
    ) -> Iterator[CleanItem]:
        """Yield the files of a set that may go; what stays is named in each of them."""
        free: list[tuple[int, str, os.stat_result]] = []
        staying: list[str] = []
        for path in found.files:
            why = self._refusal(path, _root_of(roots, path))
            if why is None:
                status = os.lstat(path)
                free.append((status.st_mtime_ns, path, status))
            elif os.path.lexists(path):
                refused[path] = why
                staying.append(path)
        free.sort(key=lambda one: one[:2])
        if not staying:
            staying = [path for _, path, _ in free[:1]]
            free = free[1:]
        for _, path, status in free:
            yield CleanItem(
                path=path,
                kind=Kind.DUPLICATE,
                root=_root_of(roots, path),
                size_bytes=status.st_size,
                file_count=1,
                dev=status.st_dev,
                ino=status.st_ino,
                sha256=found.file_hash,
                kept=staying[0],
            )

    def _refusal(self, path: str, root: str) -> str | None:
        """Return why a path may not be touched; also when that cannot be found out."""
        try:
            if not os.path.lexists(path):
                return "it is not there any more"
            return self._guard.refusal(Path(path), Path(root))
        except EnvironmentProblem as error:
            return f"whether git tracks it cannot be told: {error}"
        except OSError as error:
            return f"it cannot be looked at: {error.strerror}"

    def clean(
        self, plan: CleanPlan, on_moved: Callable[[int], None] = lambda _count: None
    ) -> CleanResult:
        """Move what is planned to the trash. `on_moved` hears how many things were seen to.

        Raises EnvironmentProblem when there can be no trash; then nothing was moved.
        """
        if not plan.items:
            return CleanResult()
        filling = self._trash.open_set(plan.items, plan.roots)
        moved: list[CleanItem] = []
        stayed: dict[str, str] = {}
        for number, item in enumerate(plan.items, 1):
            why = self._refusal(item.path, item.root) or self._not_the_same(item)
            try:
                if why is not None:
                    raise NotMovedError(why)
                filling.take(item)
            except NotMovedError as error:
                stayed[item.path] = str(error)
            else:
                moved.append(item)
            on_moved(number)
        if not moved:
            self._trash.drop(self._trash.get(filling.folder.name))
        return CleanResult(
            trash_id=filling.folder.name if moved else None,
            moved=tuple(item.path for item in moved),
            size_bytes=sum(item.size_bytes for item in moved),
            stayed=stayed,
        )

    @staticmethod
    def _not_the_same(item: CleanItem) -> str | None:
        """Return why a duplicate is none now, None when every byte of it is in the file that stays."""
        if item.kept is None:
            return None
        try:
            if not os.path.islink(item.kept) and are_same(item.path, item.kept):  # noqa: PTH114
                return None
        except OSError as error:
            return f"it cannot be compared with {item.kept}: {error.strerror}"
        return f"it is not the same as {item.kept} any more"


def _cache_item(cache: CacheFound, root: str) -> CleanItem:
    status = os.lstat(cache.path)
    return CleanItem(
        path=cache.path,
        kind=Kind.CACHE,
        root=root,
        size_bytes=cache.size_bytes,
        file_count=cache.file_count,
        dev=status.st_dev,
        ino=status.st_ino,
        pattern=cache.pattern,
    )


def _root_of(roots: Sequence[str], path: str) -> str:
    """Return the scanned folder that a path was found in."""
    return next(root for root in roots if Path(path).is_relative_to(root))
