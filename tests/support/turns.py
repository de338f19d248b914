"""Turns of tools without an engine: requests, filters, recorded streams, fake CLIs on PATH."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.outcome import Outcome
from penstock.process import api as process
from penstock.process.api import MARKER_VARIABLE, End, Stop
from penstock.tools.api import Tool, TurnReport, TurnRequest
from penstock.tools.turn import EventReader, Reader

RECORDINGS = Path(__file__).with_name("recordings")
SECRET = "s3cr3t-value"


class MaskingFilter:
    """An output filter that masks SECRET, also when a piece ends in the middle of it."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Mask what is whole and hold back what could be the beginning of the secret."""
        text = (self._held + data).replace(SECRET.encode(), b"***")
        keep = min(len(SECRET) - 1, len(text))
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> bytes:
        """Return the rest."""
        held, self._held = self._held, b""
        return held


def request_in(root: Path, **changes: Any) -> TurnRequest:
    """Return a turn's request with a worktree of its own below `root`, made if need be."""
    tree = root / "tree"
    tree.mkdir(exist_ok=True)
    prompt_file = root / "prompt.md"
    prompt_file.write_text("Repair calc.py.")
    plain = TurnRequest(
        run_id="run-1", ws_id="ws-a", step="edit", turn=0, worktree=tree, repo_root=root,
        prompt="Repair calc.py.", prompt_file=prompt_file, files=("calc.py",),
        home=root / "state" / "home", log=root / "turn.log", marker=f"test-{uuid.uuid4().hex}",
        wall_s=20.0,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def play(tool: Tool, request: TurnRequest, stop: Stop | None = None) -> TurnReport:
    """Run one turn of a tool with secrets masked."""
    return tool.run(request, stop or Stop(), MaskingFilter)


def files_of(tree: Path) -> dict[str, str]:
    """Return the files of a worktree with what they hold."""
    return {str(p.relative_to(tree)): p.read_text() for p in tree.rglob("*") if p.is_file()}


def marked(marker: str) -> list[int]:
    """Return the processes that carry an attempt's marker."""
    wanted = f"{MARKER_VARIABLE}={marker}".encode()
    return [int(p.name) for p in Path("/proc").glob("[0-9]*") if wanted in _environment_of(p)]


def _environment_of(folder: Path) -> list[bytes]:
    try:
        return (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def ended(
    exit_code: int | None = 0, *, stdout: bytes = b"", stderr: bytes = b"", end: End = End.EXITED
) -> process.Outcome:
    """Return what the process door reports of a child."""
    return process.Outcome(
        argv=("tool",), end=end, exit_code=exit_code, started_at=0.0, duration_s=1.0,
        stdout=stdout, stderr=stderr,
    )  # fmt: skip


def recorded(client: str, case: str) -> tuple[bytes, bytes, int]:
    """Return the stdout, stderr and exit code of a recorded run."""
    folder = RECORDINGS / client
    stdout = next(folder.glob(f"{case}.[jt]*"))
    stderr = folder / f"{case}.stderr.txt"
    index = json.loads((folder / "index.json").read_text())
    return (
        stdout.read_bytes(),
        stderr.read_bytes() if stderr.exists() else b"",
        index[case]["exit_code"],
    )


def replay(reader: Reader, client: str, case: str, piece: int = 1000) -> Outcome | None:
    """Feed a recorded run to a reader, piece by piece, and return the failure it amounts to."""
    stdout, stderr, exit_code = recorded(client, case)
    return told(reader, stdout, stderr=stderr, exit_code=exit_code, piece=piece)


def told(
    reader: Reader, stdout: bytes, *, stderr: bytes = b"", exit_code: int = 0, piece: int = 1000
) -> Outcome | None:
    """Feed bytes to a reader until it has heard enough, and return the failure they amount to."""
    for start in range(0, len(stdout), piece):
        if reader.feed(stdout[start : start + piece]):
            break
    if isinstance(reader, EventReader):
        reader.feed_error(stderr)
    return reader.finish(ended(exit_code, stdout=stdout, stderr=stderr))


def events(*values: Mapping[str, Any]) -> bytes:
    """Return JSON events, one a line."""
    return b"".join(msgspec.json.encode(value) + b"\n" for value in values)


def fake_cli(folder: Path, name: str, script: str) -> Path:
    """Make an executable shell script in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def path_with(*folders: Path) -> str:
    """Return a PATH that begins with these folders and holds what a shell script needs."""
    return os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"])
