"""What scans of files cost, beside jdupes.

    apt-get install jdupes
    python -m bench.bench_scan [--files 100000] [--gigabytes 4] [--rounds 5] [--folder /dev/shm]

A tree of files is drawn from a seed (see scan_corpus.py), of which three in ten are copies and one in
ten is a copy but for one byte; it is read once before anything is measured, and deleted at the end.
Whole processes are timed, by turns:

    jdupes          jdupes -r -q -m TREE: counts the sets, comparing byte for byte
    duplicates      aim scan duplicates TREE --min-size 0, which knows nothing of the tree
    again           the same with the hashes of the large files from the time before
    scan all        aim scan all TREE --min-size 0, with the hashes of the time before
    walk            the walk alone, within one process

Both must find the same sets. Fails when duplicates take more than 1.3 times what jdupes does, a scan
of all more than 5 s, or a figure is missing.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.scan_corpus import Corpus, make_corpus
from penstock.environment.scan.walk import Walker

MOST_JDUPES = 1.3
MOST_ALL_S = 5.0
AIM = (sys.executable, "-m", "penstock.aim_cli")


class Times(NamedTuple):
    """What one run took, in seconds."""

    wall: float
    cpu: float


def timed(command: Sequence[str], folder: Path, env: dict[str, str]) -> tuple[Times, bytes]:
    """Run a command; return its wall and processor time and what it printed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Times(wall, cpu), done.stdout


def by_jdupes(tree: Path, folder: Path, env: dict[str, str]) -> tuple[Times, int]:
    """Return what jdupes took, and how many sets it found."""
    times, said = timed(("jdupes", "-r", "-q", "-m", str(tree)), folder, env)
    found = re.search(rb"\(in (\d+) sets\)", said)
    return times, int(found[1]) if found else 0


def by_aim(command: Sequence[str], folder: Path, env: dict[str, str]) -> tuple[Times, str]:
    """Return what a scan took, and what it said last of duplicates."""
    times, said = timed((*AIM, "scan", *command, "--min-size", "0"), folder, env)
    return times, next(line for line in said.decode().splitlines()[::-1] if "duplicates" in line)


def walked(tree: Path) -> Times:
    """Return what the walk alone takes."""
    start, before = time.perf_counter(), time.process_time()
    for _ in Walker().files([tree]):
        pass
    return Times(time.perf_counter() - start, time.process_time() - before)


def measure(place: Path, corpus: Corpus, rounds: int) -> dict[str, list[Times]]:
    """Return the times of each row. Raises AssertionError when the two do not find the same."""
    tree, home = place / "tree", place / "home"
    env = {**os.environ, "AIM_HOME": str(home), "HOME": str(place)}
    fresh = ("duplicates", str(tree))
    by_jdupes(tree, place, env)
    times: dict[str, list[Times]] = {}
    for _ in range(rounds):
        theirs, sets = by_jdupes(tree, place, env)
        for file in home.glob("*"):
            file.unlink()
        cold, said = by_aim(fresh, place, env)
        again, repeated = by_aim(fresh, place, env)
        everything, of_all = by_aim(("all", str(tree)), place, env)
        for line in (said, repeated, of_all):
            assert line.startswith(f"{sets} sets of duplicates"), line
            assert f"({corpus.files} files" in line, line
        rows = {"jdupes": theirs, "duplicates": cold, "again": again, "scan all": everything}
        for name, taken in {**rows, "walk": walked(tree)}.items():
            times.setdefault(name, []).append(taken)
    return times


def main() -> int:
    """Measure, print, and return 1 when a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--gigabytes", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", help="where the tree is made (default: the temporary folder)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        place = Path(name).resolve()
        corpus = make_corpus(place / "tree", chosen.files, int(chosen.gigabytes * 1e9), chosen.seed)
        times = measure(place, corpus, chosen.rounds)
    print(f"{corpus.files:,} files, {corpus.size_bytes / 1e9:.1f} GB, {corpus.copies:,} copies")
    return report_on(times)


def report_on(times: dict[str, list[Times]]) -> int:
    """Print the medians; return 1 when one is over its limit."""
    medians = {
        name: Times(*(statistics.median(column) for column in zip(*taken, strict=True)))
        for name, taken in times.items()
    }
    ratios = [
        ours.wall / theirs.wall
        for ours, theirs in zip(times["duplicates"], times["jdupes"], strict=True)
    ]
    ratio, base = statistics.median(ratios), medians["jdupes"]
    print(f"{'':<12}{'wall s':>8}{'cpu s':>8}{'x wall':>8}{'x cpu':>8}")
    for name, (wall, cpu) in medians.items():
        print(f"{name:<12}{wall:>8.2f}{cpu:>8.2f}{wall / base.wall:>8.2f}{cpu / base.cpu:>8.2f}")
    print(f"duplicates: {ratio:.2f} x jdupes, median of pairs (at most {MOST_JDUPES})")
    print(f"scan all: {medians['scan all'].wall:.2f} s (at most {MOST_ALL_S})")
    return int(ratio > MOST_JDUPES or medians["scan all"].wall > MOST_ALL_S)


if __name__ == "__main__":
    sys.exit(main())
