"""AI_MANGER trees as Windows wrote them, and what a migration of them works on."""

from __future__ import annotations

import codecs
import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STAMP = "2026-01-31T10:20:30.000001Z"
BLOB = "AQAAANCMnd8BFdERjHoAwE"
"""The beginning of what DPAPI makes of a value."""
TOOLSTACK: Mapping[str, Any] = {
    "ToolsRoot": "C:\\Tools",
    "PipxApps": ["aider-chat", "ruff"],
    "NpmGlobal": "@openai/codex",
    "CentralCache": "%LOCALAPPDATA%\\AI_Cache",
    "Pins": {"pipx": {"ruff": "0.5.0", "black": 24.1}, "npm": {"@openai/codex": "0.1.0"}},
    "Scan": {"Roots": ["C:\\Users"], "Patterns": ["__pycache__"], "MinSizeKBForHash": 64,
             "AllowCentral": True},
    "Secrets": {"VaultPath": "%LOCALAPPDATA%\\CLI_Vault\\vault.json",
                "EnvMap": {"openai": "OPENAI_API_KEY"}},
    "WatchRoots": ["C:\\Work"],
    "tasks": {"nightly": "run"},
}  # fmt: skip
VAULT = {"openai": BLOB + "b3Blbg", "anthropic-key": BLOB + "YW50aA"}
README = "# AI_MANGER\r\n\r\nTools.\r\n"
SCRIPT = "[CmdletBinding()]\r\nparam(\r\n  [string]$Task = 'Setup'\r\n)\r\n\r\nWrite-Host $Task\r\n"


def write_tree(
    root: Path, toolstack: Mapping[str, Any] | str = TOOLSTACK, encoding: str = "utf-8-sig"
) -> Path:
    """Write AI_MANGER below `root` and return its folder."""
    folder = root / "AI_MANGER"
    (folder / "config").mkdir(parents=True)
    text = toolstack if isinstance(toolstack, str) else json.dumps(toolstack, indent=2)
    (folder / "config" / "toolstack.config.json").write_bytes(text.encode(encoding))
    (folder / "README.md").write_bytes(README.encode())
    (folder / "build.ps1").write_bytes(codecs.BOM_UTF8 + SCRIPT.encode())
    return folder


def write_vault(folder: Path, names: Any = VAULT) -> Path:
    """Write what lies in %LOCALAPPDATA% below a folder, and return the file."""
    path = folder / "CLI_Vault" / "vault.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(names), encoding="utf-8")
    return path


def snapshot(root: Path, *, but: tuple[str, ...] = ("backups", ".state")) -> dict[str, str]:
    """Return every file and folder below a folder with its mode and hash, some at the top left out."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if name.parts[0] in but:
            continue
        mode = stat.S_IMODE(path.lstat().st_mode)
        data = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        found[name.as_posix()] = f"{mode:o} {data}"
    return found
