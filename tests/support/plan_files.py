"""Files of bundles as plans make them, and the sources that they come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from penstock.planning.sources.api import (
    Dialect,
    Item,
    ItemState,
    Place,
    PlanSource,
    Trace,
    TracedItem,
    Unit,
)

PATH = "todo.md"


def item(key: str, state: ItemState = ItemState.OPEN) -> Item:
    """An item of a checklist."""
    place = Place(PATH, int(key.strip("i") or 1))
    return Item(key=key, label=None, text=f"Do {key}", state=state, raw_state=" ", place=place)


def source(*items: Item, path: str = PATH, name: str = "todo") -> PlanSource:
    """A checklist of one unit."""
    unit = Unit(
        key="g1", kind="group", title="All", place=Place(path, 1), items=items, issue="todo"
    )
    return PlanSource(
        dialect=Dialect.CHECKLIST,
        id=name,
        plan_id=name,
        title=name,
        path=path,
        files={path: "0" * 64},
        units=(unit,),
    )


def planned(
    ws_id: str, *keys: str, path: str = PATH, name: str = "todo", **more: Any
) -> dict[str, Any]:
    """A bundle that is to do the items of these keys."""
    items = tuple(
        TracedItem(key=key, label=None, text=f"Do {key}", place=Place(path, 1), raw_state=" ")
        for key in keys
    )
    trace = Trace(dialect=Dialect.CHECKLIST, id=name, path=path, items=items)
    return {
        "id": ws_id,
        "openspec_change": name,
        "ccpm_issue": 1,
        "gate": 1,
        "files_scope": [f"{ws_id}.txt"],
        "tasks": [f"Do {key}" for key in keys],
        "tool": "scripted",
        "metadata": {"plan": msgspec.to_builtins(trace)},
        **more,
    }


def texts(*bundles: dict[str, Any]) -> dict[str, str]:
    """The files of bundles, named by their ids."""
    return {f"{one['id']}.json": json.dumps(one, indent=2) + "\n" for one in bundles}


def names(folder: Path) -> list[str]:
    """What lies in a folder and below it, hidden things too."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def edit(path: Path, **more: Any) -> None:
    """Change fields of a bundle in a file, as a person would."""
    value = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**value, **more}, indent=4), encoding="utf-8")
