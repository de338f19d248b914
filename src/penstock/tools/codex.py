"""Codex (npm `@openai/codex`, measured with 0.169.0), run headlessly."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.model.outcome import Outcome, OutcomeKind, Usage
from penstock.process import api as process
from penstock.process.api import FilterFactory, Stop
from penstock.process.environment import child_environment, variables
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.streams import table, text, whole
from penstock.tools.texts import classify, local_zone
from penstock.tools.turn import (
    EventReader,
    any_set,
    died,
    last_line,
    launch_of,
    missing,
    own_home,
    run_turn,
    write_private,
)

EXECUTABLE = "codex"
KEYS = ("OPENAI_API_KEY", "CODEX_API_KEY")
"""With one of these in the environment each worker gets a CODEX_HOME of its own."""
DEFAULT_BASE_URL = "https://api.openai.com/v1"
# without -s an edit is silently not made; --ephemeral and no plugins keep the network silent; a
# snapshot of the shell would hold the key in a file, and the commands of the model would see it
# but for the excludes; the last argument has the prompt read from stdin
_ARGS = (
    "exec", "--json", "-s", "workspace-write", "--ephemeral", "--disable", "plugins",
    "--disable", "shell_snapshot", "-c", "shell_environment_policy.ignore_default_excludes=false",
)  # fmt: skip
_KNOWN = frozenset(
    {"thread.started", "turn.started", "item.started", "item.updated", "item.completed"}
)


class CodexTool:
    """Drives `codex exec`, the prompt on its stdin, judged by `turn.completed` or `turn.failed`."""

    tool_id = "codex"

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the prompt comes on stdin and no secret is in it."""
        model = ("-m", request.model) if request.model else ()
        return (EXECUTABLE, *_ARGS, *model, *request.flags, "-")

    def available(self) -> str | None:
        """Return None when it is on the PATH, else how to install it."""
        return missing(EXECUTABLE, "npm install -g @openai/codex")

    def own_login(self) -> bool:
        """Tell whether there is no key, and so no CODEX_HOME of its own."""
        return not any_set(KEYS)

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Run one turn."""
        argv, prompt = self.command_line(request), request.prompt_file
        launch = launch_of(request, argv, environment(request), stdin=prompt)
        return run_turn(self.tool_id, launch, CodexReader(), request, stop, make_filter)


def environment(request: TurnRequest) -> dict[str, str]:
    """Return the child's environment; with a key it gets a configuration of its own."""
    key = next((name for name in KEYS if variables().get(name)), None)
    if key is None:
        return child_environment(keep=("CODEX_HOME",))
    home = own_home(request, "codex")
    base_url = variables().get("OPENAI_BASE_URL") or DEFAULT_BASE_URL
    write_private(Path(home, "config.toml"), configuration(key, base_url).encode())
    return child_environment(extra={"CODEX_HOME": home}, keep=(key,))


def configuration(key: str, base_url: str) -> str:
    """Return a config.toml for a provider whose key is in the variable `key`: one retry at most,
    no update check, no telemetry.
    """
    return (
        'model_provider = "penstock"\n'
        "check_for_update_on_startup = false\n"
        "[model_providers.penstock]\n"
        'name = "penstock"\n'
        f"base_url = {json.dumps(base_url)}\n"
        f"env_key = {json.dumps(key)}\n"
        'wire_api = "responses"\n'
        "request_max_retries = 1\n"
        "stream_max_retries = 0\n"
        "[analytics]\n"
        "enabled = false\n"
    )


class CodexReader(EventReader):
    """Reads Codex's stream of JSON events."""

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the failure that the stream or, without one, the last words amount to."""
        if self.said.verdict is not None:
            return self.said.verdict
        if self.said.terminal:
            return denied_by_sandbox(ended.error_text)
        last = last_line(ended.error_text, ended.text)
        known = judge_text(last, now=time.time()) if ended.exit_code else None
        return known or self.said.hint or died(ended, evidence=last)

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        kind = text(event.get("type"))
        if kind == "turn.completed":
            self.said.terminal = True
            self.said.usage = usage_of(table(event.get("usage")))
        elif kind == "turn.failed":
            self.said.terminal = True
            self.said.verdict = failure(text(table(event.get("error")).get("message")))
        elif kind == "error":
            self._error(text(event.get("message")))
        elif kind == "item.completed":
            self._item(table(event.get("item")))
        elif kind not in _KNOWN:
            self.said.unknown += 1

    def _error(self, words: str) -> None:
        self.said.hint = judge_text(words, now=time.time())
        if self.said.hint and self.said.hint.kind is OutcomeKind.AUTH:
            self.said.verdict = self.said.hint  # it would try again, to no end

    def _item(self, item: Mapping[str, Any]) -> None:
        if item.get("type") == "agent_message":
            self.said.message = text(item.get("text"))


def failure(words: str) -> Outcome:
    """Return the outcome of a failed turn from its message."""
    known = judge_text(words, now=time.time())
    return known or Outcome(
        kind=OutcomeKind.CRASHED, message=f"the turn failed: {words[:300]}", evidence=words
    )


def judge_text(words: str, *, now: float) -> Outcome | None:
    """Return what an error text of Codex amounts to. `now` is seconds since the epoch.

    A reply that was no event stream and one that ended early look the same to Codex.
    """
    if "stream closed before response.completed" in words:
        return Outcome(kind=OutcomeKind.BAD_OUTPUT, message=words[:300], evidence=words)
    return classify(words, now=now, zone=local_zone())


def denied_by_sandbox(words: str) -> Outcome | None:
    """Return the denial that Codex logs on stderr and leaves out of its events, None without one."""
    for line in words.splitlines():
        if "rejected by user approval settings" in line or "writing outside of the project" in line:
            return Outcome(
                kind=OutcomeKind.DENIED,
                message="the sandbox denied an edit outside the worktree",
                evidence=line,
            )
    return None


def usage_of(used: Mapping[str, Any]) -> Usage:
    """Return the usage of `turn.completed`, whose input contains the cached tokens and whose output
    contains the reasoning. Codex states no cost.
    """
    total, read = whole(used.get("input_tokens")), whole(used.get("cached_input_tokens"))
    write = whole(used.get("cache_write_input_tokens"))
    return Usage(
        input_uncached=None if total is None else max(0, total - (read or 0) - (write or 0)),
        cache_read=read,
        cache_write=write,
        output=whole(used.get("output_tokens")),
        reasoning=whole(used.get("reasoning_output_tokens")),
    )
