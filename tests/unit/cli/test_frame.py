"""The live view fits every terminal and shows first what matters first."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from penstock.cli.board import Board
from penstock.cli.frame import by_urgency, frame, progress_words
from penstock.model.progress import DaySpent, Usage, WorkstreamNow
from tests.support.boards import RUN, run_now, view

USED = Usage(turns=1, input_tokens=12_000, output_tokens=345, cost_usd=0.42)


def lines(board: Board, width: int = 80, height: int = 24, now: float = 1005.0) -> list[str]:
    """Return the screen as text."""
    drawn = frame(board, now, width, height)
    return ["".join(text for text, _ in line).rstrip() for line in drawn]


def board_of(*views: WorkstreamNow, **more: object) -> Board:
    """Return a board after one look."""
    board = Board()
    board.look(run_now(*views, **more))  # type: ignore[arg-type]
    return board


def busy() -> Board:
    """Return a board with one of each kind."""
    return board_of(
        view("ws-a", "editing", step="edit", attempt=1, tool_id="codex", began_at=940, usage=USED),
        view("ws-b", waiting="dependency", reason="dependency: waits for ws-a"),
        view("ws-c", "done", merge="merged", began_at=900, ended_at=950, usage=USED),
        view("ws-d", "failed", reason="static: the same error again", began_at=900, ended_at=930),
        left=360.0,
        max_cost_usd=5.0,
        max_tokens=200_000,
        usage=USED,
        critical_path=("ws-a", "ws-b"),
        critical_path_s=300.0,
    )


def test_eighty_columns() -> None:
    """Everything that is asked for is on a screen of 80 columns."""
    assert lines(busy()) == [
        f"{RUN}  [==         ]  1 of 4 done, 1 at work, 1 waiting, 1 failed",
        "1m10s, about 6 min left (until 00:22Z), 12.3k of 200.0k tokens, $0.42 of $5.00",
        "critical path: about 5 min, ws-a > ws-b",
        "waiting: 1 for others",
        "workstream state    step      tool    time tokens  cost last",
        "ws-a       editing  edit 1    codex  1m05s  12.3k $0.42",
        "ws-b       pending                       -              waits for ws-a",
        "ws-c       merged                      50s  12.3k $0.42",
        "ws-d       failed                      30s              static: the same error..",
    ]


def test_a_hundred_and_twenty_columns() -> None:
    """With more room columns stand further apart and the last line is longer."""
    found = lines(busy(), 120)
    assert "  [=======                       ]  1 of 4 done" in found[0]
    assert found[-1].endswith("static: the same error again")
    assert "ws-a        editing   edit 1     codex   1m05s   12.3k  $0.42" in found[5]


def test_before_anything_is_known() -> None:
    """The first frame has the names of the workstreams and nothing invented."""
    assert lines(Board(["ws-a"])) == [
        "starting  [                              ]  0 of 1 done, 1 waiting",
        "workstream state    step      tool    time last",
        "ws-a       pending                       -",
    ]
    assert lines(Board())[0] == "starting  0 of 0 done"


def test_what_is_at_work_comes_first_when_not_all_fit() -> None:
    """Then what failed, then what waits; the others are counted."""
    views = [view(f"ws-done-{n}", "done", merge="merged") for n in range(20)]
    views += [view(f"ws-wait-{n}", waiting="slots") for n in range(20)]
    views += [view("ws-bad", "failed"), view("ws-work", "editing", step="edit", attempt=1)]
    found = lines(board_of(*views), height=10)
    assert len(found) == 10
    names = [line.split()[0] for line in found[4:9]]
    assert names == ["ws-work", "ws-bad", "ws-wait-0", "ws-wait-1", "ws-wait-2"]
    assert found[-1] == "... and 37 more (20 merged, 17 waiting)"


def test_the_order_of_urgency() -> None:
    """A conflict counts as failed; what has not begun and waits for nothing comes before done."""
    board = board_of(
        view("ws-1", "done"),
        view("ws-2"),
        view("ws-3", waiting="budget"),
        view("ws-4", "done", merge="conflict"),
        view("ws-5", "static_check"),
    )
    order = [row.ws_id for row in by_urgency(board.rows.values())]
    assert order == ["ws-5", "ws-4", "ws-3", "ws-2", "ws-1"]


@pytest.mark.parametrize(
    ("state", "more", "shown"),
    [
        ("ready_for_static", {}, "checking"),
        ("static_check", {}, "static"),
        ("runtime_tests", {}, "runtime"),
        ("editing", {"waiting": "rate_limit"}, "waiting"),
        ("done", {}, "done"),
        ("done", {"merge": "queued"}, "merging"),
        ("done", {"merge": "conflict"}, "conflict"),
    ],
)
def test_states_are_short_words(state: str, more: dict[str, str], shown: str) -> None:
    """The journal's names do not fit the column."""
    assert lines(board_of(view("ws-a", state, **more)))[-1].split()[1] == shown


def test_counts() -> None:
    """What ended otherwise than done, and what is done and not merged, is counted by its word."""
    board = board_of(
        view("ws-1", "done", merge="conflict"),
        view("ws-2", "canceled"),
        view("ws-3", "editing"),
        view("ws-4"),
    )
    assert progress_words(board) == "1 of 4 done, 1 at work, 1 waiting, 1 canceled, 1 not merged"


def test_unknown_costs_are_told() -> None:
    """Turns of unknown cost stand beside the sum that lacks them, and less than a cent is so."""
    usage = Usage(turns=2, cost_usd=0.004, unpriced=1)
    found = lines(board_of(view("ws-a", "editing", usage=usage), usage=usage))
    assert found[1] == "1m10s, $0.0040 and 1 unpriced"
    assert "<$0.01" in found[-1]


def test_the_caps_of_a_day() -> None:
    """What all runs used of the caps of the day is on the screen, too."""
    today = DaySpent(day="2026-01-31", cost_usd=1.2, tokens=0, max_cost_usd=10.0)
    found = lines(board_of(view("ws-a"), today=today))
    assert found[1] == "1m10s, today $1.20 of $10.00"


def test_long_details_take_two_lines() -> None:
    """On a narrow screen time and money stand below each other."""
    found = lines(busy(), 50)
    assert found[1] == "1m10s, about 6 min left (until 00:22Z)"
    assert found[2] == "12.3k of 200.0k tokens, $0.42 of $5.00"


def test_a_long_chain_is_cut() -> None:
    """Of the critical path the beginning is shown; one workstream alone is no chain."""
    names = tuple(f"ws-{n}" for n in range(9))
    found = lines(board_of(view("ws-a"), critical_path=names, critical_path_s=9.0))
    assert "critical path: about 10 s, ws-0 > ws-1 > ws-2 > 6 more" in found
    alone = lines(board_of(view("ws-a"), critical_path=("ws-a",), critical_path_s=9.0))
    assert not any("critical" in line for line in alone)


TEXT = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 200),
    height=st.integers(1, 60),
    said=st.lists(TEXT, min_size=1, max_size=30),
)
def test_any_screen_is_kept_within(width: int, height: int, said: list[str]) -> None:
    """No line is wider than the terminal and there are no more than fit, whatever tools print."""
    board = busy()
    for number, text in enumerate(said):
        board.output(f"ws-{'long' * number}", text)
    drawn = frame(board, 1005.0, width, height)
    assert len(drawn) <= height
    assert all(sum(cell_len(text) for text, _ in line) <= width for line in drawn)
