"""opencode, Copilot, Gemini, Qwen Code and mini-swe-agent: settings, events and what they amount to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import EnvironmentProblem
from penstock.model.outcome import OutcomeKind as Kind
from penstock.model.outcome import Usage
from penstock.tools import copilot, gemini, mini, opencode, qwen
from penstock.tools.client import ClientTool
from penstock.tools.turn import Reader
from tests.support.turns import ended, events, request_in, told

TOOLS: dict[str, ClientTool] = {
    "copilot": copilot.CopilotTool(),
    "gemini": gemini.GeminiTool(),
    "mini-swe-agent": mini.MiniTool(),
    "opencode": opencode.OpencodeTool(),
    "qwen": qwen.QwenTool(),
}
KEYS = {
    "copilot": {"COPILOT_PROVIDER_BASE_URL": "http://h/v1", "COPILOT_PROVIDER_API_KEY": "sk-x"},
    "gemini": {"GEMINI_API_KEY": "sk-x"},
    "mini-swe-agent": {"OPENAI_API_KEY": "sk-x"},
    "opencode": {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": "http://h/v1"},
    "qwen": {"OPENAI_API_KEY": "sk-x"},
}
STREAMS: dict[str, Callable[[], Reader]] = {
    "copilot": copilot.CopilotReader,
    "gemini": gemini.GeminiReader,
    "opencode": opencode.OpencodeReader,
    "qwen": qwen.QwenReader,
}
every_tool = pytest.mark.parametrize("name", sorted(TOOLS))


@pytest.fixture(autouse=True)
def nobody_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without keys in the environment."""
    foreign = ("GH_TOKEN", "GITHUB_TOKEN", "COPILOT_GITHUB_TOKEN", "OPENAI_MODEL", "GOOGLE_API_KEY")
    for key in (*opencode.KEYS, *foreign, *(key for keys in KEYS.values() for key in keys)):
        monkeypatch.delenv(key, raising=False)


def sign_in(name: str, patch: pytest.MonkeyPatch) -> None:
    """Set the key of a tool."""
    for variable, value in KEYS[name].items():
        patch.setenv(variable, value)


def kind_of(reader: Reader, stream: bytes, *, stderr: bytes = b"", code: int = 0) -> Kind | None:
    """Return the kind of failure that a run amounts to."""
    outcome = told(reader, stream, stderr=stderr, exit_code=code)
    return outcome.kind if outcome else None


@every_tool
def test_settings_are_private(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a key each worker has folders of its own, for its owner only, without the key in them."""
    sign_in(name, monkeypatch)
    request = request_in(tmp_path)
    env = TOOLS[name].environment(request)
    assert "sk-x" in env.values()
    assert any(value.startswith(str(request.home)) for value in env.values())
    for path in (request.home, *request.home.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
        assert path.is_dir() or "sk-x" not in path.read_text()


@pytest.mark.parametrize("name", sorted(set(TOOLS) - {"mini-swe-agent"}))
def test_without_a_key_nothing_is_written(name: str, tmp_path: Path) -> None:
    """Without a key the user's own login stands."""
    request = request_in(tmp_path)
    TOOLS[name].environment(request)
    assert not request.home.exists()


@every_tool
def test_the_prompt_is_no_argument(name: str, tmp_path: Path) -> None:
    """The prompt comes on stdin or in a file, and the model is passed on."""
    argv = TOOLS[name].command_line(request_in(tmp_path, model="the-model"))
    assert "the-model" in argv
    assert not any("Repair" in arg for arg in argv)


@every_tool
def test_a_full_disk(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that cannot be written are our trouble, with the folder named."""
    sign_in(name, monkeypatch)
    request = request_in(tmp_path)
    request.home.parent.mkdir()
    request.home.write_text("a file where a folder should be")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        TOOLS[name].environment(request)


@pytest.mark.parametrize("reader", sorted(STREAMS))
@given(st.dictionaries(
    st.sampled_from(["part", "data", "error", "stats", "status", "message", "result", "usage",
                     "role", "content", "exitCode", "output", "permission_denials"]),
    st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none(), max_size=2)
    | st.dictionaries(st.sampled_from(["reason", "tokens", "state", "message", "statusCode"]),
                      st.none() | st.integers() | st.text(max_size=3), max_size=3),
    max_size=5))  # fmt: skip
def test_rubbish_in_events_is_survived(reader: str, fields: dict[str, Any]) -> None:
    """Values of any shape are no reason to fall over."""
    kinds = ("step_finish", "text", "tool_use", "error", "session.error", "model.call_failure",
             "tool.execution_complete", "assistant.message", "message", "tool_result", "result")  # fmt: skip
    for kind in kinds:
        told(STREAMS[reader](), events({**fields, "type": kind}, fields), exit_code=1)


@pytest.mark.parametrize("name", sorted(STREAMS))
@pytest.mark.parametrize(
    ("stderr", "code", "kind"),
    [
        (b"", 0, Kind.BAD_OUTPUT),
        (b"Invalid API key\n", 1, Kind.AUTH),
        (b"unknown option --x\n", 2, Kind.CRASHED),
        (b"", -9, Kind.CRASHED),
    ],
)
def test_without_a_terminal_event(name: str, stderr: bytes, code: int, kind: Kind) -> None:
    """An end without a terminal event is judged by the last words."""
    assert kind_of(STREAMS[name](), b"", stderr=stderr, code=code) is kind


# --- opencode


def step(reason: str, **more: Any) -> dict[str, Any]:
    """Return the end of a step of opencode."""
    return {"type": "step_finish", "part": {"reason": reason, **more}}


FAILED = b'level=ERROR message="stream error" x=1 error.error="AI_APICallError: Overloaded"\n'


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (events(step("tool-calls"), step("stop")), None),
        (events(step("content-filter")), Kind.REFUSED),
        (events(step("length")), Kind.BAD_OUTPUT),
        (events(*[step("unknown")] * 3), Kind.BAD_OUTPUT),
        (events(step("unknown"), step("unknown"), step("tool-calls"), step("unknown"),
                step("stop")), None),
        (events({"type": "error"}), Kind.CRASHED),
        (events({"type": "error", "error": {"name": "X", "data": {"message": "prompt is too long",
                 "statusCode": 400}}}), Kind.CONTEXT_OVERFLOW),
        (events({"type": "error", "error": {"data": {"message": "quota", "statusCode": 429,
                 "responseBody": "insufficient_quota"}}}), Kind.QUOTA),
    ],
)  # fmt: skip
def test_opencode_streams(stream: bytes, kind: Kind | None) -> None:
    """The reason of a step decides; replies without a meaning are asked for three times at most."""
    assert kind_of(opencode.OpencodeReader(), stream, code=1 if kind else 0) is kind


def test_opencode_repeats_a_failed_request_once() -> None:
    """The log tells of requests that fail; the second in a row ends the turn, one does not."""
    reader = opencode.OpencodeReader()
    assert not reader.feed_error(FAILED)
    reader.feed(events(step("tool-calls")))
    assert not reader.feed_error(FAILED)
    assert reader.feed_error(FAILED)
    assert reader.finish(ended(-15)) == reader.said.verdict
    assert reader.said.verdict is not None
    assert reader.said.verdict.kind is Kind.OVERLOADED


def test_opencode_hears_of_a_rejected_key_at_once() -> None:
    """A key that was rejected is not tried again."""
    line = FAILED.replace(b"Overloaded", b"Invalid API key")
    assert opencode.OpencodeReader().feed_error(line)


def test_opencode_retry_after() -> None:
    """The time that the vendor names comes with the outcome."""
    data = {"message": "slow down", "statusCode": 429, "responseHeaders": {"retry-after": "7"}}
    outcome = opencode.failure({"data": data}, now=100.0)
    assert (outcome.kind, outcome.reset_at) == (Kind.RATE_LIMITED, 107.0)


def test_opencode_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an endpoint of one's own a bare model name is one of that endpoint."""
    tool = TOOLS["opencode"]
    assert tool.command_line(request_in(tmp_path, model="m"))[-1] == "m"
    sign_in("opencode", monkeypatch)
    request = request_in(tmp_path, model="m")
    assert tool.command_line(request)[-1] == "penstock/m"
    env = tool.environment(request)
    config = json.loads(Path(env["XDG_CONFIG_HOME"], "opencode", "opencode.json").read_text())
    assert config["model"] == "penstock/m"
    assert config["provider"]["penstock"]["options"]["baseURL"] == "http://h/v1"


def test_opencode_without_an_endpoint() -> None:
    """Without an endpoint of one's own the vendors that opencode knows are used."""
    assert opencode.configuration(None, "m") == {"autoupdate": False, "share": "disabled"}


def test_opencode_missing_usage() -> None:
    """A step without numbers adds none, and a price of zero is unknown."""
    assert opencode.added(Usage(), {"cost": 0}) == Usage()
    assert opencode.added(Usage(cost_usd=1.0), {"cost": 0.5}).cost_usd == 1.5


# --- Copilot


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (events({"type": "result", "exitCode": 0}), None),
        (events({"type": "result", "exitCode": 3}), Kind.CRASHED),
        (events({"type": "session.error", "data": {"errorType": "quota"}}), Kind.QUOTA),
        (events({"type": "session.error", "data": {"message": "context window full"}}),
         Kind.CONTEXT_OVERFLOW),
        (events({"type": "session.error"}), Kind.CRASHED),
        (events({"type": "model.call_failure", "data": {"statusCode": 500}},
                {"type": "model.call_finished", "data": {"outcome": "success"}},
                {"type": "model.call_failure", "data": {"statusCode": 500}},
                {"type": "result", "exitCode": 0}), None),
        (events(*[{"type": "model.call_failure", "data": {"statusCode": 429}}] * 2),
         Kind.RATE_LIMITED),
        (events({"type": "model.call_failure", "data": {"statusCode": 401}}), Kind.AUTH),
        (events({"type": "tool.execution_complete", "data": {"error": {"code": "denied"}}},
                {"type": "result", "exitCode": 0}), Kind.DENIED),
    ],
)  # fmt: skip
def test_copilot_streams(stream: bytes, kind: Kind | None) -> None:
    """Its errors are told apart; a call that failed may be repeated once."""
    assert kind_of(copilot.CopilotReader(), stream, code=1 if kind else 0) is kind


@pytest.mark.parametrize(
    ("given_tokens", "expected"),
    [
        (("GITHUB_TOKEN", "GH_TOKEN"), "GH_TOKEN"),
        (("GITHUB_TOKEN",), "GITHUB_TOKEN"),
        (("COPILOT_GITHUB_TOKEN", "GH_TOKEN"), "COPILOT_GITHUB_TOKEN"),
    ],
)
def test_copilot_takes_one_token(
    given_tokens: tuple[str, ...], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the token that signs in reaches the child, and offline mode is off."""
    for name in given_tokens:
        monkeypatch.setenv(name, "ghp")
    env = TOOLS["copilot"].environment(request_in(tmp_path))
    assert [name for name, value in env.items() if value == "ghp"] == [expected]
    assert "COPILOT_OFFLINE" not in env


def test_copilot_with_a_key_gets_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider of one's own needs no GitHub: no token is handed on and the network is silent."""
    sign_in("copilot", monkeypatch)
    monkeypatch.setenv("GITHUB_TOKEN", "ghp")
    env = TOOLS["copilot"].environment(request_in(tmp_path))
    assert ("ghp" in env.values(), env["COPILOT_OFFLINE"]) == (False, "true")


def test_copilot_unpacks_itself_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its package cache is where it would be for its user, or where the user says."""
    monkeypatch.setenv("HOME", "/home/una")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("COPILOT_PKG_CACHE_HOME", raising=False)
    assert copilot.package_cache() == {"COPILOT_PKG_CACHE_HOME": "/home/una/.cache/copilot"}
    monkeypatch.setenv("COPILOT_PKG_CACHE_HOME", "/there")
    assert copilot.package_cache() == {"COPILOT_PKG_CACHE_HOME": "/there"}


# --- Gemini


@pytest.mark.parametrize(
    ("stream", "code", "kind"),
    [
        (events({"type": "result", "status": "success"}), 0, None),
        (events({"type": "result", "status": "error"}), 1, Kind.CRASHED),
        (events({"type": "result", "status": "error", "error": {"message": "x"}}), 53, Kind.BUDGET),
        (events({"type": "result", "status": "error", "error": {"message": "TerminalQuotaError"}}),
         1, Kind.QUOTA),
        (b"", 41, Kind.AUTH), (b"", 145, Kind.AUTH), (b"", 147, Kind.AUTH),
        (b"", 173, Kind.RATE_LIMITED), (b"", 244, Kind.OVERLOADED), (b"", 55, Kind.DENIED),
        (events({"type": "error", "message": "Resource_exhausted"}), 9, Kind.RATE_LIMITED),
        (events({"type": "tool_result", "status": "error", "output": "Path not in workspace: x"},
                {"type": "result", "status": "success"}), 0, Kind.DENIED),
    ],
)  # fmt: skip
def test_gemini_streams(stream: bytes, code: int, kind: Kind | None) -> None:
    """The result decides; its exit code is an HTTP status modulo 256, or one of its own."""
    assert kind_of(gemini.GeminiReader(), stream, code=code) is kind


def test_gemini_attempts() -> None:
    """stderr tells of requests that fail; the second in a row ends the turn."""
    reader = gemini.GeminiReader()
    line = b"Attempt 1 failed with status 503. Retrying with backoff... ApiError\n"
    assert not reader.feed_error(line)
    reader.feed(events({"type": "message", "role": "assistant", "content": "a", "delta": True}))
    assert not reader.feed_error(line)
    assert reader.feed_error(b"Attempt 2 failed. Retrying with backoff...\n")
    assert reader.said.verdict is not None
    assert reader.said.verdict.kind is Kind.OVERLOADED


def test_gemini_messages() -> None:
    """Pieces of a message are put together; the user's own are not its words."""
    reader = gemini.GeminiReader()
    pieces = [{"type": "message", "role": "assistant", "content": c, "delta": True} for c in "ab"]
    told(reader, events({"type": "message", "role": "user", "content": "x"}, *pieces))
    assert reader.said.message == "ab"


def test_gemini_missing_usage() -> None:
    """A result without numbers gives none; thoughts are what the total holds beyond the rest."""
    assert gemini.usage_of({}) == Usage()
    assert gemini.usage_of({"output_tokens": 5}) == Usage(output=5)
    stats = {"total_tokens": 20, "input_tokens": 10, "input": 8, "cached": 2, "output_tokens": 6}
    used = gemini.usage_of(stats)
    assert (used.input_tokens, used.output, used.reasoning) == (10, 10, 4)


def test_gemini_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its settings select the key, end its retries and keep its reports of errors to the worker."""
    sign_in("gemini", monkeypatch)
    env = TOOLS["gemini"].environment(request_in(tmp_path))
    settings = json.loads(Path(env["GEMINI_CLI_HOME"], ".gemini", "settings.json").read_text())
    assert settings["security"]["auth"]["selectedType"] == "gemini-api-key"
    assert settings["general"]["maxAttempts"] == 1
    assert Path(env["TMPDIR"]).is_relative_to(tmp_path)


# --- Qwen Code


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("[API Error: 401 Invalid API key]", Kind.AUTH),
        ("[API Error: 429 slow down (retry-after: 5)]", Kind.RATE_LIMITED),
        ("[API Error: 529 Overloaded]", Kind.OVERLOADED),
        ("[API Error: 429 insufficient_quota]", Kind.QUOTA),
        ("[API Error: Connection error.]", Kind.OVERLOADED),
        ("[API Error: Model stream ended without a finish reason.]", Kind.BAD_OUTPUT),
        ("I explained what [API Error: 401] means.", None),
        ("Done.", None),
    ],
)
def test_qwen_results(words: str, kind: Kind | None) -> None:
    """A failed request is a result without an error; only a result that begins so is one."""
    result = {"type": "result", "subtype": "success", "is_error": False, "result": words}
    assert kind_of(qwen.QwenReader(), events(result)) is kind


def test_qwen_denials() -> None:
    """A denied permission is `denied`."""
    result = {"type": "result", "is_error": False, "result": "", "permission_denials": [{}]}
    assert kind_of(qwen.QwenReader(), events(result)) is Kind.DENIED


def test_qwen_usage() -> None:
    """Cached tokens are taken out of the input; without numbers all is unknown."""
    used = qwen.qwen_usage({"usage": {"input_tokens": 10, "cache_read_input_tokens": 4}})
    assert (used.input_uncached, used.cache_read) == (6, 4)
    assert qwen.qwen_usage({}) == Usage()


def test_qwen_signs_in_with_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a key the way to sign in is named; without one it is the user's."""
    assert "--auth-type" not in TOOLS["qwen"].command_line(request_in(tmp_path))
    sign_in("qwen", monkeypatch)
    assert "--auth-type" in TOOLS["qwen"].command_line(request_in(tmp_path))


# --- mini-swe-agent


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("Submitted", "", None),
        ("LimitsExceeded", "", Kind.BUDGET),
        ("AuthenticationError", "litellm.AuthenticationError: no", Kind.AUTH),
        ("RateLimitError", "", Kind.RATE_LIMITED),
        ("InternalServerError", "litellm.InternalServerError: Expecting value", Kind.BAD_OUTPUT),
        ("KeyError", "'x'", Kind.CRASHED),
    ],
)
def test_mini_statuses(status: str, words: str, kind: Kind | None) -> None:
    """The status in the trajectory decides, with the words of the exception that ended the run."""
    outcome = mini.judge(status, words, now=0.0)
    assert (outcome.kind if outcome else None) is kind


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'{"info": 3}', b'{"info": {"exit_status": 4}}', b"\xff"]
)
def test_broken_trajectories(raw: bytes, tmp_path: Path) -> None:
    """A trajectory that is none leaves the judgement to the last words."""
    path = tmp_path / "t.json"
    path.write_bytes(raw)
    assert kind_of(mini.MiniReader(path), b"", stderr=b"Invalid API key\n", code=1) is Kind.AUTH
    assert kind_of(mini.MiniReader(path), b"") is Kind.BAD_OUTPUT


def test_a_trajectory_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trajectory beyond all measure is not read."""
    path = tmp_path / "t.json"
    path.write_bytes(b'{"info": {"exit_status": "Submitted"}}')
    monkeypatch.setattr(mini, "MAX_TRAJECTORY", 10)
    assert mini.read_trajectory(path) == {}


def test_the_trajectory_is_removed(tmp_path: Path) -> None:
    """What the agent saw is not left lying about once it was read."""
    path = tmp_path / "t.json"
    path.write_bytes(b'{"info": {"exit_status": "Submitted"}, "messages": [null, {"extra": 1}]}')
    assert kind_of(mini.MiniReader(path), b"") is None
    assert not path.exists()


def test_mini_usage() -> None:
    """Usage is summed over the replies that tell it; a cost of zero is unknown."""
    replies = [{"prompt_tokens": 10, "completion_tokens": 2}, {}, {"prompt_tokens": 5}]
    messages = [{"extra": {"response": {"usage": used}}} for used in replies]
    info = {"model_stats": {"instance_cost": 0.0}}
    used = mini.usage_of({"messages": messages, "info": info})
    assert used == Usage(input_uncached=15, output=2)
    assert mini.usage_of({}) == Usage()


def test_the_task_of_mini(tmp_path: Path) -> None:
    """The prompt stands in a settings file, and the trajectory of the turn before is gone."""
    request = request_in(tmp_path, max_cost_usd=0.5)
    tool, own = TOOLS["mini-swe-agent"], request.home / "mini"
    own.mkdir(parents=True)
    (own / "turn.traj.json").write_text("old")
    env = tool.environment(request)
    assert json.loads((own / "task.yaml").read_text())["run"]["task"] == "Repair calc.py."
    assert (own / "turn.traj.json").read_text() == ""
    assert env["MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT"] == "1"
    assert tool.command_line(request)[-2:] == ("-l", "0.5")
