"""Carrying out a request as often as it allows, with real children."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penstock.breakers.retry import RetryPolicy
from penstock.errors import CircuitBreakerOpen, Interrupted, RetryExhausted
from penstock.model.execution import ExecutionRequest
from penstock.model.ids import next_ulid
from penstock.model.router import AppCapabilities
from penstock.process.api import Stop
from penstock.routing.requests import ExecutionRequestBuilder
from penstock.store.sqlite import SqliteJournal, open_journal
from penstock.tools.adapters import AdapterResult, ShellAdapter, ToolConfig
from penstock.tools.attempts import execute_with_retries

AT_ONCE = RetryPolicy(base_s=0.01)
COUNT = (
    "import sys, pathlib; p = pathlib.Path('tries'); p.open('a').write('x');"
    "sys.exit(len(p.read_text()) < int(sys.argv[1]))"
)


def adapter(folder: Path, *command: str, stop: Stop | None = None) -> ShellAdapter:
    """A tool that edits."""
    kinds = AppCapabilities(task_kinds=("edit",))
    config = ToolConfig(tool_id="t", command=command, capabilities=kinds)
    return ShellAdapter(config, folder=folder, stop=stop)


def succeeds_at(folder: Path, count: int) -> ShellAdapter:
    """A tool whose `count`-th try succeeds."""
    return adapter(folder, sys.executable, "-c", COUNT, str(count))


def tries(folder: Path) -> int:
    """How often that tool was started."""
    return len((folder / "tries").read_text())


def request(attempts: int = 3, seconds: float = 60.0) -> ExecutionRequest:
    """A request for an edit."""
    made = ExecutionRequestBuilder(new_id=lambda: next_ulid(1, bytes(10)), clock=lambda: 0.0)
    made.with_task("edit", project_id="p", phase_id="q")
    return made.with_limits(attempts, seconds).build()


def attempt(tool: ShellAdapter, asked: ExecutionRequest, **given: SqliteJournal) -> AdapterResult:
    """Carry it out with hardly a pause."""
    breakers = given.get("breakers")
    return execute_with_retries(tool, asked, policy=AT_ONCE, breakers=breakers)


def test_a_failure_is_tried_again_until_it_succeeds(tmp_path: Path) -> None:
    """And no further."""
    assert attempt(succeeds_at(tmp_path, 2), request()).success
    assert tries(tmp_path) == 2


@pytest.mark.parametrize(("attempts", "words"), [(1, "once"), (3, "3 times")])
def test_the_last_failure_exhausts_it(tmp_path: Path, attempts: int, words: str) -> None:
    """max_attempts counts the first one."""
    with pytest.raises(RetryExhausted, match=f"t failed {words}: ended with exit code 1"):
        attempt(succeeds_at(tmp_path, 9), request(attempts))
    assert tries(tmp_path) == attempts


def test_a_time_limit_is_not_repeated(tmp_path: Path) -> None:
    """What hung once hangs again."""
    tool = adapter(tmp_path, sys.executable, "-c", "import time; time.sleep(600)")
    with pytest.raises(RetryExhausted, match="t failed once: ended by its time limit"):
        attempt(tool, request(3, 1.0))


def test_a_missing_program_is_not_repeated_and_cools_down(tmp_path: Path) -> None:
    """The next request is held back by the breaker."""
    tool = adapter(tmp_path, "no-such-program-x")
    with open_journal(None) as journal:
        with pytest.raises(RetryExhausted, match="once: no-such-program-x is not installed"):
            attempt(tool, request(), breakers=journal)
        with pytest.raises(CircuitBreakerOpen):
            attempt(tool, request(), breakers=journal)


def test_a_program_that_finds_fault_does_not_cool_down(tmp_path: Path) -> None:
    """A linter that reports is not broken."""
    with open_journal(None) as journal:
        with pytest.raises(RetryExhausted):
            attempt(succeeds_at(tmp_path, 99), request(6), breakers=journal)
        assert journal.admit_tool_call("t").failures == 0


def test_a_stop_ends_the_tries(tmp_path: Path) -> None:
    """Between two of them, and when the child itself was interrupted."""
    stop = Stop()
    stop.ask()
    with pytest.raises(Interrupted):
        execute_with_retries(succeeds_at(tmp_path, 9), request(), stop=stop)
    assert tries(tmp_path) == 1
