"""Finding an item again in a plan that may have changed since it was read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from difflib import SequenceMatcher
from functools import cached_property
from typing import Final, NamedTuple

from penstock.planning.sources.api import TracedItem

ALIKE: Final = 0.6
"""How much of its words an item must keep to be known by its id alone."""
_SHOWN: Final = 5
_EMPHASIS: Final = "*_` \t"
_FIRST: Final = re.compile(
    r"[*_`\s]*([^\s*_`]{1,64}?)[.:)]{0,3}(?=[\s*_`]|$)[*_`]*[.:)]?[*_`]*(?:\s+|$)[*_`]*"
)
_TAG: Final = re.compile(
    r"\*{0,2}\[\s*(?:P|[^\]]*?(?:US|Story)\s*-?\s*\d+[^\]]*)\s*\]\*{0,2}\s*", re.IGNORECASE
)
_SPACE: Final = re.compile(r"\s+")


class Spot(NamedTuple):
    """A place of the plan that may be an item: its line from 1, and its text.

    `at` is an index of the caller's own. `label` is the id where it stands apart from the text; None
    where the text may begin with it.
    """

    line: int
    text: str
    at: int
    label: str | None = None


class NotThere(NamedTuple):
    """Why an item is not found."""

    why: str


class Finder:
    """Finds items among the spots of a file; `labels` are the ids that items have."""

    def __init__(self, spots: Iterable[Spot], labels: Collection[str]) -> None:
        self._spots = tuple(spots)
        self._known = labels

    def on_line(self, line: int) -> Spot | None:
        """Return what is on a line, for a file that has not changed."""
        return self._lines.get(line)

    @cached_property
    def _lines(self) -> dict[int, Spot]:
        return {spot.line: spot for spot in self._spots}

    @cached_property
    def _index(self) -> tuple[dict[str, list[Spot]], dict[str, list[Spot]]]:
        """The spots by their texts, with and without id, and by their ids."""
        texts: dict[str, list[Spot]] = {}
        labels: dict[str, list[Spot]] = {}
        for spot in self._spots:
            label, rest = _parts(spot, self._known)
            if label:
                labels.setdefault(label, []).append(spot)
            for text in {plain(spot.text), plain(rest)} - {""}:
                texts.setdefault(text, []).append(spot)
        return texts, labels

    def find(self, item: TracedItem) -> Spot | NotThere:
        """Return where an item of a changed file is now.

        It is known by id and text; by its text, which may have another id by now; or by its id,
        when most of its words are still there. What fits several places as well is not found.
        """
        by_text, by_label = self._index
        texts = by_text.get(plain(item.text), [])
        labelled = by_label.get(item.label or "", [])
        both = [spot for spot in texts if spot in labelled]
        if both or texts:
            return _only(item, both or texts)
        alike = [spot for spot in labelled if _alike(spot, item)]
        if alike:
            return _only(item, alike)
        if labelled:
            return NotThere(f"{item.label} says something else now: {labelled[0].text.strip()}")
        return NotThere("neither its id nor its text is there any more")


def _only(item: TracedItem, found: list[Spot]) -> Spot | NotThere:
    """Choose among places that fit: the only one, or the one that did not move."""
    stayed = [spot for spot in found if spot.line == item.place.line]
    if len(found) == 1 or stayed:
        return (stayed or found)[0]
    lines = ", ".join(str(spot.line) for spot in found[:_SHOWN])
    return NotThere(f"its text is there more than once, on the lines {lines}")


def _parts(spot: Spot, labels: Collection[str]) -> tuple[str | None, str]:
    return split_label(spot.text, labels) if spot.label is None else (spot.label, spot.text)


def split_label(text: str, labels: Collection[str]) -> tuple[str | None, str]:
    """Return the id that a text begins with (None for none), and what follows.

    An id is what holds a digit, or is one of `labels`.
    """
    found = _FIRST.match(text)
    if found is None:
        return None, text
    first = found[1]
    if first in labels or any(sign.isdigit() for sign in first):
        return first, text[found.end() :]
    return None, text


def plain(text: str) -> str:
    """Return a text without spec-kit's tags before it, signs of emphasis around it, and doubled
    spaces."""
    text = _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()
    while (tag := _TAG.match(text)) is not None:
        text = text[tag.end() :]
    return text.strip(_EMPHASIS)


def _alike(spot: Spot, item: TracedItem) -> bool:
    _, rest = _parts(spot, {item.label or ""})
    mine, theirs = plain(item.text).split(), plain(rest).split()
    return SequenceMatcher(None, mine, theirs, autojunk=False).ratio() >= ALIKE
