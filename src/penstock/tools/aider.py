"""aider (PyPI `aider-chat`, measured with 0.86.2), run headlessly."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import msgspec

from penstock.model.outcome import Outcome, OutcomeKind, Usage
from penstock.process import api as process
from penstock.process.api import FilterFactory, Stop
from penstock.process.environment import child_environment, variables
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.streams import LineSplitter
from penstock.tools.texts import by_status, classify, local_zone, outcome
from penstock.tools.turn import (
    Said,
    any_set,
    died,
    last_line,
    launch_of,
    missing,
    own_home,
    run_turn,
    write_private,
)

EXECUTABLE = "aider"
KEYS = (
    "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "DEEPSEEK_API_KEY", "GROQ_API_KEY",
    "OPENROUTER_API_KEY", "MISTRAL_API_KEY", "XAI_API_KEY", "COHERE_API_KEY", "AZURE_API_KEY",
    "FIREWORKS_AI_API_KEY", "TOGETHERAI_API_KEY", "CEREBRAS_API_KEY",
)  # fmt: skip
"""With one of these in the environment each worker gets a HOME of its own."""
BASES = (
    "OPENAI_API_BASE", "ANTHROPIC_API_BASE", "GEMINI_API_BASE", "DEEPSEEK_API_BASE",
    "OPENROUTER_API_BASE", "AZURE_API_BASE", "OLLAMA_API_BASE", "LM_STUDIO_API_BASE",
)  # fmt: skip
"""Addresses of endpoints; the models behind one's own are in no public list."""
VARIABLES = (
    "AIDER_MODEL", "AIDER_WEAK_MODEL", "AIDER_EDITOR_MODEL", "AIDER_EDIT_FORMAT",
    "AIDER_REASONING_EFFORT", "AIDER_THINKING_TOKENS", "AIDER_TIMEOUT", "AZURE_API_VERSION",
    "LM_STUDIO_API_KEY",
)  # fmt: skip
_ARGS = (
    "--no-stream", "--no-check-update", "--no-show-release-notes", "--no-show-model-warnings",
    "--no-gitignore", "--no-analytics", "--no-pretty", "--no-fancy-input", "--no-auto-commits",
    "--no-dirty-commits", "--no-detect-urls", "--no-suggest-shell-commands",
    "--disable-playwright", "--map-tokens", "0", "--yes-always",
    "--chat-history-file", "/dev/null", "--input-history-file", "/dev/null",
)  # fmt: skip
_SETTINGS = "- name: aider/extra_params\n  extra_params:\n    max_retries: 0\n"
# without an identity it would write one into the repository's own configuration; it commits nothing
_IDENTITY = {
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "user.name",
    "GIT_CONFIG_VALUE_0": "aider",
    "GIT_CONFIG_KEY_1": "user.email",
    "GIT_CONFIG_VALUE_1": "aider@localhost",
}
_CACHED_PRICES = Path(".aider", "caches", "model_prices_and_context_window.json")
_LONGEST_LIST = 200
_MAX_RETRIES = 4  # 0.25 + 0.5 + 1 + 2 s of its own back-off, which no option ends

_TOKENS = re.compile(
    r"^Tokens: (?P<sent>[\d.]+[kM]?) sent"
    r"(?:, (?P<write>[\d.]+[kM]?) cache write)?(?:, (?P<hit>[\d.]+[kM]?) cache hit)?"
    r", (?P<received>[\d.]+[kM]?) received\."
)
_COST = re.compile(r"(?:^|\s)Cost: \$[\d.]+ message, \$(?P<session>[\d.]+) session\.")
_ERROR = re.compile(r"^litellm\.(?P<name>[A-Za-z]+)\b")
_BAD = re.compile(r"The LLM did not conform to the edit format|Only \d+ reflections allowed")
_MALFORMED = re.compile(r"Expecting value|response object")
_NO_KEY = "No LLM model was specified and no API keys were provided."
_STATUS = re.compile(r"\b([45]\d\d)\b")
_LITELLM = {
    "AuthenticationError": OutcomeKind.AUTH,
    "PermissionDeniedError": OutcomeKind.AUTH,
    "RateLimitError": OutcomeKind.RATE_LIMITED,
    "ContextWindowExceededError": OutcomeKind.CONTEXT_OVERFLOW,
    "ContentPolicyViolationError": OutcomeKind.REFUSED,
    "InternalServerError": OutcomeKind.OVERLOADED,
    "ServiceUnavailableError": OutcomeKind.OVERLOADED,
    "BadGatewayError": OutcomeKind.OVERLOADED,
    "APIConnectionError": OutcomeKind.OVERLOADED,
    "Timeout": OutcomeKind.OVERLOADED,
    "APIResponseValidationError": OutcomeKind.BAD_OUTPUT,
    "JSONSchemaValidationError": OutcomeKind.BAD_OUTPUT,
    "BudgetExceededError": OutcomeKind.BUDGET,
}


class AiderTool:
    """Drives aider with a message file, judged by what it prints of itself."""

    tool_id = "aider"

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the prompt stays in its file and no secret is in it."""
        own, model = request.home / "aider", _model(request)
        return (
            EXECUTABLE,
            *_ARGS,
            *("--model-settings-file", str(own / "settings.yml")),
            *(("--model-metadata-file", str(own / "models.json")) if _own_endpoint() else ()),
            *(("--model", model) if model else ()),
            *request.flags,
            *("--message-file", str(request.prompt_file)),
            *(_plain(name) for name in request.files[:_LONGEST_LIST]),
        )

    def available(self) -> str | None:
        """Return None when it is on the PATH, else how to install it."""
        return missing(EXECUTABLE, "pipx install aider-chat (Python 3.10 to 3.12)")

    def own_login(self) -> bool:
        """Tell whether there is neither a key nor an endpoint of one's own."""
        return not any_set((*KEYS, *BASES))

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Run one turn."""
        launch = launch_of(request, self.command_line(request), prepare(request))
        return run_turn(self.tool_id, launch, AiderReader(), request, stop, make_filter)


def prepare(request: TurnRequest) -> dict[str, str]:
    """Write aider's settings into the worker's own folder and return the child's environment.

    aider would fetch a price list once a day; a list that is young and not empty keeps it from
    that, so that the prices packaged with it are used. An endpoint of one's own has no known
    prices: the cost stays unknown then.
    """
    home = own_home(request, "aider")
    write_private(Path(home, "settings.yml"), _SETTINGS.encode())
    write_private(Path(home, "models.json"), _metadata(_model(request)))
    extra = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONUTF8": "1",
        "COLUMNS": "1000",  # else it wraps its errors in the middle
        "BROWSER": "true",  # it says yes to opening a page about an error, too
        **_IDENTITY,
    }
    if any(variables().get(name) for name in (*KEYS, *BASES)):
        extra["HOME"] = home
        prices = Path(home) / _CACHED_PRICES
        own_home(request, str(Path("aider", _CACHED_PRICES.parent)))
        write_private(prices, b'{"packaged with aider": {}}')
    return child_environment(extra=extra, keep=(*KEYS, *BASES, *VARIABLES))


class AiderReader:
    """Reads aider's text. Each reply of the model ends with a `Tokens:` line.

    What comes before it may be the model's own words; an error that comes after it is aider's.
    """

    def __init__(self) -> None:
        self.said = Said()
        self._lines = LineSplitter()
        self._retries = 0
        self._replied = False  # no terminal event: each reply may be followed by another
        self._in_vain = False  # it waits for somebody to log in with a browser, for minutes

    def feed(self, data: bytes) -> bool:
        """Take a piece of stdout; True when going on is in vain: no key, or retries enough."""
        for line in self._lines.feed(data):
            self._take(line.decode("utf-8", "replace").rstrip())
        return self._in_vain or (self.said.hint is not None and self._retries > self._patience())

    def _patience(self) -> int:
        """Return how often it may try again: a rejected key stays rejected (a 403 it repeats)."""
        rejected = self.said.hint is not None and self.said.hint.kind is OutcomeKind.AUTH
        return 0 if rejected else _MAX_RETRIES

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the failure that its last words amount to."""
        for line in self._lines.flush():
            self._take(line.decode("utf-8", "replace").rstrip())
        if self.said.hint is not None:
            return self.said.hint
        if self._replied and not ended.exit_code:
            return None
        last = last_line(ended.error_text, ended.text)
        known = classify(
            ended.text[-2000:] + ended.error_text[-2000:], now=time.time(), zone=local_zone()
        )
        return known or died(ended, evidence=last)

    def _take(self, line: str) -> None:
        tokens, error = _TOKENS.match(line), _ERROR.match(line)
        if tokens:
            self._replied, self.said.hint, self._retries = True, None, 0
            self.said.events += 1
            self.said.usage = _added(self.said.usage, tokens)
        elif error:
            self.said.hint = judge_error(error["name"], line, now=time.time())
        elif _BAD.search(line) or (self.said.hint and _MALFORMED.search(line)):
            self.said.hint = Outcome(kind=OutcomeKind.BAD_OUTPUT, message=line, evidence=line)
        elif "has hit a token limit" in line:
            self.said.hint = Outcome(kind=OutcomeKind.CONTEXT_OVERFLOW, message=line)
        elif line == _NO_KEY and not self._replied:
            self._in_vain = True
            words = "no model and no key: set AIDER_MODEL and the key of its vendor"
            self.said.hint = Outcome(kind=OutcomeKind.AUTH, message=words, evidence=line)
        elif line.startswith("Retrying in "):
            self._retries += 1
        elif line.startswith("Applied edit to "):
            self.said.message = line
        cost = _COST.search(line)
        if cost:
            spent = float(cost["session"])
            self.said.usage = msgspec.structs.replace(self.said.usage, cost_usd=spent)


def judge_error(name: str, line: str, *, now: float) -> Outcome:
    """Return what an error line of litellm amounts to; `name` is the class it names.

    A reply that is no JSON comes as an InternalServerError, an exhausted quota as a
    RateLimitError. `now` is seconds since the epoch.
    """
    zone = local_zone()
    told = classify(line, now=now, zone=zone)
    if _MALFORMED.search(line):
        kind = OutcomeKind.BAD_OUTPUT
    elif told and told.kind in (OutcomeKind.QUOTA, OutcomeKind.CONTEXT_OVERFLOW):
        kind = told.kind
    elif name in _LITELLM:
        kind = _LITELLM[name]
    elif name == "APIError":  # any status without a class of its own, which it does not tell
        status = _STATUS.search(line)
        kind = (by_status(int(status[1])) if status else None) or OutcomeKind.OVERLOADED
    else:
        return told or Outcome(kind=OutcomeKind.CRASHED, message=line[:300], evidence=line)
    return outcome(kind, line, now=now, zone=zone)


def tokens(words: str) -> int:
    """Return a count as aider prints it: `56`, `1.2k`, `12k`, rounded as it is."""
    factor = {"k": 1000, "M": 1_000_000}.get(words[-1:], 1)
    return round(float(words.rstrip("kM")) * factor)


def _added(usage: Usage, line: re.Match[str]) -> Usage:
    sent, received = tokens(line["sent"]), tokens(line["received"])
    hit = tokens(line["hit"]) if line["hit"] else None
    write = tokens(line["write"]) if line["write"] else None
    return Usage(
        input_uncached=(usage.input_uncached or 0) + max(0, sent - (hit or 0) - (write or 0)),
        cache_read=_plus(usage.cache_read, hit),
        cache_write=_plus(usage.cache_write, write),
        output=(usage.output or 0) + received,
        cost_usd=usage.cost_usd,
    )


def _plus(known: int | None, more: int | None) -> int | None:
    return known if more is None else (known or 0) + more


def _metadata(model: str | None) -> bytes:
    if not model:
        return b"{}"
    known = {"max_input_tokens": 200_000, "max_output_tokens": 8192, "max_tokens": 8192}
    provider = model.partition("/")[0] if "/" in model else "openai"
    return json.dumps({model: {**known, "litellm_provider": provider, "mode": "chat"}}).encode()


def _model(request: TurnRequest) -> str | None:
    return request.model or variables().get("AIDER_MODEL") or None


def _own_endpoint() -> bool:
    return any(variables().get(name) for name in BASES)


def _plain(name: str) -> str:
    """Return a file name that cannot be taken for an option."""
    return f"./{name}" if name.startswith("-") else name
