"""What the bench of planning measures: 2,000 tasks in every dialect, over files that there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.bench_planning import Row, Times, missed
from bench.planning_repository import (
    AREAS,
    GROUPS,
    MODULES,
    PLANS,
    TASKS,
    TEXTS,
    file_name,
    tasks,
    write_change,
)

from penstock.planning.sources.api import ItemState
from penstock.planning.sources.reading import read_source
from penstock.planning.sources.recognise import locate


@pytest.mark.parametrize("dialect", PLANS)
def test_each_plan_has_all_tasks(dialect: str, tmp_path: Path) -> None:
    """The same ones, and as many are done."""
    word = PLANS[dialect](tmp_path)
    (found,) = locate([word], tmp_path, tmp_path, stdin=bytes)
    items = read_source(found, tmp_path).items
    done = sum(task.done for group in range(GROUPS) for task in tasks(group))
    assert len(items) == TASKS
    assert sum(item.state is ItemState.DONE for item in items) == done > 0


def test_the_tasks_are_always_the_same() -> None:
    """And of all kinds."""
    found = [list(tasks(group)) for group in range(GROUPS)]
    assert found == [list(tasks(group)) for group in range(GROUPS)]
    assert any(task.fresh for group in found for task in group)


def test_the_repository_has_as_many_files_as_it_says() -> None:
    """Each with a name of its own and a text of its language."""
    names = {file_name(area, module) for area in range(AREAS) for module in range(MODULES)}
    assert len(names) == 20_000
    assert {Path(name).suffix[1:] for name in names} == TEXTS.keys()


def test_a_change_is_one_that_can_be_read(tmp_path: Path) -> None:
    """A change of one group has its tasks."""
    write_change(tmp_path, "one", range(1))
    (found,) = locate(["openspec/changes/one"], tmp_path, tmp_path, stdin=bytes)
    assert len(read_source(found, tmp_path).items) == TASKS // GROUPS


def test_limits_hold_for_the_median() -> None:
    """That of the warm runs; the cold one is only told."""
    cold = Times(60.0, 1.0, 50.0)
    quick = Row(
        "quick", cold, [Times(4.0, 1.0, 50.0), Times(9.0, 1.0, 50.0), cold._replace(wall=1.0)], ""
    )
    slow = Row("changes", None, [Times(1.5, 1.0, 0.0)], "")
    assert missed([quick]) == []
    assert missed([quick, slow]) == ["changes: 1.50 s, at most 1.0 s"]
