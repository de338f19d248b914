"""Plans on disk, read as the commands read them, and questions to what was read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.planning.sources.api import Dialect, Item, ItemState, Notice, PlanSource, Unit
from penstock.planning.sources.reading import read_source
from penstock.planning.sources.recognise import Located

FIXTURES = Path(__file__).parents[1] / "fixtures" / "plans"


def fixture(dialect: Dialect, place: str, **more: Any) -> PlanSource:
    """Read one of the kept plans."""
    home = FIXTURES / dialect.value
    return read_source(Located(dialect=dialect, path=home / place, name=place, **more), home)


def laid(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def epic(folder: Path, files: Mapping[str, str | bytes], name: str = "books") -> PlanSource:
    """Read an epic of these files."""
    path = laid(folder / "epics" / name, files)
    return read_source(Located(dialect=Dialect.CCPM, path=path, name=f"epics/{name}"), folder)


def feature(folder: Path, tasks: str | bytes, **around: str | bytes) -> PlanSource:
    """Read a feature of a tasks.md and other Markdown files by their stems."""
    path = folder / "specs" / "001-books"
    laid(path, {"tasks.md": tasks, **{f"{stem}.md": text for stem, text in around.items()}})
    return read_source(Located(dialect=Dialect.SPEC_KIT, path=path, name="specs/001-books"), folder)


def tag(folder: Path, *tasks: Any, **more: Any) -> PlanSource:
    """Read a tag of these tasks."""
    return document(folder, json.dumps({"master": {"tasks": tasks}}, indent=2), **more)


def document(folder: Path, text: str | bytes, **more: Any) -> PlanSource:
    """Read a tasks.json of this text."""
    path = laid(folder, {"tasks.json": text}) / "tasks.json"
    located = Located(dialect=Dialect.TASK_MASTER, path=path, name="tasks.json", **more)
    return read_source(located, folder)


def task_text(name: str, head: str = "", body: str = "") -> str:
    """Write a task file of CCPM; `head` are further lines of its frontmatter."""
    return f"---\nname: {name}\nstatus: open\n{head}---\n\n# Task: {name}\n\n{body}"


def unit(source: PlanSource, key: str) -> Unit:
    """Return a unit by its key."""
    return next(unit for unit in source.units if unit.key == key)


def item(source: PlanSource, key: str) -> Item:
    """Return an item by its key."""
    return next(item for item in source.items if item.key == key)


def keys(source: PlanSource) -> list[str]:
    """Return the keys of all items."""
    return [item.key for item in source.items]


def states(source: PlanSource) -> dict[str, ItemState]:
    """Return the state of each item."""
    return {item.key: item.state for item in source.items}


def codes(source: PlanSource) -> list[str]:
    """Return the codes of all notices but those that only inform."""
    return [notice.code for notice in source.notices if notice.severity != "info"]


def notice(source: PlanSource, code: str) -> Notice:
    """Return the only notice of a code."""
    (found,) = [notice for notice in source.notices if notice.code == code]
    return found


def paths(thing: Unit | Item) -> list[tuple[str, str]]:
    """Return the stated paths with their use."""
    return [(stated.path, stated.use.value) for stated in thing.paths]


def sound(source: PlanSource) -> None:
    """Hold a plan to what all readers promise: unique keys, references that lead somewhere."""
    units, items = [u.key for u in source.units], keys(source)
    assert len(set(units)) == len(units)
    assert len(set(items)) == len(items)
    for each in source.units:
        assert {*each.depends_on, *each.conflicts_with} <= set(units) - {each.key}
    for one in source.items:
        assert set(one.depends_on) <= set(items) - {one.key}
        assert "\n" not in one.text
        assert one.text
        assert one.place.line >= 1
