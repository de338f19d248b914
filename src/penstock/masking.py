"""The one door for text that leaves: what is known to be secret in this process, learned once.

Whatever writes a log, a row, a prompt, a report or a screen asks this module for what takes secrets
out. It knows the variables of the environment whose names say that they are secret, and what it
was told of: the values of the vault, what agents are given. A value that was known once stays known.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from penstock.errors import mask_words
from penstock.redact.names import secret_values

if TYPE_CHECKING:
    from penstock.redact.known import Known
    from penstock.redact.redactor import Redactor


class Door:
    """What is known to be secret. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: frozenset[str] = frozenset()
        self._known: Known | None = None
        self._redactor: Redactor | None = None

    def learn(self, values: Iterable[str]) -> None:
        """Take values that must leave nowhere from now on."""
        told = frozenset(values)
        if told <= self._values:
            return
        with self._lock:
            self._values |= told
            self._known = None
            if self._redactor is not None:
                self._redactor.learn(told)

    def look_around(self) -> None:
        """Learn what the environment holds now."""
        self.learn(secret_values(os.environ))

    def redactor(self) -> Redactor:
        """Return what takes known values and what looks like a secret out of text and streams.

        It is the same at each call, and goes on learning.
        """
        from penstock.redact.redactor import Redactor  # its patterns take a while to be made

        self.look_around()
        with self._lock:
            if self._redactor is None:
                self._redactor = Redactor(self._values)
            return self._redactor

    def certain(self, text: str) -> str:
        """Return a text for people and machines without those known values that no word, name or
        path could be."""
        if not self._values:
            return text
        known = self._known
        if known is None:
            from penstock.redact.known import Known  # not needed where nothing is known

            with self._lock:  # or a value that is learnt meanwhile would be forgotten
                known = self._known = Known(self._values).certain
        return known.replaced(text)

    def forget(self) -> None:
        """Know nothing any more; what has been handed out keeps what it knows."""
        with self._lock:
            self._values, self._known, self._redactor = frozenset(), None, None


DOOR = Door()
"""That of this process."""


# an error may reach whoever uses penstock as a library, and a log of theirs
mask_words(DOOR.certain)


def redactor() -> Redactor:
    """Return what takes the secrets known here, and what looks like one, out of text and streams."""
    return DOOR.redactor()


def look_around() -> None:
    """Learn what the environment holds now: where a command begins."""
    DOOR.look_around()


def learn(values: Iterable[str]) -> None:
    """Take values that must leave nowhere from now on."""
    DOOR.learn(values)


def certain(text: str) -> str:
    """Return a text without the known values that no word, name or path could be."""
    return DOOR.certain(text)
