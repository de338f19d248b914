"""Reading files to tell which are the same: ends first, then all of it, once.

A file that is not any more what the walk saw is left out: it is for the next scan.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple, TypeVar

from penstock.environment.scan.api import Entry, Identity

WHOLE_BYTES = 64 * 1024
"""Files up to this size are read at once; of larger ones first the ends."""
END_BYTES = 4096
_CHUNK = 256 * 1024
AT_ONCE = 64
"""So many files are compared side by side; larger groups are told apart by their hashes."""
_PREFIX = 64
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

OnUnread = Callable[[str, str], None]
"""Hears of a file that cannot be read, and why."""


T = TypeVar("T")


class Same(NamedTuple):
    """Files that were read and found to be the same, byte for byte or by SHA-256."""

    file_hash: str
    entries: tuple[Entry, ...]


class ChangedError(Exception):
    """A file is not any more what it was."""


def identity_of(found: os.stat_result) -> Identity:
    """Return what the content of a file is known by."""
    return Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def open_unchanged(entry: Entry) -> int:
    """Open a file for reading. Raises ChangedError when it has changed, OSError."""
    descriptor = os.open(entry.path, _FLAGS)
    if identity_of(os.fstat(descriptor)) != entry.identity:
        os.close(descriptor)
        raise ChangedError(entry.path)
    return descriptor


def small_same(entries: Iterable[Entry], on_unread: OnUnread) -> list[Same]:
    """Group small files of one size by their content."""
    found: dict[tuple[bytes, bytes], list[tuple[bytes, list[Entry]]]] = {}
    for entry in entries:
        data = _attempt(entry, _whole, on_unread)
        if data is None:
            continue
        # bytes are compared rather than hashed, which is several times as fast
        alike = found.setdefault((data[:_PREFIX], data[-_PREFIX:]), [])
        for other, members in alike:
            if other == data:
                members.append(entry)
                break
        else:
            alike.append((data, [entry]))
    return [
        Same(hashlib.sha256(data).hexdigest(), tuple(members))
        for alike in found.values()
        for data, members in alike
        if len(members) > 1
    ]


def same_ends(entries: Sequence[Entry], on_unread: OnUnread) -> list[list[Entry]]:
    """Group large files of one size by their first and last bytes; those alone are left out."""
    found: dict[bytes, list[Entry]] = {}
    for entry in entries:
        ends = _attempt(entry, _ends, on_unread)
        if ends is not None:
            found.setdefault(ends, []).append(entry)
    return [members for members in found.values() if len(members) > 1]


def hashed(entries: Sequence[Entry], on_unread: OnUnread) -> dict[Entry, str]:
    """Return the SHA-256 (hex) of files."""
    found = ((entry, _attempt(entry, _digest, on_unread)) for entry in entries)
    return {entry: digest for entry, digest in found if digest is not None}


def compared(entries: Sequence[Entry], on_unread: OnUnread) -> list[Same]:
    """Group files of one size, AT_ONCE at most, reading them side by side: each is read once, and
    hashed once for all that are the same."""
    with ExitStack() as stack:
        opened: list[tuple[Entry, int]] = []
        for entry in entries:
            descriptor = _attempt(entry, open_unchanged, on_unread)
            if descriptor is not None:
                stack.callback(os.close, descriptor)
                opened.append((entry, descriptor))
        lanes = [_Lane(entry, descriptor) for entry, descriptor in opened]
        return list(_lockstep(lanes, on_unread))


def are_same(path: str, other: str) -> bool:
    """Tell whether two files are different ones with the same bytes, now. Raises OSError."""
    with ExitStack() as stack:
        lanes: list[_Lane] = []
        for name in (path, other):
            descriptor = os.open(name, _FLAGS)
            stack.callback(os.close, descriptor)
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return False
            lanes.append(_Lane(entry_of(name, found), descriptor))
        first, second = (lane.entry for lane in lanes)
        if first.size != second.size or (first.dev, first.ino) == (second.dev, second.ino):
            return False
        return any(_lockstep(lanes, lambda _path, _why: None))


def entry_of(path: str, found: os.stat_result) -> Entry:
    """Return a file as a walk would."""
    return Entry(
        path, found.st_size, found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns,
        found.st_nlink, found.st_mode,
    )  # fmt: skip


class _Lane:
    """One of several files that are read side by side."""

    def __init__(self, entry: Entry, descriptor: int) -> None:
        self.entry = entry
        self._descriptor = descriptor
        self.data = bytearray(min(_CHUNK, entry.size))

    def read(self, offset: int) -> None:
        """Read the next piece into `data`. Raises ChangedError when the file has got shorter."""
        wanted = min(_CHUNK, self.entry.size - offset)
        if wanted != len(self.data):
            self.data = bytearray(wanted)
        done = 0
        while done < wanted:
            view = memoryview(self.data)[done:]
            count = os.preadv(self._descriptor, (view,), offset + done)
            if not count:
                raise ChangedError(self.entry.path)
            done += count

    def is_unchanged(self) -> bool:
        """Tell whether the file still is what it was when it was opened."""
        return identity_of(os.fstat(self._descriptor)) == self.entry.identity


class _Class(NamedTuple):
    """Files that have been the same until now, and the hash of what was read of each."""

    hasher: hashlib._Hash
    lanes: list[_Lane]


def _lockstep(lanes: list[_Lane], on_unread: OnUnread) -> Iterator[Same]:
    """Read files piece by piece, and part those that differ."""
    if not lanes:
        return
    classes = [_Class(hashlib.sha256(), lanes)]
    for offset in range(0, lanes[0].entry.size, _CHUNK):
        classes = [part for known in classes for part in _parted(known, offset, on_unread)]
    for known in classes:
        members = tuple(lane.entry for lane in known.lanes if lane.is_unchanged())
        if len(members) > 1:
            yield Same(known.hasher.hexdigest(), members)


def _parted(known: _Class, offset: int, on_unread: OnUnread) -> Iterator[_Class]:
    """Read the next piece of each file of a class; yield those that are still together."""
    parts: list[list[_Lane]] = []
    for lane in known.lanes:
        if not _reads(lane, offset, on_unread):
            continue
        alike = next((part for part in parts if part[0].data == lane.data), None)
        if alike is None:
            parts.append([lane])
        else:
            alike.append(lane)
    for part in parts:
        if len(part) > 1:
            hasher = known.hasher if len(parts) == 1 else known.hasher.copy()
            hasher.update(part[0].data)
            yield _Class(hasher, part)


def _reads(lane: _Lane, offset: int, on_unread: OnUnread) -> bool:
    try:
        lane.read(offset)
    except ChangedError:
        return False
    except OSError as error:
        on_unread(lane.entry.path, error.strerror or "it cannot be read")
        return False
    return True


def _attempt(entry: Entry, read: Callable[[Entry], T], on_unread: OnUnread) -> T | None:
    """Read something of a file; None when it has changed or gone, or cannot be read."""
    try:
        return read(entry)
    except (ChangedError, FileNotFoundError):
        return None
    except OSError as error:
        on_unread(entry.path, error.strerror or "it cannot be read")
        return None


def _whole(entry: Entry) -> bytes:
    """Read a small file. That it is what the walk saw need not be asked: its bytes are compared."""
    descriptor = os.open(entry.path, _FLAGS)
    try:
        data = os.read(descriptor, entry.size + 1)
    finally:
        os.close(descriptor)
    if len(data) != entry.size:
        raise ChangedError(entry.path)
    return data


def _ends(entry: Entry) -> bytes:
    descriptor = os.open(entry.path, _FLAGS)
    try:
        head = os.pread(descriptor, END_BYTES, 0)
        return head + os.pread(descriptor, END_BYTES, max(entry.size - END_BYTES, 0))
    finally:
        os.close(descriptor)


def _digest(entry: Entry) -> str:
    hasher = hashlib.sha256()
    descriptor = open_unchanged(entry)
    try:
        while data := os.read(descriptor, _CHUNK):
            hasher.update(data)
        if identity_of(os.fstat(descriptor)) != entry.identity:
            raise ChangedError(entry.path)
    finally:
        os.close(descriptor)
    return hasher.hexdigest()
