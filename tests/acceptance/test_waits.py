"""Rate limits: a workstream that waits gives its place to others and goes on after the stated time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from penstock.engine import waiting
from penstock.engine.waiting import LONGEST_S
from penstock.errors import PenstockError
from penstock.model.times import iso, seconds
from tests.acceptance.test_resume import running, wait_for
from tests.support.pipeline import Project, says

YEAR = 365 * 86_400.0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a linter and tests."""
    return Project(tmp_path / "project")


@pytest.fixture(autouse=True)
def no_wait_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a wait of a second be worth giving a place away for."""
    monkeypatch.setattr(waiting, "SHORT_S", 0.1)


def limited(reset_in_s: float, ws_id: str = "ws-a") -> list[Mapping[str, Any]]:
    """Turns of a workstream that is told to come again later, and then does its work."""
    return [{"claim": "rate_limited", "reset_in_s": reset_in_s}, says("good\n", f"{ws_id}.txt")]


def edits(project: Project, ws_id: str) -> list[tuple[float, float]]:
    """From when until when the EDIT turns of a workstream ran."""
    found = [a for a in project.attempts(ws_id) if a.step_name == "edit"]
    return [(seconds(str(a.started_at)), seconds(str(a.completed_at))) for a in found]


def test_others_have_the_place_of_one_that_waits(project: Project) -> None:
    """With one place, the second is done before the first goes on, and not before the stated time."""
    project.configure(limits={"max_parallel": 1})
    project.bundle("ws-a", *limited(3))
    project.agent("open('ws-b.txt', 'w').write('good\\n')")
    project.bundle("ws-b", tool="agent")
    assert project.run().status == "succeeded"
    (_, refused), (again, _) = edits(project, "ws-a")
    ((other, _),) = edits(project, "ws-b")
    assert refused < other < again
    assert again - refused >= 2.9


def test_when_all_wait_the_process_sleeps_until_the_first_may_go_on(project: Project) -> None:
    """Within limits.wait_s nobody has to resume anything."""
    project.bundle("ws-a", *limited(1.6))
    project.bundle("ws-b", *limited(1.2, "ws-b"))
    began = time.monotonic()
    assert project.run().status == "succeeded"
    assert 1.2 < time.monotonic() - began < 20


def test_when_all_wait_for_too_long_the_process_ends(project: Project) -> None:
    """The run says until when, and is there to be resumed."""
    project.configure(limits={"wait_s": 1})
    project.bundle("ws-a", *limited(4))
    project.bundle("ws-b", says("good\n", "ws-b.txt"))
    assert project.run().status == "running"
    assert project.row("ws-b").integration.value == "merged"
    assert project.row("ws-a").reason == "rate_limit"
    with project.workspace() as workspace:
        reason = str(workspace.reader.get_run("run-1").reason)
    assert f"ws-a waits until {project.row('ws-a').reason_until}" in reason


def test_a_wait_goes_on_in_the_next_process(project: Project) -> None:
    """Killed in the middle of it, the run waits for the rest and no longer."""
    project.bundle("ws-a", *limited(4))
    with running(project) as child:
        wait_for(lambda: is_waiting(project))
        time.sleep(1)
        child.kill()
        child.wait()
    assert project.resume().status == "succeeded"
    (_, refused), (again, _) = edits(project, "ws-a")
    assert 3.9 <= again - refused < 15


def is_waiting(project: Project) -> bool:
    """Tell whether the workstream has been told to wait."""
    try:
        return project.row("ws-a").reason_until is not None
    except PenstockError:  # there is no journal yet, or no run in it
        return False


def shift(project: Project, by_s: float, *, told: bool) -> None:
    """Let the journal say that a wait ends at another time, and if `told` that it was said then."""
    until = iso(seconds(str(project.row("ws-a").reason_until)) + by_s)
    statements = [("UPDATE workstreams SET reason_until = ?", until)]
    if told:
        statements += [
            ("UPDATE workstreams SET updated_at = ?", iso(time.time() + by_s)),
            ("UPDATE step_attempts SET completed_at = ?", iso(time.time() + by_s)),
        ]
    with project.workspace() as workspace, closing(workspace.connection()) as database:
        for statement, value in statements:
            database.execute(statement, (value,))
        database.commit()


@pytest.mark.parametrize(
    ("by_s", "told"), [(YEAR, True), (3600.0, True), (LONGEST_S, False), (1e9, False)]
)
def test_a_wait_is_no_longer_than_was_said(project: Project, by_s: float, told: bool) -> None:
    """Told by a clock that has been set back since, or absurdly far away: a second at the most."""
    project.configure(limits={"wait_s": 1})
    project.bundle("ws-a", *limited(60))
    assert project.run().status == "running"
    shift(project, by_s, told=told)
    began = time.monotonic()
    assert project.resume().status == "succeeded"
    assert time.monotonic() - began < 15


def test_a_wait_that_may_be_true_is_believed(project: Project) -> None:
    """A day from now, told by a clock that goes right: the run waits on."""
    project.configure(limits={"wait_s": 1})
    project.bundle("ws-a", *limited(86_400))
    assert project.run().status == "running"
    until = project.row("ws-a").reason_until
    assert project.resume().status == "running"
    assert project.row("ws-a").reason_until == until
    assert len(edits(project, "ws-a")) == 1
