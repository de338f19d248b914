"""The rows of a watched run follow its events, and what the journal says."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.cli.board import Board, Row
from penstock.model.events import EventType
from penstock.model.progress import Usage
from tests.support.boards import event, run_now, story, view


def told() -> Board:
    """Return the board after the story."""
    board = Board(["ws-a", "ws-waiting"])
    for one in story():
        board.event(one, 4.0)
    return board


def after(*events: tuple[EventType, dict[str, Any]]) -> Row:
    """Return the row of ws-a after the story and more events."""
    board = told()
    for kind, payload in events:
        board.event(event(kind, **payload), 9.0)
    return board.rows["ws-a"]


CHANGED, STARTED = EventType.WORKSTREAM_STATUS_CHANGED, EventType.STEP_STARTED
WAITING, STEP_END = EventType.WORKSTREAM_WAITING, EventType.STEP_END


def test_a_row_tells_state_step_tool_and_time() -> None:
    """What is under way is there as soon as its event is."""
    row = told().rows["ws-a"]
    assert (row.state, row.step, row.attempt, row.tool, row.began) == (
        "ready_for_static", "edit", 1, "claude-cli", 4.0,
    )  # fmt: skip
    assert row.working


def test_an_end_freezes_the_clock_and_shows_the_reason() -> None:
    """A failed workstream shows why, and its time stands still."""
    row = after((CHANGED, {"to": "failed", "reason": "edit: denied"}))
    assert (row.state, row.step, row.ended, row.last) == ("failed", "", 9.0, "edit: denied")
    assert row.lost
    assert not row.working


def test_an_unknown_workstream_gets_a_row() -> None:
    """A workstream that was not announced appears when something happens to it."""
    board = Board()
    board.event(event(EventType.WORKSTREAM_START, "ws-new"), 1.0)
    board.output("ws-new", "   ")
    assert board.rows["ws-new"].last == ""
    board.output("ws-new", "a \x1b[31mline")
    assert board.rows["ws-new"].last == "a [31mline"


def test_waiting_and_going_on() -> None:
    """What waits is not at work; when it goes on, why it waited is forgotten."""
    row = after((WAITING, {"reason": "rate_limit", "until": "2026-01-31T10:30:00.000000Z"}))
    assert (row.waiting, row.working, row.step) == ("rate_limit", False, "")
    row = after((WAITING, {"reason": "rate_limit"}), (STARTED, {"step": "edit", "attempt": 2}))
    assert (row.waiting, row.working, row.attempt, row.last) == ("", True, 2, "")
    row = after((WAITING, {"reason": "budget"}), (CHANGED, {"to": "static_check"}))
    assert (row.waiting, row.last) == ("", "")


@pytest.mark.parametrize(
    ("kind", "merge", "lost"),
    [
        (EventType.MERGE_QUEUED, "queued", False),
        (EventType.MERGED, "merged", False),
        (EventType.MERGE_CONFLICT, "conflict", True),
        (EventType.MERGE_REJECTED, "rejected", True),
    ],
)
def test_the_way_of_a_merge(kind: EventType, merge: str, lost: bool) -> None:
    """A done workstream shows how far it is integrated; one that cannot be is lost."""
    row = after((CHANGED, {"to": "done"}), (kind, {}))
    assert (row.merge, row.lost, row.working) == (merge, lost, False)


def test_a_merge_that_is_mended_is_work() -> None:
    """Turns for the merge of a done workstream show as work, and end with their step."""
    row = after((CHANGED, {"to": "done"}), (STARTED, {"step": "integrate", "attempt": 1}))
    assert (row.working, row.ended) == (True, None)
    row = after(
        (CHANGED, {"to": "done"}), (STARTED, {"step": "integrate", "attempt": 1}), (STEP_END, {})
    )
    assert (row.working, row.ended) == (False, 9.0)


def test_a_step_shows_until_the_next_begins() -> None:
    """Between two steps the row does not flicker."""
    row = after((STEP_END, {"step": "static", "success": True}))
    assert row.step == "edit"
    assert row.last == "static passed"


def test_a_look_brings_what_no_event_tells() -> None:
    """Costs, states from before the watching, and why something waits come from the journal."""
    board = told()
    used = Usage(turns=1, input_tokens=5, output_tokens=2, cost_usd=0.1)
    board.look(
        run_now(
            view("ws-a", "runtime_tests", step="runtime", attempt=2, tool_id="pytest", usage=used),
            view("ws-waiting", waiting="dependency", reason="dependency: waits for ws-a"),
            view("ws-old", "failed", reason="no good"),
        )
    )
    rows = board.rows
    assert (rows["ws-a"].tokens, rows["ws-a"].cost_usd, rows["ws-a"].step) == (7, 0.1, "runtime")
    assert (rows["ws-waiting"].waiting, rows["ws-waiting"].last) == ("dependency", "waits for ws-a")
    assert rows["ws-old"].last == "no good"
    board.look(run_now(view("ws-waiting", "editing", step="edit", attempt=1)))
    assert rows["ws-waiting"].last == ""


def test_the_run_itself_has_no_row() -> None:
    """An event of the run names it and adds no workstream."""
    board = Board()
    board.event(event(EventType.RUN_STARTED, None), 1.0)
    assert board.run_id
    assert board.rows == {}
    assert board.done == 0
