"""Fixers at work on a mirror: in their order, again until nothing changes, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from penstock.checks.api import Place
from penstock.checks.inspection.lineends import with_ends_of
from penstock.checks.inspection.mirror import Mirror
from penstock.checks.inspection.replace import Refusal
from penstock.checks.plugins.port import Call, Plugin, PluginResult

MAX_PASSES = 4
"""How often fixers may find something more to change in a file before they are said to fight."""
QUICK_MS = 10_000
"""A batch that failed within this time is tried again in halves, to find the file at fault."""
MAX_SPLITS = 20
"""How often a fixer's batch is halved in one pass for that."""

Fixer = tuple[Plugin, Call]


class Interrupted(Exception):  # noqa: N818 - the user's wish, no fault
    """A stop was asked for."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: its bytes before and after, and the fixers that had a part in it."""

    path: str
    before: bytes
    after: bytes
    by: tuple[str, ...]


class Passes:
    """Runs fixers on the files of a mirror. `refused` and `results` tell what went wrong."""

    def __init__(
        self,
        mirror: Mirror,
        place: Place,
        fixers: Sequence[Fixer],
        files_of: Mapping[str, Sequence[str]],
    ) -> None:
        self._mirror = mirror
        self._place = place
        self._fixers = fixers
        self._files_of = files_of
        self._by: dict[str, dict[str, None]] = {}
        self.refused: dict[str, str] = {}
        self.results: list[PluginResult] = []

    def run(self) -> tuple[Change, ...]:
        """Return what is to be changed. Raises Interrupted; OSError when the mirror cannot be written."""
        todo = frozenset(self._mirror.originals)
        for _ in range(MAX_PASSES):
            todo = self._pass(todo)
            if not todo:
                break
        self._give_up(todo)
        return tuple(self._changes())

    def _pass(self, todo: frozenset[str]) -> frozenset[str]:
        """Let each fixer see its files once; return those that changed."""
        changed: set[str] = set()
        for plugin, call in self._fixers:
            files = [f for f in self._files_of.get(plugin.manifest.plugin_id, ()) if f in todo]
            if files:
                changed.update(self._fix(plugin, call, files, [MAX_SPLITS]))
        return frozenset(changed)

    def _fix(self, plugin: Plugin, call: Call, files: list[str], splits: list[int]) -> list[str]:
        """Run one fixer; where it fails, nothing changes but for the halves that are innocent."""
        result = self._result(plugin, call, files)
        if result.problem is None:
            return self._accept(plugin.manifest.plugin_id, files)
        self._mirror.restore(files)
        if len(files) == 1 or result.duration_ms >= QUICK_MS or not splits[0]:
            self._note(result, files)
            return []
        splits[0] -= 1
        middle = len(files) // 2
        halves = (files[:middle], files[middle:])
        return [path for half in halves for path in self._fix(plugin, call, half, splits)]

    def _result(self, plugin: Plugin, call: Call, files: list[str]) -> PluginResult:
        if call.stop.asked:
            raise Interrupted
        result = plugin.fix(files, self._place, call)
        if result.problem is None:
            self._note(result, files)
        if result.interrupted or call.stop.asked:
            raise Interrupted
        return result

    def _note(self, result: PluginResult, files: list[str]) -> None:
        metadata = {**result.metadata, "files": files}
        self.results.append(msgspec.structs.replace(result, metadata=metadata))

    def _accept(self, plugin_id: str, files: list[str]) -> list[str]:
        """Take over what a fixer made of its files; return those that changed."""
        changed = []
        for path in files:
            try:
                if self._take_over(path):
                    self._by.setdefault(path, {})[plugin_id] = None
                    changed.append(path)
            except Refusal as refusal:
                self.refused[path] = f"{plugin_id} was not heeded: {refusal}"
                self._mirror.restore([path])
        return changed

    def _take_over(self, path: str) -> bool:
        """Tell whether a file has changed. Raises Refusal for what no fixer may do."""
        made, before = self._mirror.changed(path), self._mirror.content(path)
        if made is None:
            return False
        if before.strip() and not made.strip():
            raise Refusal("it left nothing of the file")
        made = with_ends_of(self._mirror.originals[path], made)
        self._mirror.agree(path, made)
        return made != before

    def _give_up(self, restless: Iterable[str]) -> None:
        for path in restless:
            fighting = ", ".join(self._by.pop(path))
            self.refused[path] = (
                f"it never comes to rest: {fighting} would change it again and again"
            )
            self._mirror.agree(path, self._mirror.originals[path])

    def _changes(self) -> Iterator[Change]:
        for path, by in sorted(self._by.items()):
            before, after = self._mirror.originals[path], self._mirror.content(path)
            if before != after:
                yield Change(path=path, before=before, after=after, by=tuple(by))
