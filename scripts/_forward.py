"""Runs a penstock command for a documented script: on the repository of the current directory,
with the environment of the clone that the script lies in.

Documented scripts know the exit codes 0, 1 and 2 only: a bug or an interruption is 2.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
AGAIN = "PENSTOCK_FORWARDED"
KNOWN_CODES = (0, 1, 2)


def forward(
    *command: str, arguments: Sequence[str] | None = None, program: str = "penstock"
) -> int:
    """Run `PROGRAM COMMAND... ARGUMENTS...` (by default this process's own) and return its code.

    `program` is penstock or aim.
    """
    _use_clone()
    if program == "aim":
        from penstock.aim_cli.main import main
    else:
        from penstock.cli.main import main

    given = sys.argv[1:] if arguments is None else arguments
    code = main([*command, *given])
    return code if code in KNOWN_CODES else 2


def _use_clone() -> None:
    """See that penstock can be imported: else start again with the clone's own Python."""
    try:
        import penstock.cli.main  # noqa: F401 - only whether it is there
    except ImportError:
        windows = CLONE / ".venv" / "Scripts" / "python.exe"
        python = windows if os.name == "nt" else CLONE / ".venv" / "bin" / "python"
        if os.environ.get(AGAIN) or not python.exists():
            print(
                f"Error: penstock is not installed in {CLONE}/.venv\n"
                f"Hint: run {CLONE}/scripts/test once, or pip install {CLONE}",
                file=sys.stderr,
            )
            sys.exit(2)
        os.environ[AGAIN] = "1"
        os.execv(python, [str(python), *sys.argv])  # noqa: S606 - the same script, argv only


if __name__ == "__main__":
    sys.exit(forward())
