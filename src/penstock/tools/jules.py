"""Jules (https://jules.google), a service, through its REST API: submit, poll, pull.

Written from the documentation of its v1alpha API and never run against the service. Jules works on
a branch of a repository at GitHub, so what it is to see must have been pushed; its patch is then
applied to the worktree.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.outcome import Outcome, OutcomeKind
from penstock.process import api as process
from penstock.process.api import Command, FilterFactory, Stop
from penstock.process.environment import child_environment, variables
from penstock.process.run import run
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.streams import table, text, whole
from penstock.tools.texts import by_status, classify, local_zone, outcome
from penstock.tools.turn import (
    EventReader,
    died,
    last_line,
    launch_of,
    run_turn,
    write_private,
)

CHILD = Path(__file__).with_name("jules_child.py")
KEY = "JULES_API_KEY"
BASE_URL = "JULES_API_BASE_URL"
SOURCE, BRANCH = "JULES_SOURCE", "JULES_BRANCH"
DEFAULT_BASE_URL = "https://jules.googleapis.com/v1alpha"
DEFAULT_BRANCH = "main"
POLL_S = 5.0
APPLY_S = 60.0
_HINT = (
    f'set {SOURCE} to sources/github/OWNER/REPO, or give the bundle "metadata": '
    '{"jules": {"source": "...", "branch": "..."}}'
)


class JulesTool:
    """Hands a turn to the service and applies the patch that comes back."""

    tool_id = "jules"

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the order stands in a file, and the key in the environment."""
        return (sys.executable, "-I", "-S", str(CHILD), str(_order_file(request)))

    def available(self) -> str | None:
        """Return None when there is a key, else how to get one."""
        if variables().get(KEY):
            return None
        return f"{KEY} is not set: make a key at https://jules.google.com/settings"

    def own_login(self) -> bool:
        """Return False: the service takes nothing but a key."""
        return False

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Run one turn. A turn that is ended by us does not end the session at the service.

        Raises EnvironmentProblem when the order cannot be written.
        """
        order = order_of(request)
        missing = self.available() or (None if order["source"] else f"no source: {_HINT}")
        if missing:
            return self._missing(request, missing)
        write_private(_order_file(request), json.dumps(order).encode())
        write_private(Path(order["patch_file"]), b"")
        launch = launch_of(request, self.command_line(request), child_environment(keep=(KEY,)))
        reader = JulesReader()
        report = run_turn(self.tool_id, launch, reader, request, stop, make_filter)
        if report.signal is not None or not reader.patched:
            return report
        failed = apply_patch(Path(order["patch_file"]), request, stop)
        return report if failed is None else msgspec.structs.replace(report, signal=failed)

    def _missing(self, request: TurnRequest, words: str) -> TurnReport:
        return TurnReport(
            tool_id=self.tool_id,
            argv=self.command_line(request),
            exit_code=None,
            duration_s=0.0,
            signal=Outcome(kind=OutcomeKind.NOT_INSTALLED, message=words),
            message=words,
        )


def order_of(request: TurnRequest) -> dict[str, Any]:
    """Return what the child is told: the bundle's own words beat the environment."""
    own = table(request.metadata.get("jules"))
    base = variables().get(BASE_URL) or DEFAULT_BASE_URL
    return {
        "base_url": base.rstrip("/"),
        "source": text(own.get("source")) or variables().get(SOURCE) or "",
        "branch": text(own.get("branch")) or variables().get(BRANCH) or DEFAULT_BRANCH,
        "title": f"{request.ws_id} {request.step} {request.turn}",
        "prompt": request.prompt,
        "poll_s": POLL_S,
        "patch_file": str(request.prompt_file.with_suffix(".jules.patch")),
    }


def apply_patch(patch: Path, request: TurnRequest, stop: Stop) -> Outcome | None:
    """Apply a patch to the worktree; return the failure when it does not fit, whole or not at all.

    git itself refuses paths outside the worktree.
    """
    command = Command(
        argv=("git", "apply", "--whitespace=nowarn", str(patch)),
        cwd=request.worktree,
        env=child_environment(extra=request.env),
        wall_s=APPLY_S,
        marker=request.marker,
        on_start=request.on_start,
    )
    ended = run(command, stop)
    if ended.exit_code == 0:
        return None
    words = last_line(ended.error_text, ended.error) or "git apply failed"
    return Outcome(
        kind=OutcomeKind.BAD_OUTPUT,
        message=f"the patch of Jules does not fit the worktree: {words}"[:300],
        evidence=words,
    )


class JulesReader(EventReader):
    """Reads the events of the child."""

    def __init__(self) -> None:
        super().__init__()
        self.patched = False

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the failure that the events amount to."""
        if self.said.verdict is not None or self.said.terminal:
            return self.said.verdict
        return died(ended, evidence=last_line(ended.error_text, ended.text))

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        kind = text(event.get("type"))
        if kind == "submitted":
            self.said.content = {"session": text(event.get("session")), "url": _url(event)}
        elif kind == "error":
            self.said.verdict = refusal(event, now=time.time())
        elif kind == "result":
            self._result(event)
        elif kind != "state":
            self.said.unknown += 1

    def _result(self, event: Mapping[str, Any]) -> None:
        self.said.terminal = True
        state = text(event.get("state"))
        self.patched = state == "COMPLETED" and event.get("patch") is True
        self.said.message = f"the session ended as {state}: {_url(event)}"
        if state == "COMPLETED":
            return
        asks = state not in ("FAILED", "CANCELLED")
        kind = OutcomeKind.REFUSED if asks else OutcomeKind.CRASHED
        words = f"Jules waits for an answer ({state}): {_url(event)}"
        self.said.verdict = Outcome(kind=kind, message=words if asks else self.said.message)


def refusal(event: Mapping[str, Any], *, now: float) -> Outcome:
    """Return the outcome of an error of the service. `now` is seconds since the epoch."""
    words = text(event.get("message"))
    status, wait = whole(event.get("status")), text(event.get("retry_after"))
    told = classify(words, now=now, zone=local_zone())
    kind = by_status(status) if status else None
    if told and (kind is None or told.kind is OutcomeKind.QUOTA):
        kind = told.kind
    said = f"HTTP {status}: {words}" if status else words
    stated = f"{said} (retry-after: {wait})" if wait else said
    return outcome(kind or OutcomeKind.CRASHED, stated, now=now, zone=local_zone())


def _order_file(request: TurnRequest) -> Path:
    return request.prompt_file.with_suffix(".jules.json")


def _url(event: Mapping[str, Any]) -> str:
    return text(event.get("url"))
