"""The file in which an index of symbols is kept between plans.

It is replaced as a whole, so two at once leave that of one of them, and carries its own hash, so that
half a file or a damaged one is noticed: it is set aside and made anew.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from penstock.planning.scoping.definitions import Named
from penstock.planning.scoping.terrain import read_regular
from penstock.typed import typed_msgpack

NAME: Final = "symbols.index"
DAMAGED: Final = "symbols.damaged"
MAX_BYTES: Final = 512 * 1024 * 1024
_MAGIC: Final = b"penstock symbols "
_HASH_BYTES: Final = 32
_STALE_S: Final = 3600
"""A draft of so many seconds belongs to nobody any more."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was read: its bytes, when it was changed (ns), the hash of its content, and what
    it defines."""

    size: int
    mtime_ns: int
    digest: bytes
    named: Named


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """An index: which rules made it, when its files were looked at (ns), and the files by path."""

    rules: int
    looked_ns: int
    files: dict[str, Entry]


class DamagedError(Exception):
    """A kept index is not what was written."""


def load(folder: Path) -> Kept | None:
    """Return the index that a folder keeps, None when there is none.

    Raises DamagedError for one that is damaged, OSError for one that cannot be read.
    """
    try:
        content = read_regular(folder / NAME, MAX_BYTES)
    except FileNotFoundError:
        return None
    head = len(_MAGIC) + _HASH_BYTES
    payload = memoryview(content)[head:]
    if content[:head] != _MAGIC + _hash(payload):
        raise DamagedError("its hash is another")
    try:
        return typed_msgpack(bytes(payload), Kept)
    except msgspec.DecodeError as error:
        raise DamagedError(str(error)) from error


def save(folder: Path, kept: Kept) -> None:
    """Keep an index in place of the one before, readable by nobody else. Raises OSError."""
    payload = msgspec.msgpack.encode(kept)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(folder)
    draft = folder / f".{NAME}.{os.getpid()}.{secrets.token_hex(4)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(draft, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(_MAGIC + _hash(payload))
            stream.write(payload)
        draft.replace(folder / NAME)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def set_aside(folder: Path) -> None:
    """Move a damaged index out of the way, over the one before it. Raises OSError."""
    with suppress(FileNotFoundError):  # another process was quicker
        (folder / NAME).replace(folder / DAMAGED)


def _hash(payload: bytes | memoryview) -> bytes:
    return blake2b(payload, digest_size=_HASH_BYTES).digest()


def _sweep(folder: Path) -> None:
    """Remove drafts that somebody was killed over."""
    for draft in folder.glob(f".{NAME}.*"):
        with suppress(OSError):
            if time.time() - draft.lstat().st_mtime > _STALE_S:
                draft.unlink()
