"""What the process door costs: starting, sweeping, much output.

Run it with `python -m bench.bench_process [--quick]`. Start costs are compared with a plain
`subprocess.run` measured in turns with them, so that the ratio holds on a busy machine too.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from penstock.process.api import Command, Outcome, Stop
from penstock.process.capture import capture
from penstock.process.run import run
from penstock.process.sweep import sweep, sweep_markers
from penstock.redact.redactor import Redactor

ENV = {"PATH": os.environ["PATH"]}
CWD = Path("/")
MARKER = f"bench-{os.getpid()}"
CROWD = 270
"""Processes on the machine while a sweep is measured."""
MIB = 1 << 20


def seconds(action: Callable[[], object]) -> float:
    """How long an action takes, in seconds."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def medians(actions: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median time of each action in seconds, taken in turns."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            times[name].append(seconds(action))
    return {name: statistics.median(values) for name, values in times.items()}


def door(*argv: str, log: Path | None = None, redactor: Redactor | None = None) -> Outcome:
    """Run a command through the full door."""
    make_filter = None if redactor is None else redactor.stream
    return run(
        Command(argv=argv, cwd=CWD, env=ENV, log=log, make_filter=make_filter, marker=MARKER)
    )


def start_costs(rounds: int) -> list[tuple[str, str, str]]:
    """What starting `true` costs, by each way."""
    found = medians(
        {
            "subprocess.run": lambda: subprocess.run(
                ["true"], cwd=CWD, env=ENV, stdin=subprocess.DEVNULL, capture_output=True
            ),
            "subprocess.run, timeout": lambda: subprocess.run(
                ["true"], cwd=CWD, env=ENV, capture_output=True, timeout=60
            ),
            "capture()": lambda: capture(["true"], CWD, ENV, timeout=60, marker=MARKER),
            "run(), sweep included": lambda: door("true"),
        },
        rounds,
    )
    plain = found["subprocess.run"]
    return [(name, f"{t * 1e3:.2f} ms", f"{t / plain:.2f} x") for name, t in found.items()]


def sweep_costs(rounds: int) -> list[tuple[str, str, str]]:
    """What a sweep that finds nothing costs in a crowd of processes."""
    missing = max(0, CROWD - sum(name.isdigit() for name in os.listdir("/proc")))  # noqa: PTH208
    crowd = [subprocess.Popen(["sleep", "600"], env=ENV) for _ in range(missing)]
    newest = 1 << 60
    try:
        found = medians(
            {
                "sweep after a child": lambda: sweep(
                    marker="none", session=1 << 30, pipes={1}, cwd=Path("/nowhere"), since=newest
                ),
                "sweep of all, for recovery": lambda: sweep_markers(["none"], [Path("/nowhere")]),
            },
            rounds,
        )
    finally:
        for process in crowd:
            process.kill()
            process.wait()
    return [(name, f"{t * 1e3:.2f} ms", f"{CROWD} processes") for name, t in found.items()]


def output_costs(mebibytes: int) -> list[tuple[str, str, str]]:
    """What much output costs in time and memory."""
    ways: dict[str, tuple[Path | None, Redactor | None, str]] = {
        "without a log": (None, None, "/dev/zero"),
        "with a log": (Path("/dev/null"), None, "/dev/zero"),
    }
    rows = []
    for name, (log, redactor, source) in ways.items():
        before, began = peak_memory(), time.perf_counter()
        outcome = door("head", "-c", str(mebibytes * MIB), source, log=log, redactor=redactor)
        took = time.perf_counter() - began
        assert outcome.stdout_bytes == mebibytes * MIB
        grown = (peak_memory() - before) / MIB
        rows.append((f"{mebibytes} MiB {name}", f"{took:.2f} s", f"+{grown:.1f} MiB memory"))
    return rows


def crowd_costs(children: int, length_s: float) -> list[tuple[str, str, str]]:
    """What it costs to start, watch from a thread each, and end many children that only sleep."""
    stop, before, memory = Stop(), cpu_seconds(), memory_now()

    def watch(number: int) -> None:
        run(
            Command(
                argv=("sleep", f"{length_s:g}"), cwd=CWD, env=ENV, marker=f"{MARKER}/{number}",
                sweep_cwd=Path("/nowhere"), wall_s=600.0, idle_s=300.0,
            ),
            stop,
        )  # fmt: skip

    threads = [threading.Thread(target=watch, args=(number,)) for number in range(children)]
    took = seconds(lambda: _together(threads, length_s))
    share = (cpu_seconds() - before) / took
    grown = (peak_memory() - memory) / MIB
    name = f"{children} children for {length_s:g} s"
    return [(name, f"{share:.1%} of a core", f"+{grown:.1f} MiB memory")]


def _together(threads: list[threading.Thread], length_s: float) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(length_s + 60)


def redaction_costs() -> list[tuple[str, str, str]]:
    """How fast clean text and text with many hints of secrets are redacted."""
    clean = b"2026-01-01 12:00:00 INFO worker finished step 12 of 40 in 3.2 seconds, all fine\n"
    usage = b'{"type":"usage","input_tokens":123,"output_tokens":4}\n' + clean * 3
    rows = []
    for name, line in (("clean text", clean), ("usage events", usage)):
        for known in (0, 3):
            stream = Redactor(f"known-value-{n}" for n in range(known)).stream()
            piece = (line * 2000)[: 1 << 16]
            took = statistics.median(seconds(lambda: stream.feed(piece)) for _ in range(64))  # noqa: B023
            rate = len(piece) / took / 1e6
            rows.append((f"redaction, {name}", f"{rate:.0f} MB/s", f"{known} known values"))
    return rows


def cpu_seconds() -> float:
    """The processor time of this process so far, without its children's."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_now() -> int:
    """The memory of this process at this moment, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def peak_memory() -> int:
    """The most memory this process has had so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and less output")
    quick = parser.parse_args().quick
    table = Table("what", "median", "compared", title="the process door")
    # these first: the peak of memory only ever grows
    rows = crowd_costs(200, 3.0 if quick else 10.0)
    rows += output_costs(128 if quick else 1024)
    rows += start_costs(20 if quick else 200)
    rows += sweep_costs(10 if quick else 50)
    rows += redaction_costs()
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
