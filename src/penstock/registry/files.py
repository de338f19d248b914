"""Reading the files of AIM, each once as long as it is the same file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from penstock.config.documents import ConfigFileError, Document, load_document, shown_name
from penstock.registry.wire import without_comments

T = TypeVar("T")

TTL_S = 30.0
"""For how long an unchanged file is taken at its word (s)."""
SETTLED_S = 0.1
"""A file changed within this time (s) before it was read may change again without looking so."""


class Identity(NamedTuple):
    """What tells one state of a file from another."""

    mtime_ns: int
    size: int
    inode: int


def identity_of(path: Path) -> Identity | None:
    """Return the identity of the file at a path, None when there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # not there, or not ours to see: whoever reads it will say
        return None
    return Identity(found.st_mtime_ns, found.st_size, found.st_ino)


class Remembered(NamedTuple, Generic[T]):
    """A value with the file it is of and when it was read (s, monotonic)."""

    identity: Identity
    read_at: float
    value: T


class FileCache(Generic[T]):
    """Values read from files, by path. A file that changed is read again at once, an unchanged one
    after `ttl_s` (s), because a file system may be too coarse to show a change."""

    def __init__(self, read: Callable[[Path], T], ttl_s: float = TTL_S) -> None:
        self._read = read
        self._ttl_s = ttl_s
        self._known: dict[Path, Remembered[T]] = {}

    def get(self, path: Path) -> T:
        """Return the value of a file, reading it when it must be."""
        identity, now = identity_of(path), time.monotonic()
        known = self._known.get(path)
        if known and known.identity == identity and now - known.read_at < self._ttl_s:
            return known.value
        value = self._read(path)
        self._known.pop(path, None)
        if identity is not None and time.time() - identity.mtime_ns / 1e9 > SETTLED_S:
            self._known[path] = Remembered(identity, now, value)
        return value


_documents: FileCache[Document | None] = FileCache(load_document)


def read_document(path: Path, root: Path | None = None) -> Document | None:
    """Return a file without its comment keys, named relative to `root`; None when there is none.

    Raises ConfigFileError when it cannot be read or parsed.
    """
    shown = shown_name(path, root)
    try:
        document = _documents.get(path)
    except ConfigFileError as error:
        raise ConfigFileError(shown, error.found, hint=error.hint) from error.__cause__
    if document is None:
        return None
    return cleaned(Document(shown, document.value, document.marks))


def cleaned(document: Document) -> Document:
    """Return a document without its comment keys."""
    return Document(document.shown, without_comments(document.value), document.marks)
