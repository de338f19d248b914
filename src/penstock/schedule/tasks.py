"""Scheduling tasks by their dependencies: what is ready, in which order, what may run side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import field

from penstock.errors import (
    BundleCycleError,
    BundleDependencyError,
    InvalidTransitionError,
    NotFoundError,
    UsageError,
)
from penstock.schedule.graph import cycles_message, find_cycles


class TaskStatus(StrEnum):
    """How far a task is; READY is a pending one of which nothing stands in the way."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One task: its id, the ids of those it needs first, and whatever its caller keeps with it."""

    task_id: str
    depends_on: tuple[str, ...] = ()
    status: TaskStatus = TaskStatus.PENDING
    metadata: dict[str, Any] = field(default_factory=dict)


class ExecutionScheduler:
    """Tasks with their dependencies. It starts nothing; it says what may be started.

    Tasks may be added in any order; one whose dependency is not there (yet) waits for it. Methods
    that name a task raise NotFoundError when there is none of that id. Not for several threads.
    """

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self._tasks: dict[str, Task] = {}
        self._dependents: dict[str, list[str]] = {}
        self.add_tasks(tasks)

    def add_task(self, task: Task) -> None:
        """Add a task. Raises UsageError for an empty id and for one that is taken."""
        if not task.task_id:
            raise UsageError("a task needs an id")
        if task.task_id in self._tasks:
            raise UsageError(f"there is a task {task.task_id!r} already")
        self._tasks[task.task_id] = task
        for needed in dict.fromkeys(task.depends_on):
            self._dependents.setdefault(needed, []).append(task.task_id)

    def add_tasks(self, tasks: Iterable[Task]) -> None:
        """Add several tasks. Raises UsageError."""
        for task in tasks:
            self.add_task(task)

    def get_task(self, task_id: str) -> Task:
        """Return a task as it is now, READY when it could be started."""
        if task_id not in self._tasks:
            raise NotFoundError(f"there is no task {task_id!r}")
        task = self._tasks[task_id]
        if task.status is TaskStatus.PENDING and not self._blocking(task):
            return msgspec.structs.replace(task, status=TaskStatus.READY)
        return task

    def get_ready_tasks(self) -> tuple[Task, ...]:
        """Return the tasks that could be started now, in the order in which they were added."""
        tasks = map(self.get_task, self._tasks)
        return tuple(task for task in tasks if task.status is TaskStatus.READY)

    def can_execute(self, task_id: str) -> bool:
        """Tell whether a task could be started now."""
        return self.get_task(task_id).status is TaskStatus.READY

    def get_blocking_tasks(self, task_id: str) -> tuple[str, ...]:
        """Return the direct dependencies of a task that are not completed."""
        return self._blocking(self.get_task(task_id))

    def get_dependent_tasks(self, task_id: str) -> tuple[str, ...]:
        """Return the tasks that directly depend on a task."""
        return tuple(self._dependents.get(self.get_task(task_id).task_id, ()))

    def detect_cycles(self) -> tuple[tuple[str, ...], ...]:
        """Return the dependency cycles, each once, starting at its smallest id."""
        return tuple(find_cycles(self._graph()))

    def get_execution_order(self) -> tuple[str, ...]:
        """Return all ids so that each follows its dependencies, otherwise as they were added.

        Raises BundleCycleError and BundleDependencyError, both ValueErrors, when there is none.
        """
        return tuple(task_id for batch in self._levels() for task_id in batch)

    def get_parallel_batches(self, max_parallel: int = 5) -> tuple[tuple[str, ...], ...]:
        """Return all ids in batches of at most `max_parallel`, each after those it depends on.

        Raises UsageError for less than one at a time, BundleCycleError, BundleDependencyError.
        """
        if max_parallel < 1:
            raise UsageError(f"{max_parallel} tasks at a time is none")
        return tuple(
            tuple(level[at : at + max_parallel])
            for level in self._levels()
            for at in range(0, len(level), max_parallel)
        )

    def mark_running(self, task_id: str) -> Task:
        """Note that a ready task was started. Raises InvalidTransitionError."""
        return self._move(task_id, TaskStatus.READY, TaskStatus.RUNNING)

    def mark_completed(self, task_id: str) -> Task:
        """Note that a running task is done. Raises InvalidTransitionError."""
        return self._move(task_id, TaskStatus.RUNNING, TaskStatus.COMPLETED)

    def mark_failed(self, task_id: str) -> Task:
        """Note that a running task failed: what depends on it never starts.

        Raises InvalidTransitionError.
        """
        return self._move(task_id, TaskStatus.RUNNING, TaskStatus.FAILED)

    def get_stats(self) -> dict[str, int]:
        """Return how many tasks there are by status, and in all (`total`)."""
        counts = dict.fromkeys([status.value for status in TaskStatus], 0)
        for task_id in self._tasks:
            counts[self.get_task(task_id).status.value] += 1
        return counts | {"total": len(self._tasks)}

    def is_complete(self) -> bool:
        """Tell whether nothing runs and nothing more can be started."""
        stats = self.get_stats()
        return stats[TaskStatus.RUNNING.value] == stats[TaskStatus.READY.value] == 0

    def has_failures(self) -> bool:
        """Tell whether a task failed."""
        return any(task.status is TaskStatus.FAILED for task in self._tasks.values())

    def _move(self, task_id: str, before: TaskStatus, to: TaskStatus) -> Task:
        task = self.get_task(task_id)
        if task.status is not before:
            waits = ", ".join(self._blocking(task)) if task.status is TaskStatus.PENDING else ""
            why = f"; it waits for {waits}" if waits else ""
            raise InvalidTransitionError(
                f"task {task_id} is {task.status.value}, so it cannot become {to.value}{why}"
            )
        self._tasks[task_id] = msgspec.structs.replace(task, status=to)
        return self._tasks[task_id]

    def _blocking(self, task: Task) -> tuple[str, ...]:
        return tuple(
            needed
            for needed in dict.fromkeys(task.depends_on)
            if needed not in self._tasks or self._tasks[needed].status is not TaskStatus.COMPLETED
        )

    def _graph(self) -> Mapping[str, tuple[str, ...]]:
        return {
            task_id: tuple(n for n in dict.fromkeys(task.depends_on) if n in self._tasks)
            for task_id, task in self._tasks.items()
        }

    def _levels(self) -> list[list[str]]:
        """Return the ids by the length of the longest way to them (Kahn's algorithm)."""
        self._require_order()
        graph = self._graph()
        place = {task_id: at for at, task_id in enumerate(graph)}
        missing = {task_id: len(needed) for task_id, needed in graph.items()}
        level = [task_id for task_id in graph if not missing[task_id]]
        levels: list[list[str]] = []
        while level:
            levels.append(level)
            freed = [self._freed(done, missing) for done in level]
            level = sorted((t for some in freed for t in some), key=place.__getitem__)
        return levels

    def _freed(self, done: str, missing: dict[str, int]) -> list[str]:
        """Count a task off its dependents' needs; return those that need nothing more."""
        dependents = self._dependents.get(done, ())
        for task_id in dependents:
            missing[task_id] -= 1
        return [task_id for task_id in dependents if not missing[task_id]]

    def _require_order(self) -> None:
        gone = {
            f"{needed} (needed by {task.task_id})"
            for task in self._tasks.values()
            for needed in task.depends_on
            if needed not in self._tasks
        }
        if gone:
            raise BundleDependencyError(f"Missing dependency references: {', '.join(sorted(gone))}")
        if cycles := self.detect_cycles():
            raise BundleCycleError(cycles_message(cycles))
