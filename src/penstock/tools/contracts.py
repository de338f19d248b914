"""What each adapter relies on of its client, and whether that was ever run for real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from penstock.tools.aider import AiderReader, AiderTool
from penstock.tools.api import Tool
from penstock.tools.checkers import CHECKERS, CheckerTool
from penstock.tools.claude_cli import ClaudeReader, ClaudeTool
from penstock.tools.codex import CodexReader, CodexTool
from penstock.tools.copilot import CopilotReader, CopilotTool, package_cache
from penstock.tools.documented import (
    AmpReader,
    AmpTool,
    CursorReader,
    CursorTool,
    GooseReader,
    GooseTool,
)
from penstock.tools.gemini import GeminiReader, GeminiTool
from penstock.tools.jules import JulesReader, JulesTool
from penstock.tools.mini import MiniTool, decoded, usage_of
from penstock.tools.opencode import OpencodeReader, OpencodeTool
from penstock.tools.qwen import QwenReader, QwenTool
from penstock.tools.turn import Reader


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter relies on: its flags, and a recorded `sample` of what the client prints.

    `measured` is the version that the adapter was measured with. An adapter that is not `proven`
    was written from documentation and never run against the real client. `understood` tells
    whether a sample still says what it said when it was recorded. `environment` is added to the
    environment of a probe. A service has no `executable` that could be asked.
    """

    tool: Callable[[], Tool]
    executable: str | None
    understood: Callable[[bytes], bool]
    sample: bytes
    measured: str | None = None
    proven: bool = True
    version_args: tuple[str, ...] = ("--version",)
    help_args: tuple[str, ...] = ("--help",)
    environment: Callable[[], Mapping[str, str]] = dict


def one_event(reader: Callable[[], Reader], sample: bytes) -> bool:
    """Tell whether a reader finds one event in a sample, and knows it."""
    read = reader()
    read.feed(sample)
    return (read.said.events, read.said.unknown) == (1, 0)


def _one_finding(parse: Callable[[str], list[Any]], sample: bytes) -> bool:
    return len(parse(sample.decode())) == 1


def _one_usage(sample: bytes) -> bool:
    return usage_of(decoded(sample)).input_tokens == 1


def _checker(name: str, measured: str, sample: bytes, help_args: tuple[str, ...]) -> Contract:
    checker = CHECKERS[name]
    return Contract(
        tool=partial(CheckerTool, checker),
        executable=name,
        measured=measured,
        help_args=help_args,
        understood=partial(_one_finding, checker.parse),
        sample=sample,
    )


_RESULT = (
    b'{"type":"result","subtype":"success","is_error":false,"result":"Done.",'
    b'"usage":{"input_tokens":1,"output_tokens":1},"permission_denials":[]}\n'
)

CONTRACTS: Mapping[str, Contract] = {
    "aider": Contract(
        tool=AiderTool,
        executable="aider",
        measured="0.86.2",
        understood=partial(one_event, AiderReader),
        sample=b"Tokens: 1.2k sent, 56 received.\nApplied edit to calc.py\n",
    ),
    "claude-cli": Contract(
        tool=ClaudeTool,
        executable="claude",
        measured="2.1.329",
        understood=partial(one_event, ClaudeReader),
        sample=_RESULT,
    ),
    "codex": Contract(
        tool=CodexTool,
        executable="codex",
        measured="0.169.0",
        help_args=("exec", "--help"),
        understood=partial(one_event, CodexReader),
        sample=b'{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}\n',
    ),
    "copilot": Contract(
        tool=CopilotTool,
        executable="copilot",
        measured="1.0.102",
        understood=partial(one_event, CopilotReader),
        sample=b'{"type":"result","exitCode":0,"usage":{"premiumRequests":0}}\n',
        environment=package_cache,
    ),
    "gemini": Contract(
        tool=GeminiTool,
        executable="gemini",
        measured="0.61.0",
        understood=partial(one_event, GeminiReader),
        sample=b'{"type":"result","status":"success","stats":{"input":1,"output_tokens":1}}\n',
    ),
    "mini-swe-agent": Contract(
        tool=MiniTool,
        executable="mini",
        measured="2.4.6",
        version_args=("--help",),
        understood=_one_usage,
        sample=b'{"messages":[{"extra":{"response":{"usage":{"prompt_tokens":1}}}}]}',
    ),
    "opencode": Contract(
        tool=OpencodeTool,
        executable="opencode",
        measured="1.18.33",
        help_args=("run", "--help"),
        understood=partial(one_event, OpencodeReader),
        sample=b'{"type":"step_finish","part":{"reason":"stop","tokens":{"input":1}}}\n',
    ),
    "qwen": Contract(
        tool=QwenTool,
        executable="qwen",
        measured="0.15.10",
        understood=partial(one_event, QwenReader),
        sample=_RESULT,
    ),
    "amp": Contract(
        tool=AmpTool,
        executable="amp",
        proven=False,
        understood=partial(one_event, AmpReader),
        sample=_RESULT,
    ),
    "cursor-agent": Contract(
        tool=CursorTool,
        executable="cursor-agent",
        proven=False,
        understood=partial(one_event, CursorReader),
        sample=_RESULT,
    ),
    "goose": Contract(
        tool=GooseTool,
        executable="goose",
        proven=False,
        help_args=("run", "--help"),
        understood=partial(one_event, GooseReader),
        sample=b'{"type":"complete","total_tokens":1}\n',
    ),
    "jules": Contract(
        tool=JulesTool,
        executable=None,
        proven=False,
        understood=partial(one_event, JulesReader),
        sample=b'{"type":"result","state":"COMPLETED","patch":true}\n',
    ),
    "ruff": _checker(
        "ruff",
        "0.17.5",
        b'[{"code":"F401","filename":"a.py","location":{"row":1,"column":8},"message":"unused"}]',
        ("check", "--help"),
    ),
    "pylint": _checker(
        "pylint",
        "4.1.4",
        b'[{"path":"a.py","line":1,"column":0,"symbol":"unused-import","message":"unused"}]',
        ("--help",),
    ),
    "mypy": _checker(
        "mypy", "2.4.1", b"a.py:1:5: error: Name is not defined  [name-defined]\n", ("--help",)
    ),
    "pytest": _checker(
        "pytest", "9.2.0", b"FAILED a.py::test_x - assert 1 == 2\n1 failed in 0.01s\n", ("--help",)
    ),
}
