"""A repository on a machine of its own: what `aim` and `penstock` see of tools, home and settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from penstock.aim_cli.main import main as aim
from penstock.cli.main import main as penstock
from penstock.environment.health import probing
from tests.support.cli import Said, make_repository
from tests.support.programs import Machine
from tests.support.registries import write_config

PATIENCE_S = 30.0
"""How long a probe may take: tests run on busy machines."""
LEFT_OUT = ("PIPELINE_", "AIM_", "XDG_", "GIT_")


class Desk:
    """A repository with one AI tool that is signed in, and the commands in it."""

    def __init__(self, root: Path, machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.machine = machine
        self._capsys = capsys

    def __call__(self, *args: str) -> Said:
        """Run one command line of `aim`."""
        return self._say(aim, args)

    def penstock(self, *args: str) -> Said:
        """Run one command line of `penstock`."""
        return self._say(penstock, args)

    def _say(self, main: Any, args: tuple[str, ...]) -> Said:
        self._capsys.readouterr()
        code = main(args)
        out, err = self._capsys.readouterr()
        return Said(code, out, err)

    def remove(self, program: str) -> None:
        """Take a program off the machine."""
        (self.machine.bin / program).unlink()

    def configure(self, **sections: Any) -> None:
        """Write config/aim_config.json."""
        write_config(self.root, sections)

    def audit_lines(self) -> list[str]:
        """Return the lines of the audit trail."""
        folder = self.root / ".AIM_ai-tools-registry" / "AIM_audit"
        files = sorted(folder.glob("*/audit.jsonl"))
        return [line for file in files for line in file.read_text("utf-8").splitlines()]


def make_desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """Return a desk whose machine has codex, signed in by a key; we stand in its repository."""
    machine = Machine(tmp_path)
    monkeypatch.setattr(probing, "EACH_S", PATIENCE_S)
    for name in [name for name in os.environ if name.startswith(LEFT_OUT)]:
        monkeypatch.delenv(name)
    for name, value in machine.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    machine.program("codex", 'echo "codex-cli 0.50.0"')
    root = make_repository(tmp_path / "repo")
    monkeypatch.chdir(root)
    return Desk(root, machine, capsys)
