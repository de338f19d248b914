"""opencode (npm `opencode-ai`, measured with 1.18.33), run headlessly."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.model.outcome import Outcome, OutcomeKind, Usage
from penstock.process import api as process
from penstock.process.environment import child_environment, variables
from penstock.tools.api import TurnRequest
from penstock.tools.client import ClientTool
from penstock.tools.streams import amount, table, text, whole
from penstock.tools.texts import by_status, classify, local_zone, outcome
from penstock.tools.turn import (
    EventReader,
    Reader,
    any_set,
    died,
    last_line,
    own_home,
    write_private,
)

KEYS = (
    "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY",
    "OPENROUTER_API_KEY", "DEEPSEEK_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY", "XAI_API_KEY",
    "OPENCODE_API_KEY",
)  # fmt: skip
"""With one of these in the environment each worker gets configuration folders of its own."""
PROVIDER = "penstock"
"""What the configuration calls an endpoint of one's own."""
DEFAULT_MODEL = "default"
_FOLDERS = {
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
    "XDG_CACHE_HOME": "cache",
}
# what it would fetch from npm at each start is for plugins; the providers are part of it
# the title saves a request; the log tells of requests that fail while it tries again in silence
_ARGS = (
    "run", "--format", "json", "--title", "penstock", "--print-logs", "--log-level", "ERROR",
)  # fmt: skip
_QUIET = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
}
_KNOWN = frozenset({"step_start", "reasoning"})
_LIMITS = {"context": 200_000, "output": 8192}
_VAIN = 3  # replies without a meaning, which it would ask for again for ever
_PATIENCE = 1
_LOGGED = re.compile(r'message="stream error".* error\.error="(?P<words>.*)"')
_REJECTED = "rejected permission"


class OpencodeTool(ClientTool):
    """Drives `opencode run`, the prompt on its stdin, judged by its last `step_finish`."""

    tool_id = "opencode"
    executable = "opencode"
    install = "npm install -g opencode-ai"

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the prompt comes on stdin and no secret is in it."""
        model = request.model
        if model and "/" not in model and _endpoint():
            model = f"{PROVIDER}/{model}"
        chosen = ("--model", model) if model else ()
        return (self.executable, *_ARGS, *chosen, *request.flags)

    def environment(self, request: TurnRequest) -> Mapping[str, str]:
        """Return the child's environment; with a key it gets folders and a configuration."""
        if not any(variables().get(key) for key in KEYS):
            return child_environment(extra=_QUIET)
        home = own_home(request, "opencode")
        folders = {name: f"{home}/{folder}" for name, folder in _FOLDERS.items()}
        folders |= {"npm_config_cache": f"{home}/cache/npm", "npm_config_offline": "true"}
        own_home(request, "opencode/config/opencode")
        settings = json.dumps(configuration(_endpoint(), _own_model(request)))
        write_private(Path(home, "config", "opencode", "opencode.json"), settings.encode())
        return child_environment(extra={**_QUIET, **folders}, keep=KEYS)

    def own_login(self) -> bool:
        """Tell whether there is no key, and so no folders of its own."""
        return not any_set(KEYS)

    def reader(self, request: TurnRequest) -> Reader:  # noqa: ARG002
        """Return a reader of its events."""
        return OpencodeReader()


def configuration(base_url: str | None, model: str) -> dict[str, Any]:
    """Return an opencode.json: no updates, no sharing, an endpoint of one's own when there is one.

    The key stays in the environment; opencode reads it from there.
    """
    quiet: dict[str, Any] = {"autoupdate": False, "share": "disabled"}
    if base_url is None:
        return quiet
    name = f"{PROVIDER}/{model}"
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": PROVIDER,
        "options": {"baseURL": base_url, "apiKey": "{env:OPENAI_API_KEY}"},
        "models": {model: {"tool_call": True, "limit": _LIMITS}},
    }
    return {**quiet, "model": name, "small_model": name, "provider": {PROVIDER: provider}}


class OpencodeReader(EventReader):
    """Reads opencode's stream of JSON events and its log of failed requests."""

    def __init__(self) -> None:
        super().__init__()
        self._vain = 0
        self._rejected = ""

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the failure that the stream or, without one, the last words amount to."""
        if self.said.verdict is not None:
            return self.said.verdict
        if self._rejected:
            words = "permission denied: " + self._rejected
            return Outcome(kind=OutcomeKind.DENIED, message=words, evidence=self._rejected)
        if self.said.terminal:
            return None
        last = last_line(ended.error_text, ended.text)
        known = classify(last, now=time.time(), zone=local_zone()) if ended.exit_code else None
        return known or self.said.hint or died(ended, evidence=last)

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        kind, part = text(event.get("type")), table(event.get("part"))
        if kind == "step_finish":
            self._step(part)
        elif kind == "text":
            self.said.message = text(part.get("text"))
        elif kind == "tool_use":
            self._tool(part)
        elif kind == "error":
            self.said.verdict = failure(table(event.get("error")), now=time.time())
        elif kind not in _KNOWN:
            self.said.unknown += 1

    def take_error(self, line: str) -> None:
        """Take notice of a failed request, which it repeats without an end."""
        logged = _LOGGED.search(line)
        if logged:
            words = logged["words"]
            told = classify(words, now=time.time(), zone=local_zone())
            hint = told or outcome(OutcomeKind.OVERLOADED, words, now=0.0, zone=local_zone())
            self.fail(hint, patience=_PATIENCE)

    def _step(self, part: Mapping[str, Any]) -> None:
        self.said.usage = added(self.said.usage, part)
        reason = text(part.get("reason"))
        if reason == "unknown":
            self._vain += 1
            if self._vain >= _VAIN:
                self.said.verdict = Outcome(
                    kind=OutcomeKind.BAD_OUTPUT, message="replies of the model had no meaning"
                )
            return
        self._vain = 0
        self.recover()
        if reason == "content-filter":
            self.said.verdict = Outcome(kind=OutcomeKind.REFUSED, message="the model refused")
        elif reason == "length":
            self.said.verdict = Outcome(
                kind=OutcomeKind.BAD_OUTPUT, message="the reply was cut off at its longest length"
            )
        self.said.terminal = reason != "tool-calls"

    def _tool(self, part: Mapping[str, Any]) -> None:
        state = table(part.get("state"))
        if state.get("status") == "error" and _REJECTED in text(state.get("error")):
            self._rejected = text(part.get("tool")) or "a tool"


def failure(error: Mapping[str, Any], *, now: float) -> Outcome:
    """Return the outcome of an `error` event. `now` is seconds since the epoch."""
    data = table(error.get("data"))
    words = text(data.get("message")) or text(error.get("name")) or "an error without words"
    wait = text(table(data.get("responseHeaders")).get("retry-after"))
    said = f"{words} {text(data.get('responseBody'))}"
    told = classify(said, now=now, zone=local_zone())
    status = whole(data.get("statusCode"))
    kind = by_status(status) if status else None
    if told and told.kind in (OutcomeKind.QUOTA, OutcomeKind.CONTEXT_OVERFLOW):
        kind = told.kind
    if kind is None:
        return told or Outcome(kind=OutcomeKind.CRASHED, message=words[:300], evidence=said)
    stated = f"{words} (retry-after: {wait})" if wait else words
    return outcome(kind, stated, now=now, zone=local_zone())


def added(usage: Usage, part: Mapping[str, Any]) -> Usage:
    """Return the usage with that of one more step, whose input and output leave the cached tokens
    and the reasoning out. A cost of 0 means that the model has no known price.
    """
    tokens = table(part.get("tokens"))
    cache = table(tokens.get("cache"))
    spoken, thought = whole(tokens.get("output")), whole(tokens.get("reasoning"))
    cost = amount(part.get("cost")) or None
    return Usage(
        input_uncached=_sum(usage.input_uncached, whole(tokens.get("input"))),
        cache_read=_sum(usage.cache_read, whole(cache.get("read"))),
        cache_write=_sum(usage.cache_write, whole(cache.get("write"))),
        output=_sum(usage.output, None if spoken is None else spoken + (thought or 0)),
        reasoning=_sum(usage.reasoning, thought),
        cost_usd=usage.cost_usd if cost is None else (usage.cost_usd or 0.0) + cost,
    )


def _sum(known: int | None, more: int | None) -> int | None:
    return known if more is None else (known or 0) + more


def _endpoint() -> str | None:
    return variables().get("OPENAI_BASE_URL") or None


def _own_model(request: TurnRequest) -> str:
    model = request.model or variables().get("OPENAI_MODEL") or DEFAULT_MODEL
    return model.removeprefix(f"{PROVIDER}/")
