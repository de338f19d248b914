"""The journals that the contract of the store is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.model.records import Event
from penstock.store.api import DocumentedJournal
from penstock.store.sqlite import open_journal
from tests.support.journals import StepClock

Hear = Callable[[Event], None]
Opener = Callable[[Path, StepClock, Hear], DocumentedJournal]


def in_file(folder: Path, clock: StepClock, hear: Hear) -> DocumentedJournal:
    """A journal in a file."""
    return open_journal(folder / "state" / "p.db", clock=clock, on_event=hear)


def in_memory(folder: Path, clock: StepClock, hear: Hear) -> DocumentedJournal:
    """A journal in memory."""
    return open_journal(None, clock=clock, on_event=hear)


@pytest.fixture
def clock() -> StepClock:
    """The clock of the journal."""
    return StepClock()


@pytest.fixture
def heard() -> list[Event]:
    """The events that the observer was told."""
    return []


@pytest.fixture(params=[in_file, in_memory], ids=["sqlite-file", "sqlite-memory"])
def journal(
    request: pytest.FixtureRequest, tmp_path: Path, clock: StepClock, heard: list[Event]
) -> Iterator[DocumentedJournal]:
    """An empty journal of each kind."""
    opener: Opener = request.param
    with opener(tmp_path, clock, heard.append) as opened:
        yield opened
