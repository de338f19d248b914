"""Variables in the files of a registry and in aim_config: `%NAME%`, `$NAME` and `${NAME}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
