"""What every side of `bench_overhead` shares: its task, its clock, and the words it answers with.

Imported by penstock's side and, in interpreters of their own, by the peers' sides, so it needs
nothing but the standard library.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

WARM_UP = 20
REDIS_SOCKET = "PENSTOCK_BENCH_REDIS"  # the variable that tells Celery where its Redis listens
_SCHEDULED = 2  # CPUCLOCK_SCHED of the kernel: nanoseconds on a processor, all threads


class Task(NamedTuple):
    """What a side is to do: numbers of steps, its durability, where, and who works for it."""

    folder: str
    durability: str
    independent: int = 1000
    graph: int = 200
    sequence: int = 100
    address: str = ""
    worker: int = 0
    server: int = 0


class Sample(NamedTuple):
    """One shape done once: steps, seconds of wall, of CPU of each part, of the disk just before."""

    steps: int
    wall: float
    own: float
    worker: float
    server: float
    disk: float = 0.0


class Answer(NamedTuple):
    """What a side did: samples by shape, outcomes found on record, what its store says of itself."""

    variant: str
    samples: dict[str, Sample]
    recorded: int
    durability: str


def read_task() -> Task:
    """Read what this process is to do from its only argument."""
    return Task(**json.loads(sys.argv[1]))


def tell(answers: Sequence[Answer]) -> None:
    """Print what was measured as the last line."""
    values: list[dict[str, Any]] = [answer._asdict() for answer in answers]
    for value in values:
        value["samples"] = {name: one._asdict() for name, one in value["samples"].items()}
    print(json.dumps(values), flush=True)


def heard(line: str) -> list[Answer]:
    """Read back what `tell` printed."""
    return [
        Answer(**{**told, "samples": {k: Sample(**v) for k, v in told["samples"].items()}})
        for told in json.loads(line)
    ]


def graph_of(nodes: int) -> list[tuple[int, ...]]:
    """Give the parents of each node: up to three among the twenty before it, always the same."""
    rng = random.Random(4)  # noqa: S311 - the shape of a graph is no secret
    return [
        tuple(sorted(rng.sample(range(max(0, n - 20), n), min(n, rng.randrange(4)))))
        for n in range(nodes)
    ]


def waves_of(parents: Sequence[Sequence[int]]) -> list[list[int]]:
    """Group the nodes into waves: each after the last of its parents."""
    depth: list[int] = []
    for above in parents:
        depth.append(1 + max((depth[n] for n in above), default=-1))
    return [[n for n, d in enumerate(depth) if d == level] for level in sorted(set(depth))]


def own_cpu() -> float:
    """Seconds of CPU of this process with its threads, and of its children that ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def tree_cpu(pid: int) -> float:
    """Seconds of CPU of a process, its living descendants, and those of its children that ended."""
    if not pid:
        return 0.0
    children = _children()
    total, waiting = _reaped(pid), [pid]
    while waiting:
        one = waiting.pop()
        waiting += children.get(one, [])
        total += _clock(one)
    return total


def _clock(pid: int) -> float:
    """Read the CPU clock of another process, in nanoseconds unlike the ticks of /proc."""
    try:
        return time.clock_gettime((~pid << 3) | _SCHEDULED)
    except OSError:
        return 0.0  # it ended meanwhile: its time is with its parent now


def _stat(pid: int) -> list[str]:
    """Read the fields of /proc/PID/stat that follow the name."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _reaped(pid: int) -> float:
    """Seconds of CPU of those children of a process that ended and were waited for."""
    fields = _stat(pid)
    ticks = int(fields[13]) + int(fields[14]) if fields else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def _children() -> Mapping[int, list[int]]:
    """List the children of every process."""
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            found.setdefault(int(fields[1]), []).append(int(folder.name))
    return found


def measure(task: Task, steps: int, action: Callable[[], object]) -> Sample:
    """Do something of so many steps once, and tell what it took."""
    gc.collect()
    disk = probe(task.folder)
    worker, server, own = tree_cpu(task.worker), tree_cpu(task.server), own_cpu()
    began = time.perf_counter()
    action()
    wall = time.perf_counter() - began
    own = own_cpu() - own
    worker, server = tree_cpu(task.worker) - worker, tree_cpu(task.server) - server
    return Sample(steps, wall, own, worker, server, disk)


def probe(folder: str, writes: int = 9) -> float:
    """Seconds until 4 KiB more of a file in a folder are on the disk: the median of some."""
    found = []
    with tempfile.TemporaryFile(dir=folder or None, buffering=0) as file:
        for _ in range(writes):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            found.append(time.perf_counter() - began)
    return statistics.median(found)


def measure_all(
    task: Task,
    independent: Callable[[int], object],
    graph: Callable[[Sequence[Sequence[int]]], object],
    sequence: Callable[[int], object],
) -> dict[str, Sample]:
    """Do each of the three shapes once, after a warm-up that does not count."""
    sequence(WARM_UP)
    parents = graph_of(task.graph)
    return {
        "independent": measure(task, task.independent, lambda: independent(task.independent)),
        "graph": measure(task, task.graph, lambda: graph(parents)),
        "sequence": measure(task, task.sequence, lambda: sequence(task.sequence)),
    }


def total(task: Task) -> int:
    """Give the number of steps of one side, its warm-up included."""
    return WARM_UP + task.independent + task.graph + task.sequence


def peer(name: str) -> Any:
    """Import a package of a peer, which this project neither needs nor has types of."""
    return importlib.import_module(name)
