"""A process that opens the index of a folder's symbols, again and again.

    python -m tests.support.symbol_worker ROOT STATE [ROUNDS] [small]

Prints a line for every round: what was found of `total`, and the problems. With `small` no file may
grow beyond 64 bytes, as on a full disk.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path

from penstock.planning.scoping import crew
from penstock.planning.scoping.symbols import open_symbols
from penstock.planning.scoping.terrain import FolderTerrain


def main(root: Path, state: Path, rounds: int = 1, *, small: bool = False) -> None:
    """Open the index so many times, always with processes of its own for what is to be read."""
    vars(crew)["WORTH_BYTES"] = 0
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    if small:
        for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
            del os.environ[name]  # the processes that it starts could not write what they measure
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, most))
    for _ in range(rounds):
        index = open_symbols(FolderTerrain(root), root=root, folder=state)
        found = [definition.path for definition in index.find("total")]
        print(json.dumps({"total": found, "problems": index.problems}), flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # what measures coverage writes now


if __name__ == "__main__":
    place, kept, *rest = sys.argv[1:]
    main(Path(place), Path(kept), int(rest[0]) if rest else 1, small="small" in rest)
