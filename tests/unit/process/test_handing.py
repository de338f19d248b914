"""Handing a text to a program, and becoming another one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from penstock.errors import ToolMissingError
from penstock.process.become import find_program
from penstock.process.handing import hand_over


def program(folder: Path, script: str) -> Path:
    """Return an executable shell script."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_program_gets_the_text(tmp_path: Path) -> None:
    """It has all of it on its stdin, and what it leaves running does not hold us up."""
    path = program(
        tmp_path, f"cat > {tmp_path}/got; (sleep 30 >/dev/null 2>&1 & echo $! > {tmp_path}/pid)"
    )
    assert hand_over([str(path)], b"text" * 5000, limit_s=20)
    assert (tmp_path / "got").read_bytes() == b"text" * 5000
    subprocess.run(["kill", (tmp_path / "pid").read_text().strip()], check=True)


def test_a_program_that_fails_or_hangs(tmp_path: Path) -> None:
    """Both are told, the second after the limit."""
    assert not hand_over([str(program(tmp_path, "exit 3"))], b"x", limit_s=20)
    assert not hand_over([str(program(tmp_path, "exec sleep 30"))], b"x", limit_s=0.2)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """It is an error that names it."""
    with pytest.raises(ToolMissingError, match="cannot be started: No such file"):
        hand_over([str(tmp_path / "none")], b"x", limit_s=1)
    with pytest.raises(ToolMissingError, match="no-such-program"):
        find_program("no-such-program")


BECOME = """
import sys
from pathlib import Path
from penstock.process.become import become
print("before")
become(Path(sys.argv[1]), ["name", "an argument"], {"ONLY": "this"})
"""


def test_the_other_program_has_our_place(tmp_path: Path) -> None:
    """Its name, arguments, whole environment and exit code; what we had printed is not lost."""
    path = program(tmp_path, 'echo "$1,$ONLY,$HOME"; exit 5')
    done = subprocess.run(
        [sys.executable, "-c", BECOME, path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (5, "before\nan argument,this,\n")
