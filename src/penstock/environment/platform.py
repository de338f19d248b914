"""Which platforms workstreams can be run on."""

from __future__ import annotations

import sys

from penstock.errors import EnvironmentProblem


def require_runnable() -> None:
    """Raise EnvironmentProblem on Windows.

    Ending a tool with all its children needs sessions, process groups and signals, and the locks
    between processes need flock; Windows has none of them.
    """
    if sys.platform == "win32":
        raise EnvironmentProblem(
            "running workstreams is not supported on Windows",
            hint="Use Linux, macOS or WSL. Here validate, status, show and report work.",
        )
