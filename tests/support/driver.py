"""Running code that uses the process door in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.children import ENV, ROOT

PROLOGUE = """
import os, resource, signal, sys
from pathlib import Path
from penstock.process.api import Command
from penstock.process.run import run
from penstock.redact.redactor import Redactor

def go(*argv, **more):
    env = {"PATH": "/usr/bin:/bin"}
    return run(Command(argv=argv, cwd=Path("/"), env=env, **{"wall_s": 60.0, **more}))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
"""


def start(code: str, cwd: Path) -> subprocess.Popen[str]:
    """Start code behind the prologue, in a session of its own."""
    env = {**ENV, "PYTHONPATH": str(ROOT / "src")}
    argv = [sys.executable, "-c", PROLOGUE + code]
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def drive(code: str, cwd: Path) -> str:
    """Run code behind the prologue to its end and return what it prints."""
    with start(code, cwd) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out
