"""Checking the files of a repository, or of a folder that is none: the error engine put together.

As in wiring, everything is imported where it is used: a check of which nothing has changed must be
over before a heavy import would be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from penstock.errors import EnvironmentProblem
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.checks.api import Inspector, Place, PluginInfo, ResultCache
    from penstock.checks.inspection.selecting import Selection
    from penstock.model.inspection import CheckReport

STATE = ".state"
"""Where check results and the tools' own caches are, from the top of the repository."""
CACHE_NAME = "validation_cache.db"


class Inspecting(Surroundings):
    """What can be done with the error engine in a repository or folder."""

    @property
    def check_place(self) -> Place:
        """The working files of the checkout we stand in; in one of our worktrees these are its own,
        while results are kept in the repository that it belongs to."""
        from penstock.checks.api import Place
        from penstock.environment.repository import find_checkout

        root = self.root.resolve()
        tree = None if self.place is None else find_checkout(self.start)
        return Place(tree=tree or root, root=root)

    @contextmanager
    def inspector(self, *, cache: str | None = None, use_cache: bool = True) -> Iterator[Inspector]:
        """Open the error engine. `cache` names the file of kept results, from where we stand."""
        from penstock.checks.inspection.engine import ErrorEngine
        from penstock.checks.plugins.loading import PluginManager

        self._hide_state()
        results = self._results(cache, use_cache=use_cache)
        try:
            manager = PluginManager(self.root, notes=self._news_of_plugins())
            # the vault is looked at when there are words to take secrets out of
            yield ErrorEngine(
                manager,
                results,
                self.root / STATE / "tools",
                mask=lambda text: self.redactor.text(text),
            )
        finally:
            results.close()

    def _news_of_plugins(self) -> tuple[str, ...]:
        """Return which plugins of others have changed since they were last seen, a line each."""
        import os

        from penstock.checks.plugins.loading import FOLDER_VARIABLE

        if not os.environ.get(FOLDER_VARIABLE):
            return ()  # a check that finds nothing new is over before an import would be
        from penstock.provenance import look, news_of, plugin_code

        return news_of(look(tuple(plugin_code()), lambda: self.trail))

    def _results(self, cache: str | None, *, use_cache: bool) -> ResultCache:
        from penstock.store.checkcache import NoCache, open_check_cache

        if not use_cache:
            return NoCache()
        place = self.root / STATE / CACHE_NAME if cache is None else self.start / cache
        return open_check_cache(place)

    def _hide_state(self) -> None:
        """See that git does not show our folder, where there is a repository. One whose exclude file
        we may not write is checked all the same: the folder then shows, which hurts nobody."""
        from penstock.environment.scaffold import Own, hide

        if self.place is not None:
            with suppress(EnvironmentProblem):
                hide(self.place.common_dir / "info" / "exclude", Own(folders=(STATE,)))

    def check_plugins(self) -> tuple[PluginInfo, ...]:
        """Return every plugin, with its tool or how to install it."""
        with self.inspector() as inspector:
            return inspector.plugins(self.check_place)

    def select(self, paths: Sequence[str], *, changed: str | None = None) -> Selection:
        """Return the files that paths mean, from where we stand; none means the whole project.

        `changed` keeps those that differ from a revision ("" is the last commit). Raises UsageError.
        """
        import msgspec

        from penstock.checks.inspection.project import changed_files, list_project
        from penstock.checks.inspection.selecting import select

        place = self.check_place
        listing = list_project(place)
        if changed is None:
            return select(place, self.start, paths, listing=listing)
        differing = changed_files(place, changed or None)
        if not paths:
            found = select(place, self.start, (), listing=differing)
        else:
            found = select(place, self.start, paths, listing=listing)
            kept = frozenset(differing)
            files = tuple(path for path in found.files if path in kept)
            found = msgspec.structs.replace(found, files=files)
        return msgspec.structs.replace(found, listing=listing)

    @contextmanager
    def staged(self, paths: Sequence[str] = ()) -> Iterator[tuple[Place, Selection]]:
        """Write what is staged into a folder of its own while the block runs; give the place, and
        which of its files are staged changes (of those that `paths` mean). Raises UsageError."""
        import msgspec

        from penstock.checks.api import Place
        from penstock.checks.inspection.project import export_index, staged_files
        from penstock.checks.inspection.selecting import select

        with self._export_folder() as folder:
            place = Place(tree=folder, root=self.root.resolve())
            listing = export_index(self.check_place, folder)
            changed = staged_files(self.check_place)
            start = folder / self.start.relative_to(self.check_place.tree)
            found = select(place, start, paths, listing=listing if paths else changed)
            kept = frozenset(changed)
            files = tuple(path for path in found.files if path in kept)
            yield place, msgspec.structs.replace(found, files=files, listing=listing)

    def _export_folder(self) -> AbstractContextManager[Path]:
        """Make a folder for an export. It lies below the repository, as the tree itself, so that tools
        find the same configuration above it."""
        from penstock.checks.inspection.exports import export_folder

        self._hide_state()
        return export_folder(self.root / STATE / "staged")

    def against(self, report: CheckReport, baseline: str, *, strict: bool) -> CheckReport:
        """Return the report with what a baseline knows set apart. Raises ConfigError."""
        from penstock.checks.inspection.baseline import load_baseline, with_baseline

        known = load_baseline(self.start / baseline)
        return with_baseline(report, known, strict=strict, absent=self._absent_tools(report))

    def write_baseline(self, report: CheckReport, baseline: str, *, partly: bool) -> int:
        """Write what was found as the baseline and return how many findings it knows. Of tools that
        did not look, and `partly` of files that were not looked at, it knows what it knew.
        Raises ConfigError, EnvironmentProblem."""
        from penstock.checks.inspection.baseline import write_baseline

        checked = {result.path for result in report.files} if partly else None
        findings = (found for result in report.files for found in result.findings)
        absent = self._absent_tools(report)
        return write_baseline(self.start / baseline, findings, checked=checked, absent=absent)

    def _absent_tools(self, report: CheckReport) -> frozenset[str]:
        """Return the tools of known plugins that did not look: missing, failed, or not asked."""
        from penstock.checks.plugins.loading import PluginManager

        specs = (plugin.manifest.tool for plugin in PluginManager(self.root).load())
        return frozenset(PurePath(s.command).name for s in specs if s is not None) - report.looked

    def log_checks(self, report: CheckReport) -> str | None:
        """Enter a report into the log of checks; return why that could not be done."""
        from penstock.checks.inspection.errorlog import write_log

        return write_log(self.root / STATE, report)
