"""Which package a program comes from, told by the command that installs it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from penstock.environment.api import Manager
from penstock.environment.versions.names import is_name

_TAKE_A_WORD = frozenset({"--python", "-p", "--with", "--index-url", "-i", "--extra-index-url"})
_PLAIN = frozenset({"-g", "--global", "--upgrade", "-U", "--user"})
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
    manager that is known here, by its name alone."""
    for beginning, manager in _BEGINNINGS:
        if tuple(command[: len(beginning)]) == beginning:
            options, names = _sorted_out(command[len(beginning) :])
            if len(names) == 1 and is_name(manager, names[0]):
                return Origin(manager, names[0], options)
    return None


def _sorted_out(words: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the options, with the words that belong to them, and what else there is."""
    options: list[str] = []
    names: list[str] = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            names.append(word)
        elif word in _TAKE_A_WORD:
            options += [word, next(rest, "")]
        elif word not in _PLAIN:
            options.append(word)
    return tuple(options), names
