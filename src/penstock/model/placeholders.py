"""Placeholders in the arguments of configured commands."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from penstock.errors import ConfigError

_PLACEHOLDER = re.compile(r"\{\{(?P<literal>\w*)\}\}|\{(?P<name>[A-Za-z_]\w*)\}", re.ASCII)


def render(args: Sequence[str], context: Mapping[str, str | None]) -> tuple[str, ...]:
    """Fill the placeholders `{name}` of an argument list; one argument stays one argument.

    `{{name}}` stands for a literal `{name}`; braces around anything but a name are left alone, so
    that JSON in an argument needs no escape. A name whose value is None leaves its argument out,
    and the option before it when the argument was nothing but the placeholder (`--model
    {model_name}`). Raises ConfigError for an unknown name.
    """
    done: list[str] = []
    for arg in args:
        value = fill(arg, context)
        if value is not None:
            done.append(value)
        elif _PLACEHOLDER.fullmatch(arg) and done and done[-1].startswith("-"):
            done.pop()
    return tuple(done)


def fill(text: str, context: Mapping[str, str | None]) -> str | None:
    """Fill the placeholders of one text; None when one of them has no value.

    Raises ConfigError for an unknown name.
    """
    missing = False

    def value_of(match: re.Match[str]) -> str:
        nonlocal missing
        name = match["name"]
        if name is None:
            return f"{{{match['literal']}}}"
        if name not in context:
            raise _unknown(name, text, context)
        value = context[name]
        missing = missing or value is None
        return value or ""

    filled = _PLACEHOLDER.sub(value_of, text)
    return None if missing else filled


def _unknown(name: str, text: str, context: Mapping[str, str | None]) -> ConfigError:
    near = difflib.get_close_matches(name, list(context), n=1)
    known = ", ".join(f"{{{key}}}" for key in sorted(context))
    hint = f"did you mean {{{near[0]}}}?" if near else f"known placeholders: {known}"
    return ConfigError(f"unknown placeholder {{{name}}} in {text!r}", hint=hint)
