"""One setting into a JSON text, comments and layout kept."""

from __future__ import annotations

import json
import re
from typing import Any

from penstock.config.comments import blank_comments
from penstock.config.jsontext import Span, json_spans
from penstock.config.problems import Key

_FIRST_MEMBER = re.compile(r'\s*\{\s*\n([ \t]+)"')


def set_json(text: str, path: Key, value: Any) -> str:
    """Return a valid JSON text with the value at a key path, mappings above it made as needed."""
    newline = "\r\n" if "\r\n" in text else "\n"
    if not text.strip():
        text = "{}\n"
    spans = json_spans(text)
    known = _deepest(spans, path)
    step = _step(text)
    if known == path or text[spans[known].start] != "{":
        inner = _nested(path[len(known) :], value)
        written = _dump(inner, step, len(known), newline)
        span = spans[known]
        return text[: span.start] + written + text[span.end :]
    inner = _nested(path[len(known) + 1 :], value)
    depth = len(known) + 1
    member = f"{_key(path[len(known)])}: {_dump(inner, step, depth, newline)}"
    return _added(text, spans, known, member, step, newline)


def _deepest(spans: dict[Key, Span], path: Key) -> Key:
    """Return the longest beginning of a path that is there."""
    while path not in spans:
        path = path[:-1]
    return path


def _nested(path: Key, value: Any) -> Any:
    for part in reversed(path):
        value = {part: value}
    return value


def _added(
    text: str, spans: dict[Key, Span], known: Key, member: str, step: str, newline: str
) -> str:
    """Return the text with one more member at the end of the object at `known`."""
    span = spans[known]
    last = max((s.end for p, s in spans.items() if p[:-1] == known and p), default=None)
    close = span.end - 1
    if last is not None and "\n" not in text[span.start : close]:
        return f"{text[:last]}, {member}{text[last:]}"
    head = text[:close] if last is None else f"{text[:last]},{text[last:close]}"
    outer = step * len(known)
    return f"{head.rstrip()}{newline}{outer}{step}{member}{newline}{outer}{text[close:]}"


def _step(text: str) -> str:
    """Return the indentation of one level, as the text has it; two blanks where it has none."""
    found = _FIRST_MEMBER.match(blank_comments(text))
    return found[1] if found else "  "


def _dump(value: Any, step: str, depth: int, newline: str) -> str:
    """Return a value as JSON, mappings over several lines, everything else on one."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = step * (depth + 1)
    members = (
        f"{inner}{_key(key)}: {_dump(v, step, depth + 1, newline)}" for key, v in value.items()
    )
    return f"{{{newline}{f',{newline}'.join(members)}{newline}{step * depth}}}"


def _key(part: str | int) -> str:
    return json.dumps(part, ensure_ascii=False)
