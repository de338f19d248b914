"""The YAML at the head of a Markdown file, read as forgivingly as people write it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from penstock.planning.sources.api import Notice, Severity
from penstock.planning.sources.text import Line, SourceFile

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH: Final = 32
_TAG: Final = "tag:yaml.org,2002:"
_CORE: Final[Mapping[str, bool]] = {"true": True, "false": False}
_CONSTANTS: Final[Mapping[str, bool]] = {
    **_CORE,
    "yes": True,
    "no": False,
    "on": True,
    "off": False,
}
_PAIR: Final = re.compile(r"([A-Za-z_][\w.-]*)[ \t]*:(?:[ \t]+(.*))?$")
_BOX: Final = re.compile(r"\s*(?:[-*+]|[0-9]+[.)])\s*\[[^\]]?\](?:\s|$)")
_COMMENT: Final = re.compile(r"(?:^|[ \t]+)#.*$")
_CLOSERS: Final = frozenset({"---", "..."})
MISSING: Final = "missing-frontmatter"
BROKEN: Final = "broken-frontmatter"
BROKEN_YAML: Final = "broken-yaml"
REPEATED: Final = "repeated-key"


class _RefusedError(Exception):
    """The YAML is refused: too deep, or it refers to itself."""


def frontmatter(file: SourceFile) -> tuple[dict[str, Any], list[Notice], int]:
    """Return the frontmatter of a file, what is odd about it, and the first line behind it.

    Keys are text; numbers and dates stay text as they are written, since 001 and 010 are ids.
    Missing frontmatter is an empty dict, line 1 and the notice `missing-frontmatter`. Broken YAML
    is the notice `broken-frontmatter`, and its `key: value` lines are read one by one.
    """
    last = head_end(file.lines)
    if last is None:
        return {}, [_missing(file)], 1
    inner = file.lines[1 : last - 1]
    text = "\n".join(line.text for line in inner)
    try:
        value, notices = _value(text, file)
    except (yaml.YAMLError, _RefusedError) as error:
        return _pairs(text), [_broken(file, error)], last + 1
    if value is None:
        return {}, notices, last + 1
    if not isinstance(value, dict):
        return {}, [_broken(file, _RefusedError("is no mapping of keys to values"))], last + 1
    return value, notices, last + 1


def yaml_mapping(file: SourceFile) -> tuple[dict[str, Any], list[Notice]]:
    """Return the mapping that a whole YAML file holds, read like frontmatter.

    What cannot be read is the notice `broken-yaml`. Only true and false are truth values here.
    """
    text = "\n".join(line.text for line in file.lines)
    try:
        value, notices = _value(text, file, first=1, words=_CORE)
    except (yaml.YAMLError, _RefusedError) as error:
        return _pairs(text), [_broken(file, error, first=1, code=BROKEN_YAML)]
    if value is None or isinstance(value, dict):
        return value or {}, notices
    wrong = _RefusedError("is no mapping of keys to values")
    return {}, [_broken(file, wrong, first=1, code=BROKEN_YAML)]


def head_end(lines: Sequence[Line]) -> int | None:
    """Return the number of the line that ends the frontmatter, None when there is none.

    Two rulers with tasks between them are none: no YAML has a box with words behind it at its left
    edge, or boxes and no key.
    """
    if not lines or lines[0].text.rstrip() != "---":
        return None
    last = next((line.number for line in lines[1:] if line.text.rstrip() in _CLOSERS), None)
    inner = [line.text for line in lines[1 : (last or 1) - 1]]
    boxes = [text for text in inner if _BOX.match(text)]
    keyed = any(_PAIR.match(text) for text in inner)
    work = any(not text[0].isspace() for text in boxes) or (boxes and not keyed)
    return None if work else last


def _value(
    text: str, file: SourceFile, first: int = 2, words: Mapping[str, bool] = _CONSTANTS
) -> tuple[Any, list[Notice]]:
    """Return what YAML says. Raises yaml.YAMLError, _RefusedError."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError(f"holds the alias *{event.anchor}, which is not read")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise _RefusedError("is nested too deeply")
    node = yaml.compose(text, Loader=_LOADER)
    notices = [_repeated(file, key, line + first) for key, line in _repeats(node)]
    return _plain(node, words), notices


def _plain(node: yaml.Node | None, words: Mapping[str, bool]) -> Any:
    """Return a node as plain values, in which what looks like a number stays text."""
    if isinstance(node, yaml.MappingNode):
        return {str(_plain_key(key)): _plain(value, words) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, words) for item in node.value]
    if not isinstance(node, yaml.ScalarNode) or node.tag == _TAG + "null":
        return None
    if node.tag == _TAG + "bool":
        return words.get(str(node.value).lower(), node.value)
    return node.value


def _plain_key(node: yaml.Node) -> str:
    """Return a key as it is written, `on` and `12` too."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "?"


def _repeats(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Yield the keys of the outermost mapping that were there before, with their line from 0."""
    seen: set[str] = set()
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        name = _plain_key(key)
        if name in seen:
            yield name, key.start_mark.line
        seen.add(name)


def _pairs(text: str) -> dict[str, Any]:
    """Return the `key: value` lines of broken YAML that stand at its left edge, as text."""
    found = (_PAIR.match(line) for line in text.split("\n"))
    pairs = ((match[1], _COMMENT.sub("", match[2] or "").strip()) for match in found if match)
    return {key: _unquoted(value) if value else None for key, value in pairs}


def _unquoted(value: str) -> Any:
    """Return a value of a line: its quotes taken off, a list in brackets split, true and false."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    if value.startswith("[") and value.endswith("]"):
        parts = (part.strip() for part in value[1:-1].split(","))
        return [_unquoted(part) for part in parts if part]
    return _CONSTANTS.get(value.lower(), value)


def _missing(file: SourceFile) -> Notice:
    return Notice(
        code=MISSING,
        severity=Severity.WARNING,
        text="there is no frontmatter: no --- line at its head with another one behind it",
        place=file.place(1),
    )


def _repeated(file: SourceFile, key: str, line: int) -> Notice:
    return Notice(
        code=REPEATED,
        severity=Severity.WARNING,
        text=f"{key} is given twice; the last one counts",
        place=file.place(line),
    )


def _broken(file: SourceFile, error: Exception, first: int = 2, code: str = BROKEN) -> Notice:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Notice(
        code=code,
        severity=Severity.WARNING,
        text=f"the YAML cannot be read: {what}; its `key: value` lines are read one by one",
        place=file.place(first + (mark.line if mark else 0)),
        hint="put a value that holds `: ` or begins with a sign in quotes",
    )
