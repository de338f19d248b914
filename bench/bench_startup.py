"""What starting penstock costs beside starting Python alone.

    python bench/bench_startup.py [--runs 9]

Runs `python -c pass` and each command in turn (interleaved, so that a busy moment of the machine
meets all of them), and prints medians in milliseconds, what each costs more than Python alone, and
the ratio. Fails when a command costs more than the limit of 120 ms more.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_MS = 120.0
PENSTOCK = (sys.executable, "-m", "penstock")
BASE = "python -c pass"
COMMANDS: dict[str, tuple[str, ...]] = {
    BASE: (sys.executable, "-c", "pass"),
    "penstock --help": (*PENSTOCK, "--help"),
    "penstock status": (*PENSTOCK, "status"),
    "penstock status --json": (*PENSTOCK, "status", "--json"),
    "penstock validate --help": (*PENSTOCK, "validate", "--help"),
}


def once(command: tuple[str, ...], folder: Path) -> float:
    """Return the wall time of one run in milliseconds."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000.0


def measure(runs: int) -> dict[str, float]:
    """Return the median of each command in a repository with a journal of a few runs."""
    with tempfile.TemporaryDirectory() as name:
        folder = prepare(Path(name))
        times: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for command in COMMANDS.values():
            once(command, folder)
        for _ in range(runs):
            for label, command in COMMANDS.items():
                times[label].append(once(command, folder))
    return {label: statistics.median(values) for label, values in times.items()}


def prepare(folder: Path) -> Path:
    """Make a repository with settings of its own whose journal holds ten runs of five workstreams."""
    from penstock.environment.template import PIPELINE_YAML
    from penstock.wiring import open_workspace

    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / "config").mkdir()
    (folder / "config" / "pipeline.yaml").write_text(PIPELINE_YAML + "scope_policy: fail\n")
    with open_workspace(folder) as workspace:
        journal = workspace.open_journal()
        for number in range(10):
            run = journal.create_run(f"run-{number}")
            for ws in range(5):
                journal.add_workstream(run.run_id, f"ws-{ws}")
    return folder


def main() -> int:
    """Measure, print the table, and return 1 when a command is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=9)
    medians = measure(parser.parse_args().runs)
    base = medians[BASE]
    print(f"{'command':<26}{'median ms':>10}{'more ms':>10}{'ratio':>8}")
    for label, median in medians.items():
        print(f"{label:<26}{median:>10.1f}{median - base:>10.1f}{median / base:>8.1f}")
    worst = max(medians.values()) - base
    print(f"limit: {LIMIT_MS:.0f} ms more than {BASE}; worst here: {worst:.1f} ms")
    return 0 if worst <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
