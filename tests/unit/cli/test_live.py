"""Watching a run: the table fits 80 columns, the lines carry time and ids."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from penstock.cli import live, output
from penstock.model.events import EventType
from penstock.model.records import Event

RUN = "run-20260131T102030Z"


def event(kind: EventType, ws_id: str | None = "ws-a", **payload: Any) -> Event:
    """Return an event of the run."""
    return Event(
        id=1,
        timestamp="2026-01-31T10:20:31.500000Z",
        event_type=kind,
        run_id=RUN,
        ws_id=ws_id,
        payload=payload,
    )


def story() -> Iterator[Event]:
    """Yield the events of a workstream up to its first check."""
    yield event(EventType.RUN_STARTED, None)
    yield event(EventType.WORKSTREAM_STATUS_CHANGED, to="editing")
    yield event(EventType.STEP_START, step="edit", attempt=1)
    yield event(EventType.STEP_STARTED, step="edit", attempt=1, tool_id="claude-cli")
    yield event(EventType.WORKSTREAM_STATUS_CHANGED, to="ready_for_static")


def board_lines(board: live.Board, width: int) -> list[str]:
    """Return the table as lines of a terminal of that width."""
    screen = io.StringIO()
    console = Console(file=screen, width=width, color_system=None, legacy_windows=False)
    console.print(live.board_table(board, 10.0, width))
    return [line.rstrip() for line in screen.getvalue().splitlines()]


def told(ws_ids: list[str] | None = None) -> live.Board:
    """Return the board after the story."""
    board = live.Board(ws_ids or ["ws-a", "ws-waiting"])
    for one in story():
        board.event(one, 4.0)
    return board


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table_fits_the_terminal(width: int) -> None:
    """No line is wider than the terminal, however long names and output are."""
    board = told(["ws-a", "ws-" + "long" * 20])
    board.output("ws-a", "x" * 500)
    lines = board_lines(board, width)
    assert max(len(line) for line in lines) <= width


def test_the_table_tells_state_step_tool_and_time() -> None:
    """A row at 80 columns holds what is going on and the last line of the tool."""
    board = told()
    board.output("ws-a", "Applied edit to a.py")
    rows = [line.split() for line in board_lines(board, 80)]
    row = next(row for row in rows if row[:1] == ["ws-a"])
    assert " ".join(row) == "ws-a checking edit 1 claude-cli 6.0s Applied edit to a.py"
    waiting = next(row for row in rows if row[:1] == ["ws-waiting"])
    assert waiting == ["ws-waiting", "pending", "-"]


def test_an_end_freezes_the_clock_and_shows_the_reason() -> None:
    """A failed workstream shows why, and its time stands still."""
    board = told()
    changed = event(EventType.WORKSTREAM_STATUS_CHANGED, to="failed", reason="edit: denied")
    board.event(changed, 9.0)
    row = board.rows["ws-a"]
    assert (row.state, row.step, row.ended, row.last) == ("failed", "", 9.0, "edit: denied")


def test_an_unknown_workstream_gets_a_row() -> None:
    """A workstream that was not announced appears when something happens to it."""
    board = live.Board()
    board.event(event(EventType.WORKSTREAM_START, "ws-new"), 1.0)
    board.output("ws-new", "   ")
    assert board.rows["ws-new"].last == ""


def test_lines_carry_time_run_and_workstream(capsys: pytest.CaptureFixture[str]) -> None:
    """Every line of a run names the run and the workstream, on stderr."""
    with live.LineWatcher(verbose=True) as watcher:
        for one in story():
            watcher.event(one)
        watcher.output("ws-a", "edit", "tool \x1b[31mline")
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0] == f"10:20:31 [{RUN}] run started"
    assert lines[1] == f"10:20:31 [{RUN} ws-a] edit 1 started with claude-cli"
    assert lines[2].endswith(f"[{RUN} ws-a] edit| tool [31mline")


def test_without_verbose_tools_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """What tools print is shown with -v only."""
    live.LineWatcher().output("ws-a", "edit", "line")
    assert capsys.readouterr().err == ""


def test_the_live_view_draws_on_a_terminal() -> None:
    """On a terminal the table is drawn, and with -v the tool's lines stand above it."""
    screen = io.StringIO()
    console = Console(file=screen, width=80, force_terminal=True, legacy_windows=False)
    with live.LiveWatcher(["ws-a"], verbose=True, console=console) as watcher:
        for one in story():
            watcher.event(one)
        watcher.output("ws-a", "edit", "[bold]not markup[/bold]")
    text = screen.getvalue()
    assert "ws-a edit| [bold]not markup[/bold]" in text
    assert "claude-cli" in text


def test_the_watcher_fits_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets the table, anything else gets lines."""
    assert isinstance(live.make_watcher(), live.LineWatcher)
    monkeypatch.setattr(output, "on_terminal", lambda _stream: True)
    assert isinstance(live.make_watcher(["ws-a"]), live.LiveWatcher)
