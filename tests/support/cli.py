"""The command line in tests: in this process, or as a child with its own streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.cli.main import main

PENSTOCK = (sys.executable, "-m", "penstock")


class Said(msgspec.Struct, frozen=True):
    """What a command printed and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON on stdout."""
        return json.loads(self.out)


def child(
    *args: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = PENSTOCK,
    stdin: str | None = None,
) -> Said:
    """Run a command as a process of its own."""
    done = subprocess.run(
        [*program, *args],
        cwd=cwd,
        env={**plain_environment(), **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def plain_environment() -> dict[str, str]:
    """Return this environment without the variables that lead penstock elsewhere."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PIPELINE_", "GIT_"))}


class Cli:
    """Runs commands in this process, in a folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *args: str) -> Said:
        """Run one command line."""
        self._capsys.readouterr()
        code = main(args)
        out, err = self._capsys.readouterr()
        return Said(code, out, err)


def make_repository(folder: Path, *, commit: bool = True) -> Path:
    """Make a git repository, with a first commit unless told not to."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "Test")
    git(folder, "config", "user.email", "test@example.invalid")
    if commit:
        (folder / "README.md").write_text("# A project\n", encoding="utf-8")
        git(folder, "add", "README.md")
        git(folder, "commit", "-qm", "First")
    return folder


def git(folder: Path, *args: str) -> str:
    """Run git and return what it printed."""
    done = subprocess.run(
        ["git", *args],
        cwd=folder,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def bundle(ws_id: str = "ws-one", **more: Any) -> dict[str, Any]:
    """Return a valid bundle that the scripted tool can play."""
    name = f"{ws_id}.txt"
    return {
        "id": ws_id,
        "openspec_change": "change",
        "ccpm_issue": 1,
        "gate": 1,
        "files_scope": [name],
        "tasks": [f"Write {name}"],
        "tool": "scripted",
        "metadata": {"scripted": [{"edits": {name: "text\n"}, "output": f"wrote {name}"}]},
        **more,
    }


def write_bundles(folder: Path, *bundles: Mapping[str, Any]) -> Path:
    """Write bundles, a file each, into `workstreams/` of a repository."""
    place = folder / "workstreams"
    place.mkdir(exist_ok=True)
    for one in bundles:
        (place / f"{one['id']}.json").write_text(json.dumps(one), encoding="utf-8")
    return place
