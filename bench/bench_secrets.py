"""What the secret scan finds, leaves alone and costs, beside detect-secrets and Kingfisher.

    python -m bench.bench_secrets [--packages DIR] [--seeds N,N,...] [--peers DIR] [--json]

Over the packages of bench/secret_packages.py, some 150 MB of text, downloaded once. For each seed
twenty kinds of secrets, ten of each, are planted into files of theirs (tests/support/leak_corpus),
one in a file; the peers look at the same files. What is found in the packages as they are is noise
and must be explained in bench/secret_findings.tsv. Speed is that of one core, files already read,
for penstock; of the whole program for the others. Exit code 1: a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.leak_corpus import Planted, found_in, plant

from bench.secret_packages import Text, fetch, known, texts
from penstock.leaks import anchors
from penstock.leaks.match import Leak, LeakFinder

SEEDS = (911, 912, 913)
RECALL_SHAPED, RECALL_SHAPELESS = 0.97, 0.6
MOST_OTHERS = 50
LEAST_SPEED, LEAST_RATIO = 50.0, 100.0

Place = tuple[str, int]


class Speed(NamedTuple):
    """Megabytes a second: of wall clock, and of CPU."""

    wall: float
    cpu: float


class Figures(NamedTuple):
    """What one scanner did: recall by shape, noise, speed; None is not measured."""

    shaped: float
    shapeless: float
    others: int | None
    speed: Speed


def measured(work: Iterable[bytes], finder: LeakFinder) -> tuple[list[list[Leak]], float, float]:
    """Scan, and return what was found, the seconds and the CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = [finder.find(data) for data in work]
    return found, time.perf_counter() - wall, time.process_time() - cpu


def recall(planted: Sequence[Planted], places: Collection[Place]) -> dict[bool, list[bool]]:
    """Whether each planted secret was reported in one of its lines, by whether it has a shape."""
    hits: dict[bool, list[bool]] = {True: [], False: []}
    for one in planted:
        lines = range(one.line, one.line + one.statement.count("\n") + 1)
        hits[one.kind.shaped].append(any((one.path, line) in places for line in lines))
    return hits


class Run(NamedTuple):
    """A program that has ended: its output, its seconds, its and its children's CPU seconds."""

    output: str
    wall: float
    cpu: float


def run(argv: Sequence[str], folder: Path) -> Run:
    """Run a peer in a folder; findings are no failure."""
    before, wall = os.times(), time.perf_counter()
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    after = os.times()
    cpu = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return Run(done.stdout, time.perf_counter() - wall, cpu)


def detect_secrets(program: str, folder: Path) -> tuple[set[Place], Run]:
    """What detect-secrets says of the files of a folder."""
    done = run((program, "-C", str(folder), "scan", "--all-files", "."), folder)
    results: Mapping[str, list[dict[str, Any]]] = json.loads(done.output)["results"]
    return {(path, each["line_number"]) for path, found in results.items() for each in found}, done


def kingfisher(program: str, folder: Path) -> tuple[set[Place], Run]:
    """What Kingfisher says of the files of a folder, with no call to any provider."""
    options = ("--no-validate", "--git-history", "none", "--format", "json", "--quiet")
    done = run((program, "scan", ".", *options, "--no-update-check"), folder)
    places = set()
    for each in json.loads(done.output)["findings"]:
        finding = each["finding"]
        path = os.path.relpath(Path(folder, finding["path"]), folder)
        places.add((path, int(finding["line"])))
    return places, done


PEERS = {"detect-secrets": detect_secrets, "kingfisher": kingfisher}
SLOW = {"detect-secrets"}


def planted_trees(root: Path, work: Path, seeds: Sequence[int]) -> dict[Path, list[Planted]]:
    """Copy files of the packages, a folder for each seed, and plant secrets into them."""
    trees: dict[Path, list[Planted]] = {}
    for seed in seeds:
        tree = work / str(seed)
        trees[tree] = plant(root, seed, tree)
    return trees


def own(
    trees: Mapping[Path, list[Planted]], corpus: Sequence[Text], *, fast: bool
) -> tuple[Figures, list[tuple[str, Leak]]]:
    """Measure penstock's own finder, with or without the automaton."""
    anchors.AUTOMATON = fast
    finder = LeakFinder()
    hits: dict[bool, list[bool]] = {True: [], False: []}
    for tree, planted in trees.items():
        got = [found_in(one, finder.find((tree / one.path).read_bytes())) for one in planted]
        for one, hit in zip(planted, got, strict=True):
            hits[one.kind.shaped].append(hit)
    found, wall, cpu = measured((text.data for text in corpus), finder)
    others = [
        (text.path, leak) for text, leaks in zip(corpus, found, strict=True) for leak in leaks
    ]
    size = sum(len(text.data) for text in corpus) / 1e6
    figures = Figures(
        share(hits[True]), share(hits[False]), len(others), Speed(size / wall, size / cpu)
    )
    return figures, others


def share(hits: Sequence[bool]) -> float:
    """The part that is true."""
    return sum(hits) / len(hits)


def peer(
    name: str, program: str, trees: Mapping[Path, list[Planted]], root: Path, size: float
) -> Figures:
    """Measure another scanner over the same files; slow ones over the planted files alone."""
    hits: dict[bool, list[bool]] = {True: [], False: []}
    wall = cpu = read = 0.0
    for tree, planted in trees.items():
        places, done = PEERS[name](program, tree)
        for shape, each in recall(planted, places).items():
            hits[shape] += each
        wall, cpu = wall + done.wall, cpu + done.cpu
        read += sum(p.stat().st_size for p in tree.rglob("*") if p.is_file()) / 1e6
    others = None
    if name not in SLOW:
        places, done = PEERS[name](program, root)
        others, read, wall, cpu = len(places), size, done.wall, done.cpu
    return Figures(share(hits[True]), share(hits[False]), others, Speed(read / wall, read / cpu))


def table(rows: Mapping[str, Figures]) -> str:
    """The figures, a line for each scanner."""
    lines = [f"{'':26}{'shaped':>8}{'shapeless':>11}{'others':>8}{'MB/s':>8}{'MB/s CPU':>10}"]
    for name, row in rows.items():
        others = "-" if row.others is None else str(row.others)
        lines.append(
            f"{name:26}{row.shaped:8.3f}{row.shapeless:11.3f}{others:>8}"
            f"{row.speed.wall:8.2f}{row.speed.cpu:10.2f}"
        )
    return "\n".join(lines)


def missed(rows: Mapping[str, Figures], unexplained: int) -> list[str]:
    """The targets that are not met."""
    figures = rows["penstock"]
    slow = rows.get("detect-secrets")
    ratio = figures.speed.cpu / slow.speed.cpu if slow else None
    targets = {
        f"recall of shaped kinds at least {RECALL_SHAPED}": figures.shaped >= RECALL_SHAPED,
        f"recall of shapeless kinds at least {RECALL_SHAPELESS}": figures.shapeless
        >= RECALL_SHAPELESS,
        f"other findings at most {MOST_OTHERS}": (figures.others or 0) <= MOST_OTHERS,
        "all other findings explained": unexplained == 0,
        f"at least {LEAST_SPEED:.0f} MB/s": figures.speed.cpu >= LEAST_SPEED,
        f"at least {LEAST_RATIO:.0f} times detect-secrets": ratio is None or ratio >= LEAST_RATIO,
    }
    return [name for name, met in targets.items() if not met]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    parser.add_argument("--packages", type=Path, default=home / "penstock-bench" / "packages")
    parser.add_argument("--peers", type=Path, default=home / "penstock-checkers" / "python" / "bin")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def programs(folder: Path) -> dict[str, str]:
    """The peers that are installed, in a folder or on PATH."""
    found = {name: shutil.which(name, path=str(folder)) or shutil.which(name) for name in PEERS}
    return {name: program for name, program in found.items() if program}


def main() -> int:
    """Measure, print, and tell whether a target is missed."""
    args = arguments()
    root = fetch(args.packages)
    corpus = list(texts(root))
    size = sum(len(text.data) for text in corpus) / 1e6
    explained, rows = known(), dict[str, Figures]()
    with tempfile.TemporaryDirectory() as work:
        trees = planted_trees(root, Path(work), [int(seed) for seed in args.seeds.split(",")])
        rows["penstock"], others = own(trees, corpus, fast=True)
        rows["penstock, re alone"], _ = own(trees, corpus, fast=False)
        for name, program in programs(args.peers).items():
            rows[name] = peer(name, program, trees, root, size)
    new = [
        (path, leak) for path, leak in others if (path, leak.line, leak.rule_id) not in explained
    ]
    failures = missed(rows, len(new))
    if args.json:
        print(
            json.dumps({name: row._asdict() for name, row in rows.items()} | {"missed": failures})
        )
        return bool(failures)
    print(f"{len(corpus):,} texts, {size:.1f} MB, seeds {args.seeds}\n\n{table(rows)}\n")
    if "detect-secrets" in rows:
        times = rows["penstock"].speed.cpu / rows["detect-secrets"].speed.cpu
        print(f"{times:.0f} times detect-secrets, by CPU")
    print("others by rule:", dict(Counter(leak.rule_id for _, leak in others)))
    for path, leak in new:
        print(f"not explained: {path}:{leak.line} {leak.rule_id}")
    print("\n".join(f"missed: {failure}" for failure in failures) or "all targets met")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
