"""The reader of each recorded client, made for one case of its recordings."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.tools.aider import AiderReader
from penstock.tools.claude_cli import ClaudeReader
from penstock.tools.codex import CodexReader
from penstock.tools.copilot import CopilotReader
from penstock.tools.gemini import GeminiReader
from penstock.tools.mini import MiniReader
from penstock.tools.opencode import OpencodeReader
from penstock.tools.qwen import QwenReader
from penstock.tools.turn import Reader
from tests.support.turns import RECORDINGS

STREAMS: Mapping[str, Callable[[], Reader]] = {
    "aider": AiderReader,
    "claude": ClaudeReader,
    "codex": CodexReader,
    "copilot": CopilotReader,
    "gemini": GeminiReader,
    "opencode": OpencodeReader,
    "qwen": QwenReader,
}
"""By the folder of the recordings: the clients that are judged by what they print."""
MINI = "mini"
FOLDERS = (*STREAMS, MINI)
TEXTS = ("aider", MINI)
"""Clients whose main file is text."""


def reader_for(client: str, case: str) -> Reader:
    """Return a fresh reader; that of mini-swe-agent has a copy of the case's trajectory."""
    if client != MINI:
        return STREAMS[client]()
    handle, name = tempfile.mkstemp(prefix="penstock-trajectory-")
    os.close(handle)
    trajectory = RECORDINGS / MINI / f"{case}.out.json"
    if trajectory.exists():
        shutil.copyfile(trajectory, name)
    return MiniReader(Path(name))
