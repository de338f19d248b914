"""What the end of a tool means."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.checks.plugins.judging import MAX_SAID, judge, signal_name, tells_of_findings
from penstock.checks.plugins.port import Parsed
from penstock.model.finding import Finding
from penstock.model.manifest import ToolSpec
from penstock.process.api import End
from tests.support.plugins import ended

FOUND = Parsed((Finding(tool="t", message="m"),))
NOTHING = Parsed(())
RUBBISH = Parsed((), ok=False, why="no JSON")


def tool(**changes: Any) -> ToolSpec:
    """Return a tool that exits with 1 when it has findings."""
    return ToolSpec(command="spell", **changes)


@pytest.mark.parametrize("parsed", [FOUND, NOTHING])
def test_a_clean_exit_may_have_findings(parsed: Parsed) -> None:
    """Exit 0 is a result with findings (detect-secrets) and without."""
    verdict = judge(tool(), ended(0), parsed)
    assert (verdict.problem, verdict.findings) == (None, parsed.findings)


def test_a_clean_exit_with_rubbish_is_a_problem() -> None:
    """Exit 0 with an output that cannot be read is no pass, and says why."""
    verdict = judge(tool(), ended(0, stderr=b"boom\nbang"), RUBBISH)
    assert verdict.problem is not None
    assert "nothing that could be read (no JSON), exit code 0: boom bang" in verdict.problem


def test_a_fixer_need_not_say_anything() -> None:
    """A fixer that is content is taken at its word, whatever it prints."""
    assert judge(tool(), ended(0), RUBBISH, fixing=True).problem is None


def test_an_announced_finding_must_be_there() -> None:
    """Exit 1 without any finding is a crash; with one it is a result."""
    lie = judge(tool(), ended(1, stdout=b"Traceback"), NOTHING)
    assert lie.problem is not None
    assert "told of nothing that it found: Traceback" in lie.problem
    assert judge(tool(), ended(1), FOUND).problem is None


def test_an_announced_finding_must_be_readable() -> None:
    """Exit 1 with rubbish is a problem of its own wording."""
    problem = judge(tool(), ended(1), RUBBISH).problem
    assert problem is not None
    assert "could be read" in problem


@pytest.mark.parametrize("code", [2, 64, 127, 255])
def test_an_unknown_exit_code_is_a_problem(code: int) -> None:
    """A code that nobody declared is a failure, and keeps what was found beside it."""
    verdict = judge(tool(), ended(code), FOUND)
    assert verdict.problem == f"spell failed with exit code {code}"
    assert verdict.findings == FOUND.findings


def test_any_code_can_be_the_number_of_findings() -> None:
    """With `any`, every code tells of findings, but for those of a shell whose child was killed."""
    counting = tool(findings_codes="any")
    assert judge(counting, ended(65), FOUND).problem is None
    assert judge(counting, ended(137), FOUND).problem is not None
    assert judge(counting, ended(65), NOTHING).problem is not None
    assert tells_of_findings(counting, 137, 137)


@pytest.mark.parametrize(("code", "result"), [(4, True), (30, True), (32, False), (36, False)])
def test_a_mask_takes_its_bits_alone(code: int, result: bool) -> None:
    """pylint's bits for messages are findings, its bit for a usage error is not."""
    masked = tool(findings_mask=31, findings_codes=())
    assert (judge(masked, ended(code), FOUND).problem is None) is result


def test_zero_is_in_no_mask() -> None:
    """A mask without the success code 0 does not let it pass as findings."""
    assert judge(tool(findings_mask=31, success_codes=(5,)), ended(0), FOUND).problem is not None


def test_a_signal_has_its_name() -> None:
    """A tool that was killed is a problem with the signal's name and its last words."""
    outcome = ended(-11, end=End.SIGNALED, stderr=b"core dumped")
    assert judge(tool(), outcome, NOTHING).problem == "spell was killed by SIGSEGV: core dumped"
    assert signal_name(99) == "signal 99"


def test_a_time_limit_is_a_problem() -> None:
    """A tool that did not end in its time is a problem that names the time it had."""
    problem = judge(tool(timeout_s=0.1), ended(-15, end=End.WALL_LIMIT), FOUND).problem
    assert problem == "spell did not end within 0.1 s and was stopped"


@pytest.mark.parametrize(("error", "said"), [("it is gone", "it is gone"), ("", "cannot be")])
def test_what_never_started_is_a_problem(error: str, said: str) -> None:
    """A tool that could not be started says why."""
    problem = judge(tool(), ended(None, end=End.NOT_FOUND, error=error), NOTHING).problem
    assert problem is not None
    assert said in problem


def test_an_interrupt_is_no_problem() -> None:
    """A run that the user stopped is neither a result nor a problem."""
    verdict = judge(tool(), ended(-15, end=End.INTERRUPTED), FOUND)
    assert (verdict.interrupted, verdict.problem, verdict.findings) == (True, None, ())


def test_a_cut_output_is_a_problem() -> None:
    """A stream whose beginning was not kept may have lost findings."""
    problem = judge(tool(), ended(1, stdout=b"x", stdout_bytes=9), FOUND).problem
    assert problem is not None
    assert "printed more than can be read (9 bytes)" in problem


def test_last_words_are_bounded() -> None:
    """A tool that talks without end is quoted from its end."""
    problem = judge(tool(), ended(3, stderr=b"x" * 5000 + b"!"), NOTHING).problem
    assert problem is not None
    assert len(problem) < MAX_SAID + 100
    assert problem.endswith("x!")


def test_last_words_are_safe_to_show() -> None:
    """Colours, control characters and rubbish do not get from a tool's output into a terminal."""
    said = b"\x1b[31mred\x1b[0m\xff\xfe a\x07b\xc2\x9bc\r\nend\x00"
    assert judge(tool(), ended(3, stderr=said), NOTHING).problem == (
        "spell failed with exit code 3: red ab c end"
    )
