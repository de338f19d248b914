"""Does an installed AI CLI still keep to what its adapter relies on?"""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec

from penstock.errors import NotFoundError
from penstock.process import api as process
from penstock.process.api import Command
from penstock.process.environment import child_environment
from penstock.process.run import run
from penstock.tools.aider import AiderReader, AiderTool
from penstock.tools.api import Tool, TurnRequest
from penstock.tools.claude_cli import ClaudeReader, ClaudeTool
from penstock.tools.codex import CodexReader, CodexTool
from penstock.tools.turn import Reader

PROBE_WALL_S = 60.0
_VERSION = re.compile(r"\d+\.\d+\.\d+\S*")


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter relies on: its flags, and a stream that ends the way `sample` does."""

    tool: Callable[[], Tool]
    reader: Callable[[], Reader]
    executable: str
    measured: str
    help_args: tuple[str, ...] = ("--help",)
    sample: bytes


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe found: the version, and every mismatch as a sentence; none means healthy.

    `measured` is the version that the adapter was measured with; another one is no mismatch.
    """

    tool_id: str
    version: str | None
    measured: str
    mismatches: tuple[str, ...] = ()


CONTRACTS = {
    "aider": Contract(
        tool=AiderTool,
        reader=AiderReader,
        executable="aider",
        measured="0.86.2",
        sample=b"Tokens: 1.2k sent, 56 received.\nApplied edit to calc.py\n",
    ),
    "claude-cli": Contract(
        tool=ClaudeTool,
        reader=ClaudeReader,
        executable="claude",
        measured="2.1.329",
        sample=b'{"type":"result","subtype":"success","is_error":false,"result":"Done.",'
        b'"usage":{"input_tokens":1,"output_tokens":1},"permission_denials":[]}\n',
    ),
    "codex": Contract(
        tool=CodexTool,
        reader=CodexReader,
        executable="codex",
        measured="0.169.0",
        help_args=("exec", "--help"),
        sample=b'{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}\n',
    ),
}


def probe(tool_id: str) -> Probe:
    """Start a tool's `--version` and `--help` and hold them against its contract.

    Takes no key and makes no request; the tool gets a HOME of its own that is removed afterwards.
    Raises NotFoundError for a tool that has no contract.
    """
    if tool_id not in CONTRACTS:
        known = ", ".join(sorted(CONTRACTS))
        raise NotFoundError(
            f"the tool {tool_id!r} has no contract", hint=f"those with one: {known}"
        )
    contract = CONTRACTS[tool_id]
    tool = contract.tool()
    missing = tool.available()
    if missing:
        return Probe(
            tool_id=tool_id, version=None, measured=contract.measured, mismatches=(missing,)
        )
    with tempfile.TemporaryDirectory(prefix="penstock-probe-") as home:
        return _probe(tool, contract, Path(home))


def used_flags(tool: Tool) -> tuple[str, ...]:
    """Return the options that the adapter may pass."""
    request = TurnRequest(
        run_id="probe", ws_id="ws-probe", step="edit", turn=0, worktree=Path(), repo_root=Path(),
        prompt="", prompt_file=Path("prompt"), files=(), home=Path(), log=Path("log"),
        marker="probe", model="model", max_cost_usd=1.0,
    )  # fmt: skip
    flags = (arg for arg in tool.command_line(request) if arg.startswith("-") and arg != "-")
    return tuple(dict.fromkeys(flags))


def _probe(tool: Tool, contract: Contract, home: Path) -> Probe:
    executable = contract.executable
    version = _ask((executable, "--version"), home)
    text = _ask((executable, *contract.help_args), home)
    found = _VERSION.search(version.text)
    wrong = [] if found else [f"{executable} --version names no version"]
    wrong += [
        f"{executable} no longer knows {flag}"
        for flag in used_flags(tool)
        if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", text.text + text.error_text)
    ]
    reader = contract.reader()
    reader.feed(contract.sample)
    if (reader.said.events, reader.said.unknown) != (1, 0):
        wrong.append("the recorded stream is not understood")
    return Probe(
        tool_id=tool.tool_id,
        version=found[0] if found else None,
        measured=contract.measured,
        mismatches=tuple(wrong),
    )


def _ask(argv: tuple[str, ...], home: Path) -> process.Outcome:
    env = child_environment(extra={"HOME": str(home), "COLUMNS": "200"})
    marker = f"probe/{uuid.uuid4().hex}"
    return run(Command(argv=argv, cwd=home, env=env, wall_s=PROBE_WALL_S, marker=marker))
