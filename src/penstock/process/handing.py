"""Handing a text to a program that keeps it: what the program leaves running is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from penstock.errors import ToolMissingError
from penstock.process import spawn
from penstock.process.environment import child_environment

SESSION = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY")
"""What a program finds the user's screen by."""
KILLED_S = 5.0
"""How long (s) a killed program may take to go."""


def hand_over(argv: Sequence[str], data: bytes, *, limit_s: float) -> bool:
    """Give data to a program on its stdin; tell whether it ended well within `limit_s` (s).

    The owner of a clipboard lives on as a process of its own. Raises ToolMissingError.
    """
    env = child_environment(keep=SESSION)
    try:
        child = spawn.start(
            tuple(argv),
            cwd=Path(os.sep),
            env=env,
            marker=None,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise ToolMissingError(f"{argv[0]} cannot be started: {error.strerror}") from error
    try:
        child.communicate(data, timeout=limit_s)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):  # gone in this very moment
            os.killpg(child.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # closes its stdin, too
            child.communicate(timeout=KILLED_S)
        return False
    finally:
        spawn.abandon(child)  # collected already, else at a later start
    return child.returncode == 0
