"""A tool that has run into a limit is spared by the other workstreams that want it."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.model.records import Attempt
from penstock.model.times import seconds
from tests.support.pipeline import Project, says

RESET_S = 4.0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One workstream that is limited at once, and two more of the same tool behind it."""
    project = Project(tmp_path / "project")
    project.configure(limits={"max_parallel": 1})
    limited = {"claim": "rate_limited", "reset_in_s": RESET_S}
    project.bundle("ws-a", limited, says("good\n"))
    for ws_id in ("ws-b", "ws-c"):
        project.bundle(ws_id, says("good\n", f"{ws_id}.txt"))
    return project


def first_edit(project: Project, ws_id: str) -> Attempt:
    """Return the first turn of a workstream."""
    return project.attempts(ws_id)[0]


def test_nobody_runs_into_the_limit_a_second_time(project: Project) -> None:
    """The others of the tool begin only when its limit has ended, and all are done."""
    assert project.run().status == "succeeded"
    limited = seconds(first_edit(project, "ws-a").completed_at or "")
    others = [seconds(first_edit(project, ws_id).started_at or "") for ws_id in ("ws-b", "ws-c")]
    assert min(others) - limited >= RESET_S - 1.0


def test_another_tool_takes_its_place(project: Project) -> None:
    """What has another tool goes on meanwhile."""
    project.agent("open('ws-d.txt', 'w').write('good')")
    project.bundle("ws-d", tool="agent")
    assert project.run().status == "succeeded"
    done = seconds(project.attempts("ws-d")[0].completed_at or "")
    assert done < seconds(project.attempts("ws-a")[1].started_at or "")
