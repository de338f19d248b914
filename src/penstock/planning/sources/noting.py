"""What the readers of plans share: notices as they are found, unique keys, ids however padded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from penstock.planning.sources.api import Notice, Place, Severity

T = TypeVar("T")
_MAX_SHOWN: Final = 80
_NO_SLUG: Final = re.compile(r"[^a-z0-9]+")


class Notes:
    """The notices of one source, in the order in which they were found, each once."""

    def __init__(self) -> None:
        self._found: dict[Notice, None] = {}

    def error(self, code: str, text: str, place: Place | None, hint: str | None = None) -> None:
        """Note a contradiction within the plan."""
        self._note(code, Severity.ERROR, text, place, hint)

    def warning(self, code: str, text: str, place: Place | None, hint: str | None = None) -> None:
        """Note something that was read in a way that may not be meant."""
        self._note(code, Severity.WARNING, text, place, hint)

    def info(self, code: str, text: str, place: Place | None, hint: str | None = None) -> None:
        """Note something that is worth knowing."""
        self._note(code, Severity.INFO, text, place, hint)

    def extend(self, notices: Iterable[Notice]) -> None:
        """Take notices that others made."""
        self._found.update(dict.fromkeys(notices))

    def _note(
        self, code: str, severity: Severity, text: str, place: Place | None, hint: str | None
    ) -> None:
        notice = Notice(code=code, severity=severity, text=text, place=place, hint=hint)
        self._found[notice] = None

    def all(self) -> tuple[Notice, ...]:
        """Return what was found."""
        return tuple(self._found)


class Keys:
    """Gives out keys of which none is given out twice."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """Return `wanted`, or with -2, -3 and so on behind it when that is taken."""
        key, count = wanted, self._next.get(wanted, 2)
        while key in self._taken:
            key, count = f"{wanted}-{count}", count + 1
        self._next[wanted] = count
        self._taken.add(key)
        return key


class References(Mapping[str, T]):
    """Things by the ids they are written with; 7, 007 and "#7" are the same where only one is there.

    The first of two with the same id counts.
    """

    def __init__(self) -> None:
        self._exact: dict[str, T] = {}
        self._plain: dict[str, list[T]] = {}

    def add(self, word: str, thing: T) -> bool:
        """Let an id lead to a thing; False when it leads to another one already."""
        if word in self._exact:
            return False
        self._exact[word] = thing
        self._plain.setdefault(plain_id(word), []).append(thing)
        return True

    def __getitem__(self, word: str) -> T:
        if word in self._exact:
            return self._exact[word]
        found = self._plain[plain_id(word)]
        if len(found) > 1:
            raise KeyError(word)
        return found[0]

    def __iter__(self) -> Any:
        return iter(self._exact)

    def __len__(self) -> int:
        return len(self._exact)


def plain_id(word: str) -> str:
    """Return an id without `#`, case and the zeros before its numbers: T012 is t12, 05.02 is 5.2."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", word.strip().lstrip("#").lower())


def one_line(text: str) -> str:
    """Return text with all space between its words made single blanks."""
    return " ".join(text.split())


def shown(value: object) -> str:
    """Return a value for a message: on one line, and not too long."""
    text = one_line(value if isinstance(value, str) else repr(value))
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def once(values: Iterable[T]) -> tuple[T, ...]:
    """Return each value once, in order."""
    return tuple(dict.fromkeys(values))


def slug(text: str) -> str:
    """Return text as lower-case ASCII letters, digits and hyphens; nothing when it has none."""
    return _NO_SLUG.sub("-", text.lower()).strip("-")
