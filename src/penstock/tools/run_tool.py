"""Run a tool profile's command once and keep all that it printed."""

from __future__ import annotations

import math
import shlex
import uuid
from collections.abc import Mapping
from pathlib import Path

from penstock.errors import ConfigError
from penstock.model.placeholders import fill, render
from penstock.model.settings import ToolProfile
from penstock.model.times import iso
from penstock.process.api import MARKER_VARIABLE, Command, End, Outcome, Stop
from penstock.process.environment import child_environment
from penstock.process.run import run
from penstock.tools.api import ToolResult

TIMED_OUT, NOT_FOUND, NOT_STARTED = -1, -2, -3
"""The documented exit codes of a tool that did not come to its own end."""


def render_command(profile: ToolProfile, context: Mapping[str, object]) -> tuple[str, ...]:
    """Return the argv of a profile for a context; one argument stays one argument.

    Raises ConfigError for an unknown placeholder, and for a command without a value.
    """
    values = _texts(context)
    command = fill(profile.command, values)
    if not command:
        raise ConfigError(f"the command of the tool profile {profile.tool_id!r} has no value here")
    return (command, *render(profile.args, values))


def run_tool(
    profile: ToolProfile,
    context: Mapping[str, object],
    run_id: str | None = None,
    ws_id: str | None = None,
    stop: Stop | None = None,
) -> ToolResult:
    """Run a profile's command with its time limit; the whole process tree is ended with it.

    `context` gives the placeholders their values; `run_id` and `ws_id` are placeholders too.
    Raises ConfigError for an unknown placeholder.
    """
    names = {"cwd": str(Path.cwd()), "run_id": run_id, "ws_id": ws_id}
    values = {**_DEFAULTS, **names, **context}
    argv = render_command(profile, values)
    ended = run(
        Command(
            argv=argv,
            cwd=_folder(profile, values),
            env=_environment(profile, values),
            wall_s=profile.timeout_sec,
            marker=f"tool/{profile.tool_id}/{uuid.uuid4().hex}",
        ),
        stop,
    )
    return _result(profile, argv, ended)


_DEFAULTS: Mapping[str, None] = dict.fromkeys(
    ("repo_root", "worktree_path", "prompt_file", "model_name", "message", "file")
)


def _folder(profile: ToolProfile, values: Mapping[str, object]) -> Path:
    here = _texts(values)
    return Path(fill(profile.working_dir, here) or here["cwd"] or ".")


def _environment(profile: ToolProfile, values: Mapping[str, object]) -> dict[str, str]:
    here = _texts(values)
    filled = {name: fill(value, here) for name, value in profile.env.items()}
    extra = {name: value for name, value in filled.items() if value is not None}
    extra.pop(MARKER_VARIABLE, None)
    return child_environment(extra=extra)


def _texts(context: Mapping[str, object]) -> dict[str, str | None]:
    return {name: None if value is None else str(value) for name, value in context.items()}


def _result(profile: ToolProfile, argv: tuple[str, ...], ended: Outcome) -> ToolResult:
    code = documented_exit_code(ended)
    kept = profile.capture_output
    error = ended.error_text if kept else ""
    return ToolResult(
        tool_id=profile.tool_id,
        command_line=shlex.join(argv),
        exit_code=code,
        stdout=ended.text if kept else "",
        stderr="\n".join(filter(None, (error, ended.error))),
        timed_out=ended.timed_out,
        started_at=iso(ended.started_at),
        completed_at=iso(ended.started_at + ended.duration_s),
        duration_sec=math.floor(ended.duration_s * 1000) / 1000,
        success=ended.end is End.EXITED and code in profile.success_exit_codes,
    )


def documented_exit_code(ended: Outcome) -> int:
    """Return the exit code as it is documented: of a child that a signal ended, 128 and its number."""
    if ended.timed_out:
        return TIMED_OUT
    if ended.end is End.NOT_FOUND:
        return NOT_FOUND
    if ended.end is End.NOT_STARTED or ended.exit_code is None:
        return NOT_STARTED
    return ended.exit_code if ended.exit_code >= 0 else 128 - ended.exit_code
