"""status, events, logs and show on journals in states that a run seldom leaves behind."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from penstock.cli.commands import events as events_command
from penstock.cli.commands import logs as logs_command
from penstock.model.events import EventType
from penstock.model.records import Attempt, NewAttempt
from penstock.model.states import AttemptState, RunState, WorkstreamState
from penstock.process.identity import this_process
from penstock.store.api import Journal
from tests.support.cli import Cli


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for news without waiting long."""
    monkeypatch.setattr(events_command, "POLL_S", 0.02)
    monkeypatch.setattr(logs_command, "POLL_S", 0.02)


@pytest.fixture
def run(journal: Journal) -> Journal:
    """A running run with one workstream at work."""
    journal.create_run("run-1")
    journal.add_workstream("run-1", "ws-a", gate=1)
    journal.move_run("run-1", RunState.RUNNING)
    journal.move_workstream("run-1", "ws-a", WorkstreamState.STARTED)
    return journal


def begin(journal: Journal, step: str = "edit", attempt: int = 1) -> Attempt:
    """Begin an attempt."""
    intent = NewAttempt(
        run_id="run-1", ws_id="ws-a", step_name=step, attempt=attempt, tool_id="aider"
    )
    return journal.begin_attempt(intent)


def log(cli: Cli, name: str, data: bytes) -> Path:
    """Write a log of an attempt."""
    path = cli.folder / "logs" / "run-1" / "ws-a" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_run_is_pending_running_waiting_or_interrupted(cli: Cli, run: Journal) -> None:
    """What a row says is set against whether anybody works on it, and why it waits."""
    run.create_run("run-0")
    assert [r["active"] for r in cli("status", "--json").json["runs"]] == [False, False]
    assert "run-1: interrupted, 0 of 1 done" in cli("status", "run-1").out
    assert "Go on with: penstock resume run-0" in cli("status", "run-0").out
    run.claim_run("run-1", this_process().to_dict())
    assert cli("status", "run-1", "--json").json["active"] is True
    run.release_run("run-1")
    run.set_run_reason("run-1", "rate_limit", until="2026-01-31T10:00:00Z")
    assert "run-1: waiting" in cli("status", "run-1").out


def test_a_dead_holder_does_not_count(cli: Cli, run: Journal) -> None:
    """A process that is gone holds nothing; one of an unknown kind may."""
    gone = {**this_process().to_dict(), "pid": 2**22 - 1, "start": 1}
    run.claim_run("run-1", gone)
    assert cli("status", "run-1", "--json").json["active"] is False
    run.claim_run("run-1", {"something": "else"})
    assert cli("status", "run-1", "--json").json["active"] is True


def test_a_waiting_workstream_says_until_when(cli: Cli, run: Journal) -> None:
    """The end of a rate limit stands beside the reason."""
    run.set_workstream_reason("run-1", "ws-a", "rate_limit", until="2026-01-31T10:00:00Z")
    assert "rate_limit until 2026-01-31 10:00:00Z" in cli("status", "run-1").out


def test_show_without_attempts_and_with_usage(cli: Cli, run: Journal) -> None:
    """A workstream at work is shown with what there is; a running attempt is called so."""
    assert "ws-a: started" in cli("show", "run-1").out
    begin(run)
    assert "edit 1  running  aider" in cli("show", "latest", "a").out


def test_logs_that_are_large_are_cut_in_json(cli: Cli, run: Journal) -> None:
    """The JSON holds the end of a huge log and says so; the text is printed whole."""
    begin(run)
    log(cli, "edit_1", b"x" * 99 + b"\n" + b"y" * (1 << 20))
    entry = cli("logs", "run-1", "ws-a", "--json").json["logs"][0]
    assert (entry["truncated"], entry["bytes"], len(entry["text"])) == (
        True,
        (1 << 20) + 100,
        1 << 20,
    )
    assert len(cli("logs", "run-1", "ws-a").out) > 1 << 20


def test_a_log_that_is_no_text_is_printed(cli: Cli, run: Journal) -> None:
    """Bytes that are no UTF-8 are replaced, a missing end of line is added."""
    begin(run)
    log(cli, "edit_1", b"caf\xe9")
    assert cli("logs", "run-1", "ws-a").out.endswith("caf\N{REPLACEMENT CHARACTER}\n")


def follow(cli: Cli, *args: str) -> tuple[threading.Thread, list[str]]:
    """Start following in a thread of its own; the list gets what was printed in the end."""
    said: list[str] = []

    def work() -> None:
        said.append(cli(*args).out)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, said


def test_following_a_log_waits_for_whole_lines(
    cli: Cli, run: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a line is held back until its other half or the end of the attempt comes."""
    attempt, looks, look = begin(run), [0], logs_command._print_more

    def counted(path: Path, start: int, *, whole: bool) -> int:
        looks[0] += 1
        return look(path, start, whole=whole)

    monkeypatch.setattr(logs_command, "_print_more", counted)
    path = log(cli, "edit_1", b"one\ntw")
    thread, said = follow(cli, "logs", "run-1", "ws-a", "--follow")
    deadline = time.monotonic() + 20
    while looks[0] < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    with path.open("ab") as file:
        file.write(b"o\nthree")
    run.finish_attempt(attempt.id, AttemptState.SUCCEEDED)
    run.move_workstream("run-1", "ws-a", WorkstreamState.CANCELED)
    thread.join(20)
    assert said[0].split("\n", 1)[1] == "one\ntwo\nthree"


def test_following_events_ends_with_the_run(cli: Cli, run: Journal) -> None:
    """Events are printed as they are recorded, until the run is over."""
    thread, said = follow(cli, "events", "run-1", "--follow", "--json")
    for number in range(3):
        run.record_event(EventType.TOOL_RUN, run_id="run-1", payload={"number": number})
    run.move_run("run-1", RunState.CANCELED)
    thread.join(20)
    events = [json.loads(line) for line in said[0].splitlines()]
    numbers = [e["payload"]["number"] for e in events if e["event_type"] == "tool_run"]
    assert numbers == [0, 1, 2]
    assert events[-1]["event_type"] == "run_canceled"


def test_many_events_are_read_in_pages(cli: Cli, run: Journal) -> None:
    """More events than a page holds are all printed, once."""
    for number in range(events_command.PAGE + 5):
        run.record_event(EventType.TOOL_RUN, run_id="run-1", payload={"number": number})
    found = cli("events", "run-1", "--json").json["events"]
    numbers = [e["payload"]["number"] for e in found if e["event_type"] == "tool_run"]
    assert numbers == list(range(events_command.PAGE + 5))


def test_a_journal_that_cannot_be_read_is_told(cli: Cli, run: Journal) -> None:
    """A damaged file is a problem of this machine, not a bug of ours."""
    run.close()
    place = cli.folder / "state" / "pipeline.db"
    os.truncate(place, 100)
    place.write_bytes(b"SQLite format 3\0" + os.urandom(5000))
    for leftover in place.parent.glob("pipeline.db-*"):
        leftover.unlink()
    said = cli("status")
    assert said.code == 2
    assert "Traceback" not in said.err
