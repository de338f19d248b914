"""Every adapter with a fake client on PATH that behaves as a case wants: good, lying, broken.

The fakes of real clients print what the real ones printed, from the recordings.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.model.settings import ToolProfile
from penstock.tools.api import Tool, TurnRequest
from penstock.tools.toolbox import make_toolbox
from tests.support.turns import RECORDINGS, fake_cli, path_with, request_in

CLIENTS = {
    "aider": "aider",
    "claude-cli": "claude",
    "codex": "codex",
    "copilot": "copilot",
    "gemini": "gemini",
    "mini-swe-agent": "mini",
    "opencode": "opencode",
    "qwen": "qwen",
}
"""The commands of the adapters of real clients, by tool id; also the folders of recordings."""
PROMPT_ON_STDIN = ("claude-cli", "codex", "copilot", "gemini", "opencode", "qwen")
"""These end their work with an event of their own, too."""
PROFILE = "mine"
ADAPTERS = (*sorted(CLIENTS), PROFILE, "scripted")
EDIT = {"calc.py": "x = 2\n"}
LIES_WITH_EXIT_0 = ("auth", "rate_limited", "overloaded", "bad_output")


@dataclass(frozen=True)
class Case:
    """How a fake behaves: which recording it prints, whether it edits, and how it ends.

    `words` is what a command without events says, `then` a shell line before the end.
    """

    recording: str | None
    edits: bool = False
    code: int = 0
    words: str = ""
    then: str = ""
    turn: tuple[tuple[str, Any], ...] = ()


CASES = {
    "edited": Case("success", edits=True, turn=(("edits", EDIT),)),
    "no_change": Case("no_edit"),
    "auth": Case("unauthorized", code=1, words="Invalid API key", turn=(("claim", "auth"),)),
    "rate_limited": Case(
        "rate_limited", code=1, words="status 429", turn=(("claim", "rate_limited"),)
    ),
    "overloaded": Case("overloaded", code=1, words="status 529", turn=(("claim", "overloaded"),)),
    "bad_output": Case(
        "not_json", code=1, words="Invalid JSON", turn=(("claim", "bad_output"),)
    ),
    "crashed": Case(None, then="kill -9 $$", turn=(("exit_code", 3),)),
    "idle": Case(None, then="sleep 60", turn=(("hang", True),)),
    "partial": Case(
        "rate_limited", edits=True, code=1, words="status 429",
        turn=(("claim", "rate_limited"), ("edits", EDIT)),
    ),
}  # fmt: skip


@dataclass
class Stage:
    """Sets up a tool and a request for a case, with only the fakes on PATH."""

    root: Path
    patch: pytest.MonkeyPatch

    def set(self, tool_id: str, case: Case, **changes: Any) -> tuple[Tool, TurnRequest]:
        """Install the fake of a tool and return the tool with a request for it."""
        bin_folder = self.root / "bin"
        request = request_in(self.root, **changes)
        if tool_id in CLIENTS:
            fake_cli(bin_folder, CLIENTS[tool_id], _script(tool_id, case))
        elif tool_id == PROFILE:
            fake_cli(bin_folder, "mine-cli", _script(tool_id, case))
        self.patch.setenv("PATH", path_with(bin_folder))
        return self.tool(tool_id), _with_turn(request, case)

    def tool(self, tool_id: str) -> Tool:
        """Return a tool."""
        profile = ToolProfile(
            tool_id=PROFILE, command="mine-cli", type="ai", args=("{prompt_file}",)
        )
        return make_toolbox({PROFILE: profile}).get(tool_id)


def _with_turn(request: TurnRequest, case: Case) -> TurnRequest:
    return msgspec.structs.replace(request, metadata={"scripted": [dict(case.turn)]})


def _script(tool_id: str, case: Case) -> str:
    lines = []
    if case.edits:
        lines.append(f"printf {shlex.quote(EDIT['calc.py'])} > calc.py")
    if case.recording and tool_id in CLIENTS:
        lines += _printing(tool_id, case.recording)
    if tool_id == PROFILE and case.words:
        lines.append(f"echo {shlex.quote(case.words)} >&2")
    return "\n".join([*lines, case.then, f"exit {case.code}"])


_LEAVE_TRAJECTORY = (
    'for word in "$@"; do [ "$before" = -o ] && cp {} "$word"; before=$word; done; before='
)


def _printing(tool_id: str, case: str) -> list[str]:
    """Return the shell lines that print, and leave behind, what the real client did."""
    main = _recording(tool_id, case)
    error, left = main.with_name(f"{case}.stderr.txt"), main.with_name(f"{case}.out.json")
    lines = [f"cat {shlex.quote(str(main))}"]
    if error.exists():
        lines.append(f"cat {shlex.quote(str(error))} >&2")
    if left.exists():
        lines.append(_LEAVE_TRAJECTORY.format(shlex.quote(str(left))))
    return lines


def _recording(tool_id: str, case: str) -> Path:
    return next((RECORDINGS / CLIENTS[tool_id]).glob(f"{case}.[jt]*"))
