"""A plan that is written in JSON: its values, and the line that each of them stands in."""

from __future__ import annotations

import bisect
import json
import re
from typing import Any, Final

from penstock.config.jsontext import json_spans, repeated_keys
from penstock.config.problems import Key
from penstock.errors import UsageError
from penstock.planning.sources.api import Place
from penstock.planning.sources.noting import Notes
from penstock.planning.sources.text import SourceFile

_END: Final = re.compile(r"\r\n?|\n")
_MAX_DIGITS: Final = 18
_LONE: Final = re.compile("[\ud800-\udfff]")


class JsonFile:
    """A JSON file as read.

    Numbers with a fraction stay text as they are written, since 5.10 is an id. Half surrogate pairs
    in texts have become replacement characters.
    """

    def __init__(self, file: SourceFile) -> None:
        """Read the JSON. Raises UsageError naming file and line where it is wrong."""
        self.file = file
        self.value, self._repeats = _decoded(file)
        spans = json_spans(file.text)
        starts = [0, *(end.end() for end in _END.finditer(file.text))]
        self._lines = {path: bisect.bisect_right(starts, s.key) for path, s in spans.items()}

    def place(self, path: Key) -> Place:
        """Return where a value stands, or what holds it when there is no such value."""
        while path not in self._lines:
            path = path[:-1]
        return self.file.place(self._lines[path])

    def note_repeated(self, notes: Notes) -> None:
        """Note each name that an object has twice: the last one counts, the others are lost."""
        for path, mark in repeated_keys(self.file.text) if self._repeats else ():
            notes.error(
                "repeated-key",
                f"{path[-1]} is given twice in one object; only the last one is read",
                self.file.place(mark.line),
                "keep one of them",
            )


def _decoded(file: SourceFile) -> tuple[Any, bool]:
    """Return what JSON says, and whether an object has a name twice. Raises UsageError."""
    repeats: list[bool] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found):
            repeats.append(True)
        return made

    try:
        value = json.loads(
            file.text,
            object_pairs_hook=pairs,
            parse_int=_whole,
            parse_float=str,
            parse_constant=str,
        )
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{file.name}:{error.lineno}: this is not JSON: {error.msg}",
            hint=f"mend line {error.lineno} (a merge left half done, a comma too many?)",
        ) from error
    except RecursionError as error:
        raise UsageError(f"{file.name}: this JSON is nested too deeply to be a plan") from error
    return (_mended(value) if "\\u" in file.text else value), bool(repeats)


def _whole(digits: str) -> int | str:
    """Return a whole number, or what is written where it is too large for any number of a plan."""
    return int(digits) if len(digits) < _MAX_DIGITS else digits


def _mended(value: Any) -> Any:
    """Replace half surrogate pairs, which no file can hold."""
    if isinstance(value, str):
        return _LONE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value
