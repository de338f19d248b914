"""What planning costs: 2,000 tasks over a repository of 20,000 files, and 100 OpenSpec changes.

    python -m bench.bench_planning [--runs 3] [--keep DIR] [--only DIALECT]

Each `penstock plan SOURCE --dry-run --json` is a whole process, from its start to its end: cold, without
an index of symbols, then warm. The changes are read in this process. Fails when a limit is missed:
5 s for a warm plan, 1 s for the changes. `--keep` makes the repository once and leaves it there.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.planning_repository import CHANGES, PLANS, TASKS, make_repository, write_change

WARM_LIMIT_S, CHANGES_LIMIT_S = 5.0, 1.0
PLAN = (sys.executable, "-m", "penstock", "plan")


class Times(NamedTuple):
    """What one run took, in seconds, and its largest process, in MB."""

    wall: float
    cpu: float
    peak_mb: float


class Row(NamedTuple):
    """One line of the table."""

    name: str
    cold: Times | None
    warm: list[Times]
    counts: str

    @property
    def median(self) -> float:
        """The median of the warm runs, in seconds."""
        return statistics.median(one.wall for one in self.warm)


@contextmanager
def repository(keep: str | None) -> Iterator[Path]:
    """Lend the repository."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(keep or name) / "repository"
        if not (root / ".git").exists():
            root.mkdir(parents=True, exist_ok=True)
            make_repository(root)
        yield root


def planned(root: Path, word: str) -> tuple[Times, str]:
    """Plan in a process of its own; return what it took and where the items went."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    done = subprocess.run(
        [*PLAN, word, "--dry-run", "--json", "--lenient", "--tool", "scripted"],
        cwd=root,
        env={k: v for k, v in os.environ.items() if not k.startswith("PIPELINE_")},
        capture_output=True,
        check=False,
    )
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in (0, 1), done.stderr.decode()
    items = json.loads(done.stdout)["items"]
    assert items["total"] == TASKS == sum(items.values()) - items["total"], items
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    counts = ", ".join(f"{number} {name}" for name, number in items.items() if name != "total")
    return Times(wall, cpu, after.ru_maxrss / 1024), counts


def plan_row(root: Path, dialect: str, runs: int) -> Row:
    """Measure one dialect, cold once and then warm."""
    word = PLANS[dialect](root)
    shutil.rmtree(root / "state" / "cache", ignore_errors=True)
    cold, counts = planned(root, word)
    return Row(dialect, cold, [planned(root, word)[0] for _ in range(runs)], counts)


def changes_row(root: Path, runs: int) -> Row:
    """Measure reading the changes in this process."""
    from penstock.planning.sources.reading import read_source
    from penstock.planning.sources.recognise import locate

    place = root / "changes"
    for number in range(CHANGES):
        write_change(place, f"change-{number:03}", range(number % 7, number % 7 + 1))
    times, items = [], 0
    for _ in range(runs):
        begun, spent = time.perf_counter(), time.process_time()
        found = locate(["openspec/changes"], place, place, stdin=bytes)
        items = sum(len(read_source(one, place).items) for one in found)
        assert len(found) == CHANGES
        wall, cpu = time.perf_counter() - begun, time.process_time() - spent
        times.append(Times(wall, cpu, 0.0))
    return Row(f"{CHANGES} changes read", None, times, f"{items} items")


def show(rows: list[Row]) -> None:
    """Print the table."""
    print(f"{'':20}{'cold s':>8}{'warm s':>8}{'worst':>8}{'cpu s':>8}{'peak MB':>9}")
    for row in rows:
        cold = "" if row.cold is None else f"{row.cold.wall:.2f}"
        worst = max(one.wall for one in row.warm)
        cpu = statistics.median(one.cpu for one in row.warm)
        peak = max(one.peak_mb for one in row.warm)
        shown = f"{peak:9.0f}" if peak else " " * 9
        print(f"{row.name:20}{cold:>8}{row.median:8.2f}{worst:8.2f}{cpu:8.2f}{shown}  {row.counts}")


def missed(rows: list[Row]) -> list[str]:
    """Return the limits that were missed."""
    limits = {row.name: WARM_LIMIT_S if row.cold else CHANGES_LIMIT_S for row in rows}
    return [
        f"{row.name}: {row.median:.2f} s, at most {limits[row.name]} s"
        for row in rows
        if row.median > limits[row.name]
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", metavar="DIR")
    parser.add_argument("--only", choices=PLANS)
    options = parser.parse_args()
    with repository(options.keep) as root:
        dialects = [options.only] if options.only else list(PLANS)
        rows = [plan_row(root, dialect, options.runs) for dialect in dialects]
        rows.append(changes_row(root, max(options.runs, 3)))
    show(rows)
    late = missed(rows)
    print("\n".join(late) if late else "all limits are met")
    return int(bool(late))


if __name__ == "__main__":
    sys.exit(main())
