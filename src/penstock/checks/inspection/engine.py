"""The error engine: files in, a report out, and as little work between as what changed allows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.checks.api import InspectionRequest, Place, PluginInfo, ResultCache
from penstock.checks.inspection.assign import Assigned, assign, choose
from penstock.checks.inspection.batches import Batch, cut
from penstock.checks.inspection.collect import (
    SEARCHES,
    file_results,
    missing,
    note,
    plugin_use,
    refusals,
    without,
)
from penstock.checks.inspection.keys import Ledger, because, unpack
from penstock.checks.inspection.pool import Pool
from penstock.checks.inspection.work import Tally, Work, units
from penstock.checks.plugins.loading import PluginManager
from penstock.checks.plugins.port import Plugin, ToolFacts, Unavailable
from penstock.checks.regular import read_regular
from penstock.model.finding import Finding
from penstock.model.fingerprint import source_lines
from penstock.model.inspection import NOT_CHECKED, CheckReport, Explanation
from penstock.model.manifest import PluginKind, Reach
from penstock.process.api import Stop

Progress = Callable[[str, int, int], None]


class ErrorEngine:
    """Checks files with plugins and keeps what they found. See checks.api.Inspector.

    `folder` is where tools keep their own results (`.state/tools` of the repository); `cores`
    bounds what runs side by side; `mask` takes secrets out of what tools say.
    """

    def __init__(
        self,
        manager: PluginManager,
        cache: ResultCache,
        folder: Path,
        *,
        cores: int | None = None,
        marker: str | None = None,
        mask: Callable[[str], str] = str,
    ) -> None:
        self._mask = mask
        self._manager = manager
        self._cache = cache
        self._folder = folder
        self._cores = cores or _cores()
        self._marker = marker

    def inspect(
        self,
        request: InspectionRequest,
        *,
        stop: Stop | None = None,
        on_progress: Progress | None = None,
    ) -> CheckReport:
        """Check files. `on_progress` hears (plugin id, files done, files in all).

        Raises UsageError for an unknown plugin in `only` or `skip`; never for what a tool does.
        """
        began_at, began = time.time(), time.monotonic()
        loaded = self._manager.load()
        plugins = choose(loaded, request, self._manager.problems)
        run = _Run(self, request, plugins, stop or Stop(), on_progress)
        return run.report(began_at, began, self._manager.problems)

    def plugins(self, place: Place) -> tuple[PluginInfo, ...]:
        """Return every plugin with its tool found or how to install it, in the order they run."""
        return tuple(_info(plugin, place, self._cache) for plugin in self._manager.load())

    @property
    def parts(self) -> tuple[ResultCache, Path, int, str | None, Callable[[str], str]]:
        """What a run works with: the cache, the tools' folder, the cores, the marker, the mask."""
        return self._cache, self._folder, self._cores, self._marker, self._mask


@dataclass(slots=True)
class _Progress:
    """Tells how far each plugin is."""

    totals: dict[str, int]
    done: dict[str, int]
    hear: Progress | None

    def begin(self, totals: dict[str, int]) -> None:
        self.totals.update(totals)
        for plugin_id in totals:
            self.add(plugin_id, 0)

    def add(self, plugin_id: str, count: int) -> None:
        self.done[plugin_id] = self.done.get(plugin_id, 0) + count
        if self.hear is not None:
            self.hear(plugin_id, self.done[plugin_id], self.totals.get(plugin_id, 0))


class _Run:
    """One inspection."""

    def __init__(
        self,
        engine: ErrorEngine,
        request: InspectionRequest,
        plugins: Sequence[Plugin],
        stop: Stop,
        on_progress: Progress | None,
    ) -> None:
        self._request = request
        self._place = request.place
        self._stop = stop
        self._cache, self._folder, self._cores, self._marker, self._mask = engine.parts
        self._assigned = assign(plugins, request.files, self._place, self._cache)
        self._progress = _Progress({}, {}, on_progress)
        self._extra: dict[str, list[Finding]] = {}
        self._fixed: dict[str, tuple[str, ...]] = {}
        self._explained: list[Explanation] = []

    def report(self, began_at: float, began: float, problems: Sequence[str]) -> CheckReport:
        """Do the work and report on it."""
        fixer_tallies = self._fix() if self._request.fix else {}
        work = self._work()
        self._check(work)
        tallies = {**work.tallies}
        for plugin_id, tally in fixer_tallies.items():
            tallies.setdefault(plugin_id, Tally()).failed.update(tally.failed)
        self._tell_missing()
        unfinished = self._unfinished(tallies)
        request = self._request
        results = file_results(
            request.files,
            tallies,
            self._extra,
            self._lines,
            strict=request.strict,
            fixed_by=self._fixed,
            searches=SEARCHES.difference(request.only),  # who asks for one alone wants its word
        )
        return CheckReport(
            started_at=began_at,
            duration_s=time.monotonic() - began,
            files=(
                *without(results, unfinished),
                *refusals(request.refused, strict=request.strict),
            ),
            plugins=tuple(
                plugin_use(
                    item,
                    tallies.get(item.plugin_id, Tally()),
                    require=request.require,
                    named=bool(request.only),
                )
                for item in self._assigned
            ),
            problems=(*problems, *self._cache.notes),
            unusable=request.unusable,
            explanations=tuple(self._explained),
            interrupted=self._stop.asked,
            unfinished=unfinished,
        )

    # -- fixing ------------------------------------------------------------------------------
    def _fix(self) -> dict[str, Tally]:
        """Let the fixers rewrite files; return their failures."""
        from penstock.checks.inspection.fixing import run_fixers
        from penstock.checks.scratch import ScratchFolders

        fixers = [item for item in self._ready() if _is_fixer(item.plugin)]
        with ScratchFolders().lend() as scratch:
            done = run_fixers(
                [(item.plugin, item.tool) for item in fixers],
                {item.plugin_id: item.files for item in fixers},
                self._place,
                scratch=scratch,
                cache=self._folder,
                stop=self._stop,
                marker=self._marker,
            )
        self._fixed = {fixed.path: fixed.by for fixed in done.fixed}
        for path, why in done.refused:
            self._add(note(path, NOT_CHECKED, f"not fixed: {why}"))
        tallies: dict[str, Tally] = {}
        for result in done.results:
            files = result.metadata.get("files", ())
            if result.problem is not None:
                failed = dict.fromkeys(files, f"it could not fix: {self._mask(result.problem)}")
                tallies.setdefault(result.plugin_id, Tally()).failed.update(failed)
        return tallies

    # -- checking ----------------------------------------------------------------------------
    def _work(self) -> Work:
        return Work(
            place=self._place,
            ledger=Ledger(self._place, listing=self._request.listing),
            cache=self._cache,
            folder=self._folder,
            stop=self._stop,
            marker=self._marker,
            on_done=self._progress.add,
            mask=self._mask,
        )

    def _check(self, work: Work) -> None:
        self._leave_unreadable(work.ledger)
        ready = self._ready()
        work.recall([(item.plugin, item.tool, item.files) for item in ready])
        left = [(item, self._left(work, item)) for item in ready]
        if self._request.explain:
            for item, files in left:
                self._explain(work, item, files)
        self._progress.begin({item.plugin_id: len(files) for item, files in left if files})
        batches = self._batches(left)
        if batches:
            Pool(self._cores).run(batches, work.run, self._stop)

    def _leave_unreadable(self, ledger: Ledger) -> None:
        """Say which files cannot be read (any more), and give them to nobody."""
        gone = {path for path in self._request.files if ledger.content(path) is None}
        for path in sorted(gone):
            self._add(note(path, NOT_CHECKED, "it cannot be read, or is no longer there"))
        if gone:
            self._assigned = tuple(item.without(gone) for item in self._assigned)

    def _left(self, work: Work, item: Assigned) -> tuple[str, ...]:
        cached = work.tally(item.plugin_id).cached
        return tuple(path for path in item.files if path not in cached)

    def _batches(self, left: Sequence[tuple[Assigned, Sequence[str]]]) -> list[Batch]:
        """Return the runs to be made: those over a whole project first, because they take longest."""
        sizes = {path: _size(self._place.tree, path) for _, files in left for path in files}
        batches = [
            batch
            for item, files in left
            if files
            for batch in cut(item.plugin, item.tool, files, sizes, self._cores)
        ]
        return sorted(batches, key=lambda batch: (not batch.whole, -_weight(batch, sizes)))

    def _ready(self) -> list[Assigned]:
        return [i for i in self._assigned if i.files and not isinstance(i.found, Unavailable)]

    def _explain(self, work: Work, item: Assigned, left: Sequence[str]) -> None:
        """Say for each file of a plugin why it is looked at, or why not."""
        plugin, tool, fresh = item.plugin, item.tool, frozenset(left)
        told = list(units(plugin, item.files))
        parts = {unit: work.parts(plugin, tool, unit) for unit in told}
        names = {unit: unit[0] if len(unit) == 1 else parts[unit].path for unit in told}
        last = self._cache.last_parts(item.plugin_id, list(names.values()))
        for unit in told:
            old = last.get(names[unit])
            why = because(None if old is None else unpack(old), parts[unit])
            self._explained += [
                Explanation(
                    plugin_id=item.plugin_id,
                    path=path,
                    cached=path not in fresh,
                    because=why if path in fresh else "nothing that it depends on has changed",
                )
                for path in unit
            ]

    def _unfinished(self, tallies: Mapping[str, Tally]) -> tuple[str, ...]:
        """Return the files that some plugin did not get to, because of a stop."""
        if not self._stop.asked:
            return ()
        left: set[str] = set()
        for item in self._ready():
            tally = tallies.get(item.plugin_id, Tally())
            left |= set(item.files) - tally.found.keys() - tally.failed.keys()
        for path in sorted(left & self._fixed.keys()):
            self._add(note(path, NOT_CHECKED, "it was rewritten, but no longer checked"))
        return tuple(sorted(left))

    def _tell_missing(self) -> None:
        if not self._request.require:
            return
        for item in self._assigned:
            if isinstance(item.found, Unavailable) and not item.found.by_choice:
                for path in item.files:
                    self._add(missing(item.plugin_id, path, item.found))

    def _add(self, found: Finding) -> None:
        self._extra.setdefault(found.path or "", []).append(found)

    def _lines(self, path: str) -> Sequence[str]:
        try:
            data = read_regular(self._place.tree / path)
        except OSError:
            return ()
        # most files have no comment of ours, and splitting them all would cost more than the checks
        return source_lines(data.decode("utf-8", "replace")) if b"penstock:" in data else ()


def _is_fixer(plugin: Plugin) -> bool:
    return plugin.manifest.kind is PluginKind.FIXER


def _weight(batch: Batch, sizes: dict[str, int]) -> int:
    return sum(sizes.get(path, 0) for path in batch.files)


def _size(tree: Path, path: str) -> int:
    try:
        return (tree / path).stat().st_size
    except OSError:
        return 0


def _cores() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


def _info(plugin: Plugin, place: Place, cache: ResultCache) -> PluginInfo:
    manifest, found = plugin.manifest, plugin.find_tool(place, cache)
    absent = isinstance(found, Unavailable)
    hint = None
    if isinstance(found, Unavailable):
        hint = found.hint or found.reason
    return PluginInfo(
        plugin_id=manifest.plugin_id,
        name=manifest.name,
        kind=manifest.kind.value,
        file_extensions=manifest.file_extensions,
        requires=manifest.requires,
        available=not absent,
        executable=str(found.executable) if isinstance(found, ToolFacts) else None,
        version=found.version if isinstance(found, ToolFacts) else None,
        hint=hint,
        cached_by=_cached_by(plugin),
        origin=plugin.origin,
        default=manifest.default,
    )


def _cached_by(plugin: Plugin) -> str:
    depends = plugin.manifest.depends
    if depends.network and depends.max_age_s is None:
        return "never"
    if depends.reach is Reach.PROJECT:
        return "project"
    return "file"
