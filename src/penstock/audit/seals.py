"""Signed statements on a trail: checkpoints of closed days, dropped days, anchors outside of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from penstock.audit.api import Anchor, Checkpoint, Pruned
from penstock.errors import AIMAuditLogError

_ENCODER = msgspec.json.Encoder()
_CHECKPOINTS = msgspec.json.Decoder(Checkpoint)
_PRUNED = msgspec.json.Decoder(Pruned)
_ANCHORS = msgspec.json.Decoder(Anchor)

Seal = Checkpoint | Anchor | Pruned
S = TypeVar("S", Checkpoint, Anchor, Pruned)


def signed_bytes(seal: Seal) -> bytes:
    """Return what is signed: the compact JSON of all members before `signature`."""
    return _ENCODER.encode(
        {name: getattr(seal, name) for name in seal.__struct_fields__ if name != "signature"}
    )


def file_bytes(seal: Seal) -> bytes:
    """Return a seal as it is written, with a line end."""
    return _ENCODER.encode(seal) + b"\n"


def write_seal(path: Path, seal: Seal) -> None:
    """Put a statement into a file of its own, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(file_bytes(seal))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return a checkpoint; None when there is none, or not exactly as it was written."""
    return _read(path, _CHECKPOINTS)


def read_pruned(path: Path) -> Pruned | None:
    """Return up to where days were dropped; None when it is not said, or not exactly so."""
    return _read(path, _PRUNED)


def _read(path: Path, decoder: msgspec.json.Decoder[S]) -> S | None:
    try:
        return _decode(path.read_bytes(), decoder)
    except FileNotFoundError:
        return None


def write_anchor(path: Path, anchor: Anchor) -> None:
    """Add an anchor to its file and push it to the disk. Raises AIMAuditLogError."""
    flags = os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, (b"\n" if torn else b"") + file_bytes(anchor))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise AIMAuditLogError(
            f"the anchor of the audit trail cannot be written: {path}: {error.strerror}",
            hint="Free space or mend the permissions.",
        ) from error


def read_anchors(path: Path | None) -> tuple[list[tuple[int, Anchor]], list[int]]:
    """Return the anchors with their lines, and the lines that are none; a torn last line is
    passed over, because whoever wrote it died before it counted."""
    if path is None:
        return [], []
    try:
        *lines, _torn = path.read_bytes().split(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    anchors: list[tuple[int, Anchor]] = []
    wrong: list[int] = []
    for number, text in enumerate(lines, 1):
        anchor = _decode(text + b"\n", _ANCHORS)
        if anchor is None:
            wrong.append(number)
        else:
            anchors.append((number, anchor))
    return anchors, wrong


def _decode(data: bytes, decoder: msgspec.json.Decoder[S]) -> S | None:
    try:
        seal = decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return seal if file_bytes(seal) == data else None
