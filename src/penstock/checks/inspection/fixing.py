"""Fixers, in their order, on a copy of the tree; what they change replaces the files one by one."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from penstock.checks.api import Place
from penstock.checks.inspection import replace
from penstock.checks.inspection.mirror import Mirror
from penstock.checks.inspection.passes import Change, Fixer, Interrupted, Passes
from penstock.checks.inspection.replace import Refusal
from penstock.checks.plugins.port import Call, Plugin, PluginResult, ToolFacts
from penstock.errors import ClaimError, EnvironmentProblem
from penstock.folders import remove_tree
from penstock.locks import exclusive
from penstock.process.api import Stop

HOME = os.path.join(".state", "fixing")  # noqa: PTH118 - a part of a path, made once
"""Where a fix works: below the root, so that tools find above the copy what lies above the tree."""
PATIENCE_S = 600.0
"""How long a second fix of the same tree waits for the first, in seconds."""
PORTION_FILES = 2_000
PORTION_NAMES = 100_000
"""Bytes of file names in one command line."""
PORTION_BYTES = 64_000_000
"""Bytes of content that are copied at a time."""
_LOOK_S = 0.2


class Fixed(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was replaced, and the fixers that changed it."""

    path: str
    by: tuple[str, ...]


class FixReport(msgspec.Struct, frozen=True, kw_only=True):
    """What fixers did. `refused` are files that were left as they were, or that one of the fixers was
    not allowed to change, each with the reason. `results` are what the fixers said, failures
    included; `metadata["files"]` are the files of each."""

    fixed: tuple[Fixed, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    results: tuple[PluginResult, ...] = ()


def run_fixers(
    plugins: Sequence[tuple[Plugin, ToolFacts | None]],
    files_of: Mapping[str, Sequence[str]],
    place: Place,
    *,
    scratch: Path,
    cache: Path,
    stop: Stop,
    marker: str | None = None,
) -> FixReport:
    """Let fixers rewrite files of the tree; `files_of` has those of each plugin id.

    The plugins run in the order given, on copies, again where they changed something, until
    nothing changes any more. Then each changed file is replaced in one move, if it is still what was
    copied. Left alone is what a fixer empties, removes, or never comes to rest on; a fixer that fails
    changes nothing of its batch. A stop before that leaves everything as it is. Two fixes of one
    tree wait for each other. Never raises for what tools, files or the disk do.
    """
    job = _Job(place, files_of)
    if job.asked and not stop.asked:
        calls = [
            (plugin, _call(plugin, facts, scratch, cache, stop, marker))
            for plugin, facts in plugins
        ]
        try:
            job.run(calls, stop)
        except Interrupted:
            pass
        except (ClaimError, EnvironmentProblem) as error:
            job.refuse(str(error))
        except OSError as error:
            job.refuse(f"no copy can be made: {error.strerror or error}")
    return job.report()


def clear_leftovers(place: Place) -> None:
    """Remove what a fix that was killed has left in a tree; nothing while another is at work.

    Costs one look at the disk when there is nothing to remove.
    """
    home = _home(place)
    if not (home / _LEDGER).exists():
        return
    try:
        with exclusive(home / _LOCK, busy="another fix is at work"):
            _clear(home, place)
    except EnvironmentProblem:
        return  # the one at work clears up itself


_LOCK = "lock"
_LEDGER = "pending"
_MIRROR = "tree-"


class _Job:
    """One call of run_fixers: what was asked for, and what has become of it."""

    def __init__(self, place: Place, files_of: Mapping[str, Sequence[str]]) -> None:
        self._place = place
        self._files_of = files_of
        self._home = _home(place)
        self._fixed: list[Fixed] = []
        self._refused: dict[str, str] = {}
        self._results: list[PluginResult] = []
        self.asked = sorted({name for names in files_of.values() for name in names})

    def run(self, fixers: Sequence[Fixer], stop: Stop) -> None:
        """Fix portion by portion. Raises Interrupted, EnvironmentProblem, OSError."""
        with _alone(self._home / _LOCK, stop):
            _clear(self._home, self._place)
            for portion in _portions(self._place.tree, self.asked):
                try:
                    self._portion(fixers, portion)
                finally:
                    _clear(self._home, self._place)

    def refuse(self, why: str) -> None:
        """Tell of every file that nothing has been told of yet."""
        known = {fixed.path for fixed in self._fixed}
        for path in self.asked:
            if path not in known:
                self._refused.setdefault(path, why)

    def report(self) -> FixReport:
        """Return what has become of it all."""
        return FixReport(
            fixed=tuple(sorted(self._fixed, key=lambda fixed: fixed.path)),
            refused=tuple(sorted(self._refused.items())),
            results=tuple(self._results),
        )

    def _portion(self, fixers: Sequence[Fixer], portion: Sequence[str]) -> None:
        # a name of its own: a fixer of a killed run may still be writing where that one worked
        mirror = Mirror(self._home / f"{_MIRROR}{secrets.token_hex(4)}", self._place.tree)
        targets = self._take(mirror, portion)
        copy = Place(tree=mirror.folder, root=self._place.root)
        passes = Passes(mirror, copy, fixers, self._files_of)
        try:
            changes = passes.run()
        finally:
            self._refused.update(passes.refused)
            self._results += passes.results
        self._apply(changes, targets)

    def _take(self, mirror: Mirror, portion: Sequence[str]) -> dict[str, str]:
        """Copy files; return where each really lies."""
        targets = {}
        for path in portion:
            try:
                targets[path] = _target(self._place.tree, path)
                mirror.take(path)
            except Refusal as refusal:
                self._refused[path] = str(refusal)
        return targets

    def _apply(self, changes: Sequence[Change], targets: Mapping[str, str]) -> None:
        if not changes:
            return
        first = {targets[change.path]: change for change in reversed(changes)}
        each = [(target, change.before, change.after) for target, change in first.items()]
        plan = replace.swaps(each, secrets.token_hex(6))
        replace.announce(self._home / _LEDGER, plan)
        trouble = {swap.target: _trouble(swap) for swap in plan}
        replace.flush_folders([target for target, why in trouble.items() if why is None])
        for change in changes:
            why = trouble[targets[change.path]]
            if why is None:
                self._fixed.append(Fixed(path=change.path, by=change.by))
            else:
                self._refused[change.path] = why


def _trouble(swap: replace.Swap) -> str | None:
    """Replace a file; say why that could not be done."""
    try:
        replace.replace(swap)
    except Refusal as refusal:
        return str(refusal)
    return None


@contextmanager
def _alone(lock: Path, stop: Stop) -> Iterator[None]:
    """Hold the lock of a tree. Raises Interrupted when asked to stop waiting, EnvironmentProblem."""
    deadline = time.monotonic() + PATIENCE_S
    with ExitStack() as stack:
        while True:
            try:
                busy = "another fix of the same files does not end"
                stack.enter_context(exclusive(lock, busy=busy, patience_s=_LOOK_S))
                break
            except ClaimError:
                if stop.asked:
                    raise Interrupted from None
                if time.monotonic() > deadline:
                    raise
        yield


def _clear(home: Path, place: Place) -> None:
    for mirror in home.glob(f"{_MIRROR}*"):
        remove_tree(mirror)
    replace.clear(home / _LEDGER, place.tree)


def _home(place: Place) -> Path:
    """Return the folder in which a tree is fixed, each tree its own."""
    above = place.root if place.tree.is_relative_to(place.root) else place.tree
    name = hashlib.blake2b(os.fsencode(place.tree), digest_size=8).hexdigest()
    return above / HOME / name


def _target(tree: Path, path: str) -> str:
    """Return where the bytes of a file lie, links followed. Raises Refusal outside of the tree."""
    real = os.path.realpath(tree / path)
    if not real.startswith(f"{tree}{os.sep}"):
        raise Refusal("it is a link that leads out of the tree")
    return real


def _call(
    plugin: Plugin,
    facts: ToolFacts | None,
    scratch: Path,
    cache: Path,
    stop: Stop,
    marker: str | None,
) -> Call:
    own = cache / plugin.manifest.plugin_id
    return Call(tool=facts, scratch=scratch, cache=own, stop=stop, marker=marker)


def _portions(tree: Path, files: Iterable[str]) -> Iterator[list[str]]:
    """Split files into lists that fit a command line and the memory."""
    portion: list[str] = []
    names = size = 0
    for path in files:
        length, bytes_ = len(os.fsencode(path)) + 3, _size(tree / path)
        full = names + length > PORTION_NAMES or size + bytes_ > PORTION_BYTES
        if portion and (full or len(portion) >= PORTION_FILES):
            yield portion
            portion, names, size = [], 0, 0
        portion.append(path)
        names, size = names + length, size + bytes_
    if portion:
        yield portion


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
