"""What the audit trail costs: appends from 8 processes, queries and proof over 1,000,000 entries.

    python bench/bench_audit.py [--entries N] [--appends N] [--processes N] [--peers-python PATH]

Appends are single calls, encoding and redaction included, each line on file before the call
returns; p50 and p99 are those of a call. The million lies in thirty days. jq and DuckDB answer the
same questions over the same files in the same run: jq when it is on PATH, DuckDB through the
interpreter of `--peers-python`, else this one. Fails when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, NamedTuple

from penstock.audit.api import GroupBy, Invocation, InvocationResult, Query
from penstock.audit.trail import FileTrail

FIRST_DAY = 1_767_225_600.0  # 2026-01-01T00:00:00Z
DAYS = 30
TOOLS = ("aider", "codex", "claude-cli", "ruff", "pytest")
LIMITS: Mapping[str, tuple[str, float]] = {
    "appends a second": ("least", 40_000.0),
    "query, last two days, a tool": ("most", 0.05),
    "query, last two days, failures": ("most", 0.05),
    "query, all, newest 100 of a tool": ("most", 0.5),
    "query, all, a run that is not there": ("most", 0.5),
    "verify": ("most", 1.2),
}

DUCKDB = """
import duckdb, json, sys, time
db = duckdb.connect()
db.execute("set enable_progress_bar = false")
def timed(sql):
    best = 9e9
    for _ in range(3):
        t = time.perf_counter()
        db.execute(sql).fetchall()
        best = min(best, time.perf_counter() - t)
    return best
WHAT = "select * replace (cast(timestamp as varchar) as timestamp)"
def lines(where): return f"read_json('{where}', format='newline_delimited', maximum_object_size=10000000)"
folder, last = sys.argv[1], json.loads(sys.argv[2])
two = "[" + ",".join(f"'{folder}/{d}/audit.jsonl'" for d in last) + "]"
two = f"read_json({two}, format='newline_delimited')"
everything = lines(folder + "/*/audit.jsonl")
tail = "order by timestamp desc limit 100"
print(json.dumps({
    "query, last two days, a tool": timed(f"{WHAT} from {two} where tool_id = 'codex' {tail}"),
    "query, last two days, failures": timed(f"{WHAT} from {two} where not result.success {tail}"),
    "query, all, newest 100 of a tool": timed(f"{WHAT} from {everything} where tool_id = 'codex' {tail}"),
    "query, all, a run that is not there": timed(f"{WHAT} from {everything} where run_id = 'none'"),
    "stats by tool": timed(f"select tool_id, count(*), avg(result.content.duration_sec) from {everything} group by 1"),
}))
"""


class Figure(NamedTuple):
    """One measured figure, in its unit, and what others took for the same."""

    name: str
    value: float
    unit: str
    peers: Mapping[str, float]


def invocation(number: int) -> Invocation:
    """Return one call as the engine records it."""
    tool = TOOLS[number % len(TOOLS)]
    success = number % 7 != 0
    content = {
        "files_modified": ["src/app.py"], "files_created": [], "exit_code": 0 if success else 1,
        "attempt": 1, "outcome": "edited" if success else "timeout", "duration_sec": 12.5,
        "fallback": number % 5 == 1, "cost_usd": 0.0125,
    }  # fmt: skip
    return Invocation(
        run_id=f"run-{number // 1000}",
        ws_id=f"ws-{number % 50}",
        tool_id=tool,
        capability="code_generation",
        payload={"prompt": "Create a simple add(a, b) function with a docstring",
                 "files": ["src/app.py"], "timeout_ms": 60000, "max_retries": 1},
        result=InvocationResult(success=success, message="Code generation completed",
                                content=content),
    )  # fmt: skip


# -- appends -------------------------------------------------------------------------------
def appender(folder: Path, count: int, start: Barrier, told: Queue[list[float]]) -> None:
    """Append and report how long each call took."""
    with FileTrail(folder, key=folder.parent / "key") as trail:
        records = [invocation(number) for number in range(count)]
        trail.require_writable()
        times = []
        start.wait()
        for record in records:
            begun = time.perf_counter()
            trail.append_many([record])
            times.append(time.perf_counter() - begun)
    told.put(times)


def measure_appends(folder: Path, processes: int, count: int) -> list[Figure]:
    """Append from several processes at once."""
    fork = multiprocessing.get_context("fork")
    start, told = fork.Barrier(processes + 1), fork.Queue()
    share = count // processes
    workers = [
        fork.Process(target=appender, args=(folder, share, start, told)) for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    start.wait()
    begun = time.perf_counter()
    times = sorted(seconds for _ in workers for seconds in told.get())
    took = time.perf_counter() - begun
    for worker in workers:
        worker.join()
    return [
        Figure("appends a second", len(times) / took, "/s", {}),
        Figure("append, p50", times[len(times) // 2] * 1e6, "us", {}),
        Figure("append, p99", times[len(times) * 99 // 100] * 1e6, "us", {}),
    ]


# -- reading -------------------------------------------------------------------------------
def fill(folder: Path, entries: int) -> FileTrail:
    """Write a trail of thirty days."""
    now = [FIRST_DAY]
    anchors = folder.parent / "anchors.jsonl"
    trail = FileTrail(folder, key=folder.parent / "key", anchors=anchors, clock=lambda: now[0])
    batch = 100
    for number in range(0, entries, batch):
        now[0] = FIRST_DAY + DAYS * 86_400 * number / entries
        trail.append_many([invocation(n) for n in range(number, number + batch)])
    trail.anchor()
    return trail


def best(work: Callable[[], Any], rounds: int = 5) -> float:
    """Return the least seconds of some rounds."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def measure_reading(trail: FileTrail, peers: Mapping[str, Mapping[str, float]]) -> list[Figure]:
    """Ask, count and prove."""
    recent = FIRST_DAY + (DAYS - 2) * 86_400
    asked: dict[str, Callable[[], Any]] = {
        "query, last two days, a tool": lambda: list(
            trail.query(Query(since=recent, tool_id="codex", limit=100))
        ),
        "query, last two days, failures": lambda: list(
            trail.query(Query(since=recent, success=False, limit=100))
        ),
        "query, last two days, all of a tool": lambda: list(
            trail.lines(Query(since=recent, tool_id="codex"))
        ),
        "query, all, newest 100 of a tool": lambda: list(
            trail.query(Query(tool_id="codex", limit=100))
        ),
        "query, all, a run that is not there": lambda: list(trail.query(Query(run_id="none"))),
        "stats by tool": lambda: trail.stats(by=GroupBy.TOOL),
        "verify": lambda: check(trail),
    }
    return [
        Figure(name, best(work, 3), "s", {p: t[name] for p, t in peers.items() if name in t})
        for name, work in asked.items()
    ]


def check(trail: FileTrail) -> None:
    """Verify, and see that all of it is proven."""
    report = trail.verify()
    assert report.ok, report.damage[:3]
    assert report.entries == report.proven_entries


# -- others --------------------------------------------------------------------------------
def measure_peers(folder: Path, python: str) -> dict[str, dict[str, float]]:
    """Ask jq and DuckDB the same."""
    last = sorted(path.parent.name for path in folder.glob("*/audit.jsonl"))[-2:]
    found = {}
    if shutil.which("jq"):
        found["jq"] = measure_jq(folder, last)
    probe = [python, "-c", "import duckdb"]
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        line = [python, "-c", DUCKDB, str(folder), json.dumps(last)]
        said = subprocess.run(line, capture_output=True, text=True, check=True).stdout
        found["DuckDB"] = json.loads(said.splitlines()[-1])
    return found


def measure_jq(folder: Path, last: list[str]) -> dict[str, float]:
    """Time jq on the last two days and on all of them."""
    two = [str(folder / day / "audit.jsonl") for day in last]
    everything = sorted(str(path) for path in folder.glob("*/audit.jsonl"))

    def jq(program: str, files: list[str]) -> float:
        line = ["jq", "-c", program, *files]
        return best(lambda: subprocess.run(line, stdout=subprocess.DEVNULL, check=True), 1)

    return {
        "query, last two days, a tool": jq('select(.tool_id == "codex")', two),
        "query, last two days, failures": jq("select(.result.success == false)", two),
        "query, all, a run that is not there": jq('select(.run_id == "none")', everything),
    }


# -- the table -----------------------------------------------------------------------------
def missed(figure: Figure) -> bool:
    """Tell whether a figure misses its limit."""
    kind, limit = LIMITS.get(figure.name, ("none", 0.0))
    return figure.value < limit if kind == "least" else kind == "most" and figure.value > limit


def show(figure: Figure) -> None:
    """Print a figure with its limit and the ratio to others."""
    kind, limit = LIMITS.get(figure.name, ("", 0.0))
    bound = f"at {kind} {limit:g}" if kind else ""
    ratios = "  ".join(f"{p} {v:.3f} (x{v / figure.value:.1f})" for p, v in figure.peers.items())
    verdict = "MISSED" if missed(figure) else ""
    print(
        f"{figure.name:<38}{figure.value:>12,.4g} {figure.unit:<4}{bound:<18}{verdict:<8}{ratios}"
    )


def main() -> int:
    """Measure, print, and return 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--appends", type=int, default=80_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--peers-python", default=sys.executable)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        figures = measure_appends(base / "many" / "AIM_audit", given.processes, given.appends)
        with fill(base / "one" / "AIM_audit", given.entries) as trail:
            peers = measure_peers(trail.folder, given.peers_python)
            figures += measure_reading(trail, peers)
            size = trail.stats(Query(limit=1)).log_size_bytes
    for figure in figures:
        show(figure)
    print(f"{given.entries:,} entries, {size / 1e6:,.0f} MB, {DAYS} days")
    for name in {"jq", "DuckDB"} - peers.keys():
        print(f"{name} was not asked: it is not there")
    return 1 if any(missed(figure) for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
