"""Putting the files of a plan into a folder of bundles, over those of the same plan only.

Every file that a plan writes carries a seal, the hash of its content, in `metadata.generated`: what
people have changed since no longer fits it, and is never written over unasked. Files come and go in
the order of their dependencies, so that a folder of valid bundles is one at every moment: a part
of valid bundles that lacks nothing that it depends on is valid too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from penstock.errors import BundleCycleError, ClaimError, EnvironmentProblem, UsageError
from penstock.locks import try_lock
from penstock.model.bundle import Bundle
from penstock.planning.api import Changes
from penstock.planning.files import UnreadableError, bundle_files, read_text
from penstock.planning.parse import SyntaxProblemError, parse
from penstock.planning.sources.api import ItemState, PlanSource, Trace
from penstock.schedule.graph import topological_order
from penstock.typed import typed

GENERATED: Final = "generated"
"""The key of `metadata` that the seal stands under."""
SKETCHES: Final = "sketches"
"""The folder of placeholders within a folder of bundles: no run looks into it."""
STAGE: Final = ".penstock-plan-"
OLD: Final = "old"
NEW: Final = "new"
"""What lies in the hidden folder while files are moved: what was there, and what is to come."""
PATIENCE_S: Final = 10.0
_PAUSE_S: Final = 0.02

PlanName = tuple[str, str, str]
"""What makes two plans the same: dialect, path and id of a source; of standard input its hash."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a plan wrote once. `name` counts from the folder of bundles.

    `plan` says of which source it is, `items` are the keys of those that it was to do; `edited`
    tells whether its content is no longer what was written, of which `seal` is the hash.
    """

    name: str
    text: str
    plan: PlanName
    items: frozenset[str]
    ids: tuple[str, ...]
    depends_on: tuple[str, ...]
    edited: bool
    seal: str


def sealed(text: str) -> str:
    """Return the text of a generated bundle with its seal, in the same form of JSON."""
    value = json.loads(text)
    value.setdefault("metadata", {})[GENERATED] = {"sha256": _digest(value)}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _digest(value: Mapping[str, Any]) -> str:
    """Return the hash of a bundle's content, however its JSON is laid out."""
    metadata = {key: one for key, one in value["metadata"].items() if key != GENERATED}
    plain = json.dumps({**value, "metadata": metadata}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


# -- what is there ---------------------------------------------------------------------------
def found_in(directory: Path) -> dict[str, Found]:
    """Return the files in a folder of bundles, sketches included, that plans wrote, by name."""
    found: dict[str, Found] = {}
    for folder, prefix in ((directory, ""), (directory / SKETCHES, f"{SKETCHES}/")):
        for path in _files(folder):
            one = _generated(path, prefix + path.name)
            if one is not None:
                found[one.name] = one
    return found


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    try:
        return bundle_files(folder)
    except UnreadableError as error:
        raise EnvironmentProblem(f"{folder} {error}") from error


def _generated(path: Path, name: str) -> Found | None:
    """Return what is known of a file, None when no plan wrote it or it cannot be told."""
    try:
        text = read_text(path)
        value = parse(text).value
    except (UnreadableError, SyntaxProblemError):
        return None
    if not isinstance(value, dict) or (trace := _trace(value.get("metadata"))) is None:
        return None
    seal = value["metadata"][GENERATED].get("sha256")
    return Found(
        name=name,
        text=text,
        plan=plan_name(trace),
        items=frozenset(item.key for item in trace.items),
        ids=_texts([value.get("id")]),
        depends_on=_texts(value.get("depends_on")),
        edited=seal != _digest(value),
        seal=str(seal),
    )


def _trace(metadata: object) -> Trace | None:
    """Return where a bundle comes from by its metadata, None when no plan wrote it."""
    if not isinstance(metadata, dict) or not isinstance(metadata.get(GENERATED), dict):
        return None
    try:
        return typed(metadata.get("plan"), Trace)
    except msgspec.ValidationError:
        return None


def plan_of(bundle: Bundle) -> PlanName | None:
    """Return which plan a bundle was written by, None when none was."""
    trace = _trace(bundle.metadata)
    return None if trace is None else plan_name(trace)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def plan_name(source: Trace | PlanSource) -> PlanName:
    """Return what a source, or that of a bundle, is told by."""
    mark = source.files.get(source.path, source.id) if source.path == "-" else source.id
    return source.dialect.value, source.path, mark


# -- what is to be done ----------------------------------------------------------------------
def compare(
    directory: Path,
    files: Mapping[str, str],
    sources: Sequence[PlanSource],
    *,
    force: bool = False,
) -> tuple[Changes, dict[str, Found]]:
    """Return what writing sealed `files`, which come from `sources`, would do to a folder, and what
    plans wrote there before. With `force` what people edited is written over also where the plan is
    the same. Raises EnvironmentProblem for a folder that cannot be read.
    """
    before = found_in(directory)
    still = {plan_name(source): _open_keys(source) for source in sources}
    wanted = {name: _wanted(text) for name, text in files.items()}
    ids = {ws_id for one in wanted.values() for ws_id in one.ids}
    stale = [one for one in before.values() if one.name not in files and one.plan in still]
    conflicts = dict(_clashes(directory, wanted, before, still))
    kept = {
        name: "it was edited, and its plan is the same"
        for name, one in wanted.items()
        if _stands(before.get(name), one) and not force
    }
    for one in (one for one in stale if one.edited):
        if not one.items.isdisjoint(still[one.plan]):
            conflicts[one.name] = "was edited, and what it is to do is in other bundles now"
        elif not ids.isdisjoint(one.ids):
            conflicts[one.name] = "was edited and is done, and its id is needed again"
        else:
            kept[one.name] = "it was edited, and what it was to do is done"
    same = {name for name, text in files.items() if name in before and before[name].text == text}
    return (
        Changes(
            directory=str(directory),
            written=tuple(sorted(files.keys() - same - kept.keys())),
            unchanged=tuple(sorted(same)),
            removed=tuple(sorted(one.name for one in stale if one.name not in kept)),
            kept=dict(sorted(kept.items())),
            conflicts=dict(sorted(conflicts.items())),
        ),
        before,
    )


class _Wanted(msgspec.Struct, frozen=True):
    """What is to be known of a file that is to be written."""

    seal: str
    ids: tuple[str, ...]


def _wanted(text: str) -> _Wanted:
    value = json.loads(text)
    return _Wanted(_digest(value), _texts([value.get("id")]))


def _stands(found: Found | None, wanted: _Wanted) -> bool:
    """Tell whether people have edited what the plan would write again just as it was."""
    return found is not None and found.edited and found.seal == wanted.seal


def _open_keys(source: PlanSource) -> frozenset[str]:
    return frozenset(item.key for item in source.items if item.state is ItemState.OPEN)


def _clashes(
    directory: Path,
    wanted: Mapping[str, _Wanted],
    before: Mapping[str, Found],
    plans: Collection[PlanName],
) -> Iterator[tuple[str, str]]:
    """Yield the wanted names that are taken by what must not be written over."""
    for name, one in wanted.items():
        path = directory / name
        if name in before:
            found = before[name]
            if found.plan not in plans:
                yield name, f"belongs to another plan ({found.plan[1]})"
            elif found.edited and not _stands(found, one):
                yield name, "was edited since it was written"
        elif (path.is_symlink() or path.exists()) and not _is_empty(path):
            yield name, "was not written by a plan"


def _is_empty(path: Path) -> bool:
    """Tell whether a file is without content, as a machine that lost its power leaves it."""
    try:
        return path.is_file() and not path.is_symlink() and path.stat().st_size == 0
    except OSError:
        return False


# -- doing it --------------------------------------------------------------------------------
def write_files(
    directory: Path,
    files: Mapping[str, str],
    sources: Sequence[PlanSource],
    *,
    force: bool = False,
) -> Changes:
    """Bring a folder of bundles (made when there is none) to hold the files of a plan.

    `files` are texts by name from the folder, without seals, that come from `sources`. With `force`,
    conflicts are written over. Raises UsageError for conflicts without it, ClaimError when another process writes there for
    more than 10 s, EnvironmentProblem when it cannot be written; then nothing is changed, but for
    the one case that the disk fails in the midst of renaming.
    """
    texts = {name: sealed(text) for name, text in files.items()}
    _make(directory)
    try:
        with _alone(directory):
            changes, before = compare(directory, texts, sources, force=force)
            if changes.conflicts and not force:
                raise _refusal(changes)
            if changes.changes:
                _apply(directory, texts, changes, before)
            return changes
    except OSError as error:
        raise EnvironmentProblem(
            f"the plan cannot be written to {directory}: {error.strerror}",
            hint="Free space or mend the permissions, then run the same command again.",
        ) from error


def _refusal(changes: Changes) -> UsageError:
    lines = "".join(f"\n  {name} {why}" for name, why in changes.conflicts.items())
    return UsageError(
        f"nothing was written: {changes.directory} holds what this plan would write over{lines}",
        hint="Take --output-dir for another folder, or --force to replace these files.",
    )


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{directory} cannot be made: {error.strerror}") from error


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the folder against other plans, and clear away what a killed one left.

    Windows has no locks on folders: there, nobody waits.
    """
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise ClaimError(f"another process is writing a plan to {directory}")
            time.sleep(_PAUSE_S)
        for left in directory.glob(f"{STAGE}*"):
            _clear(left, directory)
        yield
    finally:
        os.close(descriptor)


def _apply(
    directory: Path, texts: Mapping[str, str], changes: Changes, before: Mapping[str, Found]
) -> None:
    """Write all that is to come aside, take out what is to go, and put the rest in."""
    stage = Path(tempfile.mkdtemp(prefix=STAGE, dir=directory))
    try:
        for name in changes.written:
            _write(stage / NEW / name, texts[name])
        # what stays but depends on what changes is taken out and put back
        moved = _with_dependents(changes, before)
        back = moved - {*changes.removed, *changes.written}
        coming = {name: texts[name] for name in changes.written}
        coming |= {name: before[name].text for name in back}
        with _undoing() as moves:
            for name in reversed(_order({name: before[name].text for name in moved})):
                moves.move(directory / name, stage / OLD / name)
            for name in (one for one in changes.written if one not in moved):
                moves.move(directory / name, stage / OLD / name)
            for name in _order(coming):
                moves.move(stage / (OLD if name in back else NEW) / name, directory / name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        with suppress(OSError):
            (directory / SKETCHES).rmdir()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def _clear(stage: Path, directory: Path) -> None:
    """Put back what a killed plan had taken out and nothing has taken the place of; drop the rest."""
    old = stage / OLD
    for path in sorted(old.rglob("*")):
        target = directory / path.relative_to(old)
        if not (path.is_dir() or target.is_symlink() or target.exists()):
            target.parent.mkdir(exist_ok=True)
            path.rename(target)
    shutil.rmtree(stage, ignore_errors=True)


def _with_dependents(changes: Changes, before: Mapping[str, Found]) -> set[str]:
    """Return the written files that change or go, and those that depend on them at any remove."""
    moved = {name for name in (*changes.removed, *changes.written) if name in before}
    children: dict[str, list[Found]] = {}
    for one in before.values():
        for needed in one.depends_on:
            children.setdefault(needed, []).append(one)
    left = list(moved)
    while left:
        for ws_id in before[left.pop()].ids:
            more = [one.name for one in children.get(ws_id, ()) if one.name not in moved]
            moved.update(more)
            left += more
    return moved


def _order(texts: Mapping[str, str]) -> list[str]:
    """Return names of files so that each follows what it depends on."""
    bundles: dict[str, Bundle] = {}
    names: dict[str, str] = {}
    for name, text in sorted(texts.items()):
        try:
            bundle = typed(json.loads(text), Bundle)
        except (ValueError, msgspec.ValidationError):
            continue  # an edited file that is replaced
        bundles[name], names[bundle.id] = bundle, name
    try:
        ordered = [names[bundle.id] for bundle in topological_order(bundles.values())]
    except BundleCycleError:  # only people's edits make one
        ordered = []
    return [*(name for name in sorted(texts) if name not in set(ordered)), *ordered]


class _Moves:
    """Moves files, and can undo that."""

    def __init__(self) -> None:
        self._begun: list[tuple[Path, Path]] = []

    def move(self, source: Path, target: Path) -> None:
        """Move a file, where there is one, to a place where there is none."""
        if not (source.is_symlink() or source.exists()):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        self._begun.append((source, target))  # Ctrl-C may come just behind the move
        source.rename(target)

    def undo(self) -> None:
        """Bring everything back, as far as the disk allows."""
        for source, target in reversed(self._begun):
            with suppress(OSError):
                target.rename(source)


@contextmanager
def _undoing() -> Iterator[_Moves]:
    """Undo the moves of the block when it fails."""
    moves = _Moves()
    done = False
    try:
        yield moves
        done = True
    finally:
        if not done:
            moves.undo()
