"""Values to typed settings, with every error of a file at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from penstock.config.documents import ConfigFileError, Document
from penstock.config.problems import Key, Mark, Problem
from penstock.typed import typed

T = TypeVar("T")

_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_HINT = "docs/reference/configuration.md lists every key"


def decode(document: Document, kind: type[T]) -> T:
    """Turn a parsed file into `kind`. Raises ConfigFileError that lists every error."""
    try:
        return typed(document.value, kind)
    except msgspec.ValidationError as error:
        problems = problems_of(document, kind) or [Problem(text=str(error))]
        raise ConfigFileError(document.shown, problems, hint=_HINT) from error


def problems_of(document: Document, kind: Any, at: Key = ()) -> list[Problem]:
    """Return each error of the value that `document` holds at the path `at`, in the file's order."""
    import jsonschema_rs

    schema = msgspec.json.schema(kind)
    value = document.value
    for part in at:
        value = value[part]
    found = [
        ((*at, *path), text)
        for error in jsonschema_rs.validator_for(schema).iter_errors(value)
        for path, text in _explain(error, schema)
    ]
    found.sort(key=lambda item: document.marks.get(item[0], Mark(0, 0)))
    problems = [document.problem(path, text) for path, text in found]
    return [p if p.place else msgspec.structs.replace(p, key="the file") for p in problems]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?`, or the list of what is known."""
    import difflib

    names = sorted(known)
    folded = name.lower().replace("-", "_")
    near = difflib.get_close_matches(folded, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known: {', '.join(names)}" if names else "none is known here"


def _explain(error: Any, schema: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    """Give path and text of a schema error in words of the configuration."""
    path: Key = tuple(error.instance_path)
    name = error.kind.name
    if name == "additionalProperties":
        known = _at(schema, error.schema_path[:-1]).get("properties", {})
        for key in error.kind.value:
            yield (*path, key), f"unknown key; {nearest(key, known)}"
    elif name == "anyOf":
        yield from _explain_alternatives(error, schema)
    else:
        yield path, _sentence(error, name)


def _explain_alternatives(error: Any, schema: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    """Take the alternative that the value was meant as: the one it went deepest into."""
    path: Key = tuple(error.instance_path)
    branches = [branch for branch in error.kind.value if branch]
    deeper = [b for b in branches if any(len(e.instance_path) > len(path) for e in b)]
    other = [b for b in branches if b[0].kind.name != "type"]
    for branch in (deeper or other)[:1]:
        for inner in branch:
            yield from _explain(inner, schema)
        return
    types = [kind for branch in branches for kind in branch[0].kind.value]
    yield path, f"expected {' or '.join(_NAMES.get(t, t) for t in types)}, got {_shown(error)}"


def _sentence(error: Any, name: str) -> str:
    value = error.kind.value
    if name == "required":
        return f"{value} is missing"
    if name == "type":
        return f"expected {' or '.join(_NAMES.get(t, t) for t in value)}, got {_shown(error)}"
    if name == "enum":
        return f"must be one of {', '.join(map(str, value))}, not {_shown(error)}"
    limits = {"minimum": "at least", "exclusiveMinimum": "greater than", "maximum": "at most"}
    if name in limits:
        return f"must be {limits[name]} {value:g}, not {_shown(error)}"
    return str(error.message)


def _shown(error: Any) -> str:
    """Show the offending value, cut short."""
    text = msgspec.json.encode(error.instance).decode()
    return text if len(text) <= 60 else text[:57] + "..."


def _at(schema: dict[str, Any], path: list[str | int]) -> dict[str, Any]:
    node: Any = schema
    for part in path:
        node = node[part]
    found: dict[str, Any] = node
    return found
