"""Every adapter hands on the ports and the temporary folder, tells of its process, and of its login."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from penstock.model.settings import ToolProfile
from penstock.process import proc
from penstock.process.api import Stop
from penstock.tools.api import Tool, TurnRequest
from penstock.tools.external import ExternalAdapter
from penstock.tools.jules import apply_patch
from penstock.tools.toolbox import BUILT_IN, make_toolbox
from tests.support.children import eventually
from tests.support.turns import fake_cli, path_with, play, request_in

GIVEN = {
    "PENSTOCK_PORT_BASE": "20040",
    "PENSTOCK_PORT_COUNT": "20",
    "TMPDIR": "/tmp/mine",
    "TEMP": "/tmp/mine",
    "TMP": "/tmp/mine",
}
PROFILE, ADAPTER = "mine", "adapter"
ALL = [*sorted(BUILT_IN), PROFILE, ADAPTER]
EXECUTABLES = {"claude-cli": "claude", "mini-swe-agent": "mini"}
KEYS = {
    "aider": "GEMINI_API_KEY",
    "amp": "AMP_API_KEY",
    "claude-cli": "CLAUDE_CODE_OAUTH_TOKEN",
    "codex": "OPENAI_API_KEY",
    "copilot": "GH_TOKEN",
    "cursor-agent": "CURSOR_API_KEY",
    "gemini": "GEMINI_API_KEY",
    "goose": "GOOGLE_API_KEY",
    "opencode": "ANTHROPIC_API_KEY",
    "qwen": "OPENAI_API_KEY",
}
"""The tools that may use the user's own login, each with a variable that spares it."""
INSTEAD = [
    ("claude-cli", "CLAUDE_CODE_USE_BEDROCK"),
    ("copilot", "COPILOT_PROVIDER_BASE_URL"),
    ("aider", "OLLAMA_API_BASE"),
]


@dataclass
class Started:
    """Takes down the processes that a turn starts, with their environments."""

    seen: list[tuple[int, int, dict[str, str]]] = field(default_factory=list)

    def __call__(self, pid: int, start: int) -> None:
        """Take a process down while it runs."""
        place = Path(f"/proc/{pid}/environ")
        assert eventually(lambda: bool(place.read_bytes()))  # while it is executed it shows none
        pairs = (entry.partition("=") for entry in place.read_text().split("\0") if entry)
        assert proc.start_of(pid) == start
        self.seen.append((pid, start, {name: value for name, _, value in pairs}))


def tool(tool_id: str, root: Path) -> Tool:
    """Return a tool whose command is a fake that stays for a moment."""
    command = EXECUTABLES.get(tool_id, "mine-cli" if tool_id == PROFILE else tool_id)
    path = fake_cli(root / "bin", command, "sleep 0.3")
    profile = ToolProfile(tool_id=PROFILE, command="mine-cli", env={"TEMP": "/tmp/chosen"})
    adapter = ExternalAdapter(tool_id=ADAPTER, path=path)
    return make_toolbox({PROFILE: profile}, [adapter] if tool_id == ADAPTER else []).get(tool_id)


def played(
    tool_id: str, root: Path, patch: pytest.MonkeyPatch, **changes: Any
) -> tuple[TurnRequest, Started]:
    """Play a turn of a tool with GIVEN, and return what was started."""
    patch.setenv("PATH", path_with(root / "bin"))
    patch.setenv("JULES_API_KEY", "key")
    patch.setenv("JULES_API_BASE_URL", "http://127.0.0.1:9")
    started = Started()
    metadata = {"scripted": [{"delay_s": 0.3}], "jules": {"source": "sources/github/a/b"}}
    request = request_in(root, env=GIVEN, on_start=started, metadata=metadata, **changes)
    play(tool(tool_id, root), request)
    return request, started


@pytest.mark.parametrize("tool_id", ALL)
def test_ports_and_folder_reach_every_tool(
    tool_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No adapter forgets them, and each process is told of while it runs, marked."""
    request, started = played(tool_id, tmp_path, monkeypatch)
    ((_, _, env),) = started.seen
    expected = {**GIVEN, "TEMP": "/tmp/chosen"} if tool_id == PROFILE else GIVEN
    assert {name: env.get(name) for name in GIVEN} == expected
    assert env["PENSTOCK_ATTEMPT"] == request.marker


def test_the_patch_of_a_service_is_applied_under_watch(tmp_path: Path) -> None:
    """The git that lays a patch of Jules in the worktree is told of like any tool."""
    pids: list[int] = []
    (tmp_path / "empty.patch").touch()
    request = request_in(tmp_path, on_start=lambda pid, _start: pids.append(pid))
    apply_patch(tmp_path / "empty.patch", request, stop=Stop())
    assert len(pids) == 1


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize("tool_id", ALL)
def test_without_a_key_clients_use_the_users_login(tool_id: str, tmp_path: Path) -> None:
    """Those that can be logged in to do; the others have no login to lose."""
    assert tool(tool_id, tmp_path).own_login() == (tool_id in KEYS)


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize(("tool_id", "variable"), [*KEYS.items(), *INSTEAD])
def test_with_a_key_they_do_not(
    tool_id: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key, a token, a cloud or an endpoint of one's own takes the place of the login."""
    monkeypatch.setenv(variable, "")
    assert tool(tool_id, tmp_path).own_login()
    monkeypatch.setenv(variable, "something")
    assert not tool(tool_id, tmp_path).own_login()


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize(("tool_id", "variable"), KEYS.items())
def test_a_tool_that_spares_the_login_has_the_key(
    tool_id: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What own_login counts on is really handed to the tool's process."""
    monkeypatch.setenv(variable, "something")
    _, started = played(tool_id, tmp_path, monkeypatch)
    assert started.seen[0][2][variable] == "something"


def test_an_adapter_program_may_declare_a_login(tmp_path: Path) -> None:
    """What is declared of a program is what counts."""
    declared = ExternalAdapter(tool_id=ADAPTER, path=tmp_path / "x", own_login=True)
    assert make_toolbox({}, [declared]).get(ADAPTER).own_login()


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every key and address of a client out of the environment."""
    for name in _variables(KEYS, INSTEAD):
        monkeypatch.delenv(name, raising=False)


def _variables(keys: Mapping[str, str], instead: list[tuple[str, str]]) -> set[str]:
    known = {*keys.values(), *(name for _, name in instead)}
    ending = ("_API_KEY", "_TOKEN", "_API_BASE", "_BASE_URL")
    return known | {name for name in os.environ if name.endswith(ending)}
