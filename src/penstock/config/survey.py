"""A configuration looked at as a whole: what each setting is and where that comes from, what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from penstock.config.problems import Key, Mark, Problem, key_name

PACKAGED = "packaged default"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as it counts now.

    `origin` says where the value comes from: a file, an environment variable, or a packaged default;
    `file`, `line` and `column` (from 1) are set when it stands in a file.
    """

    key: str
    value: Any
    origin: str
    file: str | None = None
    line: int | None = None
    column: int | None = None


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """A whole configuration: the file that counts (None without one), those that are there but do
    not, and every setting."""

    source: str | None
    passed_over: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, with its file as far as there is one, and its place in it."""

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    key: str = ""

    @property
    def words(self) -> str:
        """One line for people and editors: `file:line:column: key: message`."""
        numbers = [str(part) for part in (self.line, self.column) if part is not None]
        parts = (":".join([self.file or "", *numbers]).strip(":"), self.key, self.message)
        return ": ".join(part for part in parts if part)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What checking a configuration came to. `files` are those that were read."""

    files: tuple[str, ...] = ()
    errors: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether it can be used."""
        return not self.errors


def fault(file: str | None, problem: Problem) -> Fault:
    """Return a problem with the file it is in."""
    return Fault(
        message=problem.text,
        file=file,
        line=problem.line,
        column=problem.column,
        key=problem.key,
    )


def faults(found: Iterable[tuple[str, Problem]]) -> tuple[Fault, ...]:
    """Return problems with their files, each once."""
    return tuple(dict.fromkeys(fault(file, problem) for file, problem in found))


def in_file(
    path: Key, value: Any, shown: str, marks: Mapping[Key, Mark], more: str = ""
) -> Setting:
    """Return a setting that a file gives; `more` says what else its value depends on."""
    mark = marks.get(path)
    at = f"{shown}:{mark.line}:{mark.column}" if mark else shown
    return Setting(
        key=key_name(path),
        value=value,
        origin=f"{at}{more}",
        file=shown,
        line=mark.line if mark else None,
        column=mark.column if mark else None,
    )
