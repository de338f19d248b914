"""Claude Code's events become outcomes and usage."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.outcome import Outcome, Usage
from penstock.model.outcome import OutcomeKind as Kind
from penstock.tools.claude_cli import ClaudeReader, ClaudeTool, environment, usage_of, verdict_of
from tests.support.turns import events, replay, request_in, told

LIMIT = {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": 1e9}}


def result(**changes: Any) -> dict[str, Any]:
    """Return a terminal event."""
    return {"type": "result", "subtype": "success", "is_error": False, "result": "Done."} | changes


def retry(**changes: Any) -> dict[str, Any]:
    """Return the event of a retry after a rate limit."""
    plain = {"type": "system", "subtype": "api_retry", "attempt": 1, "retry_delay_ms": 600}
    return plain | {"error_status": 429, "error": "rate_limit"} | changes


def kind_of(outcome: Outcome | None) -> Kind | None:
    """Return the kind of an outcome, None for success."""
    return None if outcome is None else outcome.kind


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("success", None), ("two_files", None), ("no_edit", None), ("out_of_scope", None),
        ("command", None), ("rate_limited_then_ok", None), ("outside", Kind.DENIED),
        ("outside_absolute", Kind.DENIED), ("unauthorized", Kind.AUTH), ("forbidden", Kind.AUTH),
        ("rate_limited", Kind.RATE_LIMITED), ("rate_limited_no_header", Kind.RATE_LIMITED),
        ("server_error", Kind.OVERLOADED), ("overloaded", Kind.OVERLOADED),
        ("cut", Kind.OVERLOADED), ("not_json", Kind.BAD_OUTPUT), ("empty_object", Kind.BAD_OUTPUT),
    ],
)  # fmt: skip
def test_recorded_runs(case: str, kind: Kind | None) -> None:
    """Each recorded run of the real client comes to its outcome."""
    assert kind_of(replay(ClaudeReader(), "claude", case)) == kind


def test_recorded_usage() -> None:
    """Tokens and dollars are those of the terminal event, cached ones apart."""
    reader = ClaudeReader()
    replay(reader, "claude", "success", piece=7)
    used = reader.said.usage
    assert (used.input_uncached, used.cache_read, used.cache_write) == (3000, 1200, 150)
    assert (used.output, used.model) == (600, "claude-opus-5-5")
    assert used.cost_usd == pytest.approx(0.02499)
    assert (reader.said.unknown, reader.said.message) == (0, "Done.")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"subtype": "error_max_turns", "is_error": True}, Kind.BUDGET),
        ({"subtype": "error_max_budget_usd"}, Kind.BUDGET),
        ({"terminal_reason": "prompt_too_long", "is_error": True}, Kind.CONTEXT_OVERFLOW),
        ({"terminal_reason": "blocking_limit"}, Kind.CONTEXT_OVERFLOW),
        ({"stop_reason": "refusal"}, Kind.REFUSED),
        ({"is_error": True, "api_error_status": 529, "result": "API Error"}, Kind.OVERLOADED),
        ({"is_error": True, "api_error_status": 429, "result": "Credit balance is too low"}, Kind.QUOTA),
        ({"is_error": True, "result": "Not logged in · Please run /login"}, Kind.AUTH),
        ({"is_error": True, "result": "who knows"}, Kind.CRASHED),
        ({"is_error": True, "result": None, "errors": ["Invalid API key"]}, Kind.AUTH),
        ({"result": "You've hit your limit · resets 3pm (UTC)"}, Kind.RATE_LIMITED),
        ({"result": "Claude AI usage limit reached|1769871600"}, Kind.RATE_LIMITED),
        ({"permission_denials": [{"tool_name": "Bash"}, "?"]}, Kind.DENIED),
        ({"result": "I added handling for rate limit 429 errors."}, None),
        ({"result": "x" * 500 + "You've hit your limit"}, None),
        ({"result": None, "permission_denials": None}, None),
    ],
)  # fmt: skip
def test_terminal_events(changes: dict[str, Any], kind: Kind | None) -> None:
    """What a terminal event states is believed; what the model writes about limits is not."""
    assert kind_of(verdict_of(result(**changes), now=0.0)) == kind


def test_a_rejected_key_ends_the_turn_at_once() -> None:
    """A retry after a failed authentication is not waited for."""
    reader = ClaudeReader()
    assert reader.feed(events(retry(error_status=401, error="authentication_failed")))
    assert not reader.said.terminal
    assert kind_of(told(reader, b"", exit_code=143)) is Kind.AUTH


def test_a_long_wait_is_not_the_clients_affair() -> None:
    """A Retry-After of minutes ends the turn, with the time when the limit ends."""
    reader = ClaudeReader()
    assert reader.feed(events(retry(retry_delay_ms=120_000)))
    outcome = told(reader, b"", exit_code=143)
    assert outcome is not None
    assert outcome.kind is Kind.RATE_LIMITED
    assert outcome.reset_at == pytest.approx(time.time() + 120, abs=5)


@pytest.mark.parametrize(("delay_ms", "stated"), [(600, False), (4000, True)])
def test_its_own_back_off_is_no_reset_time(delay_ms: int, *, stated: bool) -> None:
    """A short wait is the client's own back-off; a longer one is the vendor's word."""
    failed = result(is_error=True, api_error_status=429, result="API Error: 429")
    outcome = told(ClaudeReader(), events(retry(retry_delay_ms=delay_ms), failed), exit_code=1)
    assert outcome is not None
    assert (outcome.reset_at is not None) == stated


def test_the_reset_time_of_a_limit_event() -> None:
    """A rejected limit event states when the limit ends."""
    failed = result(is_error=True, api_error_status=429, result="limit")
    outcome = told(ClaudeReader(), events(LIMIT, failed))
    assert outcome is not None
    assert outcome.reset_at == 1e9


def test_retries_that_end_well_leave_no_trace() -> None:
    """A server error and an unknown retry that ended in a good result are no failure."""
    stream = events(
        retry(error="server_error", error_status=500), retry(error="?", error_status=None)
    )
    assert told(ClaudeReader(), stream + events(result())) is None


@pytest.mark.parametrize(
    ("stderr", "exit_code", "kind"),
    [
        (b"", 0, Kind.BAD_OUTPUT),
        (b"boom\n", 1, Kind.CRASHED),
        (b"boom\n", -11, Kind.CRASHED),
        (b"Not logged in\n", 1, Kind.AUTH),
        (b"--x cannot be used with root/sudo privileges\n", 1, Kind.DENIED),
    ],
)
def test_without_a_terminal_event(stderr: bytes, exit_code: int, kind: Kind) -> None:
    """An end without a result is judged by the last words, exit code 0 included."""
    assert kind_of(told(ClaudeReader(), b"hello\n", stderr=stderr, exit_code=exit_code)) is kind


def test_unknown_events_are_counted() -> None:
    """Events that nobody knows are ignored and counted; text and lists are no events."""
    reader = ClaudeReader()
    stream = events({"type": "later"}, {"no": "type"}, result()) + b"text\n[1]\n"
    assert told(reader, stream) is None
    assert (reader.said.events, reader.said.unknown) == (3, 2)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["usage", "modelUsage", "result", "errors", "is_error",
                                         "permission_denials", "subtype", "rate_limit_info"]),
                        inner, max_size=5)))  # fmt: skip
def test_rubbish_in_events_is_survived(value: Any) -> None:
    """Values of any shape in the fields of a result are no reason to fall over."""
    fields = value if isinstance(value, dict) else {"result": value, "usage": value}
    stream = events(result(**fields), retry(error=value), {**LIMIT, "rate_limit_info": value})
    reader = ClaudeReader()
    told(reader, stream)
    assert reader.said.terminal


def test_missing_usage_is_unknown() -> None:
    """A result without numbers gives no numbers, not zeros."""
    assert usage_of(result()) == Usage()
    assert usage_of(result(modelUsage={"a": {}, "b": {}})).model is None


def test_the_command_line(tmp_path: Path) -> None:
    """Model and budget are passed only when they are set; the prompt is not in the argv."""
    plain = ClaudeTool().command_line(request_in(tmp_path))
    full = ClaudeTool().command_line(request_in(tmp_path, model="m", max_cost_usd=0.5))
    assert plain[:2] == ("claude", "-p")
    assert full[len(plain) :] == ("--model", "m", "--max-budget-usd", "0.5")
    assert not any("Repair" in arg for arg in plain)


def test_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child gets its own keys and no other's, and with a key a configuration of its own."""
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "OPENAI_API_KEY", "HOME"):
        monkeypatch.setenv(name, f"/{name}")
    env = environment(request_in(tmp_path, idle_s=100.0))
    assert env["CLAUDE_CONFIG_DIR"] == str(tmp_path / "state" / "home" / "claude")
    assert (env["ANTHROPIC_API_KEY"], env["HOME"]) == ("/ANTHROPIC_API_KEY", "/HOME")
    assert (env["CLAUDE_CODE_MAX_RETRIES"], env["API_TIMEOUT_MS"]) == ("1", "40000")
    assert "OPENAI_API_KEY" not in env


def test_credentials_of_a_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials of a cloud are handed on only to a Claude Code that works with it."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert "AWS_SECRET_ACCESS_KEY" not in environment(request_in(tmp_path))
    monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")
    env = environment(request_in(tmp_path))
    assert (env["AWS_SECRET_ACCESS_KEY"], env["CLAUDE_CODE_USE_BEDROCK"]) == ("s", "1")


def test_without_a_key_the_users_login_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key nothing is moved, and no folder is made."""
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    assert "CLAUDE_CONFIG_DIR" not in environment(request_in(tmp_path))
    assert not (tmp_path / "state").exists()
