"""Codex's events become outcomes and usage."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.outcome import OutcomeKind as Kind
from penstock.model.outcome import Usage
from penstock.tools.codex import CodexReader, CodexTool, configuration, environment, usage_of
from tests.support.turns import events, replay, request_in, told

DONE = {"type": "turn.completed", "usage": {"input_tokens": 10, "output_tokens": 2}}


def error(message: str) -> dict[str, Any]:
    """Return an error event."""
    return {"type": "error", "message": message}


def failed(message: str) -> dict[str, Any]:
    """Return the terminal event of a failed turn."""
    return {"type": "turn.failed", "error": {"message": message}}


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("success", None), ("two_files", None), ("no_edit", None), ("out_of_scope", None),
        ("command", None), ("outside", None), ("outside_absolute", Kind.DENIED),
        ("unauthorized", Kind.AUTH), ("forbidden", Kind.AUTH),
        ("rate_limited", Kind.RATE_LIMITED), ("rate_limited_no_header", Kind.RATE_LIMITED),
        ("server_error", Kind.OVERLOADED), ("overloaded", Kind.OVERLOADED),
        ("cut", Kind.OVERLOADED), ("not_json", Kind.BAD_OUTPUT), ("empty_object", Kind.BAD_OUTPUT),
    ],
)  # fmt: skip
def test_recorded_runs(case: str, kind: Kind | None) -> None:
    """Each recorded run of the real client comes to its outcome."""
    outcome = replay(CodexReader(), "codex", case)
    assert (outcome and outcome.kind) == kind


def test_recorded_usage() -> None:
    """Cached tokens are taken out of the input; reasoning stays in the output; no cost is known."""
    reader = CodexReader()
    replay(reader, "codex", "success", piece=3)
    assert reader.said.usage == Usage(
        input_uncached=2100, cache_read=800, cache_write=0, output=400, reasoning=40
    )
    assert (reader.said.message, reader.said.unknown) == ("Done.", 0)


def test_missing_usage_is_unknown() -> None:
    """A turn without numbers gives no numbers, and more cached than read is no negative."""
    assert usage_of({}) == Usage()
    assert usage_of({"input_tokens": 1, "cached_input_tokens": 5}).input_uncached == 0


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (events(error("Reconnecting... 1/5"), DONE), None),
        (events(error("exceeded retry limit, last status: 429 Too Many Requests"), DONE), None),
        (events(failed("You've hit your usage limit. try again at 3:05 PM")), Kind.RATE_LIMITED),
        (events(failed("the model broke")), Kind.CRASHED),
        (events({"type": "turn.failed"}), Kind.CRASHED),
        (events({"type": "item.completed", "item": {"type": "error", "message": "x"}}, DONE), None),
        (events(error("unexpected status 500 x")), Kind.OVERLOADED),
    ],
)
def test_streams(stream: bytes, kind: Kind | None) -> None:
    """The terminal event decides; errors before it are chatter, unless nothing follows."""
    outcome = told(CodexReader(), stream, exit_code=1 if kind else 0)
    assert (outcome and outcome.kind) == kind


def test_a_rejected_key_ends_the_turn_at_once() -> None:
    """An error that says that the key is wrong is not retried to the end."""
    reader = CodexReader()
    assert reader.feed(events(error("unexpected status 401 Unauthorized: no")))
    outcome = told(reader, b"", exit_code=-15)
    assert outcome is not None
    assert outcome.kind is Kind.AUTH


@pytest.mark.parametrize(
    ("stderr", "exit_code", "kind"),
    [
        (b"", 0, Kind.BAD_OUTPUT),
        (b"Missing environment variable: `X`.\n", 1, Kind.AUTH),
        (b"error: unexpected argument\n", 2, Kind.CRASHED),
    ],
)
def test_without_a_terminal_event(stderr: bytes, exit_code: int, kind: Kind) -> None:
    """An end without a terminal event is judged by the last words."""
    outcome = told(CodexReader(), b"", stderr=stderr, exit_code=exit_code)
    assert outcome is not None
    assert outcome.kind is kind


@given(st.dictionaries(st.sampled_from(["type", "item", "usage", "error", "message"]),
                       st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none()),
                       max_size=5))  # fmt: skip
def test_rubbish_in_events_is_survived(fields: dict[str, Any]) -> None:
    """Values of any shape are no reason to fall over."""
    kinds = ("turn.completed", "turn.failed", "item.completed", "error")
    for kind in kinds:
        told(CodexReader(), events({**fields, "type": kind}, fields))


def test_unknown_events_are_counted() -> None:
    """Events that nobody knows are ignored and counted."""
    reader = CodexReader()
    assert told(reader, events({"type": "thread.later"}, DONE)) is None
    assert (reader.said.events, reader.said.unknown) == (2, 1)


def test_the_configuration_is_toml() -> None:
    """Addresses are quoted, retries are off, the key is named and not written down."""
    settings = tomllib.loads(configuration("MY_KEY", 'http://h/"v1"'))
    provider = settings["model_providers"]["penstock"]
    assert provider["base_url"] == 'http://h/"v1"'
    assert (provider["env_key"], provider["wire_api"]) == ("MY_KEY", "responses")
    assert (provider["request_max_retries"], provider["stream_max_retries"]) == (1, 0)


def test_the_environment_with_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key gives the worker a private CODEX_HOME with the address, and no other key gets in."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "other")
    env = environment(request_in(tmp_path))
    config = Path(env["CODEX_HOME"], "config.toml")
    assert "http://127.0.0.1:1/v1" in config.read_text()
    assert "sk-x" not in config.read_text()
    assert [oct(p.stat().st_mode & 0o777) for p in (config, config.parent)] == ["0o600", "0o700"]
    assert (env["OPENAI_API_KEY"], "ANTHROPIC_API_KEY" in env) == ("sk-x", False)


def test_without_a_key_the_users_login_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key the user's CODEX_HOME stands and nothing is written."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("CODEX_API_KEY", raising=False)
    monkeypatch.setenv("CODEX_HOME", "/my/codex")
    assert environment(request_in(tmp_path))["CODEX_HOME"] == "/my/codex"
    assert not (tmp_path / "state").exists()


def test_the_command_line(tmp_path: Path) -> None:
    """The sandbox is always named, the model only when set, and the prompt comes on stdin."""
    argv = CodexTool().command_line(request_in(tmp_path, model="m"))
    assert argv[:5] == ("codex", "exec", "--json", "-s", "workspace-write")
    assert argv[-3:] == ("-m", "m", "-")
