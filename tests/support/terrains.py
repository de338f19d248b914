"""Repositories that exist only in memory, and plans made of a few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.planning.scoping.api import Definition
from penstock.planning.sources.api import (
    Dialect,
    Item,
    ItemState,
    Passage,
    Place,
    PlanSource,
    StatedPath,
    Unit,
    Use,
)


class FakeTerrain:
    """A repository of given files and commits."""

    def __init__(
        self,
        files: Mapping[str, bytes | str] | Iterable[str] = (),
        commits: Sequence[Sequence[str]] = (),
    ) -> None:
        self._files = dict(files) if isinstance(files, Mapping) else dict.fromkeys(files, b"")
        self._commits = commits

    def files(self) -> Sequence[str]:
        """Return the paths, sorted."""
        return sorted(self._files)

    def size(self, path: str) -> int:
        """Return the bytes of a file, 0 for none."""
        return len(self._bytes(path)) if path in self._files else 0

    def read(self, path: str) -> bytes:
        """Return what a file holds. Raises FileNotFoundError."""
        if path not in self._files:
            raise FileNotFoundError(path)
        return self._bytes(path)

    def history(self) -> Iterable[Sequence[str]]:
        """Yield the commits."""
        return iter(self._commits)

    def _bytes(self, path: str) -> bytes:
        held = self._files[path]
        return held.encode() if isinstance(held, str) else held


class FakeSymbols:
    """Definitions given as `{name: [path, ...]}`."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._names = names

    def find(self, name: str) -> Sequence[Definition]:
        """Return a function of that name in each of its files."""
        return [Definition(path, 1, "function") for path in sorted(self._names.get(name, ()))]


def item(text: str, key: str = "1", **fields: Any) -> Item:
    """An open item in tasks.md, at the line of its key where that is a number."""
    line = int(key) if key.isdigit() else 1
    given: dict[str, Any] = {
        "key": key,
        "label": None,
        "text": text,
        "state": ItemState.OPEN,
        "raw_state": " ",
        "place": Place("tasks.md", line),
    }
    return Item(**(given | fields))


def unit(*items: Item | str, key: str = "g1", **fields: Any) -> Unit:
    """A unit of items, which may be given as their texts."""
    made = [
        item(one, str(number)) if isinstance(one, str) else one
        for number, one in enumerate(items, 1)
    ]
    given: dict[str, Any] = {
        "key": key,
        "kind": "group",
        "title": "",
        "place": Place("tasks.md", 1),
        "items": tuple(made),
        "issue": key,
    }
    return Unit(**(given | fields))


def source(*units: Unit, dialect: Dialect = Dialect.CHECKLIST, **fields: Any) -> PlanSource:
    """A plan of units."""
    given: dict[str, Any] = {
        "dialect": dialect,
        "id": "plan",
        "plan_id": "plan",
        "title": "Plan",
        "path": "tasks.md",
        "files": {"tasks.md": "0" * 64},
        "units": units,
    }
    return PlanSource(**(given | fields))


def stated(path: str, use: Use = Use.MODIFY, field: str = "Files", line: int = 1) -> StatedPath:
    """A path that a field states."""
    return StatedPath(path=path, use=use, place=Place("tasks.md", line), field=field)


def passage(text: str, role: str = "design", line: int = 1) -> Passage:
    """A text about a unit or a plan."""
    return Passage(role=role, text=text, place=Place(f"{role}.md", line))
