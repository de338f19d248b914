"""Adapters that carry out an ExecutionRequest: a program's argument list, or a Python function.

Both run as a child through the process door, so a time limit ends all of it. The adapters of AI
tools, which are judged by their diff, are elsewhere; these are judged by their exit.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import tempfile
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import field

from penstock.config.router import load_router_config
from penstock.errors import ConfigError, ExecutionRequestError, NotFoundError
from penstock.model.execution import ExecutionRequest
from penstock.model.router import App, AppCapabilities, AppKind, AppLimits, RouterConfig, SafetyTier
from penstock.model.settings import ToolProfile
from penstock.process.api import Command, End, Outcome, Stop
from penstock.process.environment import child_environment
from penstock.process.run import run
from penstock.routing.tasks import command_of, offers
from penstock.tools.run_tool import TIMED_OUT, documented_exit_code, run_tool

DEFAULT_TIMEOUT_S = 300.0
PYTHON = "python:"
"""A command `python:module:function` in router_config.json names a Python function."""
_PROMPT = re.compile(r"\{(message|prompt|prompt_file)\}")
_BRACED = re.compile(r"\{(\w+)\}")


class ToolConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter knows of its tool. `command` is an argument list with placeholders."""

    tool_id: str
    command: tuple[str, ...] = ()
    kind: AppKind = AppKind.TOOL
    capabilities: AppCapabilities = AppCapabilities()
    limits: AppLimits = AppLimits(timeout_seconds=DEFAULT_TIMEOUT_S)
    safety_tier: SafetyTier = "medium"


class AdapterResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a request came to. `exit_code` is -1 for a time limit, -2 for a missing program, -3 when
    it could not be started; `metadata` holds what a Python function returned."""

    success: bool
    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    duration_seconds: float = 0.0
    error_message: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


class ToolAdapter(Protocol):
    """Carries out requests for one tool."""

    config: ToolConfig

    def execute(self, request: ExecutionRequest, timeout: float | None = None) -> AdapterResult:
        """Carry out a request within `timeout` seconds (None: the request's, else the tool's own).

        Raises ExecutionRequestError when it is not for this tool. What the tool does is in the
        result.
        """
        ...

    def validate_request(self, request: ExecutionRequest) -> bool:
        """Tell whether a request can be carried out by this tool."""
        ...

    def supports_task(self, task_kind: str, domain: str | None = None) -> bool:
        """Tell whether the tool does this kind of task (in a domain)."""
        ...


class _Adapter(ABC):
    """What both kinds share: limits, checks, and one slot per parallel task."""

    def __init__(
        self, config: ToolConfig, *, folder: Path | None = None, stop: Stop | None = None
    ) -> None:
        self.config = config
        self._folder, self._stop = folder, stop
        self._slots = threading.BoundedSemaphore(config.limits.max_parallel)

    def validate_request(self, request: ExecutionRequest) -> bool:
        """Tell whether a request can be carried out by this tool."""
        return not self.problems(request)

    def supports_task(self, task_kind: str, domain: str | None = None) -> bool:
        """Tell whether the tool does this kind of task (in a domain)."""
        return offers(self.config.capabilities, task_kind, domain)

    def problems(self, request: ExecutionRequest) -> tuple[str, ...]:
        """Return why a request cannot be carried out by this tool, a line each."""
        own, named = self.config.tool_id, request.routing.allowed_tools
        found = []
        if request.tool_id not in (None, own):
            found.append(f"it is for {request.tool_id}, not for {own}")
        if named and own not in named:
            found.append(f"it allows {', '.join(named)} only")
        if not self.supports_task(request.task_kind):
            found.append(f"{own} does not do {request.task_kind}")
        return tuple(found)

    def execute(self, request: ExecutionRequest, timeout: float | None = None) -> AdapterResult:
        """Carry out a request; see ToolAdapter. A task that waits for a slot counts as running."""
        problems = self.problems(request)
        if problems:
            raise ExecutionRequestError(f"request {request.request_id}: {'; '.join(problems)}")
        limit = timeout or request.routing.timeout_seconds or self.config.limits.timeout_seconds
        began = time.monotonic()
        if not self._slots.acquire(timeout=limit):
            return AdapterResult(
                success=False,
                exit_code=TIMED_OUT,
                duration_seconds=time.monotonic() - began,
                error_message=f"{self.config.tool_id} had no slot free within {limit:g} s",
            )
        try:
            left = max(limit - (time.monotonic() - began), 0.001)
            return self._run(request, self._folder or Path.cwd(), left)
        finally:
            self._slots.release()

    @abstractmethod
    def _run(self, request: ExecutionRequest, folder: Path, limit: float) -> AdapterResult:
        """Carry out a request that fits, within `limit` seconds."""


class ShellAdapter(_Adapter):
    """Runs an argument list, never a shell.

    The placeholders {message} or {prompt} and {prompt_file} take the prompt, {request_id},
    {task_kind}, {workstream_id}, {project_id}, {phase_id}, {description}, {cwd} what they name.
    A tool without a command of its own runs the request's, as it is.
    """

    def problems(self, request: ExecutionRequest) -> tuple[str, ...]:
        """Return why a request cannot be carried out by this tool, a line each."""
        found = [*super().problems(request)]
        own, asked = self.config.command, request.command or ()
        if own and asked and asked != own:
            found.append(f"it brings a command of its own, {self.config.tool_id} has its own")
        if not own and not asked:
            found.append("there is no command to run")
        if request.prompt and own and not any(_PROMPT.search(part) for part in own):
            found.append(f"the command of {self.config.tool_id} has no place for a prompt")
        return tuple(found)

    def _run(self, request: ExecutionRequest, folder: Path, limit: float) -> AdapterResult:
        argv = self.config.command or tuple(
            _BRACED.sub(r"{{\1}}", part) for part in request.command or ()
        )
        profile = ToolProfile(
            tool_id=self.config.tool_id,
            command=argv[0],
            args=argv[1:],
            working_dir="{cwd}",
            timeout_sec=limit,
        )
        with _as_file(request.prompt or "") as prompt_file:
            ended = run_tool(profile, _context(request, folder, prompt_file), stop=self._stop)
        return AdapterResult(
            success=ended.success,
            stdout=ended.stdout,
            stderr=ended.stderr,
            exit_code=ended.exit_code,
            duration_seconds=ended.duration_sec,
            error_message=_complaint(ended.exit_code, ended.stderr, limit),
            metadata={"command_line": ended.command_line},
        )


class PythonAdapter(_Adapter):
    """Calls a Python function with the request, in a child of its own.

    The function is named `module:function`, or is one that a child can import by its name. What it
    prints is stdout; what it returns (JSON) is `metadata["result"]`; what it raises fails the
    request. Raises ConfigError when no child could import it.
    """

    def __init__(
        self,
        config: ToolConfig,
        function: str | Callable[[ExecutionRequest], object],
        *,
        folder: Path | None = None,
        stop: Stop | None = None,
    ) -> None:
        super().__init__(config, folder=folder, stop=stop)
        self._function = function if isinstance(function, str) else _importable(function)

    def _run(self, request: ExecutionRequest, folder: Path, limit: float) -> AdapterResult:
        with (
            tempfile.TemporaryDirectory(prefix="penstock-") as place,
            _as_file(msgspec.json.encode(request).decode()) as asked,
        ):
            answer = Path(place, "answer.json")
            ended = run(self._command(asked, answer, folder, limit), self._stop)
            result = msgspec.json.decode(answer.read_bytes()) if answer.exists() else None
        code = documented_exit_code(ended)
        done = ended.end is End.EXITED and code == 0
        return AdapterResult(
            success=done,
            stdout=ended.text,
            stderr=ended.error_text,
            exit_code=code,
            duration_seconds=ended.duration_s,
            error_message=None if done else _complaint(code, _told(ended), limit),
            metadata={"result": result} if done else {},
        )

    def _command(self, asked: Path, answer: Path, folder: Path, limit: float) -> Command:
        roots = [str(Path(entry).absolute()) for entry in sys.path]
        child = [sys.executable, "-m", "penstock.tools.python_child", self._function, str(answer)]
        return Command(
            argv=tuple(child),
            cwd=folder,
            env=child_environment(extra={"PYTHONPATH": os.pathsep.join(roots)}),
            stdin=asked,
            wall_s=limit,
            marker=f"adapter/{self.config.tool_id}/{uuid.uuid4().hex}",
        )


class AdapterRegistry:
    """The adapters by tool, in the order in which they were registered."""

    def __init__(self) -> None:
        self._adapters: dict[str, ToolAdapter] = {}

    def load_from_config(self, source: RouterConfig | Path | str) -> tuple[str, ...]:
        """Register an adapter for each app of a router configuration (or file, or repository root).

        Returns their ids. Raises ConfigFileError.
        """
        config = source if isinstance(source, RouterConfig) else load_router_config(Path(source))
        for app_id, app in config.apps.items():
            self.register(adapter_for(app_id, app))
        return tuple(config.apps)

    def register(self, adapter: ToolAdapter) -> None:
        """Add an adapter, in place of one of the same tool."""
        self._adapters[adapter.config.tool_id] = adapter

    def get(self, tool_id: str) -> ToolAdapter:
        """Return the adapter of a tool. Raises NotFoundError."""
        if tool_id not in self._adapters:
            known = ", ".join(self._adapters) or "none"
            raise NotFoundError(f"there is no adapter for {tool_id!r}; known: {known}")
        return self._adapters[tool_id]

    def find_for_task(self, task_kind: str, domain: str | None = None) -> tuple[ToolAdapter, ...]:
        """Return the adapters that do a kind of task, in their order."""
        return tuple(a for a in self._adapters.values() if a.supports_task(task_kind, domain))


def adapter_for(app_id: str, app: App) -> ToolAdapter:
    """Return the adapter of an app: a Python function for `python:module:function`, else a program."""
    command = command_of(app)
    config = ToolConfig(
        tool_id=app_id,
        command=command,
        kind=app.kind,
        capabilities=app.capabilities,
        limits=app.limits,
        safety_tier=app.safety_tier,
    )
    if len(command) == 1 and command[0].startswith(PYTHON):
        return PythonAdapter(config, command[0].removeprefix(PYTHON))
    return ShellAdapter(config)


def _importable(function: Callable[[ExecutionRequest], object]) -> str:
    """Return `module:function`. Raises ConfigError when importing that gives something else."""
    module = getattr(function, "__module__", None) or "?"
    name = getattr(function, "__qualname__", "?")
    words = f"{module}:{name}"
    if module == "__main__" or "<" in name or "?" in words:
        raise ConfigError(f"a child cannot import {words}", hint="use a function of a module")
    if attrgetter(name)(importlib.import_module(module)) is not function:
        raise ConfigError(f"{words} is another function by now", hint="use a function of a module")
    return words


@contextmanager
def _as_file(text: str) -> Iterator[Path]:
    """Keep a text in a file that only we can read, for a block."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="penstock-") as file:
        file.write(text)
        file.flush()
        yield Path(file.name)


def _context(request: ExecutionRequest, folder: Path, prompt_file: Path) -> Mapping[str, object]:
    return {
        "cwd": folder,
        "message": request.prompt,
        "prompt": request.prompt,
        "prompt_file": prompt_file,
        "request_id": request.request_id,
        "task_kind": request.task_kind,
        "project_id": request.project_id,
        "phase_id": request.phase_id,
        "workstream_id": request.workstream_id,
        "ws_id": request.workstream_id,
        "description": request.description,
    }


def _told(ended: Outcome) -> str:
    return "\n".join(filter(None, (ended.error_text, ended.error)))


def _complaint(code: int, said: str, limit: float) -> str | None:
    """Return one line for a failure: the limit, or the last thing that was said."""
    if code == 0:
        return None
    if code == TIMED_OUT:
        return f"ended by its time limit of {limit:g} s"
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"ended with exit code {code}"
