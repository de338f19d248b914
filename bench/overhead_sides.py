"""The sides of `bench_overhead`: where each is installed, what it needs, how one round of it is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench.overhead_meter import REDIS_SOCKET, Answer, Task, heard, total
from bench.overhead_report import Level, Row
from bench.overhead_servers import (
    ROOT,
    Unavailable,
    celery_worker,
    find_postgres,
    find_redis,
    make_database,
    postgres,
    redis,
)

# What pip is asked for. Luigi's task history does not work with SQLAlchemy 2, which DBOS needs.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "luigi": ("luigi", "sqlalchemy<2"),
    "celery": ("celery[redis]",),
    "dbos": ("dbos",),
}
_PROBE = """
import importlib.metadata as m, json, sys
print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))
"""
_ROUND_S = 120.0


class Places(NamedTuple):
    """Where peers may be installed: a folder of virtual environments, an interpreter."""

    folder: Path | None
    python: str | None

    def interpreters(self, peer: str) -> Iterable[str]:
        """Name the interpreters that may have a peer, the likeliest first."""
        if self.folder is not None:
            yield str(self.folder / peer / "bin" / "python")
        if self.python is not None:
            yield self.python
        yield sys.executable


class Side:
    """One side that can be run: its interpreter, module, task, and the rows that its answers fill."""

    def __init__(self, python: str, module: str, task: Task, env: Mapping[str, str]) -> None:
        self.python = python
        self.module = module
        self.task = task
        self.env = env
        self.rows: dict[str, Row] = {}

    def run(self, folder: Path) -> float:
        """Do one round in a fresh process and folder; return the seconds that it took.

        A failure becomes the words of the rows.
        """
        began = time.monotonic()
        try:
            self._round(folder)
        except Unavailable as reason:
            for row in self.rows.values():
                row.missing = str(reason)
        return time.monotonic() - began

    def _round(self, folder: Path) -> None:
        """Do one round and take its answers. Raises Unavailable."""
        with tempfile.TemporaryDirectory(dir=folder) as name:
            task = self.task._replace(folder=name)
            try:
                done = subprocess.run(
                    [self.python, "-W", "ignore", "-m", self.module, json.dumps(task._asdict())],
                    capture_output=True,
                    text=True,
                    timeout=_ROUND_S,
                    cwd=name,
                    env={**os.environ, "PYTHONPATH": str(ROOT), **self.env},
                )
            except subprocess.TimeoutExpired:
                raise Unavailable(f"failed: not done within {_ROUND_S:.0f} s") from None
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["silently"]
            raise Unavailable(f"failed: {said[-1][:200]}")
        for answer in heard(done.stdout.strip().splitlines()[-1]):
            self._take(answer)

    def _take(self, answer: Answer) -> None:
        """Add the samples of an answer, if its store holds an outcome of each step."""
        row = self.rows[answer.variant]
        if row.level is not Level.NOTHING and answer.recorded != total(self.task):
            raise Unavailable(f"failed: {answer.recorded} outcomes on record of {total(self.task)}")
        row.told = answer.durability
        for shape, sample in answer.samples.items():
            row.samples[shape].append(sample)

    @property
    def works(self) -> bool:
        """Tell whether another round makes sense."""
        return not any(row.missing for row in self.rows.values())


class Field:
    """All rows in the order of the table, and the sides that fill them."""

    def __init__(self, folder: Path, places: Places, counts: Mapping[str, int]) -> None:
        self.folder = folder
        self.places = places
        self.task = Task("", "", counts["independent"], counts["graph"], counts["sequence"])
        self.rows: list[Row] = []
        self.sides: list[Side] = []
        self.versions: dict[str, str] = {}

    def line_up(self, stack: ExitStack) -> None:
        """Start what the sides need, for as long as the stack stands."""
        for durability, level in (("FULL", Level.DISK), ("NORMAL", Level.SOON)):
            task = self.task._replace(durability=durability)
            side = Side(sys.executable, "bench.overhead_penstock", task, {})
            self._enter(side, {"": Row("penstock", level, durability)})
        self._luigi()
        for setting, level in (("always", Level.DISK), ("everysec", Level.SOON)):
            self._celery(stack, setting, level)
        self._dbos(stack)

    def _enter(self, side: Side | None, rows: Mapping[str, Row]) -> None:
        """Add rows, and the side that fills them if there is one."""
        self.rows += rows.values()
        if side is not None:
            side.rows |= rows
            self.sides.append(side)

    def _try(self, rows: Mapping[str, Row], make: Callable[[], Side]) -> None:
        """Add rows with their side, or with the reason why it cannot be had."""
        try:
            self._enter(make(), rows)
        except Unavailable as reason:
            for row in rows.values():
                row.missing = str(reason)
            self._enter(None, rows)

    def _python(self, peer: str, *needs: str) -> str:
        """Find an interpreter that has a peer, and keep the versions. Raises Unavailable."""
        for python in self.places.interpreters(peer):
            try:
                done = subprocess.run(
                    [python, "-c", _PROBE, *needs], capture_output=True, text=True
                )
            except OSError:
                continue
            if done.returncode == 0:
                found: dict[str, str] = json.loads(done.stdout)
                if peer != "luigi" or found.get("sqlalchemy", "1") < "2":
                    self.versions |= {name: found[name] for name in found if name != "sqlalchemy"}
                    return python
        words = " ".join(f"'{word}'" for word in PACKAGES[peer])
        raise Unavailable(f"not installed: pip install {words}")

    def _luigi(self) -> None:
        """Luigi without and with its task history."""
        for kind, level, kept, needs in (
            ("none", Level.NOTHING, "as it comes", ("luigi",)),
            ("history", Level.DISK, "task history on SQLite", ("luigi", "sqlalchemy")),
        ):
            task = self.task._replace(durability=kind)
            self._try(
                {"": Row("Luigi", level, kept)},
                partial(self._luigi_side, task, needs),
            )

    def _luigi_side(self, task: Task, needs: Sequence[str]) -> Side:
        """Make one of Luigi's sides. Raises Unavailable."""
        return Side(self._python("luigi", *needs), "bench.overhead_luigi", task, {})

    def _celery(self, stack: ExitStack, setting: str, level: Level) -> None:
        """Celery with a Redis and a worker of its own."""

        def make() -> Side:
            find_redis()
            python = self._python("celery", "celery", "redis")
            path, server = stack.enter_context(redis(self.folder / f"redis-{setting}", setting))
            folder = self.folder / f"celery-{setting}"
            worker = stack.enter_context(celery_worker(folder, python, path))
            task = self.task._replace(worker=worker, server=server)
            return Side(python, "bench.overhead_celery", task, {REDIS_SOCKET: str(path)})

        self._try({"": Row("Celery", level, f"Redis appendfsync {setting}")}, make)

    def _dbos(self, stack: ExitStack) -> None:
        """DBOS on one PostgreSQL with two databases, each with its way to commit."""
        server: list[tuple[Path, int]] = []
        for setting, level in (("on", Level.DISK), ("off", Level.SOON)):

            def make(setting: str = setting) -> Side:
                find_postgres()
                python = self._python("dbos", "dbos", "psycopg")
                if not server:
                    server.append(stack.enter_context(postgres(self.folder / "postgres")))
                path, pid = server[0]
                url = make_database(path, f"dbos_{setting}", setting)
                return Side(
                    python, "bench.overhead_dbos", self.task._replace(address=url, server=pid), {}
                )

            kept = f"synchronous_commit {setting}"
            rows = {
                "step": Row("DBOS step (no intent)", level, kept),
                "workflow": Row("DBOS workflow", level, kept),
            }
            self._try(rows, make)


def install(folder: Path, peers: Sequence[str] = tuple(PACKAGES)) -> None:
    """Make a virtual environment for each peer that has none yet; pip says what it does."""
    for peer in peers:
        place = folder / peer
        if not (place / "bin" / "python").exists():
            venv.create(place, with_pip=True)
            pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, *PACKAGES[peer]], check=True)
