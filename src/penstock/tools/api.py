"""A tool that edits: how the engine asks for a turn and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from penstock.model.outcome import Outcome, OutcomeKind, Usage
from penstock.process.api import FilterFactory, Stop


class TurnRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One EDIT or FIX turn.

    `step` is edit or fix; `turn` counts turns of this workstream from 0 over both kinds.
    `prompt_file` holds the prompt (outside the worktree); `files` are existing files in scope.
    `home` is a folder of this worker for the tool's own configuration. Times are seconds, None
    means the tool's default. `metadata` is the bundle's. `on_log` hears of the redacted output.
    `capability` and `payload` are set when a tool is asked for a capability rather than by name;
    `max_retries` is for adapters that are programs of their own. `env` are variables that every
    process of the turn gets, over what the adapter has chosen; `on_start` hears of each process that
    is started (see Command). `flags` are the user's own, for the tool's command line.
    """

    run_id: str
    ws_id: str
    step: str
    turn: int
    worktree: Path
    repo_root: Path
    prompt: str
    prompt_file: Path
    files: tuple[str, ...]
    home: Path
    log: Path
    marker: str
    model: str | None = None
    wall_s: float | None = None
    idle_s: float | None = None
    max_cost_usd: float | None = None
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)
    on_log: Callable[[bytes], None] | None = None
    capability: str | None = None
    payload: Mapping[str, Any] = msgspec.field(default_factory=dict)
    max_retries: int = 0
    env: Mapping[str, str] = msgspec.field(default_factory=dict)
    on_start: Callable[[int, int], None] | None = None
    flags: tuple[str, ...] = ()


class TurnReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn's process did and said, before the diff is known.

    `signal` is the outcome that the tool's own words and our reasons for stopping amount to, None
    when they say that all went well. `argv` is the redacted command line. `tail` is the end of
    its redacted output. `events` counts the stream events read, `unknown_events` the ones among
    them that no parser knew. `content` is what tools say in a structure of their own: findings of
    a linter, counts of a test run, the content of an adapter's reply. Where it has a member
    `passed`, that is the verdict of a tool that judges and does not edit.
    """

    tool_id: str
    argv: tuple[str, ...]
    exit_code: int | None
    duration_s: float
    signal: Outcome | None = None
    usage: Usage = Usage()
    message: str = ""
    tail: str = ""
    swept: int = 0
    events: int = 0
    unknown_events: int = 0
    content: Mapping[str, Any] = msgspec.field(default_factory=dict)


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a tool. Times are UTC in ISO 8601 and seconds.

    `exit_code` is -1 for a timeout, -2 when the command was not found, -3 when it could not be
    started for another reason, 128 + n when signal n ended it, else the command's own. `success` is
    judged by the profile's `success_exit_codes`.
    """

    tool_id: str
    command_line: str
    exit_code: int
    stdout: str
    stderr: str
    timed_out: bool
    started_at: str
    completed_at: str
    duration_sec: float
    success: bool


ALIASES = {"claude": "claude-cli"}
"""Other names of built-in tools."""
REPORTS_COST = frozenset({"aider", "claude-cli", "mini-swe-agent", "opencode", "scripted"})
"""Tools that say themselves what a turn has cost, so that a limit on money can be watched."""


class Tool(Protocol):
    """One way to have files edited."""

    tool_id: str

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv of a turn, with secrets masked, without starting or writing anything."""
        ...

    def available(self) -> str | None:
        """Return None when it can be started, else why not and how to install it."""
        ...

    def own_login(self) -> bool:
        """Tell whether a turn would use the login of the user, which two at once may end.

        False when it has a key or a configuration folder of its own, or needs no login.
        """
        ...

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Run the turn to its end. Never raises for what the tool does."""
        ...


class Toolbox(Protocol):
    """All tools by id."""

    def get(self, tool_id: str) -> Tool:
        """Return a tool. Raises NotFoundError that lists the known ones."""
        ...

    def ids(self) -> Sequence[str]:
        """Return the known tool ids, sorted."""
        ...


_EMPTY_HANDED = frozenset({OutcomeKind.DENIED, OutcomeKind.REFUSED})


def judge(signal: Outcome | None, *, changed: bool) -> Outcome:
    """Judge a turn by its diff and its own words: never by the exit code alone.

    A denial or a refusal counts only for a turn that changed nothing: a tool that was denied one
    way and found another has done its work. Any other failure stays one, diff or not.
    """
    if signal is None or (changed and signal.kind in _EMPTY_HANDED):
        kind = OutcomeKind.EDITED if changed else OutcomeKind.NO_CHANGE
        return Outcome(kind=kind)
    return msgspec.structs.replace(signal, partial=changed)
