"""JSON with comments into plain values, with everything that is wrong about the text.

The standard decoder alone lets too much pass for a file that people write: repeated keys, NaN,
numbers beyond any column, half surrogates. They are noticed by its hooks, which cost little, and
only a text that holds one is walked to say where.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from penstock.config.comments import JSON_STRING, blank_comments
from penstock.planning.files import place

MAX_DEPTH: Final = 64
MAX_INT: Final = 2**63 - 1
# More than this many of a kind say no more to a reader.
MAX_FLAWS: Final = 1000
_BRACKET: Final = re.compile(rf"{JSON_STRING}|[\[{{\]}}]", re.DOTALL)
_BAD_ESCAPE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_BAD_CHAR: Final = re.compile(r"[\x00\ud800-\udfff]")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")

JsonPath = tuple[str | int, ...]


class SyntaxProblemError(Exception):
    """A text is no JSON; the message begins with its line and column where known."""


class Flaw(msgspec.Struct, frozen=True):
    """Something wrong with a value: where, what, and how to mend it."""

    path: JsonPath
    details: str


class Parsed(msgspec.Struct, frozen=True):
    """A document; each flawed number in it is replaced by 0, each flawed text by its rest."""

    value: Any
    flaws: tuple[Flaw, ...] = ()


class _Bad:
    """Stands for a number that cannot be kept, until the walk has told where it is."""

    def __init__(self, text: str) -> None:
        self.text = text if len(text) <= 20 else f"{text[:20]}..."


class _Notes:
    """What the decoder's hooks notice; the objects are kept so that identity stays theirs."""

    def __init__(self) -> None:
        self.repeated: list[tuple[dict[str, Any], list[str]]] = []
        self.bad: list[_Bad] = []

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Build an object and note the keys that come twice."""
        made = dict(pairs)
        if len(made) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            self.repeated.append((made, [key for key, count in counts.items() if count > 1]))
        return made

    def integer(self, text: str) -> Any:
        """Read an integer of 64 bits."""
        if len(text) < 19 or (len(text) <= 20 and abs(int(text)) <= MAX_INT):
            return int(text)
        return self.constant(text)

    def number(self, text: str) -> Any:
        """Read a number that a double can hold."""
        value = float(text)
        return value if math.isfinite(value) else self.constant(text)

    def constant(self, text: str) -> Any:
        """Take note of NaN, Infinity and numbers too large."""
        self.bad.append(_Bad(text))
        return self.bad[-1]


def parse(text: str) -> Parsed:
    """Parse JSON in which `//` and `/* */` comments may stand.

    Raises SyntaxProblemError with line and column.
    """
    try:
        blanked = blank_comments(text)
    except ValueError as error:
        raise SyntaxProblemError(str(error)) from None
    notes = _Notes()
    try:
        value = json.loads(
            blanked,
            object_pairs_hook=notes.pairs,
            parse_int=notes.integer,
            parse_float=notes.number,
            parse_constant=notes.constant,
        )
    except json.JSONDecodeError as error:
        raise SyntaxProblemError(_syntax_message(blanked, error)) from error
    except RecursionError:
        raise SyntaxProblemError(depth_message(blanked)) from None
    if _depth(value) > MAX_DEPTH:
        raise SyntaxProblemError(depth_message(blanked))
    if not (notes.repeated or notes.bad or _BAD_ESCAPE.search(blanked)):
        return Parsed(value)
    flaws = tuple(islice(_flaws(value, notes), MAX_FLAWS))
    return Parsed(_without_bad(value), flaws)


def _syntax_message(text: str, error: json.JSONDecodeError) -> str:
    """Say what is wrong with a text in the words of somebody who writes bundles."""
    if not text.strip():
        return "empty; expected an object or a list of objects"
    if (comma := _trailing_comma(text, error.pos)) is not None:
        return _at(text, comma, "a trailing comma; remove it")
    if error.msg == "Extra data":
        return _at(text, error.pos, "something follows the end; put several bundles into a list")
    return _at(text, error.pos, f"{error.msg[:1].lower()}{error.msg[1:]}")


def _trailing_comma(text: str, position: int) -> int | None:
    """Where the trailing comma is that an error is about (at the error, or before it), if any."""
    at = position if text.startswith(",", position) else len(text[:position].rstrip()) - 1
    is_last = text[at + 1 :].lstrip()[:1] in ("]", "}")
    return at if at >= 0 and text[at] == "," and is_last else None


def _at(text: str, position: int, what: str) -> str:
    """Put line and column before a message."""
    line, column = place(text[:position])
    return f"line {line} column {column}: {what}"


def size(document: dict[str, Any], limit: int) -> int:
    """How many values a document holds, itself too; counting stops behind `limit`."""
    total, level = 1, [document]
    while level and total <= limit:
        total += sum(map(len, level))
        level = [child for node in level for child in _containers(node)]
    return total


def _depth(value: Any) -> int:
    """How many levels of lists and objects a value has."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        level = [child for node in level for child in _containers(node)]
        depth += 1
    return depth


def _containers(node: Any) -> Iterator[Any]:
    """The lists and objects directly inside a value."""
    inside = node.values() if type(node) is dict else node if type(node) is list else ()
    return (child for child in inside if type(child) is dict or type(child) is list)


def depth_message(text: str) -> str:
    """Say where a text goes deeper than any bundle does."""
    depth = 0
    for found in _BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > MAX_DEPTH:
            return _at(text, found.start(), f"nested deeper than {MAX_DEPTH} levels; flatten it")
    return f"nested deeper than {MAX_DEPTH} levels; flatten it"


def _flaws(value: Any, notes: _Notes) -> Iterator[Flaw]:
    """Walk a document and say where what the hooks noticed is."""
    repeated = {id(made): names for made, names in notes.repeated}
    for path, node in _walk(value, ()):
        for name in repeated.get(id(node), ()):
            yield Flaw((*path, name), f"the key {_shown(name)} is repeated; keep one of them")
        if isinstance(node, _Bad):
            yield Flaw(path, f"{node.text} is no number within 64 bits; write one that is")
        texts = (node,) if isinstance(node, str) else node if isinstance(node, dict) else ()
        for text in texts:
            if (bad := _BAD_CHAR.search(text)) is not None:
                yield Flaw(path, f"a text holds U+{ord(bad[0]):04X}, which is no text; remove it")


def _walk(value: Any, path: JsonPath) -> Iterator[tuple[JsonPath, Any]]:
    """Yield every value of a document with its path; the depth is bounded before."""
    yield path, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _walk(child, (*path, key))
    elif isinstance(value, list):
        for at, child in enumerate(value):
            yield from _walk(child, (*path, at))


def _without_bad(value: Any) -> Any:
    """Return a document in which 0 stands for each number that cannot be kept."""
    if isinstance(value, dict):
        return {_text(key): _without_bad(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_without_bad(child) for child in value]
    if isinstance(value, str):
        return _text(value)
    return 0 if isinstance(value, _Bad) else value


def _text(text: str) -> str:
    """Return a text without the characters that are none."""
    return _BAD_CHAR.sub("", text)


def _shown(text: str) -> str:
    """A text as it is shown in a message: short and printable."""
    return json.dumps(text if len(text) <= 60 else f"{text[:60]}...")


def json_path(path: JsonPath, *, in_list: bool = False) -> str:
    """Write a path: `$.tasks[2]` from an object, `[3].gate` in a file that holds a list."""
    parts = [
        f"[{step}]"
        if isinstance(step, int)
        else f".{step}"
        if _NAME.fullmatch(step)
        else f"[{_shown(step)}]"
        for step in path
    ]
    return ("" if in_list and path else "$") + "".join(parts)
