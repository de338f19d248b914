"""What the `dependencies` of task-master tasks lead to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from penstock.config.problems import Key
from penstock.planning.sources.api import Place
from penstock.planning.sources.jsonfile import JsonFile
from penstock.planning.sources.noting import Notes, once, shown
from penstock.planning.sources.taskmaster_tree import Node, Tree, text_of


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """What a task waits for: whole `units` by key, and what each of its own items waits for, by the
    keys of `items`; `met` are ids that nobody waits for any more, as written."""

    units: tuple[str, ...]
    items: dict[str, tuple[str, ...]]
    met: tuple[str, ...]


class Linker:
    """Follows the references between the tasks of a tree."""

    def __init__(self, tree: Tree, file: JsonFile, notes: Notes) -> None:
        self._tree = tree
        self._file = file
        self._notes = notes

    def links(self, top: Node) -> Links:
        """Return what a task and its subtasks wait for."""
        units: list[str] = []
        met: list[str] = []
        items: dict[str, tuple[str, ...]] = {}
        whole = self._targets(top, None, met)
        units += [target.key for target in whole if target is self._top(target)]
        single = [target for target in whole if target is not self._top(target)]
        for leaf, own in self._below(top, met):
            targets = [*own, *single]
            items[leaf.key] = once(key.key for target in targets for key in target.leaves())
        return Links(
            units=tuple(key for key in once(units) if key != top.key),
            items=items,
            met=once(met),
        )

    def _below(self, top: Node, met: list[str]) -> Iterator[tuple[Node, list[Node]]]:
        """Yield the items of a task with what they themselves wait for."""
        if not top.children:
            yield top, []
        for child in top.children:
            yield from self._descend(child, top, [], met)

    def _descend(
        self, node: Node, parent: Node, above: list[Node], met: list[str]
    ) -> Iterator[tuple[Node, list[Node]]]:
        own = [*above, *self._targets(node, parent, met)]
        if not node.children:
            yield node, own
        for child in node.children:
            yield from self._descend(child, node, own, met)

    def _top(self, node: Node) -> Node:
        return self._tree.top[node.key]

    def _targets(self, node: Node, parent: Node | None, met: list[str]) -> list[Node]:
        """Return what the references of one node lead to."""
        value = node.fields.get("dependencies")
        if value is None:
            return []
        found: list[Node] = []
        for word, path in self._words(value, (*node.path, "dependencies")):
            place = self._file.place(path)
            target = self._find(word, node, parent, place)
            if target is None or self._within(target, node, place):
                continue
            if target.cancelled:
                met.append(word)
            else:
                found.append(target)
            if parent is not None:
                self._note_loose(word, target, node, parent, place)
        return found

    def _words(self, value: Any, path: Key) -> Iterator[tuple[str, Key]]:
        """Yield the ids in a list of dependencies, or in one that is no list, with their places."""
        entries = value if isinstance(value, list) else [value]
        for number, entry in enumerate(entries):
            at = (*path, number) if isinstance(value, list) else path
            named = entry.get("id") if isinstance(entry, dict) else entry
            words = text_of(named).replace(",", " ").split()
            if not words and entry not in ("", []):
                self._notes.error(
                    "unreadable-dependency",
                    f"a dependency is expected to be an id, not {shown(entry)}",
                    self._file.place(at),
                )
            for word in words:
                yield word, at

    def _find(self, word: str, node: Node, parent: Node | None, place: Place) -> Node | None:
        """Return what an id leads to: for a subtask a bare number is one of its siblings."""
        ids = self._tree.ids
        sibling = ids.get(f"{parent.word}.{word}") if parent is not None else None
        target = sibling or ids.get(word)
        if target is None:
            self._notes.error(
                "unknown-dependency",
                f"{node.word} depends on {shown(word)}, and there is no such task",
                place,
                "remove the dependency, or name a task of this tag",
            )
        return target

    def _note_loose(self, word: str, target: Node, node: Node, parent: Node, place: Place) -> None:
        """Note a bare number in a subtask that is no sibling, but a task."""
        if "." not in word and f"{parent.word}.{word}" not in self._tree.ids:
            self._notes.warning(
                "loose-dependency",
                f"{node.word} depends on {word}: there is no subtask {parent.word}.{word}, so it "
                f"is read as the task {target.word}",
                place,
                f"let the task {parent.word} itself depend on {target.word}",
            )

    def _within(self, target: Node, node: Node, place: Place) -> bool:
        """Say whether a dependency stays within one line of parents, and note it."""
        if target is node:
            self._notes.error("circular-dependency", f"{node.word} depends on itself", place)
        elif _contains(target, node):
            self._notes.error(
                "circular-dependency",
                f"{node.word} depends on {target.word}, which it is a part of",
                place,
                "remove the dependency",
            )
        elif _contains(node, target):
            self._notes.info(
                "own-subtask",
                f"{node.word} depends on {target.word}, which is a part of it anyway",
                place,
            )
        else:
            return False
        return True


def _contains(outer: Node, inner: Node) -> bool:
    """Whether a node is somewhere below another."""
    return any(child is inner or _contains(child, inner) for child in outer.children)
