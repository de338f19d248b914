"""What the index of symbols costs over a large repository.

    python -m bench.bench_symbols [--files 20000] [--rounds 3] [--folder /dev/shm] [--json]

A repository is drawn from a seed (see planning_repo.py). Timed are, in this process:

    cold       no index is kept: every file is read and parsed
    warm       nothing changed: the kept index is loaded and every file looked at
    one        one file changed
    touched    every file has another time, the same content (as after a checkout)
    lookups    10,000 names, the first of which turns the index round

Fails when a warm load takes more than 2 s or a figure is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.planning_repo import LINES, make_repo, path_of, symbol
from penstock.planning.scoping.symbols import SymbolIndex, open_symbols
from penstock.planning.scoping.terrain import FolderTerrain

MOST_WARM_S = 2.0


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def age(root: Path, seconds: float) -> None:
    """Give every file of a repository the same time, so many seconds ago."""
    when = time.time() - seconds
    for folder, _, names in os.walk(root):
        for name in names:
            os.utime(Path(folder, name), (when, when))


def look_up(index: SymbolIndex, files: int) -> None:
    """Look up 10,000 names."""
    for number in range(10_000):
        index.find(symbol(number % files, number % LINES))


def measure(root: Path, state: Path, files: int, rounds: int) -> dict[str, float]:
    """Return the figures, medians in seconds."""

    def opened() -> SymbolIndex:
        return open_symbols(FolderTerrain(root), root=root, folder=state)

    age(root, 100)
    figures = {"cold_s": timed(opened)}
    figures["warm_s"] = statistics.median(timed(opened) for _ in range(rounds))
    (root / path_of(0)).write_text("def another() -> None: ...\n")
    figures["one_s"] = timed(opened)
    age(root, 50)
    figures["touched_s"] = timed(opened)
    index = opened()
    figures["lookups_s"] = timed(lambda: look_up(index, files))
    figures["symbols"] = len(index)
    figures["kept_mb"] = sum(path.stat().st_size for path in state.iterdir()) / 1e6
    return figures


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        root = Path(place, "repo")
        size = make_repo(root, options.files)
        figures = measure(root, Path(place, "state"), options.files, options.rounds)
    figures["source_mb"] = size / 1e6
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:<12}{value:>12.3f}")
    return 1 if figures["warm_s"] > MOST_WARM_S else 0


if __name__ == "__main__":
    sys.exit(main())
