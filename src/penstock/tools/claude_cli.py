"""Claude Code (npm `@anthropic-ai/claude-code`, measured with 2.1.329), run headlessly."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import chain
from typing import Any

from penstock.model.outcome import Outcome, OutcomeKind, Usage
from penstock.process import api as process
from penstock.process.api import FilterFactory, Stop
from penstock.process.environment import child_environment, variables
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.streams import amount, items, table, text, whole
from penstock.tools.texts import by_status, classify, local_zone, outcome
from penstock.tools.turn import (
    IDLE_S,
    EventReader,
    any_set,
    died,
    last_line,
    launch_of,
    missing,
    own_home,
    run_turn,
)

EXECUTABLE = "claude"
KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
"""With one of these each worker gets a configuration folder of its own. HOME stays the user's, for
the commands that an agent runs find their toolchains there."""
VARIABLES = (
    "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL", "ANTHROPIC_SMALL_FAST_MODEL",
    "ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_DEFAULT_*_MODEL", "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
)  # fmt: skip
CLOUDS = {
    "CLAUDE_CODE_USE_BEDROCK": ("AWS_*", "ANTHROPIC_BEDROCK_BASE_URL"),
    "CLAUDE_CODE_USE_VERTEX": (
        "GOOGLE_APPLICATION_CREDENTIALS", "CLOUD_ML_REGION", "ANTHROPIC_VERTEX_PROJECT_ID",
    ),
}  # fmt: skip
"""The credentials of a cloud are handed on only when its switch is set."""
_ARGS = (
    "-p", "--output-format", "stream-json", "--verbose", "--permission-mode", "acceptEdits",
    "--no-session-persistence",
)  # fmt: skip
_KNOWN = frozenset({"system", "assistant", "user", "result", "rate_limit_event", "stream_event"})
_OWN_BACKOFF_S = 1.5
_LONGEST_WAIT_S = 10.0
_BUDGET = frozenset({"error_max_turns", "error_max_budget_usd"})
_OVERFLOW = frozenset({"prompt_too_long", "blocking_limit"})
# what Claude Code calls the errors of its API calls, in `api_retry` and in messages
_ERRORS = {
    "authentication_failed": OutcomeKind.AUTH,
    "billing_error": OutcomeKind.QUOTA,
    "rate_limit": OutcomeKind.RATE_LIMITED,
    "server_error": OutcomeKind.OVERLOADED,
    "connection_failed": OutcomeKind.OVERLOADED,
}


class ClaudeTool:
    """Drives `claude -p`, the prompt on its stdin, judged by its terminal `result` event."""

    tool_id = "claude-cli"

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the prompt comes on stdin and no secret is in it."""
        model = ("--model", request.model) if request.model else ()
        cap = request.max_cost_usd
        budget = ("--max-budget-usd", f"{cap:g}") if cap else ()
        return (EXECUTABLE, *_ARGS, *model, *budget, *request.flags)

    def available(self) -> str | None:
        """Return None when it is on the PATH, else how to install it."""
        return missing(EXECUTABLE, "npm install -g @anthropic-ai/claude-code")

    def own_login(self) -> bool:
        """Tell whether there is neither a key nor a cloud to go through."""
        return not any_set((*KEYS, *CLOUDS))

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Run one turn."""
        argv, prompt = self.command_line(request), request.prompt_file
        launch = launch_of(request, argv, environment(request), stdin=prompt)
        return run_turn(self.tool_id, launch, ClaudeReader(), request, stop, make_filter)


def environment(request: TurnRequest) -> dict[str, str]:
    """Return the child's environment: least keys, one client retry, no traffic beside the API.

    A request times out well before our limit on silence, so that the client can say so itself.
    """
    extra = {
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "API_TIMEOUT_MS": str(int((request.idle_s or IDLE_S) * 400)),
        "DISABLE_AUTOUPDATER": "1",
    }
    if any(variables().get(key) for key in KEYS):
        extra["CLAUDE_CONFIG_DIR"] = own_home(request, "claude")
        # it leaves a folder for each working directory behind; here it goes with the worker's home
        extra["CLAUDE_CODE_TMPDIR"] = own_home(request, "tmp")
    clouds = [(switch, *names) for switch, names in CLOUDS.items() if variables().get(switch)]
    return child_environment(extra=extra, keep=(*KEYS, *VARIABLES, *chain(*clouds)))


class ClaudeReader(EventReader):
    """Reads Claude Code's stream of JSON events."""

    def __init__(self) -> None:
        super().__init__()
        self._wait_s: float | None = None
        self._reset_at: float | None = None

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the failure that the stream or, without one, the last words amount to."""
        if self.said.terminal or self.said.verdict is not None:
            return self._with_reset(self.said.verdict)
        last = last_line(ended.error_text, ended.text)
        known = classify(last, now=time.time(), zone=local_zone()) if ended.exit_code else None
        return known or denied_to_root(last) or died(ended, evidence=last)

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        kind = text(event.get("type"))
        if kind == "result":
            self.said.terminal = True
            self.said.usage = usage_of(event)
            self.said.message = text(event.get("result"))
            self.said.verdict = verdict_of(event, now=time.time())
        elif kind == "system" and event.get("subtype") == "api_retry":
            self._retry(event)
        elif kind == "rate_limit_event":
            self._limit(table(event.get("rate_limit_info")))
        elif kind not in _KNOWN:
            self.said.unknown += 1

    def _retry(self, event: Mapping[str, Any]) -> None:
        name = text(event.get("error"))
        status = whole(event.get("error_status"))
        kind = _ERRORS.get(name) or (by_status(status) if status else None)
        if kind is None:
            return
        self.said.hint = Outcome(kind=kind, message=f"API error {status or ''} {name}".strip())
        if kind is OutcomeKind.AUTH:
            self.said.verdict = self.said.hint  # it would retry for minutes, to no end
        wait_s = (amount(event.get("retry_delay_ms")) or 0.0) / 1000
        if kind is OutcomeKind.RATE_LIMITED and wait_s > _OWN_BACKOFF_S:
            # longer than its own first back-off: the vendor's Retry-After, which it adds to
            self._wait_s = wait_s
            if wait_s > _LONGEST_WAIT_S:
                self.said.verdict = self.said.hint  # waiting is our affair, not the client's

    def _limit(self, info: Mapping[str, Any]) -> None:
        if text(info.get("status")) == "rejected":
            self._reset_at = amount(info.get("resetsAt"))
            self.said.hint = Outcome(kind=OutcomeKind.RATE_LIMITED, message="usage limit reached")

    def _with_reset(self, verdict: Outcome | None) -> Outcome | None:
        if verdict is None or verdict.kind is not OutcomeKind.RATE_LIMITED or verdict.reset_at:
            return verdict
        reset = self._reset_at
        if reset is None and self._wait_s is not None:
            reset = time.time() + self._wait_s
        return Outcome(
            kind=verdict.kind, message=verdict.message, evidence=verdict.evidence, reset_at=reset
        )


def verdict_of(event: Mapping[str, Any], *, now: float) -> Outcome | None:
    """Return the failure that a `result` event states, None when it states none.

    An API failure has `subtype: success` with `is_error: true`; a denial has neither.
    `now` is seconds since the epoch.
    """
    words = text(event.get("result")) or "; ".join(map(str, items(event.get("errors"))))
    kind = _stated(event)
    if kind is not None:
        return outcome(kind, words, now=now, zone=local_zone())
    if event.get("is_error"):
        known = classify(words, now=now, zone=local_zone())
        return known or Outcome(kind=OutcomeKind.CRASHED, message=words[:300], evidence=words)
    if _is_limit_notice(words):
        return outcome(OutcomeKind.RATE_LIMITED, words, now=now, zone=local_zone())
    denials = items(event.get("permission_denials"))
    if denials:
        return Outcome(kind=OutcomeKind.DENIED, message=_denied(denials), evidence=words)
    return None


def _stated(event: Mapping[str, Any]) -> OutcomeKind | None:
    if text(event.get("subtype")) in _BUDGET:
        return OutcomeKind.BUDGET
    if text(event.get("terminal_reason")) in _OVERFLOW:
        return OutcomeKind.CONTEXT_OVERFLOW
    if event.get("stop_reason") == "refusal":
        return OutcomeKind.REFUSED
    if not event.get("is_error"):
        return None
    words, status = text(event.get("result")), whole(event.get("api_error_status"))
    told = classify(words, now=0.0, zone=local_zone())
    if told and told.kind in (OutcomeKind.QUOTA, OutcomeKind.CONTEXT_OVERFLOW):
        return told.kind  # these come under the status of something else
    return (by_status(status) if status else None) or _ERRORS.get(text(event.get("api_error")))


def _is_limit_notice(words: str) -> bool:
    """Tell whether the last word is the notice of a usage limit that ended without an error."""
    told = classify(words, now=0.0, zone=local_zone()) if len(words) < 200 else None
    short = " ".join(words.lower().split())
    starts = (
        "you've hit your",
        "you\u2019ve hit your",
        "claude ai usage limit reached",
        "api error:",
    )
    return bool(told and told.kind is OutcomeKind.RATE_LIMITED and short.startswith(starts))


def _denied(denials: list[Any]) -> str:
    names = sorted({text(table(denial).get("tool_name")) or "a tool" for denial in denials})
    return f"permission denied for {', '.join(names)}"


def denied_to_root(words: str) -> Outcome | None:
    """Return the outcome of Claude Code's refusal to skip its permissions as root, else None."""
    if "cannot be used with root" not in words:
        return None
    return Outcome(kind=OutcomeKind.DENIED, message=words, evidence=words)


def usage_of(event: Mapping[str, Any]) -> Usage:
    """Return the usage of a `result` event, whose input tokens leave the cached ones out."""
    used = table(event.get("usage"))
    models = table(event.get("modelUsage"))
    return Usage(
        input_uncached=whole(used.get("input_tokens")),
        cache_read=whole(used.get("cache_read_input_tokens")),
        cache_write=whole(used.get("cache_creation_input_tokens")),
        output=whole(used.get("output_tokens")),
        reasoning=whole(table(used.get("output_tokens_details")).get("thinking_tokens")),
        cost_usd=amount(event.get("total_cost_usd")),
        model=next(iter(models)) if len(models) == 1 else None,
    )
