"""Where something stands in a file, and what is wrong there."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

Key = tuple[str | int, ...]


class Mark(NamedTuple):
    """A place in a text: line and column, from 1."""

    line: int
    column: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong in a configuration file.

    `key` names the setting (`a.b[0]`), empty for the file as a whole; `line` and `column` count
    from 1 and are None where they are not known.
    """

    text: str
    key: str = ""
    line: int | None = None
    column: int | None = None

    @property
    def place(self) -> str:
        """`line 3, column 5, a.b`, as far as it is known."""
        named = (("line", self.line), ("column", self.column))
        parts = [f"{word} {number}" for word, number in named if number is not None]
        return ", ".join([*parts, *([self.key] if self.key else [])])

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


def problem_at(mark: Mark | None, text: str, key: str = "") -> Problem:
    """Return a problem at a mark, or one without a place."""
    if mark is None:
        return Problem(text=text, key=key)
    return Problem(text=text, key=key, line=mark.line, column=mark.column)


def key_name(path: Key) -> str:
    """Write a key path as `a.b[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
