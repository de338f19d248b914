"""Symbols that a text names, resolved through an index of definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import islice
from typing import Final, NamedTuple

from penstock.planning.scoping import confidence as sure
from penstock.planning.scoping.api import Definition, Guess, Rung, Symbols
from penstock.planning.scoping.mentions import MAX_LINE, has_known_name
from penstock.planning.scoping.names import COMMON_SYMBOLS, PRODUCTS
from penstock.planning.scoping.spans import blanked, code_spans
from penstock.planning.sources.api import Item, Use

_NAME: Final = r"[A-Za-z_$][A-Za-z0-9_$]*[?!]?"
_QUALIFIED: Final = re.compile(rf"{_NAME}(?:(?:\.|::|#|->){_NAME})*")
_WORD: Final = re.compile(
    rf"(?<![\w./\\@:#$-])({_NAME}(?:(?:\.|::|#|->){_NAME})*)(\(\)|\([^()\s]{{0,40}}\))?(?![\w/\\@])",
    re.ASCII,
)
_PARTS: Final = re.compile(r"\.|::|#|->")
_CAMEL: Final = re.compile(
    r"[A-Z][a-z0-9]+[A-Z][A-Za-z0-9]*|[a-z][a-z0-9]*[A-Z][A-Za-z0-9]*|[A-Z]{2,}[a-z]\w+"
)
_SNAKE: Final = re.compile(r"_*[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+|__\w+__")
_TESTS: Final = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|testdata|fixtures?)/|(?:^|/)test_|[._-](?:test|spec)\.",
    re.IGNORECASE,
)
MAX_SYMBOLS: Final = 64
"""So many symbols of one item are looked up."""


class Shape(Enum):
    """What makes a word the name of a symbol."""

    CODE = "code"
    CALL = "call"
    PLAIN = "plain"


class SymbolMention(NamedTuple):
    """A name of one or several parts, outermost first."""

    parts: tuple[str, ...]
    shape: Shape

    @property
    def shown(self) -> str:
        """The name as people write it."""
        return ".".join(self.parts)


def symbol_mentions(line: str) -> Iterator[SymbolMention]:
    """Yield the names in a line that can only be a symbol's: in backticks, with `()`, in CamelCase
    or snake_case, or dotted."""
    line = line[:MAX_LINE]
    spans = code_spans(line)
    for span in spans:
        code = span.text.strip()
        called = code.partition("(")[0] if code.endswith(")") else code
        if _QUALIFIED.fullmatch(called) and not has_known_name(called):
            yield SymbolMention(tuple(_PARTS.split(called)), Shape.CODE)
    rest = blanked(line, spans)
    for word in _WORD.finditer(rest):
        name, call = word[1], word[2]
        if call is not None:
            yield SymbolMention(tuple(_PARTS.split(name)), Shape.CALL)
        elif _tells(name):
            yield SymbolMention(tuple(_PARTS.split(name)), Shape.PLAIN)


def _tells(name: str) -> bool:
    """Tell whether a plain word has the shape of a symbol's name."""
    if name in PRODUCTS or has_known_name(name):
        return False
    parts = _PARTS.split(name)
    return any(_CAMEL.fullmatch(part) or _SNAKE.fullmatch(part) for part in parts)


def symbol_guesses(item: Item, index: Symbols) -> list[Guess]:
    """Return the files that define the symbols which an item names."""
    seen: dict[SymbolMention, None] = {}
    for line in (item.text, *item.details.splitlines()):
        if len(seen) < MAX_SYMBOLS:
            seen.update(dict.fromkeys(symbol_mentions(line)))
    looked_up = islice(seen, MAX_SYMBOLS)
    return [guess for mention in looked_up for guess in _resolved(mention, item, index)]


def _resolved(mention: SymbolMention, item: Item, index: Symbols) -> list[Guess]:
    if len(mention.parts) > 1 and (owned := _owned(mention, item, index)):
        return owned
    name = mention.parts[-1]
    found = _outside_of_tests(index.find(name))
    if not found and len(mention.parts) > 1:
        return _owner_of_new(mention, item, index)
    by_path: dict[str, Definition] = {}
    for definition in found:
        by_path.setdefault(definition.path, definition)
    confidence = _sureness(name, mention.shape, len(by_path))
    if confidence is None:
        return []
    several = f", one of {len(by_path)} files that do" if len(by_path) > 1 else ""
    return [
        _guess(d, item, confidence, f"defines the {d.kind} {name} (line {d.line}){several}")
        for d in by_path.values()
    ]


def _sureness(name: str, shape: Shape, files: int) -> float | None:
    """Return how sure a name leads to its files, None when it tells nothing."""
    confidence = sure.SYMBOL.get(files)
    if confidence is None:
        return None
    if name.lower() in COMMON_SYMBOLS or len(name) < 3:
        return sure.SYMBOL_COMMON if files == 1 and shape is not Shape.PLAIN else None
    return confidence - (sure.SYMBOL_PLAIN if shape is Shape.PLAIN else 0.0)


def _owned(mention: SymbolMention, item: Item, index: Symbols) -> list[Guess]:
    """Return the one file that defines both parts of `Owner.name`, or whose name is the owner's."""
    owner, name = mention.parts[-2:]
    inner = {definition.path: definition for definition in index.find(name)}
    outer = {definition.path for definition in index.find(owner)}
    fitting = [
        definition
        for path, definition in sorted(inner.items())
        if path in outer or path.rpartition("/")[2].partition(".")[0] == owner
    ]
    kept = _outside_of_tests(fitting)
    if len(kept) != 1:
        return []
    words = f"defines {mention.shown} (line {kept[0].line})"
    return [_guess(kept[0], item, sure.SYMBOL_OWNED, words)]


def _owner_of_new(mention: SymbolMention, item: Item, index: Symbols) -> list[Guess]:
    """Return the one file that defines the owner of `Owner.name`, a name that is not there yet."""
    owner, name = mention.parts[-2:]
    kept = {d.path: d for d in reversed(_outside_of_tests(index.find(owner)))}
    confidence = _sureness(owner, mention.shape, len(kept))
    if len(kept) != 1 or confidence is None:
        return []
    (found,) = kept.values()
    words = f"defines the {found.kind} {owner} (line {found.line}), which has no {name} yet"
    return [_guess(found, item, confidence, words)]


def _outside_of_tests(found: Sequence[Definition]) -> Sequence[Definition]:
    """Return the definitions outside of tests, all of them when there are only such."""
    return [d for d in found if not _TESTS.search(d.path)] or found


def _guess(definition: Definition, item: Item, confidence: float, words: str) -> Guess:
    return Guess(
        path=definition.path,
        use=Use.MODIFY,
        rung=Rung.SYMBOL,
        confidence=sure.rounded(confidence),
        evidence=words,
        place=item.place,
    )
