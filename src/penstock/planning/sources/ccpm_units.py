"""Makes units of CCPM's tasks: one for each task file, or one for each stream of its analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from penstock.model.bundle import Priority
from penstock.planning.sources.api import Item, ItemState, Passage, Place, Unit
from penstock.planning.sources.ccpm_files import TaskFile
from penstock.planning.sources.ccpm_ids import Resolver, issue_number, words_of
from penstock.planning.sources.ccpm_streams import Analysis, Stream
from penstock.planning.sources.noting import Keys, Notes, once, shown

_MAPPED: Final = frozenset({"name", "status", "depends_on", "conflicts_with", "parallel"})
_LOW: Final = frozenset({"low", "p3", "p4"})


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task file with its analysis, and the letters of the streams that are over already."""

    file: TaskFile
    key: str
    bug: bool
    analysis: Analysis | None
    over: frozenset[str]

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams of its analysis."""
        return self.analysis.streams if self.analysis else ()


class UnitMaker:
    """Makes the units of an epic."""

    def __init__(
        self,
        tasks: Sequence[Task],
        resolver: Resolver,
        others: Mapping[str, str],
        notes: Notes,
        lost: Sequence[str] = (),
    ) -> None:
        """`others` are the stems of tasks in other epics, with the name of the epic; `lost` those
        of tasks that cannot be read."""
        self._tasks = tasks
        self._resolver = resolver
        self._others = others
        self._notes = notes
        self._keys = self._stream_keys(lost)

    def key(self, stem: str) -> str:
        """Return the key of the first unit of a task."""
        return self._keys[stem][0]

    def _stream_keys(self, lost: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the keys of the units of each task."""
        keys = Keys()
        made: dict[str, tuple[str, ...]] = {}
        for task in self._tasks:
            own = keys.take(task.key)
            letters = [keys.take(f"{own}-{stream.letter}") for stream in task.streams]
            made[task.file.stem] = tuple(letters) or (own,)
        return made | {stem: (keys.take(stem),) for stem in lost}

    def units(self) -> Iterator[Unit]:
        """Yield the units in the order of the tasks."""
        for task in self._tasks:
            yield from self._units(task)

    def _units(self, task: Task) -> Iterator[Unit]:
        waits = self._following(task, "depends_on", "unknown-dependency", "depends on")
        apart = self._following(task, "conflicts_with", "unknown-conflict", "conflicts with")
        plain = self._plain(task, waits, apart)
        if not task.streams:
            yield plain
            return
        keys = self._keys[task.file.stem]
        self._note_twice(task)
        orders = [self._order(task, stream) for stream in task.streams]
        within = {key for order in orders for key in order}
        for stream, key, order in zip(task.streams, keys, orders, strict=True):
            last = key not in within
            yield self._stream(task, stream, plain, key, (*waits, *order), last=last)

    # -- a task ------------------------------------------------------------------------------------
    def _plain(self, task: Task, waits: tuple[str, ...], apart: tuple[str, ...]) -> Unit:
        """Return the unit of a task as if it had no streams."""
        file = task.file
        key = self._keys[file.stem][0]
        item = Item(
            key=key,
            label=file.stem,
            text=file.name,
            state=file.state,
            raw_state=file.status,
            place=file.place("name"),
            details=file.details,
            depends_on=waits,
            parallel=self._parallel(file),
            paths=file.key_files,
        )
        return Unit(
            key=key,
            kind="bug" if task.bug else "task",
            title=file.name,
            place=item.place,
            items=(item,),
            issue=self._issue(file),
            depends_on=waits,
            conflicts_with=apart,
            parallel_ok=item.parallel is not False,
            priority=_priority(file),
            acceptance=file.criteria,
            passages=_analysed(task),
            metadata=_metadata(task),
        )

    def _issue(self, file: TaskFile) -> int | str:
        """Return the number of the issue, else the stem; two that differ are noted."""
        number = issue_number(file.fields.get("github"))
        if number is None:
            return file.stem
        if file.stem.isdecimal() and not file.stem.startswith("0") and int(file.stem) != number:
            self._notes.warning(
                "stale-id",
                f"{file.stem}.md belongs to issue {number}, by its github field",
                file.place("github"),
                f"rename it {number}.md",
            )
        return number

    def _parallel(self, file: TaskFile) -> bool | None:
        """Return what the author says of running it beside others."""
        value = file.fields.get("parallel")
        if value is None or isinstance(value, bool):
            return value
        self._notes.warning(
            "unknown-value",
            f"parallel is {shown(value)}, neither true nor false; it is left out",
            file.place("parallel"),
            "write true or false",
        )
        return None

    # -- references --------------------------------------------------------------------------------
    def _following(self, task: Task, field: str, code: str, verb: str) -> tuple[str, ...]:
        """Return the units that a field of the frontmatter leads to."""
        place = task.file.place(field)
        keys: list[str] = []
        for word in words_of(task.file.ids(field)):
            keys += self._units_of(word, task, place, code, verb)
        return once(keys)

    def _units_of(
        self, word: str, task: Task, place: Place, code: str, verb: str
    ) -> tuple[str, ...]:
        """Return the units of the task that an id means; none, and a notice, when there is none."""
        stem = task.file.stem
        found = self._resolver.find(word)
        if found is None:
            self._note_unknown(word, stem, place, code, verb)
            return ()
        if found[0] == stem:
            if code == "unknown-dependency":
                self._notes.error("circular-dependency", f"{stem} depends on itself", place)
            return ()
        if found[0] != word:
            self._note_old(word, found[0], place, sure=found[1])
        return self._keys[found[0]]

    def _note_unknown(self, word: str, stem: str, place: Place, code: str, verb: str) -> None:
        epic = self._others.get(word)
        if epic is not None:
            self._notes.warning(
                "other-epic",
                f"{stem} {verb} {word}, a task of the epic {epic}: that order is not kept here",
                place,
                f"plan and run the epic {epic} first",
            )
            return
        severe = self._notes.error if code == "unknown-dependency" else self._notes.warning
        severe(
            code,
            f"{stem} {verb} {shown(word)}, and there is no such task",
            place,
            "remove it, or name the file of a task (12 for 12.md)",
        )

    def _note_old(self, word: str, stem: str, place: Place, *, sure: bool) -> None:
        """Note an id from before the sync with GitHub."""
        how = "" if sure else ": it is counted off in github-mapping.md"
        note = self._notes.info if sure else self._notes.warning
        note("stale-id", f"{word} is read as {stem}{how}", place, f"write {stem}")

    # -- streams -----------------------------------------------------------------------------------
    def _note_twice(self, task: Task) -> None:
        seen: set[str] = set()
        for stream in task.streams:
            if stream.letter in seen:
                self._notes.error(
                    "duplicate-id",
                    f"there are two streams {stream.letter.upper()}; references mean the first",
                    stream.place,
                )
            seen.add(stream.letter)

    def _order(self, task: Task, stream: Stream) -> tuple[str, ...]:
        """Return the units that a stream says it waits for."""
        place = stream.order_place
        keys = self._keys[task.file.stem]
        letters: dict[str, str] = {}
        for other, key in zip(task.streams, keys, strict=True):
            letters.setdefault(other.letter, key)
        found: list[str] = []
        for letter in stream.after:
            if letter not in letters or letter == stream.letter:
                self._note_letter(task, stream, letter, place)
            else:
                found.append(letters[letter])
        for word in stream.tasks:
            if self._resolver.find(word) != (task.file.stem, True):
                found += self._units_of(word, task, place, "unknown-dependency", "depends on")
        return once(found)

    def _note_letter(self, task: Task, stream: Stream, letter: str, place: Place) -> None:
        name = f"stream {stream.letter.upper()} of {task.file.stem}"
        if letter == stream.letter:
            self._notes.error("circular-dependency", f"{name} depends on itself", place)
            return
        self._notes.error(
            "unknown-dependency",
            f"{name} depends on stream {letter.upper()}, and there is no such stream",
            place,
            "remove the dependency, or name a stream of this analysis",
        )

    def _stream(
        self,
        task: Task,
        stream: Stream,
        plain: Unit,
        key: str,
        waits: Sequence[str],
        *,
        last: bool,
    ) -> Unit:
        """Return the unit of one stream; criteria of the task hold after its `last` streams."""
        title = f"{plain.title}: {stream.title}" if stream.title else plain.title
        details = "\n\n".join(text for text in (stream.text, task.file.details) if text)
        state = self._state(task, stream)
        item = msgspec.structs.replace(
            plain.items[0],
            key=key,
            label=f"{task.file.stem}-{stream.letter}",
            text=title,
            state=state,
            place=stream.place,
            details=details,
            depends_on=once(waits),
            paths=stream.files or plain.items[0].paths,
        )
        return msgspec.structs.replace(
            plain,
            key=key,
            kind="stream",
            title=title,
            place=stream.place,
            items=(item,),
            depends_on=once(waits),
            acceptance=plain.acceptance if last else (),
            metadata=plain.metadata | {"stream": stream.letter} | _kept(stream.fields),
        )

    def _state(self, task: Task, stream: Stream) -> ItemState:
        """Return the state of a stream: that of its task, unless its own update says it is over."""
        if task.file.state is not ItemState.OPEN or stream.letter not in task.over:
            return task.file.state
        self._notes.info(
            "completed-stream",
            f"stream {stream.letter.upper()} of {task.file.stem} is completed by its update",
            stream.place,
        )
        return ItemState.DONE


def _kept(fields: dict[str, str]) -> dict[str, Any]:
    return {"stream_fields": dict(fields)} if fields else {}


def _priority(file: TaskFile) -> Priority:
    said = str(file.fields.get("priority") or "").strip().lower()
    return Priority.BACKGROUND if said in _LOW else Priority.FOREGROUND


def _analysed(task: Task) -> tuple[Passage, ...]:
    """Return the analysis of a task without streams; that of streams states its files."""
    if task.analysis is None or task.streams:
        return ()
    file = task.analysis.file
    return (Passage(role="analysis", text=file.text, place=file.place(1)),)


def _metadata(task: Task) -> dict[str, Any]:
    """Return the raw status, the file to write it back to, and what nobody knows."""
    fields = {k: v for k, v in task.file.fields.items() if k not in _MAPPED and v is not None}
    made: dict[str, Any] = {"status": task.file.status, "task_file": task.file.file.name}
    made |= {"fields": fields} if fields else {}
    analysed = task.analysis.fields if task.analysis else {}
    return made | ({"analysis": dict(analysed)} if analysed else {})
