"""The open adapter protocol: any program that reads one JSON object and writes one.

stdin: `{capability, payload, tool, timeout_ms, max_retries}`, the payload repeating the last two.
stdout: `{success, message, content}`. A `.py` file is run by this Python, a `.ps1` file by `pwsh`,
anything else by its run bit. The program gets the variables that every child gets and the secrets
that were declared for it, no others.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.outcome import Outcome, OutcomeKind
from penstock.process import api as process
from penstock.process.api import FilterFactory, Stop
from penstock.process.environment import child_environment, find_executable
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.streams import amount, table, text, whole
from penstock.tools.texts import classify, local_zone, outcome
from penstock.tools.turn import (
    WALL_S,
    Said,
    died,
    last_line,
    launch_of,
    run_turn,
    write_private,
)
from penstock.trust import why_not_trusted

TIMED_OUT = 124
"""The exit code of a program that ran out of time, as `timeout` of coreutils has it."""
NOT_FOUND = 127
"""The exit code that a shell has for a command that it did not find."""
DEFAULT_CAPABILITY = "code_generation"
MAX_REPLY = 8 << 20
"""The longest reply that is read, in bytes."""
PWSH = "pwsh"
_PWSH_HINT = "install PowerShell 7 (https://aka.ms/powershell), or use an adapter in Python"
_PWSH_QUIET = {"POWERSHELL_TELEMETRY_OPTOUT": "1", "POWERSHELL_UPDATECHECK": "Off"}
_JUDGED_BY_DIFF = frozenset({OutcomeKind.EDITED, OutcomeKind.NO_CHANGE})


class ExternalAdapter(msgspec.Struct, frozen=True, kw_only=True):
    """A program that speaks the protocol for a tool.

    `secrets` are the environment variables that it declares and gets; `tool_name` is what the
    request calls the tool, its id when None. `own_login`: it goes through the login of the user, so
    only one of it may run at a time.
    """

    tool_id: str
    path: Path
    secrets: tuple[str, ...] = ()
    tool_name: str | None = None
    own_login: bool = False


class ExternalTool:
    """Drives one adapter program."""

    def __init__(self, adapter: ExternalAdapter) -> None:
        self.adapter = adapter
        self.tool_id = adapter.tool_id

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:  # noqa: ARG002
        """Return the argv; everything else is said on stdin."""
        return launcher(self.adapter.path)

    def available(self) -> str | None:
        """Return None when it can be started, else why not."""
        return unavailable(self.adapter.path)

    def own_login(self) -> bool:
        """Tell what was declared of the program."""
        return self.adapter.own_login

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Run the program once.

        Raises EnvironmentProblem when the request cannot be written.
        """
        problem = self.available()
        if problem:
            return TurnReport(
                tool_id=self.tool_id,
                argv=self.command_line(request),
                exit_code=None,
                duration_s=0.0,
                signal=Outcome(kind=OutcomeKind.NOT_INSTALLED, message=problem),
                message=problem,
            )
        name = self.adapter.tool_name or self.tool_id
        asked = request.prompt_file.with_suffix(".request.json")
        write_private(asked, msgspec.json.encode(request_object(request, name)))
        quiet = _PWSH_QUIET if self.adapter.path.suffix.lower() == ".ps1" else {}
        env = child_environment(extra=quiet, keep=self.adapter.secrets)
        launch = launch_of(request, self.command_line(request), env, stdin=asked)
        reader = ReplyReader()
        report = run_turn(self.tool_id, launch, reader, request, stop, make_filter)
        return _timed_out(report) if report.signal is not None else report


class ReplyReader:
    """Reads the one JSON object that an adapter program writes."""

    def __init__(self) -> None:
        self.said = Said()
        self._raw = bytearray()
        self._too_long = False

    def feed(self, data: bytes) -> bool:
        """Take a piece of stdout; True when the reply is longer than any reply may be."""
        if len(self._raw) + len(data) > MAX_REPLY:
            self._too_long = True
            return True
        self._raw += data
        return False

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the failure that the reply states; without a valid one, what the end means.

        A valid reply counts whatever the exit code is, but for that of a timeout.
        """
        if self._too_long:
            return _bad(f"the reply is longer than {MAX_REPLY} bytes")
        reply = decode_reply(bytes(self._raw))
        if reply is not None:
            self.said.events = 1
            self.said.message = text(reply.get("message"))
            self.said.content = dict(table(reply.get("content")))
        if ended.exit_code == TIMED_OUT:
            return Outcome(kind=OutcomeKind.TIMEOUT, message="the adapter ran out of time")
        if reply is not None:
            return judge_reply(reply, now=time.time())
        return _without_reply(ended)


def launcher(path: Path) -> tuple[str, ...]:
    """Return the argv that starts an adapter program, by its suffix."""
    suffix = path.suffix.lower()
    if suffix == ".py":
        return (sys.executable, str(path))
    if suffix == ".ps1":
        return (PWSH, "-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(path))
    return (str(path),)


def unavailable(path: Path) -> str | None:
    """Return None when an adapter program can be started, else a sentence with the way out."""
    if not path.is_file():
        return f"the adapter {path} does not exist"
    if (why := why_not_trusted(path)) is not None:
        return f"the adapter {path} is not run: {why}"
    suffix = path.suffix.lower()
    if suffix == ".py":
        return None
    if suffix == ".ps1":
        found = find_executable(PWSH, child_environment())
        return (
            None if found else f"{path.name} needs {PWSH}, which is not on the PATH: {_PWSH_HINT}"
        )
    if not os.access(path, os.X_OK):
        return (
            f"the adapter {path} may not be executed: chmod +x, or give it the suffix .py or .ps1"
        )
    return None


def request_object(request: TurnRequest, tool: str) -> Mapping[str, Any]:
    """Return what an adapter program is asked.

    A turn without a payload of its own asks for its prompt and its files.
    """
    limits = {
        "timeout_ms": int((request.wall_s or WALL_S) * 1000),
        "max_retries": request.max_retries,
    }
    asked = {"files": list(request.files), "prompt": request.prompt}
    return {
        "capability": request.capability or DEFAULT_CAPABILITY,
        "payload": {**asked, **request.payload, **limits},
        "tool": tool,
        **limits,
    }


def decode_reply(raw: bytes) -> dict[str, Any] | None:
    """Return the reply in an adapter's output: all of it, or its last line; None without one.

    A reply is an object whose `success` is true or false.
    """
    lines = raw.strip().splitlines()
    for candidate in (raw, lines[-1] if lines else b""):
        try:
            value = msgspec.json.decode(candidate)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue
        if isinstance(value, dict) and isinstance(value.get("success"), bool):
            return value
    return None


def judge_reply(reply: Mapping[str, Any], *, now: float) -> Outcome | None:
    """Return the failure that a reply states, None when it states none.

    `content.outcome` may name its kind and `content.reset_at` the end of a rate limit (seconds
    since the epoch); else the exit code in the content and then the words decide. `now` is seconds
    since the epoch.
    """
    if reply["success"]:
        return None
    content = table(reply.get("content"))
    words = text(reply.get("message")) or "the adapter reports a failure and no reason"
    named = _named(content)
    if named is not None:
        told = outcome(named, words, now=now, zone=local_zone())
        reset = amount(content.get("reset_at"))
        return msgspec.structs.replace(told, reset_at=reset) if reset else told
    errors = f"{words}\n{last_line(text(content.get('stderr')))}"
    known = classify(errors, now=now, zone=local_zone())
    return known or Outcome(kind=OutcomeKind.CRASHED, message=words[:300], evidence=errors.strip())


def _named(content: Mapping[str, Any]) -> OutcomeKind | None:
    code = whole(content.get("exit_code"))
    if code in (TIMED_OUT, NOT_FOUND):
        return OutcomeKind.TIMEOUT if code == TIMED_OUT else OutcomeKind.NOT_INSTALLED
    try:
        kind = OutcomeKind(text(content.get("outcome")))
    except ValueError:
        return None
    return None if kind in _JUDGED_BY_DIFF else kind


def _without_reply(ended: process.Outcome) -> Outcome:
    words = last_line(ended.error_text, ended.text)
    if ended.exit_code == 0:
        return _bad(f"the adapter wrote no JSON object with success: {words or 'nothing at all'}")
    known = classify(words, now=time.time(), zone=local_zone()) if words else None
    return known or died(ended, evidence=words)


def _bad(message: str) -> Outcome:
    return Outcome(kind=OutcomeKind.BAD_OUTPUT, message=message[:300], evidence=message)


def _timed_out(report: TurnReport) -> TurnReport:
    """Give a turn that our own limit ended the exit code that the protocol has for it."""
    if report.signal is None or report.signal.kind not in (OutcomeKind.TIMEOUT, OutcomeKind.IDLE):
        return report
    content = {**report.content, "exit_code": TIMED_OUT}
    return msgspec.structs.replace(report, exit_code=TIMED_OUT, content=content)
