"""Acceptance entries: which of them are commands, and which are prose for people."""

from __future__ import annotations

import re
import shlex
from collections.abc import Container
from dataclasses import dataclass
from enum import Enum, auto

RUNNERS = frozenset(
    {
        "pytest", "python", "python3", "node", "npm", "npx", "make", "go", "cargo", "ruff",
        "mypy", "tox", "nox",
    }
)  # fmt: skip
"""Executables whose name at the start makes an entry a command."""

# "make" is a word of the language as well
_PHRASE = re.compile(r"make\s+(sure|certain)\b", re.IGNORECASE)


class Kind(Enum):
    """What an acceptance entry is."""

    COMMAND = auto()
    PROSE = auto()
    NEEDS_SHELL = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it was understood; `why` tells what keeps it from being run."""

    kind: Kind
    text: str
    argv: tuple[str, ...] = ()
    why: str = ""


def read_entry(text: str, executables: Container[str]) -> Entry:
    """Understand an acceptance entry; `executables` are the commands of the tool profiles."""
    marked = text.strip().startswith("$ ")
    line = text.strip().removeprefix("$ ").strip()
    first = re.split(r"[\s|&;<>()]", line, maxsplit=1)[0]
    if first not in RUNNERS and first not in executables:
        why = f"{first} is no command of a tool profile" if marked and first else ""
        return Entry(Kind.PROSE, text, why=why)
    if not marked and _PHRASE.match(line):
        return Entry(Kind.PROSE, text)
    try:
        argv = tuple(shlex.split(line))
        need = _shell_feature(line)
    except ValueError:
        return Entry(Kind.PROSE, text, why="its quotes are not closed, so it is no command")
    if need:
        return Entry(Kind.NEEDS_SHELL, text, argv, need)
    return Entry(Kind.COMMAND, text, argv)


def _shell_feature(line: str) -> str:
    """Name what only a shell would understand, or return an empty text.

    Raises ValueError when a quote is not closed.
    """
    bare = _unquoted(line)
    operator = re.search(r"[|&;<>]+|[()]", bare)
    if operator:
        return f"the operator {operator[0]}"
    if "`" in bare or "$(" in line:
        return "a command substitution"
    variable = re.search(r"\$[A-Za-z_{]\w*", bare)
    if variable:
        return f"the variable {variable[0]}"
    pattern = re.search(r"(?<!\S)[^\s=]*\*\S*", bare)
    return f"the file pattern {pattern[0]}" if pattern else ""


def _unquoted(line: str) -> str:
    """Return the line with everything that is quoted or escaped blanked out.

    Square brackets are blanked with their content: they are parts of test ids.
    """
    blank = re.sub(r"\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"", lambda found: "_" * len(found[0]), line)
    return re.sub(r"\[[^\]\s]*\]", lambda found: "_" * len(found[0]), blank)
