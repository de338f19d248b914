"""The scripted tool plays a bundle's turns in a real child process."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import BundleError, EnvironmentProblem, UsageError
from penstock.model.outcome import OutcomeKind as Kind
from penstock.model.outcome import Usage
from penstock.process.api import Stop
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.scripted import ScriptedReader, ScriptedTool, chosen_turn
from tests.support.turns import events, files_of, play, request_in, told


def scripted(root: Path, *turns: Any, **changes: Any) -> TurnRequest:
    """Return the request of a bundle with these turns."""
    return request_in(root, metadata={"scripted": list(turns)}, **changes)


def played(root: Path, *turns: Any, **changes: Any) -> TurnReport:
    """Play one turn."""
    return play(ScriptedTool(), scripted(root, *turns, **changes))


def kind_of(report: TurnReport) -> Kind | None:
    """Return the kind of a report's signal."""
    return None if report.signal is None else report.signal.kind


def test_edits(tmp_path: Path) -> None:
    """Files are written whole, with their folders, and deleted; text is kept to the byte."""
    request = scripted(tmp_path, {"edits": {"a/b.py": "x = 'ä'\r\n", "old": None, "gone": None}})
    (request.worktree / "old").write_text("old")
    report = play(ScriptedTool(), request)
    assert (report.signal, report.exit_code, report.events) == (None, 0, 1)
    assert (request.worktree / "a/b.py").read_bytes() == "x = 'ä'\r\n".encode()
    assert list(files_of(request.worktree)) == ["a/b.py"]


def test_edits_outside_the_worktree_are_made(tmp_path: Path) -> None:
    """Relative and absolute paths out of the worktree are written: guards are tested that way."""
    report = played(tmp_path, {"edits": {"../up.txt": "1", str(tmp_path / "abs.txt"): "2"}})
    assert kind_of(report) is None
    assert (tmp_path / "up.txt").read_text() + (tmp_path / "abs.txt").read_text() == "12"


def test_the_turn_is_handed_over_in_a_private_file(tmp_path: Path) -> None:
    """The child reads its turn beside the prompt, 0600, never through a link."""
    request = scripted(tmp_path, {"output": "hello"})
    play(ScriptedTool(), request)
    turn_file = tmp_path / "prompt.turn.json"
    assert json.loads(turn_file.read_text()) == {"output": "hello"}
    assert turn_file.stat().st_mode & 0o777 == 0o600
    turn_file.unlink()
    turn_file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EnvironmentProblem, match=r"prompt\.turn\.json cannot be written"):
        play(ScriptedTool(), request)


@pytest.mark.parametrize(("turn", "text"), [(0, "a"), (1, "b"), (2, "b"), (99, "b"), (-1, "a")])
def test_the_last_turn_repeats(turn: int, text: str) -> None:
    """Turns are played in their order and the last one again and again."""
    turns = {"scripted": [{"output": "a"}, {"output": "b"}]}
    assert chosen_turn(turns, turn).output == text


@pytest.mark.parametrize(
    "metadata",
    [{}, {"scripted": []}, {"scripted": {"edits": {}}}, {"scripted": [3]}, {"scripted": None},
     {"scripted": [{"edit": {}}]}, {"scripted": [{"claim": "well"}]},
     {"scripted": [{"delay_s": -1}]}, {"scripted": [{"edits": {"a": 1}}]}],
)  # fmt: skip
def test_a_bundle_without_turns_is_wrong(metadata: dict[str, Any], tmp_path: Path) -> None:
    """Missing and misspelt turns are usage errors that show what one looks like."""
    with pytest.raises(BundleError, match=r"metadata\.scripted") as caught:
        ScriptedTool().command_line(request_in(tmp_path, metadata=metadata))
    assert isinstance(caught.value, UsageError)
    assert '"edits"' in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("turn", "kind"),
    [
        ({"exit_code": 3}, Kind.CRASHED),
        ({"exit_code": 3, "claim": "edited"}, None),
        ({"claim": "no_change", "edits": {"a": "1"}}, None),
        ({"claim": "auth"}, Kind.AUTH),
        ({"claim": "quota", "exit_code": 1}, Kind.QUOTA),
        ({"edits": {".": "not a file"}}, Kind.CRASHED),
        ({"edits": {"a\0b": "no name"}}, Kind.CRASHED),
        ({"edits": {"../tree": None}}, Kind.CRASHED),
    ],
)
def test_claims(turn: dict[str, Any], kind: Kind | None, tmp_path: Path) -> None:
    """A claim of failure is believed, one of success is left to the diff, silence is a crash."""
    assert kind_of(played(tmp_path, turn)) == kind


def test_a_rate_limit_with_its_end(tmp_path: Path) -> None:
    """`reset_in_s` becomes the moment when the limit ends, and the message is handed on."""
    report = played(tmp_path, {"claim": "rate_limited", "reset_in_s": 90, "message": "slow down"})
    assert report.signal is not None
    assert report.signal.reset_at == pytest.approx(time.time() + 90, abs=10)
    assert (report.signal.message, report.message) == ("slow down", "slow down")


def test_usage(tmp_path: Path) -> None:
    """Usage is reported as it is scripted; what is not scripted is unknown."""
    full = {"usage": {"input_tokens": 7, "output_tokens": 3, "cost_usd": 0.5}}
    assert played(tmp_path, full).usage == Usage(input_uncached=7, output=3, cost_usd=0.5)
    assert played(tmp_path, {"usage": {"output_tokens": 1}}).usage == Usage(output=1)
    assert played(tmp_path, {}).usage == Usage()


def test_output_and_delay(tmp_path: Path) -> None:
    """Output is printed before the terminal event, after the delay, whatever its letters."""
    report = played(tmp_path, {"output": "grüße \ud800", "delay_s": 0.2})
    assert report.tail.splitlines()[0] == "grüße ?"
    assert report.duration_s >= 0.2


def test_a_hang_is_ended_by_the_limit_on_silence(tmp_path: Path) -> None:
    """A turn that hangs makes its edits, prints nothing, and ends as idle."""
    request = scripted(tmp_path, {"hang": True, "edits": {"a": "1"}}, idle_s=0.5)
    report = play(ScriptedTool(), request)
    assert kind_of(report) is Kind.IDLE
    assert files_of(request.worktree) == {"a": "1"}


def test_a_hang_is_ended_by_the_wall_limit(tmp_path: Path) -> None:
    """The limit on the whole turn ends it too."""
    assert kind_of(played(tmp_path, {"hang": True}, wall_s=0.5)) is Kind.TIMEOUT


def test_a_hang_after_the_terminal_event_is_no_failure(tmp_path: Path) -> None:
    """A tool that has had its last word and does not end is ended; the word stands."""
    report = played(tmp_path, {"hang": True, "claim": "edited"})
    assert report.signal is None
    assert report.duration_s < 10


def test_a_stop_by_the_user(tmp_path: Path) -> None:
    """A turn that the user stops is canceled."""
    stop = Stop()
    stop.ask()
    report = play(ScriptedTool(), scripted(tmp_path, {"delay_s": 30}), stop)
    assert kind_of(report) is Kind.CANCELED


def test_it_is_always_available() -> None:
    """It comes with penstock."""
    assert ScriptedTool().available() is None


def test_events_that_are_not_its_own() -> None:
    """Other events are counted; a terminal event without an outcome is bad output."""
    reader = ScriptedReader()
    outcome = told(reader, events({"type": "other"}, {"type": "result", "outcome": "x"}))
    assert outcome is not None
    assert outcome.kind is Kind.BAD_OUTPUT
    assert reader.said.unknown == 1
