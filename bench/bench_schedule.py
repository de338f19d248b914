"""Scheduling at scale: what it costs to know what may start, and how close runs come to their bounds.

    python -m bench.bench_schedule [--rows frontier,sleepers,real,crowd]

- frontier: 10,000 workstreams with 30,000 dependencies; the mean time, over all completions, of
  telling the frontier that one has ended and asking it until nothing more may start. Target 1 ms.
  Beside it the same with hundreds in each conflict group, with overlapping claims and limited
  tools, and what working out all verdicts anew costs.
- sleepers: a layered graph of 1,000 that each sleep 10 ms in a thread, on 8 slots. Target: within
  1.10 of the lower bound, max(critical path, work / slots).
- real: 200 workstreams with a tool that takes 1 s, through `penstock run --max-parallel 8`, with
  worktrees, commits and merges. Target: within 1.25 of 200 s / 8.
- crowd: 200 workstreams at once whose tools sleep, through `penstock run --max-parallel 200`. Memory
  and time on the processor of penstock itself while all of them sleep. Targets: 200 MB resident,
  5 % of a core.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import convert

from penstock.model.bundle import Bundle
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.schedule.estimate import critical_path
from penstock.schedule.frontier import Capacity, Frontier
from penstock.schedule.readiness import Readiness
from penstock.wiring import create_repository

DONE, MERGED = WorkstreamState.DONE, IntegrationState.MERGED
MANY, SLOTS = 10_000, 8
LAYERS, LAYER, SLEEP_S = 50, 20, 0.010
REAL, CROWD, CROWD_SLEEP_S = 200, 200, 45
MIB = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
# A tool that takes its time and changes the one file that it is given.
TOOL = 'sleep "$1"\nprintf "done\\n" >> "$2"\n'


def make(number: int, **fields: Any) -> dict[str, Any]:
    """A workstream with a file of its own."""
    name = f"ws-{number:05}"
    return {
        "id": name,
        "openspec_change": "c",
        "ccpm_issue": number,
        "gate": 1,
        "files_scope": [f"src/area{number % 100}/{name}.txt"],
        "tasks": ["change the file"],
        "tool": "slow",
        **fields,
    }


def seeded(seed: int) -> random.Random:
    """The same numbers each time."""
    return random.Random(seed)  # noqa: S311 - no secret is made of them


def random_graph(rng: random.Random, contended: bool) -> list[Bundle]:
    """MANY workstreams, each with three of the 300 before it as dependencies; `contended` puts
    most of them into conflict groups, lets claims overlap and gives them a few tools."""
    found = []
    for at in range(MANY):
        before = range(max(0, at - 300), at)
        above = [f"ws-{n:05}" for n in rng.sample(before, min(3, len(before)))]
        fields: dict[str, Any] = {"depends_on": above}
        if contended:
            fields["tool"] = f"tool{at % 4}"
            fields["conflict_group"] = f"group{at % 20}" if at % 2 else None
            if at % 10 == 0:
                fields["files_scope"] = [f"src/area{at % 100}/**"]
        found.append(convert(make(at, **fields), Bundle))
    return found


def tool_key(bundle: Bundle) -> Sequence[str]:
    """The key of a workstream's tool."""
    return (f"tool:{bundle.tool}",)


def play(frontier: Frontier, rng: random.Random) -> list[float]:
    """Start and end everything, at random among those at work; return the seconds of each turn."""
    times: list[float] = []
    running: list[str] = []
    while True:
        began = time.perf_counter()
        while (ws := frontier.next(0.0)) is not None:
            frontier.start(ws)
            running.append(ws)
        times.append(time.perf_counter() - began)
        if not running:
            return times
        ended = running.pop(rng.randrange(len(running)))
        began = time.perf_counter()
        frontier.stop(ended)
        frontier.record(ended, DONE, MERGED)
        times[-1] += time.perf_counter() - began


def frontier_rows() -> Iterator[tuple[str, str, str]]:
    """What it costs to know what may start."""
    keys = {f"tool:tool{number}": 3 for number in range(4)}
    for contended in (False, True):
        bundles = random_graph(seeded(4), contended)
        edges = sum(len(b.depends_on) for b in bundles)
        began = time.perf_counter()
        capacity = Capacity(total=SLOTS, keys=keys if contended else {})
        frontier = Frontier(bundles, capacity=capacity, keys_of=tool_key)
        built = time.perf_counter() - began
        times = play(frontier, seeded(5))
        assert len(times) == MANY + 1
        mean = sum(times) / len(times) * 1e3
        name = "with groups, overlaps, tools" if contended else f"{MANY:,} with {edges:,} edges"
        yield f"frontier, {name}", f"{mean:.3f} ms each", f"{mean / 1.0:.2f} of 1 ms"
        yield "  the slowest of them", f"{max(times) * 1e3:.2f} ms", ""
        yield "  building it", f"{built * 1e3:.0f} ms", ""
    bundles = random_graph(seeded(4), contended=False)
    known = Readiness(bundles)
    began = time.perf_counter()
    for _ in range(10):
        known.verdicts({})
    anew = (time.perf_counter() - began) / 10 * 1e3
    yield "all verdicts anew", f"{anew:.1f} ms each", ""


def layered_graph(rng: random.Random) -> list[Bundle]:
    """LAYERS layers; each workstream waits for three of the layer above."""
    found = []
    for at in range(LAYERS * LAYER):
        first = (at // LAYER - 1) * LAYER
        above = rng.sample(range(first, first + LAYER), 3) if at >= LAYER else []
        found.append(convert(make(at, depends_on=[f"ws-{n:05}" for n in above]), Bundle))
    return found


def sleep_through(bundles: Sequence[Bundle]) -> float:
    """Run a graph of sleepers in a thread for each slot; return the seconds."""
    frontier = Frontier(bundles, capacity=Capacity(total=SLOTS))
    begun: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    ended: queue.SimpleQueue[str] = queue.SimpleQueue()

    def work() -> None:
        while (name := begun.get()) is not None:
            time.sleep(SLEEP_S)
            ended.put(name)

    for _ in range(SLOTS):
        threading.Thread(target=work).start()
    began = time.perf_counter()
    while True:
        while (ws := frontier.next(0.0)) is not None:
            frontier.start(ws)
            begun.put(ws)
        if not frontier.at_work:
            break
        ws = ended.get()
        frontier.stop(ws)
        frontier.record(ws, DONE, MERGED)
    took = time.perf_counter() - began
    for _ in range(SLOTS):
        begun.put(None)
    return took


def sleeper_rows() -> Iterator[tuple[str, str, str]]:
    """How close a graph of sleepers comes to its lower bound."""
    bundles = layered_graph(seeded(6))
    longest = critical_path(bundles, lambda _ws: SLEEP_S)[1]
    bound = max(longest, len(bundles) * SLEEP_S / SLOTS)
    took = sorted(sleep_through(bundles) for _ in range(3))[1]
    yield (
        f"{len(bundles):,} sleepers of 10 ms, {SLOTS} slots",
        f"{took:.3f} s of {bound:.3f} s",
        f"{took / bound:.3f} of 1.10",
    )


def make_project(root: Path, bundles: Sequence[dict[str, Any]], seconds: float) -> None:
    """Make a repository with a slow tool and no checks."""
    (root / "config").mkdir(parents=True)
    (root / "workstreams").mkdir()
    settings = {"static_tools": [], "runtime_tools": [], "durability": "normal"}
    (root / "config/pipeline.yaml").write_text(json.dumps(settings))
    (root / "tool.sh").write_text(TOOL)
    args = ["{repo_root}/tool.sh", str(seconds), "{file}"]
    profile = {"type": "ai", "command": "sh", "args": args}
    (root / "config/tool_profiles.json").write_text(json.dumps({"slow": profile}))
    for bundle in bundles:
        path = root / bundle["files_scope"][0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("first\n")
    (root / "workstreams/all.json").write_text(json.dumps(bundles))
    create_repository(root, "Files to change")


def start_run(root: Path, slots: int) -> subprocess.Popen[bytes]:
    """Start `penstock run --all`, its result into a file."""
    argv = [
        sys.executable,
        "-m",
        "penstock",
        "run",
        "--all",
        "--max-parallel",
        str(slots),
        "--json",
    ]
    with (root.parent / "result.json").open("wb") as out, (root.parent / "log").open("wb") as log:
        return subprocess.Popen(argv, cwd=root, stdin=subprocess.DEVNULL, stdout=out, stderr=log)


def finished(child: subprocess.Popen[bytes], root: Path, number: int) -> None:
    """Wait for a run and see to it that all of it is done and merged."""
    code = child.wait(timeout=1800)
    said = json.loads((root.parent / "result.json").read_bytes())
    states = [w["final_status"] for w in said.get("workstreams", [])]
    if code or states != ["done"] * number:
        raise SystemExit(f"the run exited {code}: {said}\n{(root.parent / 'log').read_text()}")
    head = subprocess.run(
        ["git", "grep", "-c", "done", f"integration/{said['run_id']}", "--", "src"],
        cwd=root, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert len(head.splitlines()) == number, "not all of it was merged"


def real_rows() -> Iterator[tuple[str, str, str]]:
    """How close a run of real workstreams comes to its lower bound."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        make_project(root, [make(at) for at in range(REAL)], 1.0)
        began = time.perf_counter()
        child = start_run(root, SLOTS)
        finished(child, root, REAL)
        took = time.perf_counter() - began
    bound = REAL * 1.0 / SLOTS
    yield (
        f"{REAL} workstreams with 1 s tools, {SLOTS} slots",
        f"{took:.1f} s of {bound:.1f} s",
        f"{took / bound:.2f} of 1.25",
    )


def sleeping(pid: int) -> int:
    """How many tools of a process sleep now."""
    try:
        children = Path(f"/proc/{pid}/task").glob("*/children")
        found = [int(word) for path in children for word in path.read_text().split()]
        return sum(_name(one) == "sh" for one in found)
    except OSError:  # a thread or the process ended meanwhile
        return 0


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def resident(pid: int) -> float:
    """The resident memory of a process in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / MIB


def on_processor(pid: int) -> float:
    """The seconds that a process itself has spent on the processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def watch_crowd(child: subprocess.Popen[bytes]) -> tuple[float, float, int]:
    """Return MiB, the share of a core, and how many slept, over ten seconds of a full house."""
    deadline = time.monotonic() + 300
    while sleeping(child.pid) < CROWD and time.monotonic() < deadline:
        if child.poll() is not None:
            raise SystemExit("the run ended before all were at work")
        time.sleep(0.2)
    number = sleeping(child.pid)
    before, began = on_processor(child.pid), time.monotonic()
    time.sleep(10)
    share = (on_processor(child.pid) - before) / (time.monotonic() - began)
    return resident(child.pid), share * 100, min(number, sleeping(child.pid))


def crowd_rows() -> Iterator[tuple[str, str, str]]:
    """What many workstreams cost whose tools only sleep."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        make_project(root, [make(at) for at in range(CROWD)], CROWD_SLEEP_S)
        child = start_run(root, CROWD)
        memory, share, number = watch_crowd(child)
        finished(child, root, CROWD)
    name = f"{number} tools asleep at once"
    yield f"{name}, resident", f"{memory:.0f} MiB", f"{memory / 190.7:.2f} of 200 MB"
    yield f"{name}, processor", f"{share:.1f} % of a core", f"{share / 5:.2f} of 5 %"


ROWS: dict[str, Callable[[], Iterator[tuple[str, str, str]]]] = {
    "frontier": frontier_rows,
    "sleepers": sleeper_rows,
    "real": real_rows,
    "crowd": crowd_rows,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default=",".join(ROWS), help="which, separated by commas")
    wanted = parser.parse_args().rows.split(",")
    print(f"scheduling, {platform.platform()}, Python {platform.python_version()}")
    for name in wanted:
        for row in ROWS[name]():
            print("{:<44}{:>24}{:>18}".format(*row), flush=True)


if __name__ == "__main__":
    main()
