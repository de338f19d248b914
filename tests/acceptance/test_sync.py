"""From plan to run to plan again: what is done is written back, and nothing is left to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.planning.sources.api import Dialect
from tests.support.repos import git, state_of
from tests.support.syncing import PLANS, plan, plan_project, script, sync


@pytest.mark.parametrize("dialect", list(Dialect))
def test_after_the_round_there_is_nothing_to_do(dialect: Dialect, tmp_path: Path) -> None:
    """Plan, run, sync, integrate, plan: every item is done, in every dialect."""
    word, files = PLANS[dialect]
    project = plan_project(tmp_path / "project", files)
    first = plan(project, word)
    assert (first.items.planned, first.items.needs_scope) == (3, 0)
    script(project)
    assert project.run().status == "succeeded"
    before = state_of(project.root)
    made = sync(project)
    assert made.commit is not None
    assert state_of(project.root) == before
    git(project.root, "merge", "--quiet", "--ff-only", "integration/run-1")
    again = plan(project, word)
    assert (again.items.planned, again.items.done, again.bundles) == (0, first.items.total, ())
