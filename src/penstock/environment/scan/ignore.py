r"""Ignore files: lines of patterns as in gitignore(5), of which the last that matches decides.

Each file becomes two regular expressions, one over names and one over paths, whose alternatives
stand in reverse order: the first alternative that matches is the last line that does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

IGNORE_FILES = (".gitignore", ".aiignore")
"""Names of ignore files; each sort decides for itself, and what one of them leaves out is out."""
MAX_BYTES = 1 << 20
"""An ignore file larger than this is none."""
_NEVER = re.compile(r"(?!)")


class _Line(NamedTuple):
    """One pattern: its regular expression, over the name alone unless `anchored`."""

    regex: str
    anchored: bool
    negated: bool
    folders_only: bool


class _Matcher(NamedTuple):
    """The lines that may match one sort of thing: over names, over paths, with their numbers."""

    names: re.Pattern[str]
    paths: re.Pattern[str]
    name_lines: tuple[int, ...]
    path_lines: tuple[int, ...]
    known: dict[str, int]

    def last(self, name: str, path: str) -> int:
        """Return the number of the last line that matches, -1 when none does."""
        found = self.known.get(name)
        if found is None:
            found = self.known[name] = _number(self.names, self.name_lines, name)
        if self.path_lines:
            return max(found, _number(self.paths, self.path_lines, path))
        return found


class IgnoreFile:
    """The patterns of one file. Paths are relative to the folder it counts from, with slashes."""

    def __init__(self, lines: Iterable[str]) -> None:
        parsed = [line for text in lines if (line := _parse(text)) is not None]
        self._negated = tuple(line.negated for line in parsed)
        self._folders = _matcher(parsed, folders=True)
        self._files = _matcher(parsed, folders=False)

    def __bool__(self) -> bool:
        return bool(self._negated)

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """Tell whether a path is ignored; None when the file says nothing about it."""
        matcher = self._folders if folder else self._files
        number = matcher.last(path.rpartition("/")[2], path)
        return None if number < 0 else not self._negated[number]


class Scope(NamedTuple):
    """An ignore file and where it counts: `prefix` characters of an absolute path are its folder."""

    file: IgnoreFile
    prefix: int


Chain = tuple[Scope, ...]
"""The ignore files of one sort that count in a folder, outermost first."""


def ignored(chains: Iterable[Chain], path: str, *, folder: bool) -> bool:
    """Tell whether one of several chains leaves an absolute path out: the innermost file that says
    something about it decides for its chain."""
    for chain in chains:
        for scope in reversed(chain):
            verdict = scope.file.verdict(path[scope.prefix :], folder=folder)
            if verdict is not None:
                if verdict:
                    return True
                break
    return False


def read_ignore_file(path: str) -> IgnoreFile | None:
    """Read an ignore file; None when it is not there, cannot be read, or says nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        content = os.read(descriptor, MAX_BYTES + 1)
    except OSError:  # a folder of that name
        return None
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        return None
    text = os.fsdecode(content.removeprefix(b"\xef\xbb\xbf"))
    found = IgnoreFile(text.split("\n"))
    return found or None


def _matcher(lines: Sequence[_Line], *, folders: bool) -> _Matcher:
    """Compile the lines that may match a folder, or a file."""
    counted = [(n, line) for n, line in enumerate(lines) if folders or not line.folders_only]
    counted.reverse()
    names = [(n, line.regex) for n, line in counted if not line.anchored]
    paths = [(n, line.regex) for n, line in counted if line.anchored]
    return _Matcher(
        _compile(names), _compile(paths), tuple(n for n, _ in names), tuple(n for n, _ in paths), {}
    )


def _compile(numbered: Sequence[tuple[int, str]]) -> re.Pattern[str]:
    if not numbered:
        return _NEVER
    return re.compile("|".join(f"({regex})" for _, regex in numbered), re.DOTALL)


def _number(regex: re.Pattern[str], lines: Sequence[int], text: str) -> int:
    found = regex.fullmatch(text)
    return -1 if found is None or found.lastindex is None else lines[found.lastindex - 1]


def _parse(text: str) -> _Line | None:
    """Read one line; None for a comment, a blank, and a pattern that git takes for none."""
    line = _trimmed(text.removesuffix("\r"))
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    line = line[1:] if negated else line
    folders_only = line.endswith("/")
    line = line.removesuffix("/")
    if not line or line.endswith("/"):
        return None
    anchored = "/" in line
    regex = _path_regex(line.removeprefix("/")) if anchored else _segment_regex(line)
    return None if regex is None else _Line(regex, anchored, negated, folders_only)


def _trimmed(line: str) -> str:
    """Drop the blanks at the end but those behind a backslash."""
    kept = line.rstrip(" ")
    if len(kept) < len(line) and (len(kept) - len(kept.rstrip("\\"))) % 2:
        kept += " "
    return kept


def _path_regex(pattern: str) -> str | None:
    """Translate a pattern with slashes; `**` as a whole part stands for any number of folders."""
    regex, place = "", 0
    while place < len(pattern):
        if place == 0 or pattern[place - 1] == "/":
            if pattern.startswith("**/", place):
                regex, place = regex + "(?:.+/)?", place + 3
                continue
            if pattern[place:] == "**":
                return regex + ".+"
        found = _next_regex(pattern, place)
        if found is None:
            return None
        regex, place = regex + found[0], found[1]
    return regex


def _segment_regex(part: str) -> str | None:
    """Translate a pattern without slashes; None when it can match nothing."""
    regex, place = "", 0
    while place < len(part):
        found = _next_regex(part, place)
        if found is None:
            return None
        regex, place = regex + found[0], found[1]
    return regex


def _next_regex(pattern: str, place: int) -> tuple[str, int] | None:
    """Translate what stands at a place; return it and where the next begins."""
    char, following = pattern[place], place + 1
    if char == "*":
        while pattern.startswith("*", following):  # several mean no more than one
            following += 1
        return "[^/]*", following
    if char == "?":
        return "[^/]", following
    if char == "[":
        return _class_regex(pattern, following)
    if char == "\\":
        return (re.escape(pattern[following]), following + 1) if following < len(pattern) else None
    return re.escape(char), following


_POSIX = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": " \\t", "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~",
    "space": "\\s", "upper": "A-Z", "xdigit": "0-9a-fA-F",
}  # fmt: skip


def _class_regex(part: str, place: int) -> tuple[str, int] | None:
    """Translate what follows a `[`; return it and where it ends, None when it never does."""
    negated = part.startswith(("!", "^"), place)
    place += negated
    inner, first = "", True
    while place < len(part) and (first or part[place] != "]"):
        taken = _class_item(part, place)
        if taken is None:
            return None
        inner, place, first = inner + taken[0], taken[1], False
    if place >= len(part):
        return None
    if negated:
        return f"[^/{inner}]", place + 1
    return f"(?!/)[{inner}]", place + 1


def _class_item(part: str, place: int) -> tuple[str, int] | None:
    """Translate one member of a class: a POSIX name, a range or a character."""
    if part.startswith("[:", place):
        end = part.find(":]", place + 2)
        if end >= 0:
            name = part[place + 2 : end]
            return (_POSIX[name], end + 2) if name in _POSIX else None
    low, place = _class_char(part, place)
    if low is None:
        return None
    if part[place : place + 1] == "-" and part[place + 1 : place + 2] not in {"", "]"}:
        high, place = _class_char(part, place + 1)
        if high is None:
            return None
        # git compares the first character by itself, so one that runs backwards is that alone
        return f"{_quoted(low)}-{_quoted(high)}" if low <= high else _quoted(low), place
    return _quoted(low), place


def _class_char(part: str, place: int) -> tuple[str | None, int]:
    """Read one character of a class, which a backslash may stand before."""
    if part[place] == "\\":
        return (part[place + 1], place + 2) if place + 1 < len(part) else (None, place)
    return part[place], place + 1


def _quoted(char: str) -> str:
    return re.escape(char) if char.isascii() and not char.isalnum() else char
