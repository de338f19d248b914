"""A command on a terminal of a given width, as a user sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.cli import PENSTOCK, plain_environment

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
DEADLINE_S = 60.0


def on_terminal(
    *args: str,
    cwd: Path,
    columns: int = 80,
    keys: str = "",
    after: str = "",
    program: Sequence[str] = PENSTOCK,
) -> tuple[int, str]:
    """Run a command with all its streams on a terminal; return its exit code and what came.

    `keys` are typed as soon as `after`, or anything, is printed.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {k: v for k, v in plain_environment().items() if k not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [*program, *args],
        cwd=cwd,
        env={**env, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        text = _read(ours, keys.encode(), after.encode())
        return process.wait(timeout=DEADLINE_S), text
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def shown(text: str) -> list[str]:
    """Return the lines of a screen's text without its escape sequences."""
    return [line.rstrip() for line in ESCAPES.sub("", text).replace("\r", "\n").split("\n")]


def _read(descriptor: int, keys: bytes, after: bytes = b"") -> str:
    """Read until the other side is closed, typing once."""
    pieces: list[bytes] = []
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if not select.select([descriptor], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(descriptor, 65536)
        except OSError:  # Linux says so when the last holder closed it
            break
        if not data:
            break
        pieces.append(data)
        if keys and after in b"".join(pieces):
            os.write(descriptor, keys)
            keys = b""
    return b"".join(pieces).decode("utf-8", "replace")
