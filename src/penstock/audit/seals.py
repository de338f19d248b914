"""Checkpoints of closed days, and anchors outside the trail: signed statements of its head."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec

from penstock.audit.api import Anchor, Checkpoint
from penstock.errors import AIMAuditLogError

ANCHORS = "audit_anchor.jsonl"
"""The file of anchors in the folder of the journal."""

_ENCODER = msgspec.json.Encoder()
_CHECKPOINTS = msgspec.json.Decoder(Checkpoint)
_ANCHORS = msgspec.json.Decoder(Anchor)

Seal = Checkpoint | Anchor


def signed_bytes(seal: Seal) -> bytes:
    """Return what is signed: the compact JSON of all members before `signature`."""
    return _ENCODER.encode(
        {name: getattr(seal, name) for name in seal.__struct_fields__ if name != "signature"}
    )


def file_bytes(seal: Seal) -> bytes:
    """Return a seal as it is written, with a line end."""
    return _ENCODER.encode(seal) + b"\n"


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Put a checkpoint into its file, whole or not at all."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".checkpoint.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(file_bytes(checkpoint))
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return a checkpoint; None when there is none, or not exactly as it was written."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        checkpoint = _CHECKPOINTS.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return checkpoint if file_bytes(checkpoint) == data else None


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
        anchor = _read_anchor(text)
        if anchor is None:
            wrong.append(number)
        else:
            anchors.append((number, anchor))
    return anchors, wrong


def pruned_through(path: Path | None) -> str | None:
    """Return up to which day lines were dropped, as the newest anchor says."""
    anchors, _ = read_anchors(path)
    return anchors[-1][1].pruned_through if anchors else None


def _read_anchor(text: bytes) -> Anchor | None:
    try:
        anchor = _ANCHORS.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return anchor if file_bytes(anchor) == text + b"\n" else None
