"""Gemini CLI (npm `@google/gemini-cli`, measured with 0.61.0), run headlessly."""

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
from penstock.tools.streams import table, text, whole
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

KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
"""With one of these in the environment each worker gets a folder of its own for settings."""
VARIABLES = ("GOOGLE_GEMINI_BASE_URL", "GEMINI_MODEL", "GOOGLE_GENAI_USE_VERTEXAI")
_ARGS = ("--approval-mode", "auto_edit", "--skip-trust", "-o", "stream-json")
_KNOWN = frozenset({"init", "tool_use"})
_PATIENCE = 1
_ATTEMPT = re.compile(r"\bAttempt \d+ failed\b.*?(?:status (?P<status>\d{3})|$)")
_DENIED = re.compile(r"not in workspace|denied by policy|not allowed by policy|user rejected")
# an HTTP status comes modulo 256; the others as its documentation has them
_CODES = {
    **{
        code % 256: kind
        for code in (401, 403, 429, 500, 502, 503, 529)
        if (kind := by_status(code))
    },
    41: OutcomeKind.AUTH,
    53: OutcomeKind.BUDGET,
    55: OutcomeKind.DENIED,
}


class GeminiTool(ClientTool):
    """Drives `gemini`, the prompt on its stdin, judged by its terminal `result` event."""

    tool_id = "gemini"
    executable = "gemini"
    install = "npm install -g @google/gemini-cli"

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the prompt comes on stdin and no secret is in it."""
        model = ("-m", request.model) if request.model else ()
        return (self.executable, *_ARGS, *model, *request.flags)

    def environment(self, request: TurnRequest) -> Mapping[str, str]:
        """Return the child's environment; with a key it gets settings of its own."""
        if not any(variables().get(key) for key in KEYS):
            return child_environment(keep=("GEMINI_CLI_HOME", *VARIABLES))
        home = own_home(request, "gemini")
        own_home(request, "gemini/.gemini")
        write_private(Path(home, ".gemini", "settings.json"), json.dumps(SETTINGS).encode())
        # its reports of errors hold whole requests
        own = {"GEMINI_CLI_HOME": home, "TMPDIR": own_home(request, "tmp")}
        return child_environment(extra=own, keep=(*KEYS, *VARIABLES))

    def own_login(self) -> bool:
        """Tell whether there is no key, and so no settings of its own."""
        return not any_set(KEYS)

    def reader(self, request: TurnRequest) -> Reader:  # noqa: ARG002
        """Return a reader of its events."""
        return GeminiReader()


SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "privacy": {"usageStatisticsEnabled": False},
    "general": {"enableAutoUpdate": False, "maxAttempts": 1},
}
"""A key without a selected type is not used; the rest keeps the network silent and leaves
retries to us."""


class GeminiReader(EventReader):
    """Reads Gemini's stream of JSON events, and from stderr which requests have failed."""

    def __init__(self) -> None:
        super().__init__()
        self._denied = ""

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the failure that the stream or, without one, the last words amount to."""
        if self.said.verdict is not None:
            return self._by_code(self.said.verdict, ended.exit_code)
        if self.said.terminal:
            return self._denial()
        last = last_line(ended.error_text, ended.text)
        if ended.exit_code in _CODES:
            return Outcome(kind=_CODES[ended.exit_code], message=last[:300], evidence=last)
        known = classify(last, now=time.time(), zone=local_zone()) if ended.exit_code else None
        return known or self.said.hint or died(ended, evidence=last)

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        kind = text(event.get("type"))
        if kind == "result":
            self._result(event)
        elif kind == "message":
            self._message(event)
        elif kind == "tool_result":
            self._tool(event)
        elif kind == "error":
            words = text(event.get("message"))
            self.said.hint = classify(words, now=time.time(), zone=local_zone()) or self.said.hint
        elif kind not in _KNOWN:
            self.said.unknown += 1

    def take_error(self, line: str) -> None:
        """Take notice of a failed request, which it would repeat for minutes."""
        attempt = _ATTEMPT.search(line)
        if attempt:
            kind = by_status(int(attempt["status"])) if attempt["status"] else None
            told = outcome(kind or OutcomeKind.OVERLOADED, line, now=time.time(), zone=local_zone())
            self.fail(told, patience=_PATIENCE)

    def _result(self, event: Mapping[str, Any]) -> None:
        self.said.terminal = True
        self.said.usage = usage_of(table(event.get("stats")))
        if event.get("status") != "success":
            words = text(table(event.get("error")).get("message")) or "it failed without a reason"
            self.said.verdict = failure(words, now=time.time())

    def _message(self, event: Mapping[str, Any]) -> None:
        if event.get("role") != "assistant":
            return
        self.recover()
        said = text(event.get("content"))
        self.said.message = self.said.message + said if event.get("delta") else said

    def _tool(self, event: Mapping[str, Any]) -> None:
        self.recover()
        words = text(table(event.get("error")).get("message")) or text(event.get("output"))
        if event.get("status") == "error" and _DENIED.search(words):
            self._denied = words

    def _denial(self) -> Outcome | None:
        if not self._denied:
            return None
        return Outcome(kind=OutcomeKind.DENIED, message=self._denied[:300], evidence=self._denied)

    def _by_code(self, verdict: Outcome, code: int | None) -> Outcome:
        if verdict.kind is not OutcomeKind.CRASHED or code not in _CODES:
            return verdict
        return Outcome(kind=_CODES[code], message=verdict.message, evidence=verdict.evidence)


def failure(words: str, *, now: float) -> Outcome:
    """Return the outcome of a failed `result` from its words. `now` is seconds since the epoch."""
    known = classify(words, now=now, zone=local_zone())
    return known or Outcome(kind=OutcomeKind.CRASHED, message=words[:300], evidence=words)


def usage_of(stats: Mapping[str, Any]) -> Usage:
    """Return the usage of a `result`. Its `input` leaves the cached tokens out; its output leaves
    out the thoughts, which only the total holds. It states no cost.
    """
    total, read = whole(stats.get("total_tokens")), whole(stats.get("input_tokens"))
    spoken = whole(stats.get("output_tokens"))
    thought = None
    if total is not None and read is not None and spoken is not None:
        thought = max(0, total - read - spoken)
    models = table(stats.get("models"))
    return Usage(
        input_uncached=whole(stats.get("input")),
        cache_read=whole(stats.get("cached")),
        output=None if spoken is None else spoken + (thought or 0),
        reasoning=thought,
        model=next(iter(models)) if len(models) == 1 else None,
    )
