"""Any command as a tool, through an entry of config/tool_profiles.json."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from penstock.errors import ConfigError
from penstock.model.outcome import Outcome
from penstock.model.placeholders import fill, render
from penstock.model.settings import ToolProfile
from penstock.process import api as process
from penstock.process.api import FilterFactory, Stop
from penstock.process.environment import child_environment, find_executable
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.texts import classify, local_zone
from penstock.tools.turn import IDLE_S, WALL_S, Launch, Said, died, last_line, run_turn

_UNSET_TIMEOUT_S = 60.0  # ToolProfile's default, meant for lint and version calls


class ProfileTool:
    """A command line of the user's own; judged by the diff and by `success_exit_codes`."""

    def __init__(self, profile: ToolProfile) -> None:
        self.profile = profile
        self.tool_id = profile.tool_id

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the rendered argv. Raises ConfigError for an unknown placeholder."""
        return (*rendered(self.profile, turn_context(request)), *request.flags)

    def available(self) -> str | None:
        """Return None when the command is on the PATH, else why not."""
        command = self.profile.command
        if "{" in command or find_executable(command, child_environment()):
            return None  # where a placeholder leads is known in a turn only
        return f"{self.profile.command} is not on the PATH (tool profile {self.tool_id!r})"

    def own_login(self) -> bool:
        """Return False: what it signs in with is the business of the profile."""
        return False

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Run the command once. Raises ConfigError for an unknown placeholder."""
        context = turn_context(request)
        said = profile_environment(self.profile, context)
        launch = Launch(
            argv=(*rendered(self.profile, context), *request.flags),
            env=child_environment(extra=said),
            said=said,
            cwd=Path(_one(self.profile.working_dir, context)),
            wall_s=min(request.wall_s or WALL_S, profile_wall_s(self.profile)),
            idle_s=request.idle_s or IDLE_S,
        )
        reader = ExitCodeReader(self.profile.success_exit_codes)
        return run_turn(self.tool_id, launch, reader, request, stop, make_filter)


class ExitCodeReader:
    """Judges a command that prints no events: by its exit code, then by its words."""

    def __init__(self, success_exit_codes: tuple[int, ...]) -> None:
        self.said = Said()
        self._success = success_exit_codes

    def feed(self, data: bytes) -> bool:  # noqa: ARG002 - there are no events to look for
        """Wait for the end."""
        return False

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return None for an exit code that means success."""
        last = last_line(ended.error_text, ended.text)
        self.said.message = last_line(ended.text)
        if ended.exit_code in self._success:
            return None
        return classify(last, now=time.time(), zone=local_zone()) or died(ended, evidence=last)


def rendered(profile: ToolProfile, context: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the argv of a profile. Raises ConfigError for an unknown placeholder."""
    return (_one(profile.command, context), *render(profile.args, context))


def profile_environment(profile: ToolProfile, context: Mapping[str, str | None]) -> dict[str, str]:
    """Return the profile's own variables; those without a value are left out.

    Raises ConfigError for an unknown placeholder.
    """
    filled = {name: fill(value, context) for name, value in profile.env.items()}
    return {name: value for name, value in filled.items() if value is not None}


def profile_wall_s(profile: ToolProfile) -> float:
    """Return a profile's time limit in seconds; an AI tool that states none gets the long one."""
    if profile.type == "ai" and profile.timeout_sec == _UNSET_TIMEOUT_S:
        return WALL_S
    return profile.timeout_sec


def turn_context(request: TurnRequest) -> dict[str, str | None]:
    """Return what the placeholders stand for in a turn."""
    return {
        "cwd": str(request.worktree),
        "repo_root": str(request.repo_root),
        "worktree_path": str(request.worktree),
        "prompt_file": str(request.prompt_file),
        "model_name": request.model,
        "message": request.prompt,
        "file": request.files[0] if request.files else None,
        "run_id": request.run_id,
        "ws_id": request.ws_id,
        "step": request.step,
    }


def _one(text: str, context: Mapping[str, str | None]) -> str:
    value = fill(text, context)
    if value is None:
        raise ConfigError(f"{text!r} has a placeholder without a value here")
    return value
