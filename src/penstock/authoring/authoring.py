"""From plans that people have written to bundles: reading, scoping, drafting and writing joined.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.authoring.following import SILENT, Following
from penstock.errors import EnvironmentProblem, UsageError
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.model.bundle import Bundle
    from penstock.planning.api import Changes, LoadedBundle
    from penstock.planning.drafting.api import Plan, PlanOptions
    from penstock.planning.scoping.api import Scope, Symbols, Terrain
    from penstock.planning.sources.api import Notice, PlanSource
    from penstock.schedule.picture import Picture

Progress = Callable[[str, int, int], None]
"""Is told what is done, how many of it are done, and how many there are."""

NO_TOOL = "none"
"""What stands for the tool of bundles that nobody is going to see."""


def _silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def no_input() -> bytes:
    """Stand in for standard input where there is none. Raises UsageError."""
    raise UsageError("there is no standard input to read a plan from", hint="Name a file.")


class Authoring(Surroundings):
    """What makes bundles out of plans."""

    # -- reading -------------------------------------------------------------------------------
    def available_plans(self) -> tuple[tuple[str, str], ...]:
        """Return dialect and name of each plan that the repository holds."""
        from penstock.planning.sources.recognise import available

        return tuple((one.dialect.value, one.name) for one in available(self.root))

    def read_plans(
        self,
        words: Sequence[str],
        *,
        tag: str | None = None,
        stdin: Callable[[], bytes] = no_input,
        following: Following = SILENT,
    ) -> tuple[PlanSource, ...]:
        """Read the plans that words mean, seen from where we stand, in their order, each once.

        `tag` is that of a task-master file. Raises NotFoundError, UsageError.
        """
        from penstock.planning.sources.reading import read_source
        from penstock.planning.sources.recognise import locate

        located = locate(words, self.start, self.root, tag=tag, stdin=stdin)
        sources: list[PlanSource] = []
        for number, one in enumerate(located, 1):
            sources.append(read_source(one, self.root))
            following.progress("plans read", number, len(located))
        return self._cross_checked(sources)

    def _cross_checked(self, sources: Sequence[PlanSource]) -> tuple[PlanSource, ...]:
        """Note with OpenSpec changes where the `openspec` program, if it is installed, differs."""
        from msgspec.structs import replace

        from penstock.authoring.programs import OpenSpec
        from penstock.planning.sources.openspec_program import cross_check

        run = OpenSpec(self.root)
        found = cross_check(sources, run) if run.installed else ()
        if not found:
            return tuple(sources)
        first = replace(sources[0], notices=(*sources[0].notices, *found))
        return first, *sources[1:]

    def are_plans(self, words: Sequence[str], *, named: bool) -> bool:
        """Tell whether all words mean plans; one that is a name and no path only does with `named`.

        A folder or file of bundles means none, whatever lies beside it.
        """
        from penstock.planning.sources.recognise import locate

        paths = [self.start / word for word in words if word != "-"]
        if any(self._holds_bundles(path) for path in paths):
            return False
        if not named and not all(path.exists() for path in paths):
            return False
        try:
            locate(words, self.start, self.root, stdin=bytes)
        except UsageError:
            return False
        return True

    def _holds_bundles(self, path: Path) -> bool:
        """Tell whether a path is a folder or file of bundles: JSON, but for what task-master keeps."""
        if path.is_dir():
            return any(self._holds_bundles(one) for one in path.glob("*.json"))
        return path.suffix == ".json" and path.name != "tasks.json"

    def answered(
        self, sources: Sequence[PlanSource], answers: Mapping[tuple[str, str], Sequence[str]]
    ) -> tuple[PlanSource, ...]:
        """Return sources with paths that a person has given for items of theirs.

        `answers` holds paths by plan id of the source and key of the item; one that is not there is to be made.
        """
        from penstock.authoring.answers import with_paths

        return with_paths(sources, answers, self.terrain().files())

    # -- drafting ------------------------------------------------------------------------------
    def plan_options(
        self, given: Mapping[str, Any] | None = None, *, checking: bool = False
    ) -> PlanOptions:
        """Return the options of a plan: those that are given, else those of pipeline.yaml.

        With `checking` no bundle is wanted, so that none has to have a tool. Raises UsageError for a
        key or value that is none, ConfigError.
        """
        from msgspec import ValidationError, to_builtins

        from penstock.planning.drafting.api import PlanOptions
        from penstock.typed import typed

        configured = to_builtins(self.settings.plan)
        known = {key: configured[key] for key in PlanOptions.__struct_fields__ if key in configured}
        if checking and self.settings.default_tool is None:
            known["tool"] = NO_TOOL
        try:
            return typed({**known, **(given or {})}, PlanOptions)
        except ValidationError as error:
            raise UsageError(
                f"these options are wrong: {error}",
                hint=f"Known are: {', '.join(PlanOptions.__struct_fields__)}.",
            ) from error

    def plan(
        self,
        words: Sequence[str],
        options: PlanOptions | None = None,
        *,
        tag: str | None = None,
        directory: str | None = None,
        stdin: Callable[[], bytes] = no_input,
        following: Following = SILENT,
    ) -> Plan:
        """Read plans and draft the bundles for them; nothing is written.

        `directory` is the folder that the bundles are for: ids that others have there are not given
        again. Raises NotFoundError, UsageError, ConfigError.
        """
        sources = self.read_plans(words, tag=tag, stdin=stdin, following=following)
        return self.draft_plan(sources, options, directory=directory, following=following)

    def draft_plan(
        self,
        sources: Sequence[PlanSource],
        options: PlanOptions | None = None,
        *,
        directory: str | None = None,
        following: Following = SILENT,
    ) -> Plan:
        """Infer the scopes of plans that were read, and draft the bundles for them.

        Raises UsageError, ConfigError.
        """
        from penstock.planning.drafting.draft import draft

        chosen = options if options is not None else self.plan_options()
        terrain = self.terrain()
        scopes = self._scopes(sources, terrain, chosen.threshold, following)
        following.progress("bundles drafted", 0, 1)
        others, files = self._others(sources, directory)
        return draft(
            sources,
            scopes,
            chosen,
            sizes=terrain.size,
            default_tool=self.settings.default_tool,
            taken=[one.id for one in others],
            taken_files=files,
            around=others,
        )

    def _scopes(
        self,
        sources: Sequence[PlanSource],
        terrain: Terrain,
        threshold: float,
        following: Following,
    ) -> list[Mapping[str, Scope]]:
        from penstock.authoring.following import LazySymbols
        from penstock.planning.scoping.infer import infer

        index = LazySymbols(lambda: self._symbols(terrain, following))
        found: list[Mapping[str, Scope]] = []
        for number, source in enumerate(sources, 1):
            found.append(infer(source, terrain, threshold=threshold, index=index))
            following.progress("plans scoped", number, len(sources))
        return found

    def terrain(self) -> Terrain:
        """Return the repository as plans see it; outside of any the folder that we stand in."""
        if self.place is None:
            from penstock.planning.scoping.terrain import FolderTerrain

            return FolderTerrain(self.root)
        from penstock.authoring.terrain import GitTerrain
        from penstock.worktrees.git import find_git

        return GitTerrain(find_git(self.root), self.root)

    def _symbols(self, terrain: Terrain, following: Following) -> Symbols:
        """Return the index of definitions, kept in our folder where there is a repository."""
        from penstock.planning.scoping.symbols import open_symbols

        index = open_symbols(
            terrain,
            root=self.root,
            folder=self._cache_folder(),
            progress=lambda done, total: following.progress("files looked through", done, total),
        )
        for problem in index.problems:
            following.problem(problem)
        return index

    def _cache_folder(self) -> Path | None:
        """Return where the index is kept; None outside of a repository, and where git would show it."""
        if self.place is None:
            return None
        try:
            self._hide()
        except (EnvironmentProblem, UsageError):
            return None
        return self.root / self.state_folder / "cache"

    def _others(
        self, sources: Sequence[PlanSource], directory: str | None
    ) -> tuple[tuple[Bundle, ...], frozenset[str]]:
        """Return the bundles in the folder that are not from these sources, and the files that other
        plans have written there."""
        from penstock.planning.writing import found_in, plan_name, plan_of

        folder = self.plan_directory(directory)
        if not folder.is_dir():
            return (), frozenset()
        names = set(map(plan_name, sources))
        # each bundle says itself whose it is: the same plan may be written by another process just now
        loaded = (one.bundle for one in self._loaded(folder))
        others = tuple(bundle for bundle in loaded if plan_of(bundle) not in names)
        before = found_in(folder).values()
        return others, frozenset(found.name for found in before if found.plan not in names)

    def _loaded(self, folder: Path) -> tuple[LoadedBundle, ...]:
        from penstock.planning.load import load_bundles

        if not folder.is_dir():
            return ()
        return load_bundles((), folder, known_capabilities=self.capabilities).bundles

    def plan_findings(self, plan: Plan) -> tuple[Notice, ...]:
        """Return all that is odd or wrong with a plan and its sources."""
        from penstock.planning.drafting.check import findings

        return findings(plan)

    def plan_document(self, plan: Plan) -> dict[str, Any]:
        """Return a plan as the documented JSON object."""
        from penstock.planning.drafting.documents import plan_document

        return plan_document(plan)

    def plan_graph(self, plan: Plan, *, slots: int | None = None) -> Picture:
        """Return the bundles of a plan as a graph, with the times that the journal knows."""
        from penstock.engine.graph import graph_of_bundles
        from penstock.store.sqlite import open_journal

        bundles = [planned.bundle for planned in plan.bundles]
        if self.place is not None or self.database.exists():
            return graph_of_bundles(bundles, self.reader, self.settings, slots=slots)
        with closing(open_journal(None)) as journal:
            return graph_of_bundles(bundles, journal, self.settings, slots=slots)

    # -- writing -------------------------------------------------------------------------------
    def plan_directory(self, option: str | None = None) -> Path:
        """Return the folder that plans are written to: option, environment, `workstreams/`."""
        return Path(os.path.normpath(self.bundle_directory(option)))

    def write_plan(
        self, plan: Plan, directory: str | None = None, *, force: bool = False
    ) -> Changes:
        """Bring a folder to hold the bundles of a plan, and no older ones of the same sources.

        Raises UsageError when that would write over what a plan did not write, or people have
        edited since, unless `force`; ClaimError, EnvironmentProblem.
        """
        from penstock.planning.drafting.documents import bundle_files
        from penstock.planning.writing import write_files

        folder = self.plan_directory(directory)
        return write_files(folder, bundle_files(plan), plan.sources, force=force)
