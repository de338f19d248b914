"""What a violation of the schema means, in words that say what was expected and how to mend it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, cast

from jsonschema_rs import ValidationError, ValidationErrorKind

from penstock.planning.parse import JsonPath
from penstock.planning.schema import DESCRIPTIONS, Schema

# What people write who know other tools, and what it is called here.
OTHER_NAMES: Final[Mapping[str, str]] = {
    "dependencies": "depends_on",
    "requires": "depends_on",
    "files": "files_scope",
    "scope": "files_scope",
    "paths": "files_scope",
    "steps": "tasks",
    "description": "tasks",
    "name": "id",
    "tests": "acceptance_tests",
    "acceptance": "acceptance_tests",
    "agent": "tool",
    "cost_limit": "max_cost_usd",
}
_TYPE_NAMES: Final = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def explain(error: ValidationError, schema: Schema) -> Iterator[tuple[JsonPath, str]]:
    """Yield where and what: one pair for each unknown field, otherwise one for the error."""
    where: JsonPath = tuple(error.instance_path)
    *steps, keyword = error.schema_path
    rule: Any = schema
    for step in steps:
        rule = rule[step]
    kind, value = error.kind, cast(Any, error.instance)
    if isinstance(kind, ValidationErrorKind.AdditionalProperties):
        for name in kind.unexpected:
            yield (*where, name), unknown_field(name, sorted(rule["properties"]))
    elif isinstance(kind, ValidationErrorKind.Required):
        yield where, missing_field(kind.property, rule["properties"][kind.property])
    else:
        say = _SAYINGS.get(str(keyword))
        yield where, say(rule, value) if say else short(error.message, 300)


def unknown_field(name: str, known: Iterable[str]) -> str:
    """Say that a field is unknown, with the nearest known one or all of them."""
    fields = list(known)
    other = OTHER_NAMES.get(name.lower())
    near = [other] if other in fields else close(name, fields)
    hint = f"did you mean '{near[0]}'?" if near else f"known fields: {', '.join(fields)}"
    return f"unknown field {shown(name)}; {hint}"


def missing_field(name: str, rule: Schema) -> str:
    """Say that a required field is missing and what it is for."""
    about = DESCRIPTIONS.get(name, "").rstrip(".")
    return f"the field '{name}' is missing; add it: {expected(rule)}" + (
        f" ({about[:1].lower()}{about[1:]})" if about else ""
    )


def close(name: str, known: Iterable[str]) -> list[str]:
    """The known name nearest to a wrong one, if any is near."""
    by_lower = {entry.lower(): entry for entry in known}
    near = get_close_matches(name.lower()[:80], by_lower, n=1, cutoff=0.6)
    return [by_lower[entry] for entry in near]


def expected(rule: Schema) -> str:
    """Say what a rule expects: `a whole number of at least 1`."""
    if "enum" in rule:
        return "one of " + ", ".join(shown(value) for value in rule["enum"] if value is not None)
    types = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
    text = " or ".join(_TYPE_NAMES[name] for name in types if name != "null")
    if "array" in types and "type" in rule.get("items", {}):
        text = text.replace("a list", f"a list of {_plural(rule['items'])}")
    if "minimum" in rule:
        text += f" of at least {rule['minimum']}"
    if "maximum" in rule:
        text += f" and at most {rule['maximum']}"
    return text


def _plural(rule: Schema) -> str:
    """What a list holds."""
    return "objects" if rule["type"] == "object" else "texts"


def _type(rule: Schema, value: Any) -> str:
    return f"expected {expected(rule)}, found {found(value)}"


def _range(rule: Schema, value: Any) -> str:
    return f"expected {expected(rule)}, found {shown(value)}"


def _enum(rule: Schema, value: Any) -> str:
    near = close(value, [v for v in rule["enum"] if v]) if isinstance(value, str) else []
    return f"expected {expected(rule)}, found {shown(value)}" + (
        f"; did you mean '{near[0]}'?" if near else ""
    )


def _pattern(rule: Schema, value: Any) -> str:
    return (
        f"expected 'ws-' followed by small letters, digits and '-' ({rule['pattern']}), "
        f"found {shown(value)}; such as 'ws-add-login'"
    )


def _max_length(rule: Schema, value: Any) -> str:
    return f"expected at most {rule['maxLength']} characters, found {len(value)}; shorten it"


_SAYINGS: Final[Mapping[str, Callable[[Schema, Any], str]]] = {
    "type": _type,
    "minimum": _range,
    "maximum": _range,
    "enum": _enum,
    "pattern": _pattern,
    "minItems": lambda _rule, _value: "expected at least one entry, found an empty list",
    "minLength": lambda _rule, _value: "expected a text that is not empty",
    "maxLength": _max_length,
}


def found(value: Any) -> str:
    """Name a value of the wrong type: `a list`, `the text 'x'`, `3`."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return f"the text {shown(value)}" if isinstance(value, str) else shown(value)


def shown(value: Any) -> str:
    """A value as it is shown in a message: short, printable, texts in single quotes."""
    if isinstance(value, str):
        text = json.dumps(short(value, 60), ensure_ascii=not value.isprintable())
        return "'" + text[1:-1].replace('\\"', '"') + "'"
    return short(json.dumps(value), 60)


def short(text: str, limit: int) -> str:
    """A text of at most `limit` characters and a mark that more was there."""
    return text if len(text) <= limit else f"{text[:limit]}..."
