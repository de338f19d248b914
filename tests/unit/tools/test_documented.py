"""goose, Cursor and Amp: streams of the form that their makers document become outcomes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.model.outcome import OutcomeKind as Kind
from penstock.tools.documented import (
    AmpReader,
    AmpTool,
    CursorReader,
    CursorTool,
    GooseReader,
    GooseTool,
)
from penstock.tools.turn import Reader
from tests.support.turns import events, request_in, told

CURSOR_RESULT = {
    "type": "result", "subtype": "success", "is_error": False, "duration_ms": 2000,
    "result": "Done.", "session_id": "s-1",
}  # fmt: skip
AMP_FAILED = {
    "type": "result", "subtype": "error_during_execution", "is_error": True, "num_turns": 1,
    "error": "Rate limit exceeded", "session_id": "T-1",
}  # fmt: skip


def message(text: str, role: str = "assistant") -> dict[str, Any]:
    """Return a message event of goose."""
    content = [{"type": "text", "text": text}]
    return {"type": "message", "message": {"role": role, "content": content}}


GOOSE_OK = events(message("Repair", "user"), message("Done."), {"type": "complete"})
CURSOR_OK = events(
    {"type": "system", "subtype": "init"},
    {"type": "thinking", "subtype": "delta"},
    {"type": "tool_call", "subtype": "started", "call_id": "c-1"},
    CURSOR_RESULT,
)
AMP_OK = events({"type": "system", "subtype": "init", "tools": []}, {**CURSOR_RESULT})


@pytest.mark.parametrize(
    ("make", "stream"),
    [(GooseReader, GOOSE_OK), (CursorReader, CURSOR_OK), (AmpReader, AMP_OK)],
)
def test_success(make: Callable[[], Reader], stream: bytes) -> None:
    """A stream that ends well is no failure, all its events are known, and no usage is made up."""
    reader = make()
    assert told(reader, stream) is None
    assert (reader.said.message, reader.said.unknown, reader.said.terminal) == ("Done.", 0, True)
    assert reader.said.usage.input_tokens is None


@pytest.mark.parametrize(
    ("make", "stream", "stderr", "code", "kind"),
    [
        (GooseReader, events({"type": "error", "error": "Rate limit exceeded"}), b"", 0,
         Kind.RATE_LIMITED),
        (GooseReader, events({"type": "error"}), b"", 1, Kind.CRASHED),
        (GooseReader, events(message("Ran into this error: Authentication failed: 401.\n\nRetry"),
                             {"type": "complete"}), b"", 0, Kind.AUTH),
        (GooseReader, events(message("Ran into this error: what")), b"", 0, Kind.CRASHED),
        (GooseReader, b"", b"error: internal server error\n", 1, Kind.OVERLOADED),
        (GooseReader, events(message("Done.")), b"", 0, Kind.BAD_OUTPUT),
        (CursorReader, b"", b"Error: Not logged in\n", 1, Kind.AUTH),
        (CursorReader, CURSOR_OK.splitlines()[0], b"what happened\n", 1, Kind.CRASHED),
        (CursorReader, b"", b"", 0, Kind.BAD_OUTPUT),
        (AmpReader, events(AMP_FAILED), b"", 1, Kind.RATE_LIMITED),
        (AmpReader, events({**AMP_FAILED, "error": None}), b"", 1, Kind.CRASHED),
        (AmpReader, events({**AMP_FAILED, "subtype": "error_max_turns"}), b"", 1, Kind.BUDGET),
        (AmpReader, b"", b"", -9, Kind.CRASHED),
    ],
)  # fmt: skip
def test_failures(
    make: Callable[[], Reader], stream: bytes, stderr: bytes, code: int, kind: Kind
) -> None:
    """Failures are told apart by the words of the client, the exit code alone is not believed."""
    outcome = told(make(), stream, stderr=stderr, exit_code=code)
    assert outcome is not None
    assert outcome.kind is kind


def test_a_user_who_writes_of_errors() -> None:
    """The prompt, which goose repeats, is no failure of goose's."""
    stream = events(message("Ran into this error: rate limit", "user"), {"type": "complete"})
    assert told(GooseReader(), stream) is None


@pytest.mark.parametrize("make", [GooseReader, CursorReader, AmpReader])
def test_unknown_events(make: Callable[[], Reader]) -> None:
    """Events that nobody knows are counted, and values of any shape are survived."""
    reader = make()
    odd: tuple[dict[str, Any], ...] = (
        {"type": "later"},
        {"type": "message", "message": 3},
        {"type": None},
        {"result": []},
    )
    told(reader, events(*odd, {"type": "result", "usage": 1, "is_error": 3, "error": []}))
    assert reader.said.unknown >= 2


def test_command_lines(tmp_path: Path) -> None:
    """The documented flags are passed; only Cursor's prompt is an argument, after all options."""
    request = request_in(tmp_path, model="m")
    goose, cursor = GooseTool().command_line(request), CursorTool().command_line(request)
    assert goose[:3] == ("goose", "run", "--no-session")
    assert goose[-4:] == ("-i", str(request.prompt_file), "--model", "m")
    assert cursor[-4:] == ("--model", "m", "--", request.prompt)
    assert request.prompt not in goose + AmpTool().command_line(request)


def test_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gets its own key; goose with a key gets folders of its own and asks for nothing."""
    for name in ("OPENAI_API_KEY", "CURSOR_API_KEY", "AMP_API_KEY"):
        monkeypatch.setenv(name, name.lower())
    request = request_in(tmp_path)
    goose = GooseTool().environment(request)
    assert (goose["GOOSE_MODE"], goose["OPENAI_API_KEY"]) == ("auto", "openai_api_key")
    assert goose["XDG_CONFIG_HOME"] == str(request.home / "goose" / "config")
    for tool, key in ((CursorTool(), "CURSOR_API_KEY"), (AmpTool(), "AMP_API_KEY")):
        env = tool.environment(request)
        assert {name for name in env if name.endswith("_API_KEY")} == {key}


def test_goose_with_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key in the environment goose keeps the user's own configuration."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert "XDG_CONFIG_HOME" not in GooseTool().environment(request_in(tmp_path))
