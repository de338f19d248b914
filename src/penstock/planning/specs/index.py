"""The index: every tag of every document below a folder."""

from __future__ import annotations

import codecs
from collections.abc import Collection
from pathlib import Path
from typing import Final

from penstock.planning.files import UnreadableError, read_bytes
from penstock.planning.sources.api import Notice, Place, Severity
from penstock.planning.sources.text import MAX_SOURCE_BYTES, from_bytes
from penstock.planning.specs.api import SpecIndex, Tag
from penstock.planning.specs.scan import near_misses, tags
from penstock.planning.specs.walk import Document, documents

MAP_HEADING: Final = "# Spec Index Mapping"
"""How the document of the mapping begins: what it says of tags is not where they stand."""
_FOREIGN: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def build_index(folder: Path, *, root: Path, skip: Collection[str] = ()) -> SpecIndex:
    """Return the tags of all documents below a folder; see `documents`. Raises NotFoundError."""
    found = documents(folder, root=root, skip=skip)
    made: list[Tag] = []
    notices = list(found.notices)
    for each in found.files:
        try:
            _read(each, made, notices)
        except UnreadableError as error:
            notices.append(_unreadable(each, str(error)))
    return SpecIndex(tags=tuple(made), files=len(found.files), notices=tuple(notices))


def _read(document: Document, made: list[Tag], notices: list[Notice]) -> None:
    """Add what one document holds; most have no tag and are not even decoded."""
    raw = read_bytes(document.path, limit=MAX_SOURCE_BYTES)
    if b"IDX" not in raw and b"[idx" not in raw and not raw.startswith(_FOREIGN):
        return
    text, odd = _text(raw, document.name)
    if is_map(text):
        return
    made += tags(text, document.name)
    notices += (*odd, *near_misses(text, document.name))


def _text(raw: bytes, name: str) -> tuple[str, tuple[Notice, ...]]:
    """Return a document's text with LF at its line ends, and what is odd about its bytes.

    Raises UnreadableError.
    """
    odd: tuple[Notice, ...] = ()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    if not text or "\0" in text:
        file = from_bytes(raw, name)
        text, odd = file.text, file.notices
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, odd


def is_map(text: str) -> bool:
    """Tell whether a document is that of a mapping."""
    return text.lstrip().startswith(MAP_HEADING)


def _unreadable(document: Document, why: str) -> Notice:
    return Notice(
        code="unreadable",
        severity=Severity.WARNING,
        text=f"it was not read: {why}",
        place=Place(document.name, 1),
    )
