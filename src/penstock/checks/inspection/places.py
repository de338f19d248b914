"""Where findings belong: what a tool printed as a path, told as a file of the batch."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from penstock.checks.api import Place
from penstock.checks.reading import MAX_MESSAGE, clean
from penstock.model.finding import Finding


class Places:
    """Tells printed paths as files of a batch.

    A finding elsewhere (mypy looks at what is imported, too) belongs to nobody who asked. One
    without a path belongs to the first file of the batch.
    """

    def __init__(self, place: Place, files: Sequence[str]) -> None:
        self._tree = os.fspath(place.tree)
        self._real = os.path.realpath(self._tree)
        self._files = frozenset(files)
        self._first = files[0]
        self._known: dict[str, str | None] = {}

    def put(self, found: Finding) -> Finding | None:
        """Return the finding with a path of the batch and a tidy message, None when it is foreign."""
        path = self._first if found.path is None else self._file(found.path)
        if path is None:
            return None
        message = clean(found.message.encode("utf-8", "replace")).strip()
        if len(message) > MAX_MESSAGE:
            message = message[: MAX_MESSAGE - 3] + "..."
        if path == found.path and message == found.message:
            return found
        return msgspec.structs.replace(found, path=path, message=message)

    def _file(self, printed: str) -> str | None:
        if printed not in self._known:
            self._known[printed] = self._look_up(printed)
        return self._known[printed]

    def _look_up(self, printed: str) -> str | None:
        if printed in self._files:
            return printed
        place = os.path.normpath(os.path.join(self._tree, printed))  # noqa: PTH118 - text, no file
        for base in (self._tree, self._real):
            name = place[len(base) + 1 :].replace(os.sep, "/")
            if place.startswith(base + os.sep) and name in self._files:
                return name
        return None
