"""One suite over every adapter: real processes, fake clients on PATH."""

from __future__ import annotations

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.errors import EnvironmentProblem
from penstock.model.outcome import Outcome
from penstock.process.api import Stop
from penstock.tools.api import TurnReport, TurnRequest, judge
from tests.support.fake_tools import (
    ADAPTERS,
    CASES,
    CLIENTS,
    LIES_WITH_EXIT_0,
    PROFILE,
    PROMPT_ON_STDIN,
    Stage,
)
from tests.support.turns import SECRET, files_of, marked, play

every_adapter = pytest.mark.parametrize("tool_id", ADAPTERS)
every_client = pytest.mark.parametrize("tool_id", sorted(CLIENTS))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage on which only the fakes are on PATH."""
    return Stage(tmp_path, monkeypatch)


def judged(request: TurnRequest, report: TurnReport) -> Outcome:
    """Judge a report by what is in the worktree."""
    return judge(report.signal, changed=bool(files_of(request.worktree)))


@every_adapter
@pytest.mark.parametrize("case", sorted(set(CASES) - {"idle", "partial"}))
def test_outcomes(tool_id: str, case: str, stage: Stage) -> None:
    """Every adapter tells the same cases apart, and each failure says why in words."""
    tool, request = stage.set(tool_id, CASES[case])
    report = play(tool, request)
    assert judged(request, report).kind == case
    assert report.tool_id == tool.tool_id
    assert report.message or case in ("edited", "no_change")


@every_adapter
def test_a_silent_tool_is_ended(tool_id: str, stage: Stage) -> None:
    """Silence ends the turn as `idle`, long before the wall limit."""
    tool, request = stage.set(tool_id, CASES["idle"], idle_s=0.5, wall_s=60.0)
    report = play(tool, request)
    assert judged(request, report).kind == "idle"
    assert report.duration_s < 20
    assert marked(request.marker) == []


@every_adapter
def test_a_failure_with_a_diff_keeps_its_type(tool_id: str, stage: Stage) -> None:
    """A turn that edited and then hit a limit is `rate_limited`, partially done."""
    tool, request = stage.set(tool_id, CASES["partial"])
    outcome = judged(request, play(tool, request))
    assert (outcome.kind, outcome.partial) == ("rate_limited", True)


@every_client
@pytest.mark.parametrize("case", LIES_WITH_EXIT_0)
def test_exit_code_0_is_not_believed(tool_id: str, case: str, stage: Stage) -> None:
    """A failure is one although the client exits with 0."""
    tool, request = stage.set(tool_id, dataclasses.replace(CASES[case], code=0))
    report = play(tool, request)
    assert judged(request, report).kind == case


@every_client
def test_silence_with_exit_code_0_is_bad_output(tool_id: str, stage: Stage) -> None:
    """A client that says nothing and exits with 0 has not done its work, edits or not."""
    silent = dataclasses.replace(CASES["edited"], recording=None)
    tool, request = stage.set(tool_id, silent)
    outcome = judged(request, play(tool, request))
    assert (outcome.kind, outcome.partial) == ("bad_output", True)


@every_adapter
def test_a_missing_client(tool_id: str, stage: Stage) -> None:
    """A client that is not installed says so before and after the attempt to start it."""
    tool, request = stage.set(tool_id, CASES["no_change"])
    stage.patch.setenv("PATH", str(stage.root / "empty"))
    if tool_id == "scripted":
        assert tool.available() is None
        return
    assert "is not on the PATH" in (tool.available() or "")
    assert judged(request, play(tool, request)).kind == "not_installed"


@every_adapter
def test_a_client_that_is_there(tool_id: str, stage: Stage) -> None:
    """An installed client is available, and its command line is shown without a trace."""
    tool, request = stage.set(tool_id, CASES["edited"])
    before = sorted(stage.root.rglob("*"))
    assert tool.available() is None
    assert tool.command_line(request)
    assert sorted(stage.root.rglob("*")) == before


@pytest.mark.parametrize("tool_id", [*sorted(CLIENTS), PROFILE])
def test_secrets_do_not_reach_log_or_report(tool_id: str, stage: Stage) -> None:
    """What the filter masks stands neither in the log nor in any word of the report."""
    leak = f"echo {SECRET}; echo 'status 429 {SECRET}' >&2"
    tool, request = stage.set(tool_id, dataclasses.replace(CASES["no_change"], then=leak, code=1))
    report = play(tool, request)
    assert "***" in request.log.read_text()
    for text in (request.log.read_text(), report.tail, report.message, repr(report)):
        assert SECRET not in text


def test_secrets_of_the_scripted_tool(stage: Stage) -> None:
    """The scripted tool's output and claims are masked like any other's."""
    turn = (("output", SECRET), ("claim", "auth"), ("message", f"no {SECRET}"))
    tool, request = stage.set("scripted", dataclasses.replace(CASES["auth"], turn=turn))
    report = play(tool, request)
    assert SECRET not in repr(report) + request.log.read_text()
    assert report.message == "no ***"


@pytest.mark.parametrize("tool_id", [*sorted(CLIENTS), PROFILE])
def test_a_survivor_in_a_session_of_its_own_is_swept(tool_id: str, stage: Stage) -> None:
    """A child that a client leaves behind in a session of its own does not outlive the turn."""
    left = "setsid sleep 300 >/dev/null 2>&1 & sleep 0.2"
    tool, request = stage.set(tool_id, dataclasses.replace(CASES["no_change"], then=left))
    report = play(tool, request)
    assert report.swept >= 1
    assert marked(request.marker) == []


@pytest.mark.parametrize("tool_id", PROMPT_ON_STDIN)
def test_a_client_that_stays_after_its_last_word(tool_id: str, stage: Stage) -> None:
    """After the terminal event a client has a moment to end; then it is ended and believed."""
    lingers = dataclasses.replace(CASES["edited"], then="sleep 60")
    tool, request = stage.set(tool_id, lingers)
    began = time.monotonic()
    assert judged(request, play(tool, request)).kind == "edited"
    assert time.monotonic() - began < 15


@every_adapter
def test_a_stop_by_the_user(tool_id: str, stage: Stage) -> None:
    """A turn is not begun after the user has asked to stop."""
    tool, request = stage.set(tool_id, CASES["edited"])
    stop = Stop()
    stop.ask()
    assert judged(request, play(tool, request, stop)).kind == "canceled"


@pytest.mark.parametrize("tool_id", PROMPT_ON_STDIN)
def test_a_long_prompt_arrives_whole(tool_id: str, stage: Stage) -> None:
    """A prompt far beyond what an argument can hold comes on stdin."""
    seen = stage.root / "seen"
    reads = dataclasses.replace(CASES["no_change"], then=f"cat > '{seen}'")
    tool, request = stage.set(tool_id, reads)
    request.prompt_file.write_text("word " * 100_000)
    assert judged(request, play(tool, request)).kind == "no_change"
    assert seen.read_text() == request.prompt_file.read_text()


def test_aider_that_stays_after_a_reply(stage: Stage) -> None:
    """aider has no last word, each reply may be followed by another: silence after one is `idle`."""
    lingers = dataclasses.replace(CASES["edited"], then="sleep 60")
    tool, request = stage.set("aider", lingers, idle_s=0.5)
    outcome = judged(request, play(tool, request))
    assert (outcome.kind, outcome.partial) == ("idle", True)


@pytest.mark.parametrize("tool_id", [*sorted(CLIENTS), PROFILE])
def test_only_its_own_variables_reach_a_client(tool_id: str, stage: Stage) -> None:
    """Variables that no adapter declares, and those of other clients, stay out of its process."""
    foreign = "CURSOR_API_KEY" if tool_id == "copilot" else "GITHUB_TOKEN"
    for name in ("MY_DATABASE_PASSWORD", "GIT_DIR", "PYTHONPATH", foreign):
        stage.patch.setenv(name, "leaked")
    seen = stage.root / "seen"
    tool, request = stage.set(
        tool_id, dataclasses.replace(CASES["no_change"], then=f"env > '{seen}'")
    )
    play(tool, request)
    assert "leaked" not in seen.read_text()
    assert f"PENSTOCK_ATTEMPT={request.marker}" in seen.read_text()


def test_a_flood_of_output_is_survived(stage: Stage) -> None:
    """A client that prints 64 MB in one line before its last word is judged by that word."""
    flood = "head -c 67108864 /dev/zero | tr '\\0' x; echo; "
    case = dataclasses.replace(CASES["no_change"], recording=None)
    result = 'echo \'{"type":"result","subtype":"success","is_error":false,"result":"ok"}\''
    tool, request = stage.set("claude-cli", dataclasses.replace(case, then=flood + result))
    report = play(tool, request)
    assert (report.signal, report.message) == (None, "ok")
    assert len(report.tail) <= 16 << 10


def test_a_turn_that_cannot_be_written_is_our_trouble(stage: Stage) -> None:
    """When the turn's file cannot be written the error names it."""
    tool, request = stage.set("scripted", CASES["edited"])
    request.prompt_file.with_suffix(".turn.json").mkdir()
    with pytest.raises(EnvironmentProblem, match=r"prompt\.turn\.json cannot be written"):
        play(tool, request)


def test_turns_at_once_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight turns of one tool at the same time end each with its own outcome and its own files."""
    folders = [tmp_path / str(number) for number in range(8)]
    kinds = ["edited", "crashed"] * 4
    turns = []
    for folder, kind in zip(folders, kinds, strict=True):
        folder.mkdir()
        turns.append(Stage(folder, monkeypatch).set("scripted", CASES[kind]))
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(lambda turn: play(*turn), turns))
    outcomes = [judged(turn[1], report) for turn, report in zip(turns, reports, strict=True)]
    assert [outcome.kind for outcome in outcomes] == kinds
