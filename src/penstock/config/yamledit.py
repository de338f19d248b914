"""One setting into a YAML text, comments and layout kept."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from penstock.config.problems import Key

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
STEP = 2
"""Blanks of one level that is added."""


def set_yaml(text: str, path: Key, value: Any) -> str:
    """Return a valid YAML text with the value at a key path, mappings above it made as needed."""
    newline = "\r\n" if "\r\n" in text else "\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader) if text.strip() else None
    if root is None:
        gap = "" if not text or text.endswith("\n") else newline
        return text + gap + _block(path, value, 0, newline) + newline
    key, node, done = _deepest(root, path)
    rest = path[done:]
    if isinstance(node, yaml.MappingNode) and rest:
        return _added(text, node, rest, value, newline)
    if _is_empty(node) and rest:
        at = _line_end(text, node.start_mark.index)
        column = -STEP if key is None else key.start_mark.column
        written = newline + _block(rest, value, column + STEP, newline)
        return text[:at] + written + text[at:]
    start, end, blank = node.start_mark.index, _end(node), " " if _is_empty(node) else ""
    if key is not None and isinstance(node, yaml.CollectionNode) and not node.flow_style:
        start, blank = text.index(":", key.end_mark.index) + 1, " "
    return text[:start] + blank + _flow(_nested(rest, value)) + text[end:]


def _deepest(node: yaml.Node, path: Key) -> tuple[yaml.Node | None, yaml.Node, int]:
    """Return the last key of the longest known beginning of a path (None for none), the node that it
    leads to, and the length of that beginning."""
    last = None
    for done, part in enumerate(path):
        members = node.value if isinstance(node, yaml.MappingNode) else []
        found = [(key, value) for key, value in members if key.value == part]
        if not found:
            return last, node, done
        last, node = found[-1]
    return last, node, len(path)


def _added(text: str, node: yaml.MappingNode, rest: Key, value: Any, newline: str) -> str:
    """Return the text with one more member at the end of a mapping."""
    if node.flow_style:
        at = _end(node.value[-1][1]) if node.value else node.start_mark.index + 1
        comma = ", " if node.value else ""
        member = f"{_flow(rest[0])}: {_flow(_nested(rest[1:], value))}"
        return f"{text[:at]}{comma}{member}{text[at:]}"
    written = _block(rest, value, node.start_mark.column, newline)
    end = _end(node)
    if text[end - 1 : end] == "\n":  # a block scalar ends with its line
        return text[:end] + written + newline + text[end:]
    at = _line_end(text, end)
    return text[:at] + newline + written + text[at:]


def _end(node: yaml.Node) -> int:
    """Return where a node's text ends: a block mapping's mark stands at whatever follows it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)


def _is_empty(node: yaml.Node) -> bool:
    """Tell whether a node is a value that was left out (`key:`)."""
    return isinstance(node, yaml.ScalarNode) and node.start_mark.index == node.end_mark.index


def _line_end(text: str, at: int) -> int:
    """Return where the line of an offset ends, before its line break."""
    found = text.find("\n", at)
    end = len(text) if found < 0 else found
    return end - 1 if text[end - 1 : end] == "\r" else end


def _block(path: Key, value: Any, column: int, newline: str) -> str:
    """Return a setting as lines: mappings of the path and of the value in block style."""
    key, rest = path[0], path[1:]
    indent = " " * column
    inner = _nested(rest, value)
    if not isinstance(inner, dict) or not inner:
        return f"{indent}{_key(str(key))}: {_flow(inner)}"
    lines = (_block((name,), item, column + STEP, newline) for name, item in inner.items())
    return newline.join((f"{indent}{_key(str(key))}:", *lines))


def _nested(path: Key, value: Any) -> Any:
    for part in reversed(path):
        value = {part: value}
    return value


def _key(name: str) -> str:
    """Return a key, in quotes where YAML would take it for something else than text."""
    plain = _PLAIN.fullmatch(name) and name.lower() not in _WORDS
    return name if plain else _flow(name)


def _flow(value: Any) -> str:
    """Return a value as JSON on one line, which is YAML too."""
    return json.dumps(value, ensure_ascii=False)
