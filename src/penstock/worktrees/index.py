"""The content of a git index, without the file times that a mere refresh changes.

Format: gitformat-index(5), versions 2 to 4.
"""

from __future__ import annotations

import hashlib
import os
import struct

_HEADER = struct.Struct(">4sLL")
_FLAGS_EXTENDED = 0x4000
_ASSUME_VALID = 0x8000
_STAGE = 0x3000
_SKIP_WORKTREE = 0x4000
_OID_AT = 40
_MODE_AT = 24

Entry = tuple[int, bytes, int]
"""Mode, object id, and the flags that matter (stage, assume-valid, skip-worktree)."""


def read_index(data: bytes) -> dict[str, Entry | str]:
    """Return path -> entry for an index; one that cannot be read gives its hash as a whole."""
    for oid_size in _oid_sizes(data):
        try:
            return dict(_entries(data, oid_size))
        except (ValueError, IndexError, struct.error):
            continue
    return {"(whole)": hashlib.sha256(data).hexdigest()} if data else {}


def _oid_sizes(data: bytes) -> tuple[int, ...]:
    """Return the sizes of object ids (bytes) to try; the checksum at the end tells, if there is one."""
    is_sha256 = len(data) > 32 and hashlib.sha256(data[:-32]).digest() == data[-32:]
    return (32,) if is_sha256 else (20, 32)


def _entries(data: bytes, oid_size: int) -> dict[str, Entry]:
    signature, version, count = _HEADER.unpack_from(data)
    if signature != b"DIRC" or version not in (2, 3, 4):
        raise ValueError(signature)
    entries: dict[str, Entry] = {}
    at, name = _HEADER.size, b""
    for _ in range(count):
        entry, name, at = _entry(data, at, oid_size, name if version == 4 else None)
        stage = entry[2] & _STAGE
        path = os.fsdecode(name)
        entries[f"{path} (stage {stage >> 12})" if stage else path] = entry
    if at > len(data) - oid_size:
        raise ValueError(at)
    return entries


def _entry(data: bytes, at: int, oid_size: int, previous: bytes | None) -> tuple[Entry, bytes, int]:
    start, flags_at = at, at + _OID_AT + oid_size
    (mode,) = struct.unpack_from(">L", data, at + _MODE_AT)
    (flags,) = struct.unpack_from(">H", data, flags_at)
    at, kept = flags_at + 2, flags & (_STAGE | _ASSUME_VALID)
    if flags & _FLAGS_EXTENDED:
        (extended,) = struct.unpack_from(">H", data, at)
        kept |= extended & _SKIP_WORKTREE
        at += 2
    oid = data[start + _OID_AT : flags_at]
    if previous is None:
        end = data.index(b"\0", at)
        name, at = data[at:end], start + (end - start + 8 & ~7)
    else:
        strip, at = _varint(data, at)
        end = data.index(b"\0", at)
        name, at = previous[: len(previous) - strip] + data[at:end], end + 1
    if mode >> 12 not in (0o4, 0o10, 0o12, 0o16):
        raise ValueError(mode)
    return (mode, oid, kept), name, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Decode git's offset encoding, in which each continuation adds one."""
    byte = data[at]
    value, at = byte & 0x7F, at + 1
    while byte & 0x80:
        byte = data[at]
        value, at = ((value + 1) << 7) | (byte & 0x7F), at + 1
    return value, at
