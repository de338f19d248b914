"""The `openspec` program, where it is installed: asked, never obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from penstock.errors import EnvironmentProblem
from penstock.process.capture import capture
from penstock.process.environment import child_environment, find_executable

OPENSPEC_S = 30.0
"""How long one question may take (s): it starts Node.js, and looks through one repository."""


class OpenSpec:
    """Runs `openspec` in a folder. It is told to send nothing to its makers and to ask nobody."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._env = child_environment(
            extra={"OPENSPEC_TELEMETRY": "0", "DO_NOT_TRACK": "1", "CI": "1", "NO_COLOR": "1"}
        )

    @cached_property
    def _found(self) -> Path | None:
        return find_executable("openspec", self._env)

    @property
    def installed(self) -> bool:
        """Whether the program is on PATH."""
        return self._found is not None

    def __call__(self, args: Sequence[str]) -> tuple[int, str] | None:
        """Return exit code and standard output, None where it is not installed or gave no answer."""
        if self._found is None:
            return None
        try:
            done = capture((str(self._found), *args), self._root, self._env, timeout=OPENSPEC_S)
        except EnvironmentProblem:
            return None
        if done.timed_out or done.returncode < 0:
            return None
        return done.returncode, done.stdout.decode("utf-8", "replace")
