"""The lines of a spec-kit tasks.md: ids, [P] and [USn], and what waits for what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from penstock.planning.sources.api import Item, ItemState, Place
from penstock.planning.sources.labels import item_key
from penstock.planning.sources.markdown import Box
from penstock.planning.sources.mentions import Mention, between, leading_id, said_order, waits_for
from penstock.planning.sources.noting import Keys, Notes, References, once, one_line, shown
from penstock.planning.sources.text import SourceFile

_TAG: Final = re.compile(r"\*{0,2}\[\s*([^\]]*?)\s*\]\*{0,2}\s*")
_STORIES: Final = re.compile(r"(?:US|Story)\s*-?\s*([0-9]{1,9})(?![0-9])", re.IGNORECASE)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A box as read: `stories` are the user stories that it names, `after` the keys it waits for."""

    key: str
    label: str | None
    text: str
    box: Box
    place: Place
    parallel: bool
    stories: tuple[int, ...]
    after: tuple[str, ...] = ()

    def item(self) -> Item:
        """Return it as an item."""
        return Item(
            key=self.key,
            label=self.label,
            text=self.text,
            state=ItemState.DONE if self.box.ticked else ItemState.OPEN,
            raw_state=self.box.mark,
            place=self.place,
            details=self.box.details,
            depends_on=self.after,
            parallel=True if self.parallel else None,
        )


def tasks(boxes: Sequence[Box], file: SourceFile, notes: Notes) -> list[Task]:
    """Return the boxes as tasks, in order, with what their own words say that they wait for."""
    keys = Keys()
    ids: References[str] = References()
    made = [_task(box, file, keys) for box in boxes]
    for task in made:
        _note_mark(task, notes)
        if task.label is not None and not ids.add(task.label, task.key):
            _note_twice(task, made, notes)
    _note_nameless(made, notes)
    linker = _Linker(made, ids, notes)
    return [msgspec.structs.replace(task, after=linker.after(task)) for task in made]


def _task(box: Box, file: SourceFile, keys: Keys) -> Task:
    """Take a line apart: id, tags, text."""
    label, rest = leading_id(box.text)
    parallel, stories = False, list[int]()
    while (tag := _TAG.match(rest)) is not None:
        named = [int(number) for number in _STORIES.findall(tag[1])]
        if tag[1].upper() != "P" and not named:
            break
        parallel = parallel or not named
        stories += named
        rest = rest[tag.end() :]
    text = one_line(rest) or label or "(no text)"
    return Task(
        key=keys.take(item_key(label, text)),
        label=label,
        text=text,
        box=box,
        place=file.place(box.line),
        parallel=parallel,
        stories=once(stories),
    )


def _note_mark(task: Task, notes: Notes) -> None:
    """Note a mark that is neither open nor done."""
    if task.box.mark not in ("", "x", "X"):
        notes.warning(
            "unknown-mark",
            f"[{task.box.mark}] is neither open nor done; {_name(task)} is read as open",
            task.place,
            "write [x] when it is done, [ ] when it is not",
        )


def _note_twice(task: Task, made: Sequence[Task], notes: Notes) -> None:
    first = next(other for other in made if other.label == task.label)
    notes.error(
        "duplicate-id",
        f"{task.label} is the id of two tasks ({first.place} too); references mean the first",
        task.place,
        "give one of them another id",
    )


def _note_nameless(made: Sequence[Task], notes: Notes) -> None:
    """Note tasks without an id, all at once: in a plan without ids each would be a notice."""
    nameless = [task for task in made if task.label is None]
    if nameless:
        lines = ", ".join(str(task.place.line) for task in nameless[:10])
        more = "" if len(nameless) <= 10 else f" and {len(nameless) - 10} more"
        notes.info(
            "missing-id",
            f"{len(nameless)} boxes have no id like T012: lines {lines}{more}",
            nameless[0].place,
            "an id lets other tasks depend on it, and finds its line again when words change",
        )


def _name(task: Task) -> str:
    return task.label or shown(task.text)


class _Linker:
    """Follows the ids that tasks mention."""

    def __init__(self, made: Sequence[Task], ids: References[str], notes: Notes) -> None:
        self._ids = ids
        self._notes = notes
        self._order = [task.key for task in made]

    def after(self, task: Task) -> tuple[str, ...]:
        """Return the keys of what a task says that it waits for."""
        found = waits_for(f"{task.text}\n{task.box.details}")
        return self.follow(found, task.key, _name(task), task.place)

    def follow(
        self, mentions: Sequence[Mention], key: str, name: str, place: Place
    ) -> tuple[str, ...]:
        """Return the keys that mentions by one task lead to; what leads nowhere is noted."""
        keys: list[str] = []
        for mention in mentions:
            keys += self._keys(mention, key, name, place)
        if key in keys:
            self._notes.error("circular-dependency", f"{name} depends on itself", place)
        return once(each for each in keys if each != key)

    def _keys(self, mention: Mention, key: str, name: str, place: Place) -> Sequence[str]:
        ends = [word for word in mention if word is not None]
        unknown = [word for word in ends if word not in self._ids]
        for word in unknown:
            self._notes.error(
                "unknown-dependency",
                f"{name} depends on {word}, and there is no such task",
                place,
                "remove the dependency, or name a task of this feature",
            )
        found = [self._ids[word] for word in ends if word in self._ids]
        if unknown or mention.last is None:
            return found
        return [each for each in between(self._order, *found) if each != key]


def ordered(made: Sequence[Task], lines: Sequence[tuple[Place, str]], notes: Notes) -> list[Task]:
    """Return the tasks with the order that lines of the form `T003 blocks T005, T006` add."""
    ids: References[str] = References()
    for task in made:
        if task.label is not None:
            ids.add(task.label, task.key)
    linker = _Linker(made, ids, notes)
    added: dict[str, list[str]] = {}
    for place, line in lines:
        waiting, targets = said_order(line) or ((), ())
        for mention in waiting:
            for key in linker.follow([mention], "", mention.first, place):
                added.setdefault(key, []).extend(linker.follow(targets, key, mention.first, place))
    return [
        msgspec.structs.replace(task, after=once([*task.after, *added.get(task.key, ())]))
        for task in made
    ]
