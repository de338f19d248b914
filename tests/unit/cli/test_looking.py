"""Looks at a journal are spaced so that watching costs next to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.cli.looking import Pace, looker
from penstock.errors import JournalError
from penstock.model.progress import RunNow
from penstock.store.api import Journal
from penstock.wiring import open_workspace
from tests.support.boards import run_now
from tests.support.cli import bundle


class Watch:
    """A clock that each look moves on by what it takes."""

    def __init__(self, look_takes: float) -> None:
        self.now = 100.0
        self.takes = look_takes
        self.looks = 0

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def look(self, _run_id: str) -> RunNow:
        """Look, and take the time that it takes."""
        self.looks += 1
        self.now += self.takes
        return run_now()


@pytest.mark.parametrize(("takes", "looks"), [(0.0, 100), (0.001, 99), (0.1, 9)])
def test_looks_take_their_share_only(takes: float, looks: int) -> None:
    """Of a hundred seconds no more than one is spent looking, and none is sooner than a second."""
    watch = Watch(takes)
    pace = Pace(watch.look, watch.clock)
    while watch.now < 200.0 - 1e-6:
        pace.take("run-1")
        watch.now += 0.25
    assert abs(watch.looks - looks) <= 2
    assert watch.looks * takes <= 1.2


def test_without_a_run_there_is_nothing_to_look_at() -> None:
    """Before the first event names the run, and without anything to look with, nothing happens."""
    watch = Watch(0.0)
    assert Pace(watch.look, watch.clock).take("") is None
    assert Pace(None).take("run-1") is None
    assert watch.looks == 0


def test_a_run_is_seen_once_it_is_there(repo: Path, journal: Journal) -> None:
    """A run that is not in the journal yet is nothing to see; then it is, with its workstreams."""
    with open_workspace(repo) as workspace:
        look = looker(workspace)
        assert look("run-1") is None
        journal.create_run("run-1")
        journal.add_workstream("run-1", "ws-one", metadata={"bundle": bundle("ws-one")})
        found = look("run-1")
    assert found is not None
    assert [view.ws_id for view in found.workstreams] == ["ws-one"]


def test_a_journal_that_is_not_there_is_looked_for_again(repo: Path) -> None:
    """Before the first run there is no database, which is no error for who watches."""
    with open_workspace(repo) as workspace:
        assert looker(workspace)("run-1") is None
        with pytest.raises(JournalError):
            workspace.existing_journal()
