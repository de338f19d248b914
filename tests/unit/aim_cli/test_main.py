"""The frame of `aim`: help without imports, wrong command lines, both ways to call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.aim_cli.main import COMMANDS, main
from tests.support.cli import child

AIM = (sys.executable, "-m", "penstock.aim_cli")


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda e: e.name)
def test_every_command_has_help(entry: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of the table can be imported and explains itself in 80 columns."""
    assert main([str(getattr(entry, "name", "")), "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Usage: aim ")
    assert max(len(line) for line in lines) <= 80


def test_help_lists_all_without_importing_them() -> None:
    """`--help` costs no command's imports."""
    code = (
        "import sys; from penstock.aim_cli.main import main; main(['--help']);"
        "print([m for m in sys.modules if m.startswith('penstock.aim_cli.commands.')],"
        " file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(entry.name in done.stdout for entry in COMMANDS)


def test_the_module_is_the_command(tmp_path: Path) -> None:
    """`python -m penstock.aim_cli` answers as `aim`."""
    said = child("--version", cwd=tmp_path, program=AIM)
    assert (said.code, said.out.split()[0]) == (0, "aim")


@pytest.mark.parametrize("flag", ["--json", "--json-output", "-j"])
def test_errors_are_json_when_asked_for(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of the three flags gets the error as JSON on stdout too."""
    assert main(["nonsense", flag]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"].startswith("No such command 'nonsense'.")
    assert error["exit_code"] == 2


def test_a_shell_is_told_how_to_complete(tmp_path: Path) -> None:
    """`_AIM_COMPLETE` prints the shell's completion script."""
    asked = {"_AIM_COMPLETE": "bash_source"}
    said = child(cwd=tmp_path, program=AIM, env=asked)
    assert "_AIM_COMPLETE=bash_complete" in said.out, said.err
