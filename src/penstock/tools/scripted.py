"""The scripted tool: a real child process that plays the turns a bundle lists.

It needs no key, no network and no AI CLI; demos and tests run on it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.errors import BundleError
from penstock.model.outcome import Outcome, OutcomeKind, Usage
from penstock.model.scripted import ScriptedTurn
from penstock.process import api as process
from penstock.process.api import FilterFactory, Stop
from penstock.process.environment import child_environment
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.streams import amount, table, text, whole
from penstock.tools.turn import EventReader, died, last_line, launch_of, run_turn, write_private
from penstock.typed import typed

CHILD = Path(__file__).with_name("scripted_child.py")
_HINT = (
    'give the bundle "metadata": {"scripted": [{"edits": {"path": "whole new text"}}]}, '
    "one entry per EDIT or FIX turn, or choose another tool"
)


class ScriptedTool:
    """Plays turn number `request.turn` of `metadata.scripted`; the last one repeats."""

    tool_id = "scripted"

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv. Raises BundleError when the bundle has no such turn."""
        chosen_turn(request.metadata, request.turn)
        return _argv(request)

    def available(self) -> str | None:
        """Return None: it comes with penstock."""
        return None

    def own_login(self) -> bool:
        """Return False: there is nothing to log in to."""
        return False

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Play the turn. Raises BundleError when the bundle has no such turn."""
        turn = chosen_turn(request.metadata, request.turn)
        argv = _argv(request)
        # plain ASCII: a bundle's text may hold half a surrogate pair, which UTF-8 cannot say
        write_private(Path(argv[-1]), json.dumps(msgspec.to_builtins(turn)).encode())
        launch = launch_of(request, argv, child_environment())
        return run_turn(self.tool_id, launch, ScriptedReader(), request, stop, make_filter)


class ScriptedReader(EventReader):
    """Reads the scripted child's output: free text, then one terminal event."""

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the outcome that was claimed, or the crash when nothing was."""
        if self.said.terminal:
            return self.said.verdict
        return died(ended, evidence=last_line(ended.error_text, ended.text))

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        if event.get("type") != "result":
            self.said.unknown += 1
            return
        self.said.terminal = True
        self.said.message = text(event.get("message"))
        self.said.verdict = claimed(event, now=time.time())
        self.said.usage = _usage(table(event.get("usage")))


def claimed(event: Mapping[str, Any], *, now: float) -> Outcome | None:
    """Return the outcome that a terminal event claims; None for edited and no_change.

    Those two are never taken on trust: the diff decides. `now` is seconds since the epoch.
    """
    try:
        kind = OutcomeKind(text(event.get("outcome")))
    except ValueError:
        return Outcome(kind=OutcomeKind.BAD_OUTPUT, message="the terminal event has no outcome")
    if kind in (OutcomeKind.EDITED, OutcomeKind.NO_CHANGE):
        return None
    wait = amount(event.get("reset_in_s"))
    message = text(event.get("message")) or f"the scripted tool says: {kind.value}"
    return Outcome(kind=kind, message=message, reset_at=None if wait is None else now + wait)


def chosen_turn(metadata: Mapping[str, Any], number: int) -> ScriptedTurn:
    """Return turn `number` (from 0) of `metadata.scripted`, the last one when there are fewer.

    Raises BundleError when there is none or it is wrong.
    """
    turns = metadata.get("scripted")
    if not isinstance(turns, list | tuple) or not turns:
        raise BundleError(
            "the scripted tool needs a list of turns in metadata.scripted", hint=_HINT
        )
    index = min(max(number, 0), len(turns) - 1)
    try:
        return typed(turns[index], ScriptedTurn)
    except msgspec.ValidationError as error:
        raise BundleError(f"metadata.scripted[{index}] is wrong: {error}", hint=_HINT) from error


def _argv(request: TurnRequest) -> tuple[str, ...]:
    turn_file = request.prompt_file.with_suffix(".turn.json")
    return (sys.executable, "-I", "-S", str(CHILD), str(turn_file))


def _usage(event: Mapping[str, Any]) -> Usage:
    return Usage(
        input_uncached=whole(event.get("input_tokens")),
        output=whole(event.get("output_tokens")),
        cost_usd=amount(event.get("cost_usd")),
    )
