"""Reads the tasks.json of task-master: one tag of it is a plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from penstock.config.problems import Key
from penstock.errors import NotFoundError, UsageError
from penstock.planning.files import UnreadableError
from penstock.planning.sources.api import Dialect, PlanSource
from penstock.planning.sources.jsonfile import JsonFile
from penstock.planning.sources.noting import Notes
from penstock.planning.sources.recognise import Located
from penstock.planning.sources.taskmaster_links import Linker
from penstock.planning.sources.taskmaster_tree import Tree, text_of
from penstock.planning.sources.taskmaster_units import UnitMaker
from penstock.planning.sources.text import SourceFile, from_bytes, read_file

DEFAULT_TAG: Final = "master"


class _Tag(msgspec.Struct, frozen=True):
    """A tag: its name, its tasks and where they stand, and what else it says."""

    name: str
    tasks: list[Any]
    path: Key
    rest: dict[str, Any]


def read_taskmaster(located: Located, root: Path) -> PlanSource:
    """Read one tag of a tasks.json: that of `located`, else the current one of `state.json`, else
    `master`, else the only one.

    Raises UsageError when the file cannot be read, holds no tasks, or has several tags of which
    none is the current one; NotFoundError for a tag that it does not have.
    """
    notes = Notes()
    files: dict[str, str] = {}
    source, path = _source(located, root)
    file = JsonFile(source)
    _take(source, files, notes)
    file.note_repeated(notes)
    tags = _tags(file, notes)
    current = None if located.tag or path is None else _current(path, source.name, files, notes)
    tag = _chosen(tags, located.tag, current, source.name)
    _note_others(tags, tag, file, notes)
    tree = Tree(file, notes)
    nodes = tree.grow(tag.tasks, tag.path)
    linker, maker = Linker(tree, file, notes), UnitMaker(file, notes)
    units = tuple(maker.unit(node, linker.links(node)) for node in nodes)
    if not units:
        notes.warning("no-tasks", f"the tag {tag.name} has no tasks", file.place(tag.path))
    return PlanSource(
        dialect=Dialect.TASK_MASTER,
        id=tag.name,
        plan_id=f"tag/{tag.name}",
        title=_title(tag),
        path=source.name,
        files=files,
        units=units,
        notices=notes.all(),
        metadata={"tag": tag.name, "tags": sorted(tags), **tag.rest},
    )


def tag_names(raw: bytes, name: str) -> tuple[str, ...]:
    """Return the tags of a tasks.json in its order. Raises UsageError when it cannot be read."""
    try:
        file = JsonFile(from_bytes(raw, name))
    except UnreadableError as error:
        raise UsageError(f"{name}: {error}") from error
    return tuple(_tags(file, Notes()))


def _source(located: Located, root: Path) -> tuple[SourceFile, Path | None]:
    """Return the file, and where it lies when it was not handed over as bytes."""
    try:
        if located.raw is not None:
            return from_bytes(located.raw, located.name), None
        within = root if located.path.is_relative_to(root) else None
        return read_file(located.path, located.name, within=within), located.path
    except UnreadableError as error:
        raise UsageError(f"{located.name}: {error}") from error


def _take(file: SourceFile, files: dict[str, str], notes: Notes) -> None:
    """Remember that a file was read, and what was odd about its bytes."""
    files[file.name] = file.sha256
    notes.extend(file.notices)


def _tags(file: JsonFile, notes: Notes) -> dict[str, _Tag]:
    """Return the tags of a file: those of today, or the only one of a file without tags."""
    value = file.value
    if isinstance(value, list):
        return {DEFAULT_TAG: _Tag(DEFAULT_TAG, value, (), {})}
    if not isinstance(value, dict):
        raise _no_tasks(file)
    found: dict[str, _Tag] = {}
    if isinstance(value.get("tasks"), list):
        rest = {"metadata": value["metadata"]} if "metadata" in value else {}
        found[DEFAULT_TAG] = _Tag(DEFAULT_TAG, value["tasks"], ("tasks",), rest)
    for name, inner in value.items():
        if isinstance(inner, dict) and isinstance(inner.get("tasks"), list):
            _add(found, name, inner, file, notes)
    _note_unread(value, found, file, notes)
    if not found:
        raise _no_tasks(file)
    return found


def _add(
    found: dict[str, _Tag], name: str, inner: dict[str, Any], file: JsonFile, notes: Notes
) -> None:
    """Add a tag, unless tasks without a tag have its name already."""
    if name in found:
        notes.error(
            "duplicate-tag",
            f"there are tasks without a tag, which count as {name}, and a tag {name}, which is not "
            "read",
            file.place((name,)),
            "move the tasks without a tag into one of their own",
        )
        return
    rest = {key: value for key, value in inner.items() if key != "tasks"}
    found[name] = _Tag(name, inner["tasks"], (name, "tasks"), rest)


def _note_unread(
    value: dict[str, Any], found: Mapping[str, _Tag], file: JsonFile, notes: Notes
) -> None:
    """Note what is neither tag nor known."""
    known = {"tasks", "metadata"} if ("tasks",) in {tag.path for tag in found.values()} else set()
    for name in value:
        if name not in found and name not in known:
            notes.warning("unread-key", f"{name} holds no list of tasks", file.place((name,)))


def _no_tasks(file: JsonFile) -> UsageError:
    return UsageError(
        f"{file.file.name}: there are no tasks in it",
        hint='expected is {"master": {"tasks": [...]}} or {"tasks": [...]}',
    )


def _current(path: Path, name: str, files: dict[str, str], notes: Notes) -> str | None:
    """Return the current tag that the state.json beside the tasks names."""
    state = path.parent.parent / "state.json"
    if path.parent.name != "tasks" or not state.exists():
        return None
    above = name.split("/")[:-2]
    said = "/".join([*above, "state.json"])
    try:
        file = read_file(state, said, within=state.parent)
        value = JsonFile(file).value
    except (UnreadableError, UsageError) as error:
        notes.warning("unreadable-file", f"the current tag cannot be told: {error}", None)
        return None
    _take(file, files, notes)
    return text_of(value.get("currentTag")) or None if isinstance(value, dict) else None


def _chosen(tags: Mapping[str, _Tag], asked: str | None, current: str | None, name: str) -> _Tag:
    """Return the tag to read."""
    listed = ", ".join(tags)
    if asked is not None:
        if asked not in tags:
            raise NotFoundError(f"{name} has no tag {asked}", hint=f"its tags are: {listed}")
        return tags[asked]
    only = next(iter(tags)) if len(tags) == 1 else None
    for wanted in (current, DEFAULT_TAG, only):
        if wanted is not None and wanted in tags:
            return tags[wanted]
    raise UsageError(
        f"{name} has several tags, and none of them is the current one",
        hint=f"choose one with --tag: {listed}",
    )


def _note_others(tags: Mapping[str, _Tag], chosen: _Tag, file: JsonFile, notes: Notes) -> None:
    """Note the tags that are not read, so that nobody looks for their tasks."""
    others = [tag for tag in tags.values() if tag.name != chosen.name]
    if others:
        listed = ", ".join(f"{tag.name} ({len(tag.tasks)})" for tag in others)
        notes.info(
            "other-tags",
            f"the tag {chosen.name} is read; tags with tasks of their own: {listed}",
            file.place(()),
            "choose one with --tag",
        )


def _title(tag: _Tag) -> str:
    """Return what the tag is about."""
    inner = tag.rest.get("metadata")
    described = text_of(inner.get("description")) if isinstance(inner, dict) else ""
    return described.splitlines()[0] if described else tag.name
