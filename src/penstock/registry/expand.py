"""Variables in the files of a registry and in aim_config: `%NAME%`, `$NAME` and `${NAME}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_VARIABLE = re.compile(
    r"%(?P<windows>[A-Za-z_]\w*)%|\$\{(?P<braced>[A-Za-z_]\w*)\}|\$(?P<plain>[A-Za-z_]\w*)",
    re.ASCII,
)
SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
"""A variable with one of these in its name is not filled in: a registry of a repository could name
one in a command, and so take it out of the environment that children do not get."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Fill the variables of a text, once each. What is not set, or holds a secret, stays as it is."""

    def value_of(match: re.Match[str]) -> str:
        name = match["windows"] or match["braced"] or match["plain"]
        if any(word in name.upper() for word in SECRET_WORDS):
            return match[0]
        return variables.get(name, match[0])

    return _VARIABLE.sub(value_of, text) if "%" in text or "$" in text else text


def expand_all(value: Any, variables: Mapping[str, str]) -> Any:
    """Fill the variables of every text in a value; keys stay as they are."""
    if isinstance(value, str):
        return expand(value, variables)
    if isinstance(value, dict):
        return {key: expand_all(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [expand_all(item, variables) for item in value]
    return value


def variables_in(value: Any) -> tuple[str, ...]:
    """Return the variables that the texts of a value name, each once, in their order."""
    if isinstance(value, str):
        names = (found[1] or found[2] or found[3] for found in _VARIABLE.finditer(value))
        return tuple(dict.fromkeys(names))
    items = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list, tuple)):
        return ()
    return tuple(dict.fromkeys(name for item in items for name in variables_in(item)))


def unfilled(
    value: Any, variables: Mapping[str, str], path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the key path and name of every variable that would not be filled."""
    if isinstance(value, str):
        yield from ((path, name) for name in variables_in(value) if name not in variables)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from unfilled(inner, variables, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from unfilled(inner, variables, (*path, index))
