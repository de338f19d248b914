"""Where the values of a JSON text stand. Read only when somebody must be told."""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from penstock.config.comments import JSON_STRING, blank_comments
from penstock.config.problems import Key, Mark

_TOKEN: Final = re.compile(rf'{JSON_STRING}|[{{}}\[\]:,]|[^\s{{}}\[\]:,"]+')


class Span(NamedTuple):
    """A value in a text: where its key begins (an item of a list: the item), where the value begins,
    and where it ends; offsets from 0."""

    key: int
    start: int
    end: int


class _Open:
    """An object or list that is being read."""

    def __init__(self, path: Key, key: int, start: int, *, is_list: bool) -> None:
        self.path = path
        self.key = key
        self.start = start
        self.is_list = is_list
        self.name: str | None = None
        self.name_at = 0
        self.names: set[str] = set()
        self.count = 0


class _Scan:
    """Goes through the tokens of a valid JSON text once."""

    def __init__(self) -> None:
        self.spans: dict[Key, Span] = {}
        self.repeated: list[tuple[Key, int]] = []
        self._stack: list[_Open] = []

    def read(self, text: str) -> None:
        """Note every value of `text`."""
        for found in _TOKEN.finditer(text):
            word, at = found[0], found.start()
            if word in "{[":
                path, key = self._next(at)
                self._stack.append(_Open(path, key, at, is_list=word == "["))
            elif word in "}]":
                ended = self._stack.pop()
                self.spans[ended.path] = Span(ended.key, ended.start, found.end())
            elif word not in ":,":
                self._word(word, at, found.end())

    def _word(self, word: str, at: int, end: int) -> None:
        """Take a text, number or constant: the name of a member, or a value."""
        around = self._stack[-1] if self._stack else None
        if around is not None and not around.is_list and around.name is None:
            self._name(around, json.loads(word), at)
            return
        path, key = self._next(at)
        self.spans[path] = Span(key, at, end)

    def _name(self, around: _Open, name: str, at: int) -> None:
        """Take the name of the next member of an object."""
        around.name, around.name_at = name, at
        if name in around.names:
            self.repeated.append(((*around.path, name), at))
        around.names.add(name)

    def _next(self, at: int) -> tuple[Key, int]:
        """Return the path of the value that begins here, and where its key begins."""
        if not self._stack:
            return (), at
        around = self._stack[-1]
        if around.is_list:
            around.count += 1
            return (*around.path, around.count - 1), at
        name, around.name = around.name or "", None
        return (*around.path, name), around.name_at


def json_spans(text: str) -> dict[Key, Span]:
    """Return where each value of a JSON text stands, comments in it allowed, by its key path.

    The text must be valid. Of a key that is given twice the last value counts.
    """
    scan = _Scan()
    scan.read(blank_comments(text))
    return scan.spans


def repeated_keys(text: str) -> list[tuple[Key, Mark]]:
    """Return each name that an object of a JSON text has had before, with its place."""
    scan = _Scan()
    scan.read(blank_comments(text))
    mark = _marker(text)
    return [(path, mark(at)) for path, at in scan.repeated]


def _marker(text: str) -> Callable[[int], Mark]:
    """Return what tells the line and column of an offset."""
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def mark(at: int) -> Mark:
        line = bisect.bisect_right(starts, at)
        return Mark(line, at - starts[line - 1] + 1)

    return mark


class JsonMarks(Mapping[Key, Mark]):
    """The marks of a JSON text, found when the first is asked for."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _marks(self) -> dict[Key, Mark]:
        mark = _marker(self._text)
        return {path: mark(span.key) for path, span in json_spans(self._text).items()}

    def __getitem__(self, path: Key) -> Mark:
        return self._marks[path]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._marks)

    def __len__(self) -> int:
        return len(self._marks)
