"""Evidence of what was done: prompts, patches and logs, outside every worktree, for us alone.

state/prompts/<run>/<ws>_<edit|fix>_<attempt>.txt
state/artifacts/<run>/<ws>_<name>.patch
logs/<run>/<ws>/<step>_<attempt>.log
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from penstock.errors import EnvironmentProblem


class Evidence(Protocol):
    """Where prompts, patches and logs go."""

    def prompt(self, run_id: str, ws_id: str, step: str, attempt: int, text: str) -> Path:
        """Keep a prompt and return its file."""
        ...

    def patch(self, run_id: str, ws_id: str, name: str, content: bytes) -> Path:
        """Keep a patch and return its file."""
        ...

    def log(self, run_id: str, ws_id: str, step: str, attempt: int) -> Path:
        """Return the log file of an attempt."""
        ...

    def home(self, run_id: str, ws_id: str, tool_id: str) -> Path:
        """Return the folder of this worker for a tool's own configuration."""
        ...

    def quarantine(self, run_id: str, ws_id: str) -> Path:
        """Return the folder of a workstream that is set apart."""
        ...

    def of_workstream(self, run_id: str, ws_id: str) -> dict[str, list[Path]]:
        """Return all that was kept of a workstream, by kind: patches, logs, prompts."""
        ...


def private_folder(folder: Path) -> None:
    """Make a folder with all that is missing above it, each for its owner alone. Raises OSError."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, content: bytes) -> Path:
    """Write a file that only its owner can read, whole or not at all.

    Raises EnvironmentProblem when the disk is full or the folder cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        private_folder(path.parent)
        scratch.unlink(missing_ok=True)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        scratch.replace(path)
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot write {path}: {error.strerror}", hint="free disk space, then resume the run"
        ) from error
    return path


class FileEvidence:
    """Evidence in the folders `state/` (wherever that is configured) and `logs/` of a repository."""

    def __init__(self, root: Path, state: str = "state") -> None:
        self._root = root
        self._state = root / state

    def prompt(self, run_id: str, ws_id: str, step: str, attempt: int, text: str) -> Path:
        """Keep a prompt and return its file."""
        place = self._state / "prompts" / run_id / f"{ws_id}_{step}_{attempt}.txt"
        return write_private(place, text.encode("utf-8", "replace"))

    def patch(self, run_id: str, ws_id: str, name: str, content: bytes) -> Path:
        """Keep a patch and return its file."""
        return write_private(self._state / "artifacts" / run_id / f"{ws_id}_{name}.patch", content)

    def log(self, run_id: str, ws_id: str, step: str, attempt: int) -> Path:
        """Return the log file of an attempt."""
        return self._root / "logs" / run_id / ws_id / f"{step}_{attempt}.log"

    def home(self, run_id: str, ws_id: str, tool_id: str) -> Path:
        """Return the folder of this worker for a tool's own configuration."""
        return self._state / "homes" / run_id / ws_id / tool_id

    def quarantine(self, run_id: str, ws_id: str) -> Path:
        """Return the folder of a workstream that is set apart."""
        return self._state / "quarantine" / f"{run_id}_{ws_id}"

    def of_workstream(self, run_id: str, ws_id: str) -> dict[str, list[Path]]:
        """Return all that was kept of a workstream, by kind: patches, logs, prompts."""
        named = {"patches": self._state / "artifacts", "prompts": self._state / "prompts"}
        found = {kind: sorted((place / run_id).glob(f"{ws_id}_*")) for kind, place in named.items()}
        return {**found, "logs": sorted((self._root / "logs" / run_id / ws_id).glob("*.log"))}
