"""The reader of any tool that prints JSON: a manifest says where findings and their fields are.

A path is a row of names with dots between them:

- `name` goes into an object, a number into a list (`rules.0`),
- `[]` goes through a list and `*` through the values of an object (only in `items`),
- `^` steps out to what encloses the finding, one list further with each,
- `@key` is the key under which `*` found it,
- `a|b` takes the first that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import (
    UnreadableError,
    category_of,
    load,
    one_line,
    path_text,
    position,
    severity_of,
)
from penstock.model.finding import Finding
from penstock.model.manifest import OutputSpec

FORMATS = ("document", "document-or-nothing", "lines")
"""Values of `format`: one document, also nothing at all when clean, or a document on each line."""
_NO = frozenset({"", "0", "false", "no", "none", "null"})


class _Missing:
    """Stands for a member that is not there, which null is not."""


_MISSING = _Missing()


class _Frame(msgspec.Struct, frozen=True):
    """A value that a walk came through, under which key of an object, and what encloses it.

    `home` is the object whose members were gone into since the last list.
    """

    value: Any
    key: str | None = None
    outer: _Frame | None = None
    home: _Frame | None = None


def read_json(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read JSON by the mapping of a manifest; `format` in it is one of FORMATS."""
    try:
        documents = _documents(raw.of(spec), spec.mapping.get("format", FORMATS[0]))
        frames = [frame for document in documents for frame in _items(document, spec.mapping)]
        return Parsed(tuple(_finding(frame, raw.tool, spec) for frame in frames))
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))


def _documents(data: bytes, form: str) -> list[Any]:
    if form not in FORMATS:
        raise UnreadableError(f"the manifest's format {form!r} is none of {', '.join(FORMATS)}")
    if form == "lines":
        return [load(line) for line in data.splitlines() if line.strip()]
    if form == "document-or-nothing" and not data.strip():
        return []
    return [load(data)]


# -- to the findings -----------------------------------------------------------------------------
def _items(document: Any, mapping: dict[str, str]) -> Iterator[_Frame]:
    """Walk to each finding. Raises UnreadableError when the way is not there."""
    path = mapping.get("items", "[]" if isinstance(document, list) else "")
    frames = [_Frame(document)]
    for number, step in enumerate(_steps(path)):
        frames = [deeper for frame in frames for deeper in _go(frame, step, path, number == 0)]
    for frame in frames:
        if not isinstance(frame.value, dict):
            raise UnreadableError(f"what its output has at {path!r} is not an object")
        yield frame


def _steps(path: str) -> list[str]:
    """Split a path: `a.b[]` is a, b, []."""
    spaced = path.replace("[]", ".[]")
    return [step for step in spaced.split(".") if step]


def _go(frame: _Frame, step: str, path: str, first: bool) -> list[_Frame]:
    value, home = frame.value, frame.home or frame
    if step == "[]":
        return [_Frame(item, None, home) for item in _expect(value, list, path)]
    if step == "*":
        table = _expect(value, dict, path)
        return [_Frame(item, key, home) for key, item in table.items()]
    found = _member(value, step)
    if isinstance(found, _Missing):
        if first:
            raise UnreadableError(f"its output has no {path!r}")
        return []
    return [_Frame(found, frame.key, frame.outer, home)]


def _expect(value: Any, kind: type, path: str) -> Any:
    """Return the value when it is of that kind; null is an empty one."""
    if value is None:
        return kind()
    if not isinstance(value, kind):
        wanted = "a list" if kind is list else "an object"
        raise UnreadableError(f"what its output has at {path!r} is not {wanted}")
    return value


# -- in a finding --------------------------------------------------------------------------------
def _finding(frame: _Frame, tool: str, spec: OutputSpec) -> Finding:
    def get(name: str) -> Any:
        return _value(frame, spec.mapping.get(name, ""))

    def place(name: str) -> int | None:
        kind = name.removeprefix("end_")
        return position(get(name), zero_based=kind in spec.zero_based)

    code = one_line(get("code"), 200) or None
    return Finding(
        tool=tool,
        message=one_line(get("message")) or code or "no message",
        path=path_text(get("path")),
        **_places(place),
        code=code,
        category=category_of(spec, code),
        severity=severity_of(spec, get("severity"), code),
        url=one_line(get("url")) or None,
        fixable=_truth(get("fixable")),
    )


def _places(place: Callable[[str], int | None]) -> dict[str, Any]:
    line = place("line")
    if line is None:
        return {}
    names = ("column", "end_line", "end_column")
    return {"line": line, **{name: place(name) for name in names}}


def _truth(value: Any) -> bool:
    return value.strip().lower() not in _NO if isinstance(value, str) else bool(value)


def _value(frame: _Frame, paths: str) -> Any:
    """Return the first of the alternatives that is there and not null."""
    for path in filter(None, paths.split("|")):
        found = _resolve(frame, path.strip())
        if found is not None and not isinstance(found, _Missing):
            return found
    return None


def _resolve(frame: _Frame, path: str) -> Any:
    value = frame.value
    here: _Frame | None = frame
    for step in path.split("."):
        if step == "^":
            here = here.outer if here is not None else None
            value = here.value if here is not None else None
        elif step == "@key":
            value = here.key if here is not None else None
        else:
            value = _member(value, step)
    return value


def _member(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step, _MISSING)
    if isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 10:
        index = int(step)
        return value[index] if index < len(value) else _MISSING
    return _MISSING
