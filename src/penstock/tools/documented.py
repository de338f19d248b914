"""Adapters written from documentation: goose, Cursor's CLI and Amp were never run for real here.

Their flags and events are those that their makers document; the tests play streams of that form.
`aim status` and the contract table call them unproven.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from penstock.model.outcome import Outcome, OutcomeKind
from penstock.process import api as process
from penstock.process.environment import child_environment, variables
from penstock.tools.api import TurnRequest
from penstock.tools.claude_cli import ClaudeReader
from penstock.tools.client import ClientTool
from penstock.tools.opencode import KEYS
from penstock.tools.streams import items, table, text
from penstock.tools.texts import classify, local_zone
from penstock.tools.turn import EventReader, Reader, any_set, died, last_line, own_home

MAX_TURNS = 200
"""How many replies goose may take for one turn of ours."""
GOOSE_VARIABLES = (
    "GOOSE_PROVIDER", "GOOSE_MODEL", "GOOSE_TEMPERATURE", "OPENAI_HOST", "OPENAI_BASE_PATH",
    "OPENAI_BASE_URL", "ANTHROPIC_HOST", "GOOGLE_API_KEY", "OLLAMA_HOST",
)  # fmt: skip
_RAN_INTO = re.compile(r"^Ran into this error: (?P<words>.*)", re.DOTALL)


class GooseTool(ClientTool):
    """Drives `goose run` with a prompt file. It has exited with 0 after a failure."""

    tool_id = "goose"
    executable = "goose"
    install = "see https://block.github.io/goose (goose-ai on PyPI is another program)"
    prompt_on_stdin = False

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the prompt stays in its file and no secret is in it."""
        model = ("--model", request.model) if request.model else ()
        return (
            *(self.executable, "run", "--no-session", "-q", "--max-turns", str(MAX_TURNS)),
            *("--output-format", "stream-json", "-i", str(request.prompt_file), *model),
            *request.flags,
        )

    def environment(self, request: TurnRequest) -> Mapping[str, str]:
        """Return the child's environment; with a key it gets folders of its own."""
        extra = {"GOOSE_MODE": "auto", "GOOSE_DISABLE_KEYRING": "1"}
        if any(variables().get(key) for key in KEYS):
            home = own_home(request, "goose")
            folders = ("CONFIG", "DATA", "STATE", "CACHE")
            extra |= {f"XDG_{name}_HOME": f"{home}/{name.lower()}" for name in folders}
        return child_environment(extra=extra, keep=(*KEYS, *GOOSE_VARIABLES))

    def own_login(self) -> bool:
        """Tell whether there is no key."""
        return not any_set((*KEYS, "GOOGLE_API_KEY"))

    def reader(self, request: TurnRequest) -> Reader:  # noqa: ARG002
        """Return a reader of its events."""
        return GooseReader()


class GooseReader(EventReader):
    """Reads goose's events: `message`, `notification`, `error`, and at the end `complete`."""

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the failure that the stream or, without one, the last words amount to."""
        if self.said.verdict is not None or self.said.terminal:
            return self.said.verdict
        last = last_line(ended.error_text, ended.text)
        known = classify(last, now=time.time(), zone=local_zone()) if ended.exit_code else None
        return known or died(ended, evidence=last)

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        kind = text(event.get("type"))
        if kind == "complete":
            self.said.terminal = True
        elif kind == "error":
            self.said.verdict = failure(text(event.get("error")))
        elif kind == "message":
            self._message(table(event.get("message")))
        elif kind not in ("notification", "model_change"):
            self.said.unknown += 1

    def _message(self, message: Mapping[str, Any]) -> None:
        if message.get("role") != "assistant":
            return
        parts = (text(table(part).get("text")) for part in items(message.get("content")))
        said = "\n".join(filter(None, parts))
        self.said.message = said or self.said.message
        found = _RAN_INTO.match(said)
        if found:
            self.said.verdict = failure(found["words"])


def failure(words: str) -> Outcome:
    """Return the outcome of words that a client says about its own failure."""
    known = classify(words, now=time.time(), zone=local_zone())
    said = words or "it failed without a reason"
    return known or Outcome(kind=OutcomeKind.CRASHED, message=said[:300], evidence=words)


class CursorTool(ClientTool):
    """Drives Cursor's CLI. The prompt is its last argument: it documents no other way."""

    tool_id = "cursor-agent"
    executable = "cursor-agent"
    install = "see https://cursor.com/cli (packages of that name on npm and PyPI are others)"
    prompt_on_stdin = False

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv, the prompt at its end; no secret is in it."""
        model = ("--model", request.model) if request.model else ()
        args = ("-p", "--output-format", "stream-json", "--force", "--trust")
        return (self.executable, *args, *model, *request.flags, "--", request.prompt)

    def environment(self, request: TurnRequest) -> Mapping[str, str]:  # noqa: ARG002
        """Return the child's environment."""
        return child_environment(keep=("CURSOR_API_KEY",))

    def own_login(self) -> bool:
        """Tell whether there is no key."""
        return not any_set(("CURSOR_API_KEY",))

    def reader(self, request: TurnRequest) -> Reader:  # noqa: ARG002
        """Return a reader of its events."""
        return CursorReader()


class CursorReader(ClaudeReader):
    """Reads events like Claude Code's; a failure ends the stream early, with words on stderr."""

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        if event.get("type") not in ("tool_call", "thinking"):
            super().take(event)


class AmpTool(ClientTool):
    """Drives `amp -x`, the prompt on its stdin."""

    tool_id = "amp"
    executable = "amp"
    install = "npm install -g @ampcode/cli"

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the prompt comes on stdin. Amp chooses its model itself."""
        return (self.executable, "-x", "--stream-json", "--dangerously-allow-all", *request.flags)

    def environment(self, request: TurnRequest) -> Mapping[str, str]:  # noqa: ARG002
        """Return the child's environment."""
        extra = {"AMP_SKIP_UPDATE_CHECK": "1"}
        return child_environment(extra=extra, keep=("AMP_API_KEY", "AMP_URL"))

    def own_login(self) -> bool:
        """Tell whether there is no key."""
        return not any_set(("AMP_API_KEY",))

    def reader(self, request: TurnRequest) -> Reader:  # noqa: ARG002
        """Return a reader of its events."""
        return AmpReader()


class AmpReader(ClaudeReader):
    """Reads events like Claude Code's, whose failed result has its words in `error`."""

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        if event.get("type") == "result" and not event.get("result"):
            event = {**event, "result": event.get("error")}
        super().take(event)
