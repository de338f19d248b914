"""GitHub Copilot CLI (npm `@github/copilot`, measured with 1.0.102), run headlessly."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.model.outcome import Outcome, OutcomeKind
from penstock.process import api as process
from penstock.process.environment import child_environment, variables
from penstock.tools.api import TurnRequest
from penstock.tools.client import ClientTool
from penstock.tools.streams import table, text, whole
from penstock.tools.texts import by_status, classify, local_zone, outcome
from penstock.tools.turn import EventReader, Reader, any_set, died, last_line, own_home

PROVIDER_URL = "COPILOT_PROVIDER_BASE_URL"
"""With it Copilot speaks to a provider of the user's own, with a key and without GitHub."""
PROVIDER = (
    PROVIDER_URL, "COPILOT_PROVIDER_API_KEY", "COPILOT_PROVIDER_BEARER_TOKEN",
    "COPILOT_PROVIDER_TYPE", "COPILOT_PROVIDER_WIRE_API", "COPILOT_PROVIDER_AZURE_API_VERSION",
    "COPILOT_PROVIDER_MODEL_ID", "COPILOT_PROVIDER_WIRE_MODEL", "COPILOT_PROVIDER_HEADERS",
    "COPILOT_PROVIDER_MAX_PROMPT_TOKENS", "COPILOT_PROVIDER_MAX_OUTPUT_TOKENS",
)  # fmt: skip
TOKENS = ("COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN")
"""The first of these that is set signs in at GitHub; the others stay out of the child."""
PACKAGE_CACHE = "COPILOT_PKG_CACHE_HOME"
"""Where it unpacks itself (235 MB), once for all workers."""
_ARGS = ("--allow-all-tools", "--output-format", "json", "--no-auto-update")
_FAMILIES = frozenset(
    {"session", "assistant", "user", "model", "tool", "permission", "system", "hook", "subagent",
     "skill", "abort", "result"}
)  # fmt: skip
_PATIENCE = 1
_KINDS = {
    "authentication": OutcomeKind.AUTH,
    "authorization": OutcomeKind.AUTH,
    "rate_limit": OutcomeKind.RATE_LIMITED,
    "quota": OutcomeKind.QUOTA,
    "context_limit": OutcomeKind.CONTEXT_OVERFLOW,
}
_DENIED = ("denied", "rejected")


class CopilotTool(ClientTool):
    """Drives `copilot`, the prompt on its stdin, judged by its `session.error` and `result`."""

    tool_id = "copilot"
    executable = "copilot"
    install = "npm install -g @github/copilot"

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the prompt comes on stdin and no secret is in it."""
        model = ("--model", request.model) if request.model else ()
        return (self.executable, *_ARGS, *model, *request.flags)

    def environment(self, request: TurnRequest) -> Mapping[str, str]:
        """Return the child's environment; with a key or token it gets folders of its own."""
        keep = ("COPILOT_MODEL", PACKAGE_CACHE)
        if variables().get(PROVIDER_URL):
            quiet = {"COPILOT_OFFLINE": "true", **_folders(request)}
            return child_environment(extra=quiet, keep=(*keep, *PROVIDER))
        token = next((name for name in TOKENS if variables().get(name)), None)
        if token is None:
            return child_environment(keep=(*keep, "COPILOT_HOME"))
        return child_environment(extra=_folders(request), keep=(*keep, token))

    def own_login(self) -> bool:
        """Tell whether there is neither a token nor a provider of the user's own."""
        return not any_set((PROVIDER_URL, *TOKENS))

    def reader(self, request: TurnRequest) -> Reader:  # noqa: ARG002
        """Return a reader of its events."""
        return CopilotReader()


def package_cache() -> dict[str, str]:
    """Return the variable that has it unpack itself where it does so for its user."""
    cache = variables().get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return {PACKAGE_CACHE: variables().get(PACKAGE_CACHE) or f"{cache}/copilot"}


def _folders(request: TurnRequest) -> dict[str, str]:
    home = own_home(request, "copilot")
    own = {"COPILOT_HOME": home, "COPILOT_CACHE_HOME": f"{home}/cache"}
    return {**own, "XDG_CACHE_HOME": f"{home}/cache", **package_cache()}


class CopilotReader(EventReader):
    """Reads Copilot's stream of JSON events. They tell no tokens, and `codeChanges` leaves out
    what a shell changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._denied = ""

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the failure that the stream or, without one, the last words amount to."""
        if self.said.verdict is not None:
            return self.said.verdict
        if self.said.terminal:
            return self._denial()
        last = last_line(ended.error_text, ended.text)
        known = classify(last, now=time.time(), zone=local_zone()) if ended.exit_code else None
        return known or self.said.hint or died(ended, evidence=last)

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        kind, data = text(event.get("type")), table(event.get("data"))
        if kind == "result":
            self._result(event)
        elif kind == "session.error":
            self.said.verdict = failure(data, now=time.time())
        elif kind == "model.call_failure":
            self.fail(failed_call(data, now=time.time()), patience=_PATIENCE)
        elif kind == "model.call_finished" and data.get("outcome") == "success":
            self.recover()
        elif kind == "assistant.message":
            self.said.message = text(data.get("content")) or self.said.message
        elif kind == "tool.execution_complete":
            self._tool(data)
        elif kind.partition(".")[0] not in _FAMILIES:
            self.said.unknown += 1

    def _result(self, event: Mapping[str, Any]) -> None:
        self.said.terminal = True
        code = whole(event.get("exitCode"))
        if code and self.said.verdict is None:
            self.said.verdict = self.said.hint or Outcome(
                kind=OutcomeKind.CRASHED, message=f"it reports exit code {code} and no reason"
            )

    def _tool(self, data: Mapping[str, Any]) -> None:
        error = table(data.get("error"))
        if text(error.get("code")).lower() in _DENIED:
            self._denied = text(error.get("message")) or "a permission was denied"

    def _denial(self) -> Outcome | None:
        if not self._denied:
            return None
        return Outcome(kind=OutcomeKind.DENIED, message=self._denied, evidence=self._denied)


def failure(data: Mapping[str, Any], *, now: float) -> Outcome:
    """Return the outcome of a `session.error`. `now` is seconds since the epoch."""
    words = text(data.get("message")) or "an error without words"
    return _judged(words, whole(data.get("statusCode")), text(data.get("errorType")), now)


def failed_call(data: Mapping[str, Any], *, now: float) -> Outcome:
    """Return the outcome of one failed call of the model. `now` is seconds since the epoch."""
    words = text(data.get("errorMessage")) or "a call of the model failed"
    return _judged(words, whole(data.get("statusCode")), "", now)


def _judged(words: str, status: int | None, name: str, now: float) -> Outcome:
    told = classify(words, now=now, zone=local_zone())
    if told and told.kind in (OutcomeKind.QUOTA, OutcomeKind.CONTEXT_OVERFLOW):
        return told
    kind = (by_status(status) if status else None) or _KINDS.get(name)
    if kind is not None:
        return outcome(kind, words, now=now, zone=local_zone())
    return told or Outcome(kind=OutcomeKind.CRASHED, message=words[:300], evidence=words)
