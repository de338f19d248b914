"""Makes units and items of task-master's tasks: texts, files, criteria, what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from penstock.config.problems import Key
from penstock.model.bundle import Priority
from penstock.planning.sources.api import Item, ItemState, Passage, StatedPath, Unit, Use
from penstock.planning.sources.jsonfile import JsonFile
from penstock.planning.sources.noting import Notes, once, shown
from penstock.planning.sources.stating import clean_path, looks_like_path, named_paths
from penstock.planning.sources.taskmaster_links import Links
from penstock.planning.sources.taskmaster_tree import Node, means, text_of

_FILES: Final = "relevantFiles"
_BOUNDS: Final = "scopeBoundaries"
_USES: Final = {
    "modify": Use.MODIFY,
    "edit": Use.MODIFY,
    "update": Use.MODIFY,
    "create": Use.CREATE,
    "add": Use.CREATE,
    "reference": Use.READ,
    "read": Use.READ,
}
_PRIORITIES: Final = {
    "low": Priority.BACKGROUND,
    "medium": Priority.FOREGROUND,
    "high": Priority.FOREGROUND,
    "critical": Priority.FOREGROUND,
}
# These have a place of their own in a unit; all else that a task says is kept as it is.
_MAPPED: Final = frozenset(
    {"id", "title", "name", "description", "details", "status", "dependencies", "priority"}
    | {"testStrategy", "subtasks", "acceptanceCriteria", _FILES, _BOUNDS}
)
_BULLET: Final = ("- [ ] ", "- [x] ", "- ", "* ")


class UnitMaker:
    """Makes a unit of each task."""

    def __init__(self, file: JsonFile, notes: Notes) -> None:
        self._file = file
        self._notes = notes

    def unit(self, node: Node, links: Links) -> Unit:
        """Return a task with its subtasks as a unit; without subtasks it is its own only item."""
        alone = not node.children
        return Unit(
            key=node.key,
            kind="task",
            title=node.title,
            place=node.place,
            items=tuple(self._item(leaf, links) for leaf in self._leaves(node)),
            issue=_issue(node),
            depends_on=links.units,
            priority=self._priority(node),
            acceptance=self._acceptance(node),
            paths=() if alone else self._paths(node),
            forbidden=once(p for n in _all(node) for p in self._forbidden(n)),
            passages=() if alone else self._passages(node),
            metadata=self._metadata(node, links),
        )

    def _leaves(self, node: Node) -> Iterator[Node]:
        """Yield the items of a task, and note what is put off."""
        for leaf in node.leaves():
            if leaf.state is ItemState.SKIPPED:
                own = means(leaf.status) is ItemState.SKIPPED or not leaf.fields
                why = leaf.status if own else f"its task is {node.status}"
                self._notes.info(
                    "skipped",
                    f"{leaf.word} is skipped ({shown(why)}): {shown(leaf.title)}",
                    leaf.place,
                )
            yield leaf

    def _item(self, leaf: Node, links: Links) -> Item:
        return Item(
            key=leaf.key,
            label=leaf.label,
            text=leaf.title,
            state=leaf.state,
            raw_state=leaf.status,
            place=leaf.place,
            details=_details(leaf),
            depends_on=tuple(key for key in links.items.get(leaf.key, ()) if key != leaf.key),
            paths=self._paths(leaf),
        )

    def _priority(self, node: Node) -> Priority:
        """Return the priority: low work goes into the background."""
        said = text_of(node.fields.get("priority")).lower()
        if said and said not in _PRIORITIES:
            self._notes.info(
                "unknown-priority",
                f"{node.word} has the priority {shown(said)}, which is read as medium",
                node.place,
                "write one of low, medium, high, critical",
            )
        return _PRIORITIES.get(said, Priority.FOREGROUND)

    def _acceptance(self, node: Node) -> tuple[str, ...]:
        """Return the test strategy and the criteria of a task and of its subtasks, line by line."""
        return once(
            line
            for part in _all(node)
            if part.state is not ItemState.SKIPPED
            for name in ("testStrategy", "acceptanceCriteria")
            for line in _lines(text_of(part.fields.get(name)))
        )

    def _paths(self, node: Node) -> tuple[StatedPath, ...]:
        """Return the relevant files of one task or subtask."""
        value = node.fields.get(_FILES)
        if value is None:
            return ()
        path = (*node.path, _FILES)
        if not isinstance(value, list):
            self._unread(value, path)
            return ()
        made = (self._path(entry, (*path, number)) for number, entry in enumerate(value))
        return once(stated for stated in made if stated is not None)

    def _path(self, entry: Any, path: Key) -> StatedPath | None:
        """Return one relevant file: an object with path and action, or only its path."""
        fields = entry if isinstance(entry, dict) else {"path": entry}
        named = fields.get("path")
        word = clean_path(named) if isinstance(named, str) else ""
        if not word:
            self._unread(entry, path)
            return None
        action = text_of(fields.get("action")).lower()
        if action and action not in _USES:
            self._notes.warning(
                "unknown-action",
                f"{word} has the action {shown(action)}, which is read as modify",
                self._file.place(path),
                "write one of create, modify, reference",
            )
        use = _USES.get(action, Use.MODIFY)
        return StatedPath(path=word, use=use, place=self._file.place(path), field=_FILES)

    def _unread(self, value: Any, path: Key) -> None:
        self._notes.warning(
            "unreadable-path",
            f"a relevant file is expected to have a path, not {shown(value)}",
            self._file.place(path),
        )

    def _forbidden(self, node: Node) -> Iterator[StatedPath]:
        """Yield the paths that the boundaries of a task exclude."""
        value = _excluded(node)
        entries = value if isinstance(value, list) else [value]
        path = (*node.path, _BOUNDS, "excluded")
        for number, entry in enumerate(entries):
            place = self._file.place((*path, number))
            for line in text_of(entry).splitlines():
                for named in named_paths(line, Use.READ):
                    if looks_like_path(named.path):
                        yield StatedPath(
                            path=named.path, use=Use.READ, place=place, field=f"{_BOUNDS}.excluded"
                        )

    def _passages(self, node: Node) -> tuple[Passage, ...]:
        """Return what a task says above its subtasks."""
        text = _details(node)
        return (Passage(role="plan", text=text, place=node.place),) if text else ()

    def _metadata(self, node: Node, links: Links) -> dict[str, Any]:
        """Return the raw status, the words that have no other place, and what nobody knows."""
        fields = node.fields
        made: dict[str, Any] = {"status": node.status}
        if node.children:
            made |= {k: fields[k] for k in ("description", "details") if fields.get(k)}
        if fields.get(_BOUNDS):
            made[_BOUNDS] = fields[_BOUNDS]
        if links.met:
            made["met"] = list(links.met)
        unknown = {key: value for key, value in fields.items() if key not in _MAPPED}
        return made | ({"fields": unknown} if unknown else {})


def _all(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in node.children:
        yield from _all(child)


def _issue(node: Node) -> int | str:
    """Return the id as it is written: a number stays one."""
    own = node.fields.get("id")
    return own if isinstance(own, int) and not isinstance(own, bool) else node.word


def _details(node: Node) -> str:
    """Return description and details below each other, what repeats the title left out."""
    texts = once(text_of(node.fields.get(name)) for name in ("description", "details"))
    return "\n\n".join(text for text in texts if text and text != node.title)


def _excluded(node: Node) -> Any:
    bounds = node.fields.get(_BOUNDS)
    return bounds.get("excluded") if isinstance(bounds, dict) else None


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a text without the signs of a list."""
    for line in text.splitlines():
        words = line.strip()
        mark = next((mark for mark in _BULLET if words.startswith(mark)), "")
        if words[len(mark) :].strip():
            yield words[len(mark) :].strip()
