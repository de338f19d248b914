"""Becoming another program: it gets our terminal, our signals and our exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from penstock.errors import ToolMissingError
from penstock.process.environment import find_executable


def find_program(name: str) -> Path:
    """Return the program that a command names, found on our own PATH. Raises ToolMissingError."""
    found = find_executable(name, os.environ)
    if found is None:
        raise ToolMissingError(
            f"{name} is not installed, or is no program", hint="Check its name, and your PATH."
        )
    return found


def become(program: Path, argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Put a program in our place; `env` is its whole environment. Raises ToolMissingError.

    What we have buffered for stdout is written before. Where a process cannot be replaced (Windows)
    the program runs as our child, and we end with its exit code.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if os.name == "nt":
            sys.exit(os.spawnve(os.P_WAIT, program, list(argv), dict(env)))  # noqa: S606 - no shell
        os.execve(program, list(argv), dict(env))  # noqa: S606 - no shell
    except OSError as error:
        raise ToolMissingError(
            f"{argv[0]} cannot be started: {error.strerror}", hint=f"Look at {program}."
        ) from error
