"""aider's text becomes outcomes and usage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.outcome import OutcomeKind as Kind
from penstock.model.outcome import Usage
from penstock.tools.aider import BASES, KEYS, AiderReader, AiderTool, prepare, tokens
from tests.support.turns import replay, request_in, told

REPLY = b"Tokens: 1.2k sent, 56 received.\n"
RATE = b"litellm.RateLimitError: RateLimitError: OpenAIException - slow down\n"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment without keys, endpoints and a model."""
    for name in (*KEYS, *BASES, "AIDER_MODEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("success", None), ("two_files", None), ("no_edit", None), ("out_of_scope", None),
        ("whole_format", None), ("rate_limited_then_ok", None), ("outside", None),
        ("unauthorized", Kind.AUTH), ("forbidden", Kind.AUTH),
        ("rate_limited", Kind.RATE_LIMITED), ("rate_limited_no_header", Kind.RATE_LIMITED),
        ("server_error", Kind.OVERLOADED), ("overloaded", Kind.OVERLOADED),
        ("cut", Kind.OVERLOADED), ("not_json", Kind.BAD_OUTPUT), ("empty_object", Kind.BAD_OUTPUT),
        ("off_format", Kind.BAD_OUTPUT), ("unmatched", Kind.BAD_OUTPUT),
    ],
)  # fmt: skip
def test_recorded_runs(case: str, kind: Kind | None) -> None:
    """Each recorded run of the real client comes to its outcome, though it exits with 0."""
    outcome = replay(AiderReader(), "aider", case)
    assert (outcome and outcome.kind) == kind


@pytest.mark.parametrize(
    ("line", "used"),
    [
        ("Tokens: 1.2k sent, 56 received.", Usage(input_uncached=1200, output=56)),
        ("Tokens: 12k sent, 2M cache hit, 3 received.",
         Usage(input_uncached=0, cache_read=2_000_000, output=3)),
        ("Tokens: 3.0k sent, 500 cache write, 1.0k cache hit, 7 received.",
         Usage(input_uncached=1500, cache_read=1000, cache_write=500, output=7)),
        ("Tokens: 10 sent, 2 received. Cost: $0.0045 message, $0.01 session.",
         Usage(input_uncached=10, output=2, cost_usd=0.01)),
        ("Tokens: 10 sent, 2 received.\nCost: $0.0045 message, $1.50 session.",
         Usage(input_uncached=10, output=2, cost_usd=1.5)),
    ],
)  # fmt: skip
def test_usage(line: str, used: Usage) -> None:
    """The counts are read as they are printed; what is not printed is unknown."""
    reader = AiderReader()
    assert told(reader, line.encode(), piece=5) is None
    assert reader.said.usage == used


def test_usage_adds_up_over_replies() -> None:
    """Each reply's tokens count; the cost is the session's, which aider adds up itself."""
    reader = AiderReader()
    cost = b"Tokens: 10 sent, 5 cache hit, 2 received. Cost: $0.01 message, $0.03 session.\n"
    told(reader, REPLY + cost)
    assert reader.said.usage == Usage(input_uncached=1205, cache_read=5, output=58, cost_usd=0.03)


def test_counts() -> None:
    """Rounded counts are taken as they are."""
    assert [tokens(word) for word in ("0", "56", "1.2k", "12k", "1.5M")] == [
        0, 56, 1200, 12_000, 1_500_000,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (RATE + b"Retrying in 0.2 seconds...\n" + REPLY, None),
        (REPLY + RATE, Kind.RATE_LIMITED),
        (b"The LLM did not conform to the edit format.\n" + REPLY, None),
        (REPLY + b"The LLM did not conform to the edit format.\n", Kind.BAD_OUTPUT),
        (REPLY + b"Only 3 reflections allowed, stopping.\n", Kind.BAD_OUTPUT),
        (b"say: litellm.AuthenticationError is raised\n" + REPLY, None),
        (b"Model x has hit a token limit!\n", Kind.CONTEXT_OVERFLOW),
        (b"litellm.RateLimitError: exceeded your current quota\n", Kind.QUOTA),
        (b"litellm.BadRequestError: maximum context length is 10\n", Kind.CONTEXT_OVERFLOW),
        (b"litellm.APIError: APIError: x - no 403\n", Kind.AUTH),
        (b"litellm.APIError: APIError: x - who knows\n", Kind.OVERLOADED),
        (b"litellm.NotFoundError: no such model\n", Kind.CRASHED),
        (b"litellm.BadRequestError: content_filter\n", Kind.REFUSED),
        (b"litellm.ContentPolicyViolationError: no\n", Kind.REFUSED),
        (b"No LLM model was specified and no API keys were provided.\n", Kind.AUTH),
        (b"hello\n", Kind.BAD_OUTPUT),
    ],
)
def test_words_of_its_own(text: bytes, kind: Kind | None) -> None:
    """A reply of the model wipes out the troubles before it; what follows it is aider's verdict."""
    outcome = told(AiderReader(), text)
    assert (outcome and outcome.kind) == kind


@pytest.mark.parametrize("before", [b"", REPLY])
def test_a_crash(before: bytes) -> None:
    """An exit code other than 0 without a known word is a crash, reply or not."""
    outcome = told(AiderReader(), before + b"Traceback:\n", exit_code=1)
    assert outcome is not None
    assert outcome.kind is Kind.CRASHED


def test_it_is_stopped_after_a_few_retries() -> None:
    """Its own retries, which no option ends, are ended after four."""
    reader = AiderReader()
    again = RATE + b"Retrying in 1.0 seconds...\n"
    assert [reader.feed(again) for _ in range(5)] == [False] * 4 + [True]
    assert not reader.said.terminal


def test_a_rejected_key_is_not_tried_again() -> None:
    """It repeats a 403 for a minute, to no end."""
    reader = AiderReader()
    assert not reader.feed(b"litellm.APIError: APIError: OpenAIException - Error code: 403\n")
    assert reader.feed(b"Retrying in 0.2 seconds...\n")


def test_an_error_that_the_model_quotes_is_no_reason_to_stop() -> None:
    """A reply about a rejected key goes on to its end."""
    reader = AiderReader()
    quoted = b"litellm.AuthenticationError: what you would see\nRetrying in 1 seconds\n" + REPLY
    assert not reader.feed(quoted)
    assert reader.said.hint is None


def test_without_a_key_it_is_not_waited_for() -> None:
    """It would wait minutes for a login in a browser; the turn ends at once and says what to set."""
    reader = AiderReader()
    assert reader.feed(b"No LLM model was specified and no API keys were provided.\n")
    outcome = told(reader, b"Waiting up to 5 minutes for you to finish in the browser...\n")
    assert outcome is not None
    assert (outcome.kind, "AIDER_MODEL" in outcome.message) == (Kind.AUTH, True)


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    """No output breaks the reading."""
    told(AiderReader(), b"Tokens: " + data + b"\nCost: $" + data, piece=7)


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is named only when set, files cannot be taken for options, the prompt is a file."""
    request = request_in(tmp_path, files=("-x.py", "a b.py"))
    plain = AiderTool().command_line(request)
    assert plain[-4:] == ("--message-file", str(request.prompt_file), "./-x.py", "a b.py")
    assert "--model" not in plain
    monkeypatch.setenv("AIDER_MODEL", "from-environment")
    assert "from-environment" in AiderTool().command_line(request)
    assert not request.home.exists()


def test_an_endpoint_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The models behind an own endpoint are described, without prices, so that none is looked up."""
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:1/v1")
    request = request_in(tmp_path, model="openai/scripted")
    env = prepare(request)
    argv = AiderTool().command_line(request)
    described = json.loads(Path(argv[argv.index("--model-metadata-file") + 1]).read_text())
    assert described["openai/scripted"]["litellm_provider"] == "openai"
    assert "input_cost_per_token" not in described["openai/scripted"]
    assert env["HOME"] == str(request.home / "aider")
    assert env["OPENAI_API_BASE"] == "http://127.0.0.1:1/v1"


def test_with_a_key_the_price_list_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's HOME holds a price list that is young and not empty, and is private."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    home = Path(prepare(request_in(tmp_path))["HOME"])
    prices = home / ".aider" / "caches" / "model_prices_and_context_window.json"
    assert json.loads(prices.read_text())
    assert {p.stat().st_mode & 0o077 for p in home.rglob("*")} == {0}


def test_without_a_key_home_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys may be in the user's own files, so HOME stays theirs."""
    monkeypatch.setenv("HOME", "/home/of/the/user")
    env = prepare(request_in(tmp_path))
    assert env["HOME"] == "/home/of/the/user"
    assert env["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"


def test_it_has_an_identity_for_git(tmp_path: Path) -> None:
    """It never needs to write an identity into the repository's configuration."""
    env = prepare(request_in(tmp_path))
    assert [env[f"GIT_CONFIG_KEY_{i}"] for i in range(2)] == ["user.name", "user.email"]
