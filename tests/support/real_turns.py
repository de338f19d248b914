"""One real client in one real repository, driven through its adapter: the stage for its tests."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from penstock.model.outcome import Outcome
from penstock.process.api import MARKER_VARIABLE, Stop
from penstock.tools.api import Tool, TurnReport, TurnRequest, judge
from penstock.tools.toolbox import make_toolbox
from tests.support.clients import clients_folder, need_client
from tests.support.endpoint_plan import Plan
from tests.support.model_endpoint import ModelEndpoint

KEY = "sk-test-0f1e2d3c4b5a69788796a5b4c3d2e1f0"  # penstock: allow-secret
BROKEN = "def add(a, b):\n    return a - b\n"
MODELS = {
    "aider": "openai/scripted",
    "claude-cli": None,
    "codex": "gpt-5.5",
    "copilot": "scripted",
    "gemini": "gemini-2.5-flash",
    "mini-swe-agent": "openai/scripted",
    "opencode": "scripted",
    "qwen": "scripted",
}


class PlainFilter:
    """An output filter that changes nothing."""

    def feed(self, data: bytes) -> bytes:
        """Return the piece as it came."""
        return data

    def flush(self) -> bytes:
        """Return nothing: nothing is held back."""
        return b""


def git(folder: Path, *args: str) -> str:
    """Run git in a folder and return what it printed."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    done = subprocess.run(
        ["git", *identity, *args], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def make_repository(folder: Path) -> Path:
    """Make a repository with one committed file, calc.py."""
    folder.mkdir()
    folder.joinpath("calc.py").write_text(BROKEN)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "Begin")
    return folder


def contents(folder: Path) -> Mapping[str, bytes]:
    """Return every file below a folder with what it holds."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def files_with(folder: Path, word: str) -> list[str]:
    """Return the files below a folder that hold a word."""
    return [name for name, data in contents(folder).items() if word.encode() in data]


def marked_processes(marker: str) -> list[str]:
    """Return the command lines of the processes that carry an attempt's marker."""
    return [_command_of(process) for process in _marked(marker)]


def kill_marked(marker: str) -> None:
    """Kill every process that carries an attempt's marker."""
    for process in _marked(marker):
        with suppress(ProcessLookupError):
            os.kill(int(process.name), signal.SIGKILL)


def _marked(marker: str) -> list[Path]:
    wanted = f"{MARKER_VARIABLE}={marker}".encode()
    return [process for process in Path("/proc").glob("[0-9]*") if wanted in _environ(process)]


def _environ(process: Path) -> list[bytes]:
    try:
        return process.joinpath("environ").read_bytes().split(b"\0")
    except OSError:
        return []  # it ended, or is somebody else's


def _command_of(process: Path) -> str:
    try:
        return process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return process.name


@dataclass(frozen=True)
class Judged:
    """One turn's report, the judgement over it, and the paths that it changed."""

    report: TurnReport
    outcome: Outcome
    changed: tuple[str, ...]


@dataclass
class Scene:
    """A client with a repository, a home of its user and a home of its worker."""

    tool: Tool
    endpoint: ModelEndpoint
    root: Path
    worktree: Path
    markers: list[str] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)
    watchers: list[threading.Thread] = field(default_factory=list)

    def stop_when(self, due: Callable[[], bool]) -> None:
        """Ask the turn to stop as soon as `due` holds."""
        self._when(due, self.stop.ask)

    def kill_when(self, due: Callable[[], bool]) -> None:
        """Kill every process of the turn as soon as `due` holds."""
        self._when(due, lambda: kill_marked(self.markers[-1]))

    def _when(self, due: Callable[[], bool], act: Callable[[], None]) -> None:
        def wait() -> None:
            deadline = time.monotonic() + 60
            while not due() and time.monotonic() < deadline:
                time.sleep(0.02)
            act()

        self.watchers.append(threading.Thread(target=wait))
        self.watchers[-1].start()

    def turn(self, *, wall_s: float = 60.0, idle_s: float = 30.0) -> Judged:
        """Play one turn and judge it."""
        report = self.tool.run(self._request(wall_s, idle_s), self.stop, PlainFilter)
        for watcher in self.watchers:
            watcher.join()
        lines = git(self.worktree, "status", "--porcelain", "--ignored", "-uall").splitlines()
        changed = tuple(sorted(line[3:] for line in lines))
        return Judged(report, judge(report.signal, changed=bool(changed)), changed)

    def commit(self) -> None:
        """Commit all changes, as the orchestrator does between turns."""
        git(self.worktree, "add", "-A")
        git(self.worktree, "commit", "-qm", "Turn")

    def read(self, name: str = "calc.py") -> str:
        """Return a file of the worktree."""
        return (self.worktree / name).read_text()

    def _request(self, wall_s: float, idle_s: float) -> TurnRequest:
        turn = len(self.markers)
        self.markers.append(f"test-{uuid.uuid4().hex}")
        prompt = f"Repair calc.py, turn {turn}."
        prompt_file = self.root / f"prompt-{turn}.md"
        prompt_file.write_text(prompt)
        return TurnRequest(
            run_id="run-1", ws_id="ws-1", step="fix" if turn else "edit", turn=turn,
            worktree=self.worktree, repo_root=self.worktree, prompt=prompt,
            prompt_file=prompt_file, files=("calc.py",), home=self.root / "worker",
            log=self.root / f"turn-{turn}.log", marker=self.markers[-1],
            model=MODELS[self.tool.tool_id], wall_s=wall_s, idle_s=idle_s,
        )  # fmt: skip


_ON_LITELLM = ("aider", "mini-swe-agent")


def _surroundings(tool_id: str, base_url: str) -> Mapping[str, str]:
    """Return what a user sets to have a client talk to an endpoint of their own."""
    if tool_id == "claude-cli":
        return {"ANTHROPIC_BASE_URL": base_url, "ANTHROPIC_API_KEY": KEY}
    if tool_id == "gemini":
        return {"GOOGLE_GEMINI_BASE_URL": base_url, "GEMINI_API_KEY": KEY}
    if tool_id == "copilot":
        unpacked = str(clients_folder().parent / "copilot" / "unpacked")
        provider = {"BASE_URL": f"{base_url}/v1", "API_KEY": KEY}
        named = {f"COPILOT_PROVIDER_{name}": value for name, value in provider.items()}
        return {**named, "COPILOT_PKG_CACHE_HOME": unpacked}
    name = "OPENAI_API_BASE" if tool_id in _ON_LITELLM else "OPENAI_BASE_URL"
    return {name: f"{base_url}/v1", "OPENAI_API_KEY": KEY}


@contextmanager
def client_world(
    tool_id: str, plan: Plan, root: Path, patch: pytest.MonkeyPatch
) -> Iterator[ModelEndpoint]:
    """Let a client talk to an endpoint that plays a plan; its user has a home that must stay."""
    command = need_client(tool_id)
    user_home = root / "user"
    user_home.mkdir()
    user_home.joinpath("diary.txt").write_text("mine")
    before = contents(user_home)
    with ModelEndpoint(plan) as endpoint:
        for name, value in _surroundings(tool_id, endpoint.base_url).items():
            patch.setenv(name, value)
        patch.setenv("HOME", str(user_home))
        patch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
        yield endpoint
    assert contents(user_home) == before, "the user's home was touched"


@contextmanager
def scene(tool_id: str, plan: Plan, root: Path, patch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Set a scene; at its end none of its processes may run and no log may hold the key."""
    with client_world(tool_id, plan, root, patch) as endpoint:
        stage = Scene(make_toolbox({}).get(tool_id), endpoint, root, make_repository(root / "wt"))
        yield stage
        left = [line for marker in stage.markers for line in marked_processes(marker)]
    assert left == [], "processes of a turn outlived it"
    assert files_with(root, KEY) == [], "the key was written to a file"
