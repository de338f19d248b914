"""What a recorded step costs, beside Luigi, Celery on Redis, and DBOS on PostgreSQL.

    python -m bench.bench_overhead [--peers DIR] [--install] [--peers-python PATH] [--json]
        [--rounds N] [--seconds S] [--independent N] [--graph N] [--sequence N] [--dir DIR]

A step is an intent and an outcome durably recorded around nothing at all. Every side does the same
three shapes in a process of its own, in turns; its start, its connections and a warm-up do not
count. Figures are medians of the rounds. CPU is all that was burnt: of the process that orders the
steps, of the worker, and of the database server with its children, on the kernel's clocks. Redis
and PostgreSQL are started here, on unix sockets in a temporary folder, and stopped at the end.
Peers come from virtual environments below `--peers` (or PENSTOCK_BENCH_PEERS), which `--install`
makes, or from the interpreter of `--peers-python`. Exit code 1 says that penstock is behind.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.overhead_report import SHAPES, Level, as_values, behind, table, verdict
from bench.overhead_sides import Field, Places, install


@contextmanager
def ended_by_signal() -> Iterator[None]:
    """Let SIGTERM end the bench as Ctrl-C does, so that its servers are stopped."""

    def leave(number: int, _: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run(field: Field, rounds: int, seconds: float) -> None:
    """Do rounds, one of each side in turn, as long as there is time for another.

    A side that has used its share, a quarter of the time, takes part no longer.
    """
    began = time.monotonic()
    used = dict.fromkeys(field.sides, 0.0)
    for number in range(rounds):
        for side in field.sides:
            if side.works and used[side] < seconds / 4:
                used[side] += side.run(field.folder)
        gone = time.monotonic() - began
        if gone + gone / (number + 1) > seconds:
            return


def file_system(folder: Path) -> str:
    """Name the type of the file system that a folder lies on, as the kernel lists it."""
    found = ("", "unknown")
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split()
        if folder.is_relative_to(place) and len(place) >= len(found[0]):
            found = (place, kind)
    return found[1]


def show(field: Field, counts: dict[str, int]) -> None:
    """Print the table, what it means, and the verdict."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(field.versions.items()))
    print(f"file system {file_system(field.folder)}; {versions or 'no peers'}")
    for line in table(field.rows, counts):
        print(line)
    print(
        "\ndisk: 4 KiB appended to a file and synced, just before; it tells how busy the disk was."
    )
    print("wall x, CPU x: the peer's median divided by penstock's; = at equal durability.")
    for level in Level:
        names = [f"{row.side}, {row.kept}" for row in field.rows if row.level is level]
        print(f"{level.value}: {'; '.join(names)}")
    print()
    for line in verdict(field.rows):
        print(line)


def read_options(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    peers = os.environ.get("PENSTOCK_BENCH_PEERS")
    parser.add_argument("--peers", metavar="DIR", type=Path, default=peers and Path(peers))
    parser.add_argument("--install", action="store_true", help="make the environments of --peers")
    parser.add_argument("--peers-python", metavar="PATH", help="an interpreter that has the peers")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=200.0, help="no round begins past these")
    parser.add_argument("--independent", type=int, default=1000)
    parser.add_argument("--graph", type=int, default=200)
    parser.add_argument("--sequence", type=int, default=100)
    parser.add_argument("--dir", metavar="DIR", help="where everything lies (default: temporary)")
    options = parser.parse_args(words)
    if options.install and options.peers is None:
        parser.error("--install needs --peers DIR or PENSTOCK_BENCH_PEERS")
    return options


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; return 0 when penstock is ahead of everybody measured."""
    options = read_options(words)
    counts = {shape: getattr(options, shape) for shape in SHAPES}
    if options.install:
        install(options.peers)
    places = Places(options.peers and options.peers.absolute(), options.peers_python)
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=options.dir) as name:
        folder = Path(name).resolve()
        folder.chmod(0o711)  # PostgreSQL's user passes through to its own folder
        field = Field(folder, places, counts)
        with ended_by_signal(), ExitStack() as stack:
            field.line_up(stack)
            run(field, options.rounds, options.seconds)
        if options.json:
            found = {
                "counts": counts,
                "versions": field.versions,
                "rows": as_values(field.rows),
            }
            print(json.dumps(found, indent=2))
        else:
            show(field, counts)
    return 1 if behind(field.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
