"""Running batches: splitting one that fails, placing what was found, keeping what is sure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from penstock.checks.api import CacheEntry, Place, ResultCache
from penstock.checks.inspection.batches import Batch
from penstock.checks.inspection.keys import KeyParts, Ledger, key_of, pack
from penstock.checks.inspection.places import Places
from penstock.checks.plugins.port import Call, Plugin, PluginResult, ToolFacts
from penstock.checks.regular import read_regular
from penstock.checks.scratch import ScratchFolders
from penstock.locks import try_lock
from penstock.model.finding import Finding
from penstock.model.fingerprint import fingerprints, source_lines
from penstock.process.api import Stop

SPLITS = 16
"""How many further runs may look for the files that a tool fails on."""
Found = dict[str, tuple[Finding, ...]]
"""Findings by the path of their file."""


@dataclass(slots=True)
class Tally:
    """What became of one plugin's work. `failed` has the reason by file."""

    found: Found = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    cached: set[str] = field(default_factory=set)
    duration_s: float = 0.0


@dataclass(slots=True)
class Work:
    """The work of one inspection. `tallies` are by plugin id; `run` may be called by many threads.

    `mask` takes secrets out of what tools say.
    """

    place: Place
    ledger: Ledger
    cache: ResultCache
    folder: Path
    stop: Stop
    on_done: Callable[[str, int], None]
    mask: Callable[[str], str] = str
    marker: str | None = None
    tallies: dict[str, Tally] = field(default_factory=dict)
    _scratch: ScratchFolders = field(default_factory=ScratchFolders)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tally(self, plugin_id: str) -> Tally:
        """Return the tally of a plugin."""
        return self.tallies.setdefault(plugin_id, Tally())

    # -- from the cache ----------------------------------------------------------------------
    def recall(self, wanted: Sequence[tuple[Plugin, ToolFacts | None, tuple[str, ...]]]) -> None:
        """Take from the cache what is there, into the tallies."""
        keys: list[tuple[str, tuple[str, ...], bytes]] = []
        for plugin, tool, files in wanted:
            plugin_id = plugin.manifest.plugin_id
            told = tuple(units(plugin, files))
            made = self._keys(plugin, tool, files)
            keys += [(plugin_id, unit, key) for unit, key in zip(told, made, strict=True)]
        values = self.cache.lookup([key for _, _, key in keys])
        for plugin_id, unit, key in keys:
            found = unpacked(values.get(key), unit)
            if found is not None:
                tally = self.tally(plugin_id)
                tally.found.update(found)
                tally.cached.update(unit)

    def parts(self, plugin: Plugin, tool: ToolFacts | None, unit: Sequence[str]) -> KeyParts:
        """Return what the result on a unit depends on."""
        if plugin.manifest.depends.reach == "project":
            return self.ledger.project_parts(plugin, tool, unit)
        return self.ledger.parts(plugin, tool, unit[0])

    def _keys(self, plugin: Plugin, tool: ToolFacts | None, files: Sequence[str]) -> list[bytes]:
        """Return the keys of a plugin's units, in their order."""
        if plugin.manifest.depends.reach == "project":
            return [key_of(self.parts(plugin, tool, unit)) for unit in units(plugin, files)]
        return self.ledger.keys(plugin, tool, files)

    # -- anew --------------------------------------------------------------------------------
    def run(self, batch: Batch) -> None:
        """Run a batch; one that fails is run again in halves, so that the other files are checked."""
        began = time.monotonic()
        todo, left = [batch], SPLITS
        while todo:
            now = todo.pop(0)
            result = self._call(now)
            if result.interrupted or self.stop.asked:
                break
            again = result.problem is not None and len(now.files) > 1 and not now.whole
            if again and left > 1 and not result.metadata.get("timed_out"):
                todo += now.halves()
                left -= 2
                continue
            self._take(now, result)
        with self._lock:
            self.tally(batch.plugin_id).duration_s += time.monotonic() - began

    def _call(self, batch: Batch) -> PluginResult:
        with self._scratch.lend() as scratch, self._own_folder(batch, scratch) as cache:
            call = Call(
                tool=batch.tool, scratch=scratch, cache=cache, stop=self.stop, marker=self.marker
            )
            return without_secrets(batch.plugin.check(batch.files, self.place, call), self.mask)

    def _own_folder(self, batch: Batch, scratch: Path) -> _OwnFolder:
        name = "tree" if self.place.tree == self.place.root else "export"
        return _OwnFolder(self.folder / batch.plugin_id / name, scratch / "cache")

    def _take(self, batch: Batch, result: PluginResult) -> None:
        """Enter a result into the tally; keep it when nothing changed while the tool ran."""
        if result.problem is not None:
            with self._lock:
                reasons = dict.fromkeys(batch.files, result.problem)
                self.tally(batch.plugin_id).failed.update(reasons)
        else:
            found = self._placed(batch, result)
            self._keep(batch, found)
            with self._lock:
                self.tally(batch.plugin_id).found.update(found)
        self.on_done(batch.plugin_id, len(batch.files))

    def _placed(self, batch: Batch, result: PluginResult) -> Found:
        """Return the findings by file, each file of the batch with at least an empty list."""
        places = Places(self.place, batch.files)
        lines: Callable[[str], list[str]] = self._lines
        ours = [found for issue in result.issues if (found := places.put(issue)) is not None]
        by_file: dict[str, list[Finding]] = {path: [] for path in batch.files}
        for found in fingerprints(dict.fromkeys(ours), lines):
            by_file[found.path or batch.files[0]].append(found)
        return {path: tuple(found) for path, found in by_file.items()}

    def _lines(self, path: str) -> list[str]:
        try:
            data = read_regular(self.place.tree / path)
        except OSError:  # gone meanwhile: its findings are told by their messages
            return []
        return source_lines(data.decode("utf-8", "replace"))

    def _keep(self, batch: Batch, found: Found) -> None:
        """Save what was found under the keys that were made before, where they still hold."""
        now = self.ledger.again()
        depends = batch.plugin.manifest.depends
        until = None if depends.max_age_s is None else time.time() + depends.max_age_s
        if depends.network and until is None:
            return
        entries = []
        for unit in units(batch.plugin, batch.files):
            parts = self.parts(batch.plugin, batch.tool, unit)
            if _now(now, batch, unit) == parts:
                entries.append(
                    CacheEntry(
                        key=key_of(parts),
                        plugin_id=batch.plugin_id,
                        path=unit[0] if len(unit) == 1 else parts.path,
                        parts=pack(parts),
                        value=packed({path: found.get(path, ()) for path in unit}),
                        expires_at=until,
                    )
                )
        self.cache.save(entries)


def without_secrets(result: PluginResult, mask: Callable[[str], str]) -> PluginResult:
    """Return a result in whose words no secret stands: they are kept, shown and told to agents."""
    issues = tuple(
        issue if (clean := mask(issue.message)) == issue.message else _saying(issue, clean)
        for issue in result.issues
    )
    problem = result.problem and mask(result.problem)
    return msgspec.structs.replace(result, issues=issues, problem=problem)


def _saying(issue: Finding, message: str) -> Finding:
    return msgspec.structs.replace(issue, message=message)


def _now(ledger: Ledger, batch: Batch, unit: Sequence[str]) -> KeyParts:
    if batch.whole:
        return ledger.project_parts(batch.plugin, batch.tool, unit)
    return ledger.parts(batch.plugin, batch.tool, unit[0])


def units(plugin: Plugin, files: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Give the sets of files that share a key: each file, or all of a plugin of reach project."""
    if plugin.manifest.depends.reach == "project":
        if files:
            yield tuple(files)
        return
    for path in files:
        yield (path,)


# -- values of the cache ---------------------------------------------------------------------
_decoder = msgspec.msgpack.Decoder(list[tuple[Finding, ...]])


def packed(found: Mapping[str, tuple[Finding, ...]]) -> bytes:
    """Return the value that is kept for a unit: findings by file, in the order of the names."""
    return msgspec.msgpack.encode([found[path] for path in sorted(found)])


def unpacked(value: bytes | None, unit: Sequence[str]) -> Found | None:
    """Return the findings of a unit from a kept value, None when it is none for these files."""
    if value is None:
        return None
    try:
        lists = _decoder.decode(value)
    except msgspec.MsgspecError:
        return None
    if len(lists) != len(unit):
        return None
    return dict(zip(sorted(unit), lists, strict=True))


class _OwnFolder:
    """A folder in which a tool keeps its own results: the lasting one, or a passing one when another
    process is using that, because tools do not expect company there."""

    def __init__(self, lasting: Path, passing: Path) -> None:
        self._lasting, self._passing = lasting, passing
        self._descriptor: int | None = None

    def __enter__(self) -> Path:
        import os

        try:
            self._lasting.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._lasting.with_name(self._lasting.name + ".lock")
            self._descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:  # a folder that is not ours to write: the tool works without a memory
            return self._spare()
        return self._lasting if try_lock(self._descriptor) else self._spare()

    def _spare(self) -> Path:
        self._passing.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._passing

    def __exit__(self, *_: object) -> None:
        import os

        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
