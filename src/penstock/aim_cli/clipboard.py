"""The clipboard of the user's desktop, through the program that serves it there."""

from __future__ import annotations

import os
import sys

from penstock.errors import EnvironmentProblem
from penstock.process.environment import child_environment, find_executable
from penstock.process.handing import hand_over

LIMIT_S = 5.0
PROGRAMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", "wl-copy", ("wl-copy",)),
    ("DISPLAY", "xclip", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", "xsel", ("xsel", "--clipboard", "--input")),
)
"""The variable that says that there is such a desktop, the program, and how it is called."""
BY_PLATFORM = {"darwin": ("pbcopy",), "win32": ("clip.exe",)}


def copy(text: str) -> str:
    """Put a text into the clipboard and return the program that took it.

    Raises EnvironmentProblem when there is no clipboard.
    """
    argv = _program()
    if argv is None:
        raise EnvironmentProblem(
            "there is no clipboard here",
            hint="Install wl-copy, xclip or xsel and be on a desktop, or use --show.",
        )
    if not hand_over(argv, text.encode("utf-8"), limit_s=LIMIT_S):
        raise EnvironmentProblem(f"{argv[0]} did not take it", hint="Use --show.")
    return argv[0]


def _program() -> tuple[str, ...] | None:
    if sys.platform in BY_PLATFORM:
        return BY_PLATFORM[sys.platform]
    env = child_environment()
    for variable, program, argv in PROGRAMS:
        if os.environ.get(variable) and find_executable(program, env) is not None:
            return argv
    return None
