"""A configuration file as plain values, with the line of each key.

Only the harmless part of YAML is read: text, numbers, true/false, null, lists and mappings. Aliases,
tags, repeated keys and deep nesting are refused, with their line.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.config.comments import blank_comments
from penstock.config.problems import Key, Mark, Problem, key_name, problem_at
from penstock.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_DEPTH = 40


class ConfigFileError(ConfigError):
    """A configuration file is wrong; `problems` has one line for each error in it, and `found` the
    same with the places as numbers."""

    def __init__(
        self, shown: str, problems: Iterable[str | Problem], *, hint: str | None = None
    ) -> None:
        self.file = shown
        self.found = tuple(
            problem if isinstance(problem, Problem) else Problem(text=problem)
            for problem in problems
        )
        self.problems = tuple(map(str, self.found))
        if len(self.problems) == 1:
            message = f"{shown}: {self.problems[0]}"
        else:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            message = f"{shown}: {len(self.problems)} errors{lines}"
        super().__init__(message, hint=hint)


class Document(msgspec.Struct, frozen=True):
    """A parsed file. `shown` is its name for people; `marks` tells where key paths stand in it."""

    shown: str
    value: Any
    marks: Mapping[Key, Mark] = msgspec.field(default_factory=dict)

    def problem(self, path: Key, text: str) -> Problem:
        """Return a problem of the setting at a key path."""
        return problem_at(self.marks.get(path), text, key_name(path))

    def place(self, path: Key) -> str:
        """Return `line N, column M, a.b[0]` for a key path, as far as it is known."""
        return self.problem(path, "").place


def shown_name(path: Path, root: Path | None) -> str:
    """Return a file's name for messages: relative to `root` when it lies there."""
    if root is not None and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return str(path)


def load_document(path: Path, *, root: Path | None = None) -> Document | None:
    """Read a .yaml, .yml or .json file; None when there is none.

    Raises ConfigFileError when it cannot be read or parsed.
    """
    shown = shown_name(path, root)
    text = _read(path, shown)
    return None if text is None else parse_document(text, shown)


def parse_document(text: str, shown: str) -> Document:
    """Parse the text of a file, by the ending of its name. Raises ConfigFileError."""
    document = _parse_json(text, shown) if shown.endswith(".json") else _parse_yaml(text, shown)
    _check_numbers(document)
    return document


# -- reading -------------------------------------------------------------------------------------
def _read(path: Path, shown: str) -> str | None:
    try:
        # O_NONBLOCK: a pipe in the file's place must not hang us
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigFileError(shown, [f"cannot be read: {_why(error)}"]) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ConfigFileError(shown, ["is not a regular file"])
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            content = stream.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    return _decode(content, shown)


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _decode(content: bytes, shown: str) -> str:
    if len(content) > MAX_BYTES:
        raise ConfigFileError(shown, [f"is larger than {MAX_BYTES // 1024} KiB"])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigFileError(shown, [Problem(text="is not UTF-8 text", line=line)]) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        nul = Problem(text="holds a NUL byte, so it is no text file", line=line)
        raise ConfigFileError(shown, [nul])
    return text


# -- JSON ----------------------------------------------------------------------------------------
def _parse_json(text: str, shown: str) -> Document:
    import json

    from penstock.config.jsontext import JsonMarks, repeated_keys

    repeated = False

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        made = dict(found)
        repeated = repeated or len(made) < len(found)
        return made

    try:
        value = json.loads(blank_comments(text), object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        wrong = Problem(text=error.msg, line=error.lineno, column=error.colno)
        raise ConfigFileError(shown, [wrong]) from error
    except RecursionError as error:
        raise ConfigFileError(shown, ["is nested too deeply"]) from error
    except ValueError as error:
        raise ConfigFileError(shown, [str(error)]) from error
    if repeated:
        twice = (problem_at(m, "is given twice", key_name(p)) for p, m in repeated_keys(text))
        raise ConfigFileError(shown, twice)
    return Document(shown, value, JsonMarks(text))


# -- YAML ----------------------------------------------------------------------------------------
def _parse_yaml(text: str, shown: str) -> Document:
    if all(not line or line.lstrip(" ").startswith("#") for line in text.splitlines()):
        return Document(shown, None)  # as `penstock init` writes it: not worth loading a parser
    from penstock.config.yamltext import YamlProblem, read_yaml

    try:
        value, marks = read_yaml(text, max_depth=MAX_DEPTH)
    except YamlProblem as error:
        raise ConfigFileError(shown, error.problems, hint=error.hint) from error
    return Document(shown, value, marks)


# -- numbers -------------------------------------------------------------------------------------
def _check_numbers(document: Document) -> None:
    """Refuse numbers that no setting can mean: not finite, or beyond 2**53."""
    wrong = [
        document.problem(path, f"{value!r} is out of range")
        for path, value in _numbers(document.value)
        if not abs(value) <= 2**53
    ]
    if wrong:
        raise ConfigFileError(document.shown, wrong)


def _numbers(value: Any) -> list[tuple[Key, float]]:
    """Return all numbers of a value with their key paths."""
    found: list[tuple[Key, float]] = []
    todo: list[tuple[Key, Any]] = [((), value)]
    while todo:
        path, item = todo.pop()
        if isinstance(item, dict):
            todo += [((*path, key), inner) for key, inner in item.items()]
        elif isinstance(item, list):
            todo += [((*path, index), inner) for index, inner in enumerate(item)]
        elif isinstance(item, (int, float)):
            found.append((path, item))
    return found
