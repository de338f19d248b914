"""Watching a run: a table on a terminal, lines with time and ids elsewhere."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from penstock.cli import live, output
from penstock.model.events import EventType
from penstock.model.progress import RunNow
from tests.support.boards import RUN, event, run_now, story

DEADLINE_S = 20.0


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for a bounded time."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def screen(*, columns: int = 80, lines: int = 24) -> tuple[io.StringIO, Console]:
    """Return a terminal of that size and what was written to it."""
    written = io.StringIO()
    console = Console(
        file=written, width=columns, height=lines, force_terminal=True, legacy_windows=False
    )
    return written, console


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


def test_a_line_about_the_whole_run_comes_now_and_then() -> None:
    """It counts what is done and at work and says how long it still takes."""
    said: list[str] = []
    looks = run_now(("ws-a", "done"), ("ws-b", "editing"), left=360.0)
    watcher = live.LineWatcher(
        ["ws-a", "ws-b"], look=lambda _: looks, say=said.append, every_s=0.01
    )
    with watcher:
        watcher.event(event(EventType.RUN_STARTED, None))
        until(lambda: len(said) > 1)
    assert said[1].endswith(f"[{RUN}] 1 of 2 done, 1 at work, about 6 min left")


def test_nothing_new_is_told_seldom() -> None:
    """Without an event the line comes only after ten times as long."""
    said: list[str] = []
    watcher = live.LineWatcher(["ws-a", "ws-b"], say=said.append, run_id=RUN)
    for _ in range(live.QUIET_LIMIT - 1):
        watcher._tick()
    assert said == []
    watcher._tick()
    assert said[0].endswith("0 of 2 done, 2 waiting")


def test_one_workstream_needs_no_count() -> None:
    """A run of one workstream has no lines about the whole."""
    said: list[str] = []
    watcher = live.LineWatcher(["ws-a"], say=said.append)
    watcher.event(event(EventType.STEP_STARTED, step="edit"))
    watcher._tick()
    assert len(said) == 1


def test_lines_of_several_threads_stay_whole() -> None:
    """Workstreams that tell at the same time do not tear each other's lines."""
    said: list[str] = []
    watcher = live.LineWatcher(verbose=True, say=said.append, run_id=RUN)

    def chatter(name: str) -> None:
        for number in range(200):
            watcher.output(name, "edit", f"{name} {number}")

    threads = [threading.Thread(target=chatter, args=(f"ws-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 800
    assert all(line.split("] ")[0].split()[-1] == line.split("| ")[1].split()[0] for line in said)


def test_a_note_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What is in no event is told once; that it no longer holds is not."""
    watcher = live.LineWatcher(run_id=RUN)
    watcher.note("nobody works on it")
    watcher.note("")
    assert capsys.readouterr().err.splitlines()[0].endswith(f"[{RUN}] nobody works on it")


def test_the_live_view_draws_on_a_terminal() -> None:
    """On a terminal the table is drawn, and with -v the tool's lines stand above it."""
    written, console = screen()
    with live.LiveWatcher(["ws-a"], verbose=True, console=console) as watcher:
        for one in story():
            watcher.event(one)
        watcher.output("ws-a", "edit", "[bold]not markup[/bold]")
    text = written.getvalue()
    assert "ws-a edit| [bold]not markup[/bold]" in text
    assert "claude-cli" in text
    assert watcher.run_id == RUN


def test_the_live_view_takes_in_what_the_journal_says() -> None:
    """A look brings states, and a note stands below the table until it no longer holds."""
    written, console = screen()
    looks = run_now(("ws-a", "done"), ("ws-b", "failed"))
    watcher = live.LiveWatcher(console=console, look=lambda _: looks, run_id=RUN)
    watcher.note("nobody works on it")
    with watcher:
        until(lambda: "nobody works on it" in written.getvalue())
    assert "1 of 2 done, 1 failed" in written.getvalue()


def test_a_warning_stands_above_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """What is said while the table is drawn does not tear it; afterwards stderr has it again."""
    written, console = screen()
    with live.LiveWatcher(["ws-a"], console=console):
        output.warn("Stopping")
    output.warn("stopped")
    assert "Stopping" in written.getvalue()
    assert capsys.readouterr().err == "stopped\n"


def test_nothing_is_drawn_twice() -> None:
    """A frame that is like the one before is not written again."""
    written, console = screen()
    watcher = live.LiveWatcher(["ws-a"], console=console, every_s=1000.0)
    with watcher:
        before = len(written.getvalue())
        watcher._draw()
        assert len(written.getvalue()) == before


def test_another_size_begins_on_a_clean_screen() -> None:
    """Lines that the terminal has broken anew are not left behind, and the frame fits again."""
    written, console = screen()
    watcher = live.LiveWatcher(["ws-a"], console=console, every_s=1000.0)
    with watcher:
        assert "\x1b[2J" not in written.getvalue()
        console.width = 40
        watcher._draw()
        assert "\x1b[2J" in written.getvalue()
        assert all(sum(len(text) for text, _ in line) <= 40 for line in watcher._drawn)


@pytest.mark.parametrize("lines", [3, 10, 24])
def test_the_frame_fits_the_terminal(lines: int) -> None:
    """However many workstreams there are, the last line of the terminal stays free."""
    _, console = screen(lines=lines)
    watcher = live.LiveWatcher([f"ws-{n}" for n in range(200)], console=console, every_s=1000.0)
    with watcher:
        assert 0 < len(watcher._drawn) < lines


def test_a_journal_that_cannot_be_seen_is_no_error() -> None:
    """Where a look shows nothing, the events alone are drawn."""
    _, console = screen()
    nothing: RunNow | None = None
    watcher = live.LiveWatcher(["ws-a"], console=console, look=lambda _: nothing, run_id=RUN)
    with watcher:
        assert "0 of 1 done" in "".join(text for text, _ in watcher._drawn[0])


def test_the_watcher_fits_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets the table, anything else gets lines."""
    assert isinstance(live.make_watcher(), live.LineWatcher)
    monkeypatch.setattr(output, "on_terminal", lambda _stream: True)
    assert isinstance(live.make_watcher(["ws-a"]), live.LiveWatcher)
