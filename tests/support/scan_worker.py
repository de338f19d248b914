"""A cleaning in a process of its own: `python -m tests.support.scan_worker ROOT HOME [ITEM] [PIECE]`.

With ITEM it kills itself when so many things were moved, with PIECE in the midst of moving the next,
which then goes piece by piece, after so many pieces. It begins when something is written to stdin.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path

from penstock.environment.repository import find_checkout
from penstock.environment.scan.api import NoIndex
from penstock.environment.scan.clean import Cleaner
from penstock.environment.scan.protect import Guard
from penstock.environment.scan.scanner import ScanRequest, scan
from penstock.environment.scan.trash import Trash


def die() -> None:
    """Die as by `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_piecemeal(pieces: int) -> None:
    """Let folders go piece by piece, and die after so many pieces."""
    real, done = os.rename, [0]

    def rename(source: str, target: Path, *, src_dir_fd: int | None = None) -> None:
        if src_dir_fd is not None:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        if done[0] == pieces:
            die()
        done[0] += 1
        real(source, target)

    os.rename = rename  # type: ignore[assignment]


def main() -> None:
    """Clean up, and say how much was moved."""
    root, home, *moments = sys.argv[1:]
    item, piece = (*map(int, moments), -1, -1)[:2]
    guard = Guard(tracked=lambda _path: False, anchor=find_checkout)
    cleaner = Cleaner(guard, Trash(Path(home)))
    report = scan(ScanRequest(roots=(Path(root),)), NoIndex())
    plan = cleaner.plan(report, duplicates=True)
    print("ready", flush=True)
    sys.stdin.readline()

    def moved(count: int) -> None:
        if count == item and piece < 0:
            die()
        if count == item:
            die_piecemeal(piece)

    moved(0)
    print(len(cleaner.clean(plan, moved).moved), flush=True)


if __name__ == "__main__":
    main()
