"""Qwen Code (npm `@qwen-code/qwen-code`, measured with 0.15.10), run headlessly."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.outcome import Outcome, OutcomeKind, Usage
from penstock.process.environment import child_environment, variables
from penstock.tools.api import TurnRequest
from penstock.tools.claude_cli import ClaudeReader, usage_of, verdict_of
from penstock.tools.client import ClientTool
from penstock.tools.streams import text
from penstock.tools.texts import by_status, classify, local_zone, outcome
from penstock.tools.turn import own_home, write_private

KEYS = ("OPENAI_API_KEY",)
"""With it each worker gets a folder of its own for settings."""
VARIABLES = ("OPENAI_BASE_URL", "OPENAI_MODEL")
_ARGS = ("--approval-mode", "auto-edit", "--output-format", "stream-json")
_API_ERROR = re.compile(r"^\[API Error: (?P<words>.*)\]?$", re.DOTALL)
_STATUS = re.compile(r"\b([45]\d\d)\b")
SETTINGS = {
    "privacy": {"usageStatisticsEnabled": False},
    "model": {"generationConfig": {"maxRetries": 0}},
}
"""No telemetry; it still sends a failed request seven times, over more than a minute."""


class QwenTool(ClientTool):
    """Drives `qwen`, the prompt on its stdin, judged by its terminal `result` event."""

    tool_id = "qwen"
    executable = "qwen"
    install = "npm install -g @qwen-code/qwen-code"

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the prompt comes on stdin and no secret is in it."""
        signed_in = ("--auth-type", "openai") if _key() else ()
        model = ("--model", request.model) if request.model else ()
        return (self.executable, *_ARGS, *signed_in, *model, *request.flags)

    def environment(self, request: TurnRequest) -> Mapping[str, str]:
        """Return the child's environment; with a key it gets settings of its own."""
        if not _key():
            return child_environment(keep=("QWEN_HOME",))
        home = own_home(request, "qwen")
        write_private(Path(home, "settings.json"), json.dumps(SETTINGS).encode())
        return child_environment(extra={"QWEN_HOME": home}, keep=(*KEYS, *VARIABLES))

    def own_login(self) -> bool:
        """Tell whether there is no key, and so no settings of its own."""
        return not _key()

    def reader(self, request: TurnRequest) -> ClaudeReader:  # noqa: ARG002
        """Return a reader of its events."""
        return QwenReader()


class QwenReader(ClaudeReader):
    """Reads events like Claude Code's. A failed request ends in a result without an error, whose
    text is `[API Error: ...]`; input tokens contain the cached ones.
    """

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        if event.get("type") != "result":
            super().take(event)
            return
        self.said.terminal = True
        self.said.usage = qwen_usage(event)
        self.said.message = text(event.get("result"))
        told = api_error(self.said.message, now=time.time())
        self.said.verdict = told or verdict_of(event, now=time.time())


def api_error(words: str, *, now: float) -> Outcome | None:
    """Return the outcome of a result that begins with `[API Error: `, None for any other.

    `now` is seconds since the epoch. Without a status and without known words the reply was none.
    """
    found = _API_ERROR.match(words.strip())
    if found is None:
        return None
    said = found["words"].removesuffix("]")
    told = classify(said, now=now, zone=local_zone())
    if told and told.kind in (OutcomeKind.QUOTA, OutcomeKind.CONTEXT_OVERFLOW):
        return told
    status = _STATUS.search(said)
    kind = by_status(int(status[1])) if status else None
    if kind is None and told is not None:
        return told
    return outcome(kind or OutcomeKind.BAD_OUTPUT, said, now=now, zone=local_zone())


def qwen_usage(event: Mapping[str, Any]) -> Usage:
    """Return the usage of a `result` event, with the cached tokens taken out of the input."""
    told = usage_of(event)
    if told.input_uncached is None:
        return told
    return msgspec.structs.replace(
        told, input_uncached=max(0, told.input_uncached - (told.cache_read or 0))
    )


def _key() -> bool:
    return any(variables().get(key) for key in KEYS)
