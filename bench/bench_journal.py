"""What the journal costs per recorded step, beside bare SQLite, Luigi and doit.

    python bench/bench_journal.py [--steps N] [--rounds N] [--peers-python PATH] [--dir DIR]

A step is its intent and its outcome: two transactions with three rows each. The bare pair writes
the same rows of the same tables with nothing around them. Turns under caps are reserved before and
settled after, against what the workstream, the run and the day have spent. Rounds are interleaved; the figures
are medians. Luigi and doit do as many no-op steps in a process of their own, their start-up not
counted; they come from the interpreter of `--peers-python`, else from this one (extra `bench`).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from penstock.model.records import Attempt, Cap, Cost, NewAttempt, Reservation
from penstock.model.settings import Durability
from penstock.model.states import AttemptState
from penstock.model.times import iso
from penstock.store.database import open_file
from penstock.store.queries import query
from penstock.store.sqlite import SqliteJournal, open_journal

RUN = "run-1"
NORMAL_LIMIT_MS = 0.5
FULL_LIMIT_RATIO = 1.5

PEERS: Mapping[str, str] = {
    "Luigi, local scheduler": """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import luigi
done = set()
class Step(luigi.Task):
    n = luigi.IntParameter()
    def complete(self): return self.n in done
    def run(self): done.add(self.n)
steps = [Step(n=i) for i in range(int(sys.argv[1]))]
t = time.perf_counter()
ok = luigi.build(steps, local_scheduler=True, log_level="CRITICAL")
took = time.perf_counter() - t
assert ok and len(done) == len(steps)
print(json.dumps(took))
""",
    "doit, its default database": """
import json, sys, time
from doit.cmd_base import ModuleTaskLoader
from doit.doit_cmd import DoitMain
done = []
def act(i):
    done.append(i)
def task_step():
    for i in range(int(sys.argv[1])):
        yield {"name": str(i), "actions": [(act, [i])]}
loader = ModuleTaskLoader({"task_step": task_step, "DOIT_CONFIG": {"dep_file": sys.argv[2], "reporter": "zero"}})
t = time.perf_counter()
code = DoitMain(loader).run(["run"])
took = time.perf_counter() - t
assert code == 0 and len(done) == int(sys.argv[1])
print(json.dumps(took))
""",
}


class Row(NamedTuple):
    """One line of the table: milliseconds per step of each round."""

    name: str
    samples: list[float]

    @property
    def median(self) -> float:
        """The median, in milliseconds."""
        return statistics.median(self.samples)


def new_journal(path: Path, durability: Durability) -> SqliteJournal:
    """Make a journal with a run of eight workstreams that this object holds."""
    journal = open_journal(path, durability=durability)
    journal.create_run(RUN)
    for number in range(8):
        journal.add_workstream(RUN, f"ws-{number}")
    return journal


def record(journal: SqliteJournal, ws_id: str, first: int, steps: int) -> None:
    """Record so many steps of a workstream."""
    for number in range(first, first + steps):
        begun = journal.begin_attempt(
            NewAttempt(
                run_id=RUN,
                ws_id=ws_id,
                step_name="edit",
                attempt=number,
                tool_id="scripted",
                marker="m" * 26,
            )
        )
        journal.finish_attempt(begun.id, AttemptState.SUCCEEDED, exit_code=0)


def one_thread(path: Path, durability: Durability, steps: int) -> float:
    """Seconds that one thread takes, the run claimed as in real work."""
    with new_journal(path, durability) as journal:
        journal.claim_run(RUN, {"pid": 1})
        started = time.perf_counter()
        record(journal, "ws-0", 1, steps)
        return time.perf_counter() - started


def reserved_turns(path: Path, durability: Durability, steps: int) -> float:
    """Seconds that one thread takes for turns that are reserved under three caps and settled."""
    since, most = iso(time.time() - 3600), 1e5
    scopes = (("workstream", None), ("run", None), ("day", since))
    caps = tuple(Cap(name=name, max_cost_usd=most, since=since) for name, since in scopes)
    with new_journal(path, durability) as journal:
        journal.claim_run(RUN, {"pid": 1})
        started = time.perf_counter()
        for number in range(1, steps + 1):
            turn = NewAttempt(run_id=RUN, ws_id="ws-0", step_name="edit", attempt=number)
            held = Reservation(tokens=1000, cost_usd=0.02, caps=caps)
            begun = journal.begin_attempt(turn, reservation=held)
            journal.finish_attempt(begun.id, AttemptState.SUCCEEDED, cost=paid(begun))
        return time.perf_counter() - started


def paid(attempt: Attempt) -> Cost:
    """What a turn cost."""
    return Cost(
        run_id=RUN,
        ws_id=attempt.ws_id,
        step_attempt_id=attempt.id,
        model_name="m",
        input_tokens=1000,
        output_tokens=200,
        estimated_cost_usd=0.01,
        actual_cost_usd=None,
        timestamp=iso(time.time()),
    )


def eight_threads(path: Path, durability: Durability, steps: int) -> float:
    """Seconds that eight threads on one journal object take together."""
    with new_journal(path, durability) as journal:
        journal.claim_run(RUN, {"pid": 1})
        threads = [
            threading.Thread(target=record, args=(journal, f"ws-{n}", 1, steps // 8))
            for n in range(8)
        ]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (time.perf_counter() - started) * steps / (steps // 8 * 8)


def two_processes(path: Path, durability: Durability, steps: int) -> float:
    """Seconds that two processes, each with its own journal object, take together."""
    new_journal(path, durability).close()
    command = [sys.executable, __file__, "--worker", str(path), durability.value]
    pair = [
        subprocess.Popen(
            [*command, f"ws-{n}", str(steps // 2)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(2)
    ]
    for process in pair:
        assert process.stdout is not None
        process.stdout.readline()
    started = time.perf_counter()
    for process in pair:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in pair:
        process.communicate()
    return time.perf_counter() - started


def worker(path: Path, durability: str, ws_id: str, steps: str) -> None:
    """Be one of the two processes: open, say so, wait for the start, record."""
    with open_journal(path, durability=Durability(durability)) as journal:
        print("ready", flush=True)
        sys.stdin.readline()
        record(journal, ws_id, 1, int(steps))


def bare_pair(path: Path, durability: Durability, steps: int) -> float:
    """Seconds that the same rows take with nothing but two commits a step."""
    new_journal(path, durability).close()
    with closing(open_file(path, durability=durability)) as connection:
        started = time.perf_counter()
        for number in range(1, steps + 1):
            bare_step(connection, number)
        return time.perf_counter() - started


def bare_step(connection: sqlite3.Connection, number: int) -> None:
    """Write the rows of one step in two commits."""
    now, step = "2026-01-31T10:20:30.123456Z", {"step": "edit", "attempt": number}
    event = {"now": now, "run_id": RUN, "ws_id": "ws-0"}
    insert_event = query("facts.insert_event")
    connection.execute("BEGIN IMMEDIATE")
    row = {
        "run_id": RUN, "ws_id": "ws-0", "step_name": "edit", "attempt": number, "for_step": None,
        "tool_id": "scripted", "status": "running", "started_at": now, "completed_at": None,
        "result_json": None, "marker": "m" * 26, "base_commit": None,
    }  # fmt: skip
    key = connection.execute(query("attempts.insert"), row).lastrowid
    for kind, payload in (
        ("step_start", step),
        ("step_started", {"step_attempt_id": key, "tool_id": "scripted", **step, "for_step": None}),
    ):
        values = {**event, "event_type": kind, "payload_json": json.dumps(payload)}
        connection.execute(insert_event, values)
    connection.execute("COMMIT")
    connection.execute("BEGIN IMMEDIATE")
    end = {
        "id": key, "status": "succeeded", "exit_code": 0, "error_signature": None,
        "diff_hash": None, "completed_at": now, "result_json": None,
    }  # fmt: skip
    connection.execute(query("attempts.finish"), end)
    for kind, payload in (
        ("step_end", {**step, "success": True}),
        ("step_completed", {"step_attempt_id": key, "status": "succeeded", "exit_code": 0, **step}),
    ):
        values = {**event, "event_type": kind, "payload_json": json.dumps(payload)}
        connection.execute(insert_event, values)
    connection.execute("COMMIT")


WAYS: Mapping[str, Callable[[Path, Durability, int], float]] = {
    "bare pair of commits": bare_pair,
    "journal, 1 thread": one_thread,
    "journal, 1 thread, under caps": reserved_turns,
    "journal, 8 threads": eight_threads,
    "journal, 2 processes": two_processes,
}


def measure(folder: Path, steps: int, rounds: int) -> list[Row]:
    """Measure every way in both durabilities, interleaved over the rounds."""
    rows = {(d, name): Row(f"{name}, {d.name}", []) for d in Durability for name in WAYS}
    for number in range(rounds):
        for (durability, name), row in rows.items():
            place = folder / f"{number}-{durability.value}-{name.replace(' ', '_')}.db"
            row.samples.append(WAYS[name](place, durability, steps) / steps * 1000)
    return list(rows.values())


def measure_peers(python: str | None, folder: Path, steps: int, rounds: int) -> list[Row]:
    """Measure those of Luigi and doit that can be imported."""
    rows = []
    for name, code in PEERS.items():
        module = name.split(",")[0].lower()
        if python is None and importlib.util.find_spec(module) is None:
            print(f"({module} is not installed: --peers-python PATH, or the extra `bench`)")
            continue
        row, script = Row(name, []), folder / f"peer_of_{module}.py"
        script.write_text(code, encoding="utf-8")
        for number in range(rounds):
            arguments = [str(steps), str(folder / f"{module}-{number}")]
            done = subprocess.run(
                [python or sys.executable, str(script), *arguments],
                capture_output=True,
                text=True,
                check=True,
                cwd=folder,
            )
            row.samples.append(json.loads(done.stdout) / steps * 1000)
        rows.append(row)
    return rows


def show(rows: list[Row]) -> bool:
    """Print the table; tell whether the targets are met."""
    median = {row.name: row.median for row in rows}
    bare, full = median["bare pair of commits, FULL"], median["journal, 1 thread, FULL"]
    normal = median["journal, 1 thread, NORMAL"]
    print(
        f"{'ms per step (intent and outcome)':40} {'median':>8} {'min':>8} {'max':>8} {'x bare':>7}"
    )
    for row in rows:
        base = median["bare pair of commits, NORMAL"] if "NORMAL" in row.name else bare
        spread = f"{min(row.samples):8.3f} {max(row.samples):8.3f}"
        print(f"{row.name:40} {row.median:8.3f} {spread} {row.median / base:7.2f}")
    kept = normal <= NORMAL_LIMIT_MS and full <= FULL_LIMIT_RATIO * bare
    print(
        "\nLuigi keeps nothing on disk here, doit writes its file once at the end; the journal is"
    )
    print("on disk after each intent and each outcome.")
    print(f"\nNORMAL: {normal:.3f} ms, target <= {NORMAL_LIMIT_MS} ms")
    print(f"FULL: {full / bare:.2f} x the bare pair, target <= {FULL_LIMIT_RATIO}")
    print("targets met" if kept else "targets MISSED")
    return kept


def main() -> int:
    """Measure and print; exit 0 when the targets are met."""
    if sys.argv[1:2] == ["--worker"]:
        worker(Path(sys.argv[2]), *sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers-python", metavar="PATH", help="an interpreter with Luigi and doit")
    parser.add_argument("--dir", metavar="DIR", help="where the databases lie (default: temporary)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as name:
        folder = Path(name)
        rows = measure(folder, options.steps, options.rounds)
        rows += measure_peers(options.peers_python, folder, options.steps, options.rounds)
    return 0 if show(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
