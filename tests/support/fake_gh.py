"""A `gh` on PATH that writes down what it is asked, and behaves as a case wants."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

_SCRIPT = """\
#!{python}
import json, os, pathlib, sys, time
case = json.loads(pathlib.Path({case!r}).read_text())
seen = {{name: value for name, value in os.environ.items() if name.startswith(("GH_", "GITHUB_"))}}
said = {{"argv": sys.argv[1:], "body": sys.stdin.read(), "env": seen, "pid": os.getpid()}}
with open({calls!r}, "a") as file:
    file.write(json.dumps(said) + "\\n")
while case.get("hangs"):
    time.sleep(60)
sys.stderr.write(case.get("says", ""))
sys.exit(case.get("code", 0))
"""


class Call(msgspec.Struct, frozen=True):
    """One call: its arguments, what stood on its input, the variables of GitHub that it saw."""

    argv: tuple[str, ...]
    body: str
    env: Mapping[str, str]
    pid: int


class FakeGh:
    """The fake and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self._case = folder / "case.json"
        self._calls = folder / "calls.jsonl"
        self.folder = folder / "bin"
        self.folder.mkdir(parents=True)
        self.behave()
        program = self.folder / "gh"
        program.write_text(
            _SCRIPT.format(python=sys.executable, case=str(self._case), calls=str(self._calls))
        )
        program.chmod(0o755)

    def behave(self, *, code: int = 0, says: str = "", hangs: bool = False) -> None:
        """Let it end with a code and words, or never."""
        self._case.write_text(json.dumps({"code": code, "says": says, "hangs": hangs}))

    @property
    def calls(self) -> Sequence[Call]:
        """What it was asked, in order."""
        if not self._calls.exists():
            return ()
        lines = self._calls.read_text().splitlines()
        return [msgspec.json.decode(line, type=Call) for line in lines]

    def put_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put it first on PATH."""
        import os

        monkeypatch.setenv("PATH", f"{self.folder}{os.pathsep}{os.environ['PATH']}")
