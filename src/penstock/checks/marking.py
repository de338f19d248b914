"""Findings of a worktree with their fingerprints, read from the lines they are about."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from penstock.model.finding import Finding
from penstock.model.fingerprint import fingerprints, source_lines

MAX_BYTES = 10 << 20
"""A longer file is not read: its findings are told by their messages."""


def marked(findings: Sequence[Finding], tree: Path) -> tuple[Finding, ...]:
    """Return findings, whose paths are relative to `tree`, with fingerprints. Never raises for a file
    that is gone, no file, or leads out of the tree."""
    top = os.path.realpath(tree)

    def lines_of(path: str) -> list[str]:
        data = _read(top, path)
        return source_lines(data.decode("utf-8", "replace")) if data is not None else []

    return fingerprints(findings, lines_of)


def _read(top: str, path: str) -> bytes | None:
    """Return the content of a regular file in the tree."""
    try:
        place = os.path.realpath(f"{top}/{path}")
        return _content(place) if place.startswith(top + os.sep) else None
    except (OSError, ValueError):
        return None


def _content(place: str) -> bytes | None:
    # a pipe must not make us wait
    descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES)
    finally:
        os.close(descriptor)
