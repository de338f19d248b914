"""What a workstream takes, estimated, and how a large one is cut into parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from penstock.planning.drafting.api import PlanOptions
from penstock.planning.drafting.tasks import Task
from penstock.planning.sources.api import Use

BYTES_PER_TOKEN: Final = 4
"""Characters of a token: the context estimate is 0.25 tokens per character."""
BYTES_PER_LINE: Final = 36
LINES_PER_NEW_FILE: Final = 120
LINES_PER_TASK: Final = 40
"""Lines that a task changes in a file that is there, at most all of it."""

Sizes = Callable[[str], int]


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """How large a workstream is: exact in files and tasks, a rough guess in lines and tokens."""

    files: int
    tasks: int
    lines: int
    tokens: int

    def beyond(self, options: PlanOptions) -> tuple[str, ...]:
        """Return what exceeds a limit, in words; empty when nothing does."""
        limits = (
            (self.files, options.max_files, "files"),
            (self.tasks, options.max_tasks, "tasks"),
            (self.lines, options.max_lines, "lines"),
            (self.tokens, options.max_context_tokens, "context tokens"),
        )
        return tuple(f"{n} {what} (limit {most})" for n, most, what in limits if n > most)


class Meter:
    """Adds up what tasks take; `sizes` gives the bytes of a path and is asked once for each."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._known: dict[str, int] = {}

    def measure(self, tasks: Iterable[Task]) -> Amount:
        """Estimate what tasks take together."""
        tally = Tally(self)
        for task in tasks:
            tally.add(task)
        return tally.amount

    def size(self, path: str) -> int:
        """Return the bytes of a path, 0 when it is not there."""
        if path not in self._known:
            self._known[path] = max(0, self._sizes(path))
        return self._known[path]


class Tally:
    """A running total over tasks: each file's bytes count once."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._lines: dict[str, int] = {}
        self._read: set[str] = set()
        self._claims: set[str] = set()
        self._tasks = 0
        self._bytes = 0

    def add(self, task: Task) -> None:
        """Count a task in."""
        self._tasks += 1
        self._bytes += len(task.item.text) + len(task.item.details)
        for path in task.paths(Use.CREATE):
            self._touch(path, LINES_PER_NEW_FILE, LINES_PER_NEW_FILE)
        for path in task.paths(Use.MODIFY):
            there = self._meter.size(path) // BYTES_PER_LINE or LINES_PER_TASK
            self._touch(path, LINES_PER_TASK, there)
        for path in task.paths(Use.READ):
            self._look(path)

    def copy(self) -> Tally:
        """Return a tally that goes on from here by itself."""
        twin = Tally(self._meter)
        twin._lines, twin._read = dict(self._lines), set(self._read)
        twin._claims, twin._tasks, twin._bytes = set(self._claims), self._tasks, self._bytes
        return twin

    def _touch(self, path: str, lines: int, most: int) -> None:
        before = self._lines.get(path, 0)
        self._claims.add(path)
        self._lines[path] = max(before, min(before + lines, most))
        self._look(path)

    def _look(self, path: str) -> None:
        if path not in self._read:
            self._read.add(path)
            self._bytes += self._meter.size(path)

    @property
    def amount(self) -> Amount:
        """What all tasks so far take."""
        return Amount(
            files=len(self._claims),
            tasks=self._tasks,
            lines=sum(self._lines.values()),
            tokens=self._bytes // BYTES_PER_TOKEN,
        )


def pack(chunks: Sequence[Sequence[Task]], meter: Meter, options: PlanOptions) -> list[list[int]]:
    """Fill parts with chunks in their order, each as far as the limits let it; return task numbers.

    A chunk that is beyond a limit on its own is a part of its own.
    """
    parts: list[list[int]] = []
    tally = Tally(meter)
    for chunk in chunks:
        trial = tally.copy()
        for task in chunk:
            trial.add(task)
        if not parts or trial.amount.beyond(options):
            parts.append([])
            trial = Tally(meter)
            for task in chunk:
                trial.add(task)
        parts[-1] += (task.at for task in chunk)
        tally = trial
    return parts
