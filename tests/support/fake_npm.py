"""An npm that does what the name of a package asks of it: the real one cannot fail on demand."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.support.packages import Machine

SCRIPT = """#!{python} -S
import json, os, shutil, sys, time
prefix = os.environ["NPM_CONFIG_PREFIX"]
with open(os.path.join(prefix, "calls"), "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
name, _, version = sys.argv[-1].partition("@")
folder = os.path.join(prefix, "lib", "node_modules", name)
def put(version):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "package.json"), "w") as file:
        json.dump({{"version": version}}, file)
if name == "fails":
    print("npm error registry https://someone:hunter2secret@example.invalid/", file=sys.stderr)
    sys.exit(7)
if name == "slow" and "install" in sys.argv:
    put("0.0.1")
    with open(os.path.join(prefix, "pid"), "w") as file:
        file.write(str(os.getpid()))
    deadline = time.time() + 100
    while not os.path.exists(os.path.join(prefix, "go-on")) and time.time() < deadline:
        time.sleep(0.01)
if name == "liar":
    sys.exit(0)
if name == "sticky" and os.path.exists(folder):
    sys.exit(1)
if "uninstall" in sys.argv:
    shutil.rmtree(folder, ignore_errors=True)
else:
    put("0.0.1" if name == "other" else version.strip("^~") or "9.9.9")
"""


class FakeNpm:
    """The script in front of PATH, and what it was asked."""

    def __init__(self, machine: Machine) -> None:
        self.prefix = machine.prefix
        self.program = machine.bin / "npm"
        self.program.write_text(SCRIPT.format(python=sys.executable))
        self.program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """What it was called with, one line for each call."""
        path = self.prefix / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def has(self, name: str) -> bool:
        """Tell whether a package is there."""
        return (self.prefix / "lib" / "node_modules" / name).exists()

    def is_at_work(self) -> bool:
        """Tell whether the process that installs the slow package lives."""
        text = self._await_text(self.prefix / "pid")
        try:
            state = Path("/proc", text, "stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        return state != "Z"  # dead, though nobody has asked what became of it

    def _await_text(self, path: Path) -> str:
        deadline = time.monotonic() + 90
        while not path.exists() or not path.read_text():
            assert time.monotonic() < deadline, f"{path} was not written"
            time.sleep(0.01)
        return path.read_text()

    def go_on(self) -> None:
        """Let the slow package be installed to its end."""
        (self.prefix / "go-on").touch()

    def await_version(self, name: str, version: str, limit_s: float = 90.0) -> None:
        """Wait until a package is there in a version."""
        manifest = self.prefix / "lib" / "node_modules" / name / "package.json"
        deadline = time.monotonic() + limit_s
        while not manifest.exists() or version not in manifest.read_text():
            assert time.monotonic() < deadline, f"{name} {version} was not installed"
            time.sleep(0.01)

    def await_call(self, word: str, limit_s: float = 90.0) -> None:
        """Wait until it was called with a word."""
        deadline = time.monotonic() + limit_s
        while not any(word in call for call in self.calls):
            assert time.monotonic() < deadline, f"npm was not called with {word}"
            time.sleep(0.01)
