"""Which package a program comes from, told by the command that installs it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from penstock.environment.api import Manager
from penstock.environment.versions.names import is_name

_OURS = frozenset({"-g", "--global", "--upgrade", "-U", "--user"})
"""Options that say what we say ourselves."""
_ALONE = frozenset({"--pre"})
_WITH_A_WORD = {"--python": re.compile(r"\d+(\.\d+)*"), "--with": re.compile(r"[A-Za-z0-9][\w.-]*")}
"""Options that are handed on, with what may follow: never a path, a URL or an index."""
_BEGINNINGS: tuple[tuple[tuple[str, ...], Manager], ...] = (
    (("npm", "install"), Manager.NPM),
    (("npm", "i"), Manager.NPM),
    (("pipx", "install"), Manager.PIPX),
    (("uv", "tool", "install"), Manager.UV),
    (("pip", "install"), Manager.PIP),
    (("python3", "-m", "pip", "install"), Manager.PIP),
    (("python", "-m", "pip", "install"), Manager.PIP),
)


class Origin(NamedTuple):
    """A package of a manager; `options` are the further words that its installation needs."""

    manager: Manager
    package: str
    options: tuple[str, ...] = ()


def origin_of(command: Sequence[str]) -> Origin | None:
    """Return the package that an install command brings; None when that is not one package of a
    manager that is known here, by its name and with harmless options alone.

    The command may come from a repository of strangers: it chooses no place to install from.
    """
    for beginning, manager in _BEGINNINGS:
        if tuple(command[: len(beginning)]) == beginning:
            return _origin(manager, command[len(beginning) :])
    return None


def _origin(manager: Manager, words: Sequence[str]) -> Origin | None:
    options: list[str] = []
    names: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in _WITH_A_WORD:
            value = next(rest, "")
            if not _WITH_A_WORD[word].fullmatch(value):
                return None
            options += [word, value]
        elif word in _ALONE:
            options.append(word)
        elif word not in _OURS:
            names.append(word)
    if len(names) != 1 or not is_name(manager, names[0]):
        return None
    return Origin(manager, names[0], tuple(options))
