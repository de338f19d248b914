"""The tasks of a task-master tag as a tree: ids however written, states, and who is part of whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from penstock.config.problems import Key
from penstock.planning.sources.api import ItemState, Place
from penstock.planning.sources.jsonfile import JsonFile
from penstock.planning.sources.labels import item_key
from penstock.planning.sources.noting import Keys, Notes, References, one_line, shown

_OPEN, _DONE, _SKIPPED = ItemState.OPEN, ItemState.DONE, ItemState.SKIPPED
# `review` is work that waits for a human: to do it once more would be wrong, and it is not done.
_STATES: Final[Mapping[str, ItemState]] = {
    "pending": _OPEN,
    "in-progress": _OPEN,
    "blocked": _OPEN,
    "done": _DONE,
    "completed": _DONE,
    "complete": _DONE,
    "review": _SKIPPED,
    "deferred": _SKIPPED,
    "cancelled": _SKIPPED,
    "canceled": _SKIPPED,
}
CANCELLED: Final = frozenset({"cancelled", "canceled"})
_MAX_DEPTH: Final = 8


class Node(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A task or subtask.

    `word` is the id that references use (5, 5.2), `key` the same made unique, `label` None where no
    id is written. `path` leads to it in the JSON. `status` is as written, `state` what that means, the states of its parents considered.
    """

    key: str
    word: str
    label: str | None
    title: str
    fields: dict[str, Any]
    path: Key
    place: Place
    state: ItemState
    status: str
    children: tuple[Node, ...] = ()

    def leaves(self) -> Iterator[Node]:
        """Yield what has no subtasks: itself, or that below it."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for it any more."""
        return plain_status(self.status) in CANCELLED


def means(status: str) -> ItemState | None:
    """Return what a status says, None for one that is off the list."""
    return _STATES.get(plain_status(status))


def plain_status(status: str) -> str:
    """Return a status in lower case with hyphens: `In Progress` is in-progress."""
    return "-".join(status.lower().replace("_", " ").replace("-", " ").split())


def text_of(value: Any) -> str:
    """Return what a field says as text: lines for a list, JSON for an object, nothing for null."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "\n".join(text for text in map(text_of, value) if text)
    return str(value) if isinstance(value, int) else msgspec.json.encode(value).decode()


class Tree:
    """Makes nodes of what stands in `tasks`, and remembers where each id leads."""

    def __init__(self, file: JsonFile, notes: Notes) -> None:
        self._file = file
        self._notes = notes
        self._keys = Keys()
        self.ids: References[Node] = References()
        self.top: dict[str, Node] = {}

    def grow(self, tasks: list[Any], path: Key) -> tuple[Node, ...]:
        """Return the nodes of a list of tasks; every entry of the list is one."""
        nodes = self._siblings(tasks, path, None, _OPEN)
        for node in nodes:
            self._enter(node, node)
        return nodes

    def _enter(self, node: Node, top: Node) -> None:
        """Let the id of a node lead to it."""
        if not self.ids.add(node.word, node):
            first = self.ids[node.word]
            self._notes.error(
                "duplicate-id",
                f"{node.word} is the id of two tasks ({first.place} too); references mean the first",
                node.place,
                "give one of them another id",
            )
        self.top[node.key] = top
        for child in node.children:
            self._enter(child, top)

    def _siblings(
        self, tasks: list[Any], path: Key, parent: str | None, above: ItemState
    ) -> tuple[Node, ...]:
        return tuple(
            self._node(task, (*path, number), parent, above) for number, task in enumerate(tasks)
        )

    def _node(self, task: Any, path: Key, parent: str | None, above: ItemState) -> Node:
        """Make a node of one entry."""
        fields = task if isinstance(task, dict) and task else self._no_object(task, path)
        place = self._file.place((*path, "title" if "title" in fields else "id"))
        title = self._title(fields, place)
        word = self._word(fields, title, parent, place)
        status, state = self._state(fields, place, above, word)
        return Node(
            key=self._keys.take(word),
            word=word,
            label=word if text_of(fields.get("id")) else None,
            title=title,
            fields=fields,
            path=path,
            place=place,
            state=state,
            status=status,
            children=self._children(fields, path, word, state, place),
        )

    def _no_object(self, task: Any, path: Key) -> dict[str, Any]:
        """Make fields of an entry that is no object: of a text its title, of others none."""
        self._notes.error(
            "unreadable-item",
            f"a task is expected to be an object with fields, not {shown(task)}",
            self._file.place(path),
            "write it as an object with id, title and status",
        )
        return {"title": task} if isinstance(task, str) and task.strip() else {}

    def _title(self, fields: dict[str, Any], place: Place) -> str:
        """Return the title, or the next best line."""
        for name in ("title", "name", "description", "details"):
            text = text_of(fields.get(name))
            if text:
                break
        else:
            self._notes.warning("missing-title", "a task has no title", place)
            return "(untitled)"
        return one_line(text) if name == "title" else one_line(text.splitlines()[0])

    def _word(self, fields: dict[str, Any], title: str, parent: str | None, place: Place) -> str:
        """Return the id of a task with that of its parent before it."""
        own = one_line(text_of(fields.get("id")))
        if not own:
            own = item_key(None, title)
            self._notes.warning("missing-id", f"the task {shown(title)} has no id", place)
        if parent is None:
            return own
        return own if own.startswith(parent + ".") else f"{parent}.{own}"

    def _state(
        self, fields: dict[str, Any], place: Place, above: ItemState, word: str
    ) -> tuple[str, ItemState]:
        """Return the status as written, and what it means below a parent in the state `above`."""
        if not fields:
            return "unreadable", _SKIPPED
        status = text_of(fields.get("status"))
        state = means(status)
        if state is None:
            state = _OPEN
            self._notes.warning(
                "unknown-status",
                f"{word} has the status {shown(status) if status else 'nothing'}, which is read as pending",
                place,
                "write one of pending, in-progress, blocked, review, done, deferred, cancelled",
            )
        if state is _OPEN and above is not _OPEN:
            self._overruled(word, status, above, place)
            state = above
        return status, state

    def _overruled(self, word: str, status: str, above: ItemState, place: Place) -> None:
        """Note that a parent's state wins over that of an open subtask."""
        if above is _DONE:
            self._notes.warning(
                "done-parent",
                f"{word} is {shown(status)} though its task is done: it counts as done",
                place,
                "set the status of the task to pending if there is something left to do",
            )

    def _children(
        self, fields: dict[str, Any], path: Key, word: str, state: ItemState, place: Place
    ) -> tuple[Node, ...]:
        """Return the subtasks."""
        subtasks = fields.get("subtasks")
        if subtasks is None or subtasks == []:
            return ()
        if not isinstance(subtasks, list) or len(path) > 2 * _MAX_DEPTH:
            what = "nested too deeply" if isinstance(subtasks, list) else "no list"
            self._notes.error("unreadable-subtasks", f"the subtasks of {word} are {what}", place)
            return ()
        return self._siblings(subtasks, (*path, "subtasks"), word, state)
