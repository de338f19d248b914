"""What is printed after a run, before one, and when one is stopped."""

from __future__ import annotations

import json

import pytest

from penstock.cli import running
from penstock.cli.running import next_steps, run_and_report, shell_words, show_plan
from penstock.engine.ports import Observer, PlannedStep, PlannedWorkstream
from penstock.errors import Interrupted
from penstock.model.events import EventType
from penstock.model.records import Event
from penstock.model.results import RunResult
from penstock.process.api import Stop
from tests.support import results


def plan() -> PlannedWorkstream:
    """Return a plan of one workstream."""
    step = PlannedStep(step="edit", what="aider", argv=("aider", "--message", "two words"))
    check = PlannedStep(step="runtime", what="make test", argv=("make", "test"))
    return PlannedWorkstream(
        ws_id="ws-a",
        tool="aider",
        branch="workstream/ws-a/run-1",
        depends_on=("ws-0",),
        prompt="Do this.\n\nThen\x1b[2J that.",
        steps=(step, check),
        notes=("prose is\nnot run",),
    )


def test_a_plan_is_shown_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    """Branch, commands as one would type them, notes and the prompt are there."""
    assert show_plan([plan()], results.run(dry_run=True), as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1. ws-a with aider, after ws-0" in lines
    assert "   edit: aider: aider --message 'two words'" in lines
    assert "   runtime: make test" in lines
    assert "   note: prose is not run" in lines
    assert lines[-3:-1] == ["   | Do this.", "   |"]


def test_a_plan_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get the result with the plan in it."""
    show_plan([plan()], results.run(dry_run=True), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["plan"][0]["depends_on"] == ["ws-0"]


def test_what_waits_for_approval_says_how_to_give_it() -> None:
    """Resuming alone would not help."""
    held = results.workstream(reason="approval: gate 2 needs approval")
    (line,) = next_steps(results.run(held, status="running"))
    assert "penstock approve" in line


def test_a_canceled_run_offers_no_retry() -> None:
    """It has ended for good."""
    lines = next_steps(results.run(results.broken(), status="canceled"))
    assert not any("retry" in line for line in lines)


@pytest.mark.parametrize(
    ("result", "begins"),
    [
        (results.run(results.repaired()), ["Result:", "Take:", "Report:"]),
        (results.run(results.broken(), status="failed"), ["Why:", "Again:", "Report:"]),
        (
            results.run(results.broken(), results.repaired(), status="failed"),
            ["Why:", "Again:", "Result:", "Take:", "Report:"],
        ),
        (results.run(status="running"), ["It"]),
        (
            results.run(results.workstream(reason="budget"), status="running"),
            ["It", "With", "With"],
        ),
    ],
)
def test_the_next_commands_fit_the_result(result: RunResult, begins: list[str]) -> None:
    """What failed can be looked at, what is done can be taken, what waits can be resumed."""
    assert [line.split()[0] for line in next_steps(result)] == begins


@pytest.mark.parametrize(("status", "code"), [("succeeded", 0), ("failed", 1), ("running", 1)])
def test_the_exit_code_is_that_of_the_run(
    status: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Done is 0; failed, and waiting too, is 1."""
    result = results.run(results.repaired(), status=status)
    assert run_and_report(lambda _observer, _stop: result, as_json=False, verbose=False) == code
    assert f"Run run-1: {status}. 1 of 1 done" in capsys.readouterr().out


def test_an_interruption_names_the_way_on() -> None:
    """The hint holds the id of the run that was stopped."""

    def work(observer: Observer, _stop: Stop) -> RunResult:
        observer.event(Event(id=1, timestamp="", event_type=EventType.RUN_CREATED, run_id="run-7"))
        raise Interrupted("stopped")

    with pytest.raises(Interrupted) as caught:
        run_and_report(work, as_json=True, verbose=False)
    assert caught.value.hint == "penstock resume run-7"


def test_only_json_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json stdout is one document, whatever is watched meanwhile."""

    def work(observer: Observer, _stop: Stop) -> RunResult:
        observer.event(Event(id=1, timestamp="", event_type=EventType.RUN_CREATED, run_id="run-7"))
        return results.run()

    assert running.run_and_report(work, as_json=True, verbose=True) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["run_id"] == "run-1"
    assert "run created" in err


def test_commands_are_one_line() -> None:
    """A prompt within a command line does not break it."""
    assert shell_words(("a", "b\nc")) == "a 'b c'"
