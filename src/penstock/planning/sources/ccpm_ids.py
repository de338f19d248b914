"""The ids of CCPM tasks: file stems, issue numbers, and the ones from before the sync with GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from penstock.planning.sources.noting import References
from penstock.planning.sources.text import SourceFile

_ARROW: Final = re.compile(
    r"(?<![#\w])(\d+)(?:\.md)?`?\**\s*(?:(?:->|=>|\u2192)\s*(?:issue\s*)?`?#?|[:\uFF1A]\s*(?:issue\s*)?#)(\d+)\b",
    re.IGNORECASE,
)
_ROW: Final = re.compile(r"^\s*\|(.+)\|\s*$")
_LISTED: Final = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]?\]\s+)?\[?#(\d+)\b")
_OLD: Final = re.compile(r"^(0\d+)(?:\.md)?$")
_ISSUE: Final = re.compile(r"^\[?#?(\d+)(?:\.md)?(?:\]\([^)]*\))?$")
_URL: Final = re.compile(r"/issues/([0-9]{1,18})\b")
_NONE: Final = frozenset(
    {"", "-", "none", "n/a", "na", "nil", "null", "[]", "no", "false", "无", "無", "なし", "\u2014"}
)
_NUMBER: Final = re.compile(r"(?:task|issue)?-?#?(\d+)(?:\.md)?$", re.IGNORECASE)
_BUG: Final = re.compile(r"bug-\d+")
_BREAKS: Final = re.compile(r"[\s,;:\[\]()\u3001\uFF0C\"'`]+")


def issue_number(url: Any) -> int | None:
    """Return the number of the issue that the `github` field names."""
    found = _URL.search(url) if isinstance(url, str) else None
    return int(found[1]) if found else None


def words_of(value: Any) -> Iterator[str]:
    """Yield the ids in `depends_on` or `conflicts_with`.

    They come as a list, as one id, as text with commas, with `#`, as file names and as links. What
    holds none of these comes as it is written.
    """
    entries = value if isinstance(value, list) else [value]
    for entry in entries:
        text = "" if entry is None or isinstance(entry, bool) else str(entry).strip()
        if text.lower() not in _NONE:
            parts = [part.lstrip("-") for part in _BREAKS.split(text)]
            ids = [part for part in parts if _NUMBER.match(part) or _BUG.match(part)]
            yield from map(_bare, _URL.findall(text) or ids or text.split(","))


def _bare(word: str) -> str:
    """Return an id without what people write around it."""
    number = _NUMBER.match(word)
    return number[1] if number else word.strip().removesuffix(".md")


class Mapping:
    """What github-mapping.md says of old ids: `named` where it names both, `listed` issues in order."""

    def __init__(self, file: SourceFile | None) -> None:
        self.named: dict[str, str] = {}
        self.listed: list[str] = []
        for line in file.lines if file is not None else ():
            self._line(line.text)

    def _line(self, text: str) -> None:
        row, listed = _ROW.match(text), _LISTED.match(text)
        if row:
            self._row([cell.strip().strip("`*") for cell in row[1].split("|")])
        elif listed:
            self.listed.append(listed[1])
        else:
            for old, issue in _ARROW.findall(text):
                self.named.setdefault(old, issue)

    def _row(self, cells: list[str]) -> None:
        """Take a row of a table that holds an old id and an issue."""
        old = next((found[1] for cell in cells if (found := _OLD.match(cell))), None)
        issues = (found[1] for cell in cells if (found := _ISSUE.match(cell)) and found[1] != old)
        issue = next(issues, None)
        if old and issue:
            self.named.setdefault(old, issue)

    def issue(self, old: str) -> tuple[str, bool] | None:
        """Return the issue of an old id, and whether it is named; else it is counted off."""
        if old in self.named:
            return self.named[old], True
        place = int(old) - 1 if old.startswith("0") and len(old) < 10 else -1
        return (self.listed[place], False) if 0 <= place < len(self.listed) else None


class Resolver:
    """Finds the task that an id means, however old the id is."""

    def __init__(self, mapping: Mapping) -> None:
        self.ids: References[str] = References()
        self._mapping = mapping

    def find(self, word: str) -> tuple[str, bool] | None:
        """Return the stem of a task, and whether that is sure; None when nothing is meant."""
        if word in tuple(self.ids):
            return self.ids[word], True
        mapped = self._mapping.issue(word)
        if mapped and mapped[1] and mapped[0] in self.ids:
            return self.ids[mapped[0]], True
        if word in self.ids:
            return self.ids[word], True
        if mapped and mapped[0] in self.ids:
            return self.ids[mapped[0]], False
        return None
