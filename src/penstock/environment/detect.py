"""Which AI coding CLIs this machine has, found by PATH and asked for their version."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from penstock.environment.api import FoundCli
from penstock.errors import EnvironmentProblem
from penstock.process.capture import capture

VERSION_LIMIT_S = 2.0
"""How long a CLI may take to name its version (s); some take more than one second."""

# What a program needs to start at all. No keys: naming a version takes none.
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "USERPROFILE", "APPDATA")
VERSION = re.compile(r"\d+\.\d+[\w.+-]*")


class Cli(msgspec.Struct, frozen=True, kw_only=True):
    """A program that we look for. `install` is a command that brings it."""

    tool_id: str
    executable: str
    install: str


AI_CLIS: tuple[Cli, ...] = (
    Cli(tool_id="aider", executable="aider", install="uv tool install --python 3.12 aider-chat"),
    Cli(
        tool_id="claude-cli",
        executable="claude",
        install="npm install -g @anthropic-ai/claude-code",
    ),
    Cli(tool_id="codex", executable="codex", install="npm install -g @openai/codex"),
    Cli(tool_id="opencode", executable="opencode", install="npm install -g opencode-ai"),
    Cli(tool_id="copilot", executable="copilot", install="npm install -g @github/copilot"),
    Cli(tool_id="gemini", executable="gemini", install="npm install -g @google/gemini-cli"),
    Cli(tool_id="qwen", executable="qwen", install="npm install -g @qwen-code/qwen-code"),
    Cli(
        tool_id="mini-swe-agent",
        executable="mini",
        install="uv tool install --with mcp mini-swe-agent",
    ),
)


def find_clis(
    wanted: Iterable[Cli] = AI_CLIS,
    *,
    environment: Mapping[str, str] = os.environ,
    limit_s: float = VERSION_LIMIT_S,
) -> tuple[FoundCli, ...]:
    """Look for programs on the PATH of `environment` and ask all found ones at once.

    Takes little more than `limit_s` (seconds) however many hang.
    """
    clis = tuple(wanted)
    with ThreadPoolExecutor(max_workers=max(len(clis), 1)) as threads:
        return tuple(threads.map(lambda cli: _look(cli, environment, limit_s), clis))


def _look(cli: Cli, environment: Mapping[str, str], limit_s: float) -> FoundCli:
    """Look for one program and ask for its version."""
    path = shutil.which(cli.executable, path=environment.get("PATH", os.defpath))
    found = FoundCli(tool_id=cli.tool_id, executable=cli.executable, install=cli.install, path=path)
    if path is None:
        return found
    return msgspec.structs.replace(found, version=_version(path, environment, limit_s))


def _version(path: str, environment: Mapping[str, str], limit_s: float) -> str | None:
    """Return the first version number that `--version` prints, None when it prints none in time."""
    least = {name: environment[name] for name in ENVIRONMENT if name in environment}
    try:
        done = capture((path, "--version"), Path(path).parent, least, timeout=limit_s)
    except EnvironmentProblem:  # a broken link, not for this machine, ...: it is there, no more
        return None
    if done.timed_out:
        return None
    match = VERSION.search(done.stdout.decode("utf-8", "replace"))
    return match.group() if match else None
