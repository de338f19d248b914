"""Whether a tool can reach its model: a key in the environment, or the file that a login leaves.

That is all that can be told without asking the service; a key may be wrong and a login expired.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from penstock.registry.api import SignIn


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How one CLI signs in: variables of keys, files of logins, the command that signs in.

    Files are below `folder`, a variable that moves their folder, else below the home.
    """

    keys: tuple[str, ...]
    command: str
    files: tuple[str, ...] = ()
    folder: str | None = None
    moved: tuple[str, ...] = ()


WAYS: Mapping[str, Way] = {
    "aider": Way(
        keys=(
            "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "DEEPSEEK_API_KEY",
            "GROQ_API_KEY", "OPENROUTER_API_KEY", "MISTRAL_API_KEY", "XAI_API_KEY",
            "COHERE_API_KEY", "AZURE_API_KEY", "FIREWORKS_AI_API_KEY", "TOGETHERAI_API_KEY",
            "CEREBRAS_API_KEY",
        ),
        files=(".aider/oauth-keys.env",),
        command="export OPENAI_API_KEY=... (or the key of another provider)",
    ),
    "claude-cli": Way(
        keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"),
        files=(".claude/.credentials.json",),
        folder="CLAUDE_CONFIG_DIR",
        moved=(".credentials.json",),
        command="claude /login",
    ),
    "codex": Way(
        keys=("OPENAI_API_KEY", "CODEX_API_KEY"),
        files=(".codex/auth.json",),
        folder="CODEX_HOME",
        moved=("auth.json",),
        command="codex login",
    ),
    "opencode": Way(
        keys=("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY"),
        files=(".local/share/opencode/auth.json",),
        folder="XDG_DATA_HOME",
        moved=("opencode/auth.json",),
        command="opencode auth login",
    ),
    "copilot": Way(
        keys=("COPILOT_PROVIDER_API_KEY", "COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"),
        files=(".copilot/config.json",),
        command="copilot login",
    ),
    "gemini": Way(
        keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        files=(".gemini/oauth_creds.json",),
        command="gemini (and choose a login), or export GEMINI_API_KEY=...",
    ),
    "qwen": Way(
        keys=("OPENAI_API_KEY", "DASHSCOPE_API_KEY"),
        files=(".qwen/oauth_creds.json",),
        command="qwen (and choose a login), or export OPENAI_API_KEY=...",
    ),
    "mini-swe-agent": Way(
        keys=("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY"),
        files=(".config/mini-swe-agent/.env",),
        command="mini-extra config setup",
    ),
    "jules": Way(keys=("JULES_API_KEY",), files=(".jules/cache/oauth_creds.json",), command="jules login"),
    "goose": Way(
        keys=("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "OPENROUTER_API_KEY"),
        files=(".config/goose/config.yaml",),
        command="goose configure",
    ),
    "cursor-agent": Way(
        keys=("CURSOR_API_KEY",), files=(".config/cursor/auth.json",), command="cursor-agent login"
    ),
    "amp": Way(
        keys=("AMP_API_KEY",), files=(".local/share/amp/secrets.json",), command="amp login"
    ),
}  # fmt: skip
"""By tool id; other tools need neither key nor login as far as penstock knows."""


def sign_in_of(
    tool_id: str, environ: Mapping[str, str] | None = None, kept: Collection[str] = ()
) -> SignIn:
    """Return how a tool is signed in: by a key first, which beats a login in every CLI.

    `environ` None is the process's own; its HOME is where logins are looked for. `kept` are the keys
    that the vault has for the tool.
    """
    env = os.environ if environ is None else environ
    way = WAYS.get(tool_id)
    if way is None:
        return SignIn(needed=False)
    for name in way.keys:
        if env.get(name):
            return SignIn(key=name)
    for name in way.keys:
        if name in kept:
            return SignIn(key=name, in_vault=True)
    for path in _files(way, env):
        if os.access(path, os.R_OK):
            return SignIn(login=_shown(path, env))
    return SignIn(command=way.command)


def _files(way: Way, env: Mapping[str, str]) -> list[Path]:
    """Return where the login of a CLI may lie."""
    folder = env.get(way.folder) if way.folder else None
    if folder:
        return [Path(folder, name) for name in way.moved]
    home = env.get("HOME") or env.get("USERPROFILE")
    return [Path(home, name) for name in way.files] if home else []


def _shown(path: Path, env: Mapping[str, str]) -> str:
    """Return a path for people, `~` for their home."""
    home = Path(env.get("HOME") or "/nonexistent")
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
