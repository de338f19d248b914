"""Scheduling tasks by their dependencies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import InvalidTransitionError, NotFoundError, UsageError
from penstock.schedule.tasks import ExecutionScheduler, Task, TaskStatus


def scheduler(*edges: str) -> ExecutionScheduler:
    """Tasks written as `task: needed needed`."""
    made = ExecutionScheduler()
    for edge in edges:
        task_id, _, needed = edge.partition(":")
        made.add_task(Task(task_id=task_id, depends_on=tuple(needed.split())))
    return made


def diamond() -> ExecutionScheduler:
    """d needs b and c, which need a."""
    return scheduler("d: b c", "c: a", "b: a", "a")


def ready(found: ExecutionScheduler) -> list[str]:
    """The ids of what could be started."""
    return [task.task_id for task in found.get_ready_tasks()]


def complete(found: ExecutionScheduler, *ids: str) -> None:
    """Start and complete tasks."""
    for task_id in ids:
        assert found.mark_running(task_id).status is TaskStatus.RUNNING
        assert found.mark_completed(task_id).status is TaskStatus.COMPLETED


def test_a_task_is_ready_when_all_it_needs_is_done() -> None:
    """In the order in which tasks were added."""
    found = diamond()
    assert ready(found) == ["a"]
    complete(found, "a")
    assert ready(found) == ["c", "b"]
    complete(found, "b")
    assert (ready(found), found.get_blocking_tasks("d")) == (["c"], ("c",))
    complete(found, "c", "d")
    assert (ready(found), found.is_complete(), found.has_failures()) == ([], True, False)


def test_order_and_batches_follow_the_dependencies() -> None:
    """Otherwise the order of adding; a batch holds at most so many."""
    found = scheduler("d: b c", "c: a", "b: a", "a", "e", "f")
    assert found.get_execution_order() == ("a", "e", "f", "c", "b", "d")
    assert found.get_parallel_batches(2) == (("a", "e"), ("f",), ("c", "b"), ("d",))
    assert found.get_parallel_batches() == (("a", "e", "f"), ("c", "b"), ("d",))
    assert ExecutionScheduler().get_parallel_batches() == ()


@pytest.mark.parametrize("many", [0, -1])
def test_a_batch_holds_at_least_one(many: int) -> None:
    """None at a time would never end."""
    with pytest.raises(UsageError, match="is none"):
        diamond().get_parallel_batches(many)


def test_what_depends_on_a_failure_never_starts() -> None:
    """And the whole comes to its end all the same."""
    found = diamond()
    found.mark_running("a")
    assert not found.is_complete()
    found.mark_failed("a")
    assert (ready(found), found.is_complete(), found.has_failures()) == ([], True, True)
    assert found.get_stats() == {
        "pending": 3, "ready": 0, "running": 0, "completed": 0, "failed": 1, "total": 4,
    }  # fmt: skip


def test_neighbours_can_be_asked_for() -> None:
    """Direct ones, each once."""
    found = scheduler("a", "b: a a", "c: b")
    assert found.get_dependent_tasks("a") == ("b",)
    assert found.get_dependent_tasks("c") == ()
    assert found.get_blocking_tasks("b") == ("a",)
    assert (found.can_execute("a"), found.can_execute("b")) == (True, False)


def test_cycles_are_found_and_have_no_order() -> None:
    """Each once, from its smallest id; nothing of them is ever ready."""
    found = scheduler("b: a", "a: b", "c: c")
    assert found.detect_cycles() == (("a", "b"), ("c",))
    assert ready(found) == []
    with pytest.raises(ValueError, match=r"Dependency cycle\(s\) detected: a -> b -> a; c -> c"):
        found.get_execution_order()


def test_a_dependency_may_come_later_or_never() -> None:
    """It is waited for; without it there is no order."""
    found = scheduler("b: a")
    assert (ready(found), found.get_blocking_tasks("b")) == ([], ("a",))
    with pytest.raises(ValueError, match=r"Missing dependency references: a \(needed by b\)"):
        found.get_execution_order()
    found.add_task(Task(task_id="a"))
    assert found.get_execution_order() == ("a", "b")


@pytest.mark.parametrize(
    ("move", "why"),
    [
        (
            lambda s: s.mark_running("b"),
            "b is pending, so it cannot become running; it waits for a",
        ),
        (lambda s: s.mark_completed("a"), "a is ready, so it cannot become completed"),
        (lambda s: s.mark_failed("b"), "b is pending, so it cannot become failed"),
    ],
)
def test_a_move_out_of_turn_is_refused(
    move: Callable[[ExecutionScheduler], Task], why: str
) -> None:
    """Nothing is changed by it."""
    found = scheduler("a", "b: a")
    with pytest.raises(InvalidTransitionError, match=why):
        move(found)
    assert found.get_stats()["ready"] == found.get_stats()["pending"] == 1


def test_ids_are_there_once() -> None:
    """Neither empty, nor twice, nor unknown."""
    found = scheduler("a")
    with pytest.raises(UsageError, match="needs an id"):
        found.add_task(Task(task_id=""))
    with pytest.raises(UsageError, match="'a' already"):
        found.add_tasks([Task(task_id="a")])
    with pytest.raises(NotFoundError, match="no task 'z'"):
        found.can_execute("z")


@given(st.lists(st.sets(st.integers(0, 14), max_size=4), max_size=15), st.integers(1, 4))
def test_batches_hold_every_task_once_and_after_its_needs(needs: list[set[int]], many: int) -> None:
    """Whatever the graph; only earlier tasks are needed, so there is no cycle."""
    tasks = [
        Task(task_id=str(at), depends_on=tuple(str(n) for n in sorted(wanted) if n < at))
        for at, wanted in enumerate(needs)
    ]
    batches = ExecutionScheduler(reversed(tasks)).get_parallel_batches(many)
    batch_of = {task_id: at for at, batch in enumerate(batches) for task_id in batch}
    assert sum(map(len, batches)) == len(batch_of) == len(tasks)
    assert all(1 <= len(batch) <= many for batch in batches)
    assert all(batch_of[n] < batch_of[t.task_id] for t in tasks for n in t.depends_on)
