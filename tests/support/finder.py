"""A checker of a test's own: a program that finds the word BAD, declared by a manifest."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.cli import PENSTOCK, Said, child, git, make_repository

PROGRAM = """\
#!/bin/sh
if [ "$1" = --version ]; then echo 'find-bad 1.0'; exit 0; fi
echo "$*" >>"$HOME/calls"
exec awk '/BAD/ { printf "%s:%d:1: W1 a bad word\\n", FILENAME, FNR; found = 1 }
          END { exit found }' "$@"
"""
MANIFEST: Mapping[str, Any] = {
    "plugin_id": "words",
    "name": "Words",
    "file_extensions": ["txt"],
    "tool": {"command": "find-bad", "install": "make install-find-bad"},
    "output": {
        "reader": "lines",
        "pattern": r"(?P<path>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<code>\w+) (?P<message>.+)",
        "severity": "error",
        "category": "style",
    },
}


class Project:
    """A repository in which `find-bad` checks `.txt` files, and no other tool is on PATH.

    `env` leads penstock and git to it. The plugin lies in a folder outside of the repository.
    """

    def __init__(self, folder: Path, *, in_git: bool = True) -> None:
        self.root = folder / "project"
        self._bin = folder / "bin"
        self._plugins = folder / "plugins"
        self._home = folder / "home"
        self._calls = self._home / "calls"
        for place in (self._bin, self._home, self.root):
            place.mkdir(parents=True)
        if in_git:
            make_repository(self.root)
        self._program("find-bad", PROGRAM)
        self._program("penstock", f'#!/bin/sh\nexec {sys.executable} -m penstock "$@"\n')
        self.declare(MANIFEST)

    def declare(self, manifest: Mapping[str, Any]) -> None:
        """Put the manifest of a plugin into the user's folder of plugins."""
        place = self._plugins / str(manifest["plugin_id"])
        place.mkdir(parents=True, exist_ok=True)
        (place / "manifest.json").write_text(json.dumps(manifest))

    def _program(self, name: str, text: str) -> None:
        path = self._bin / name
        path.write_text(text)
        path.chmod(0o755)

    @property
    def env(self) -> dict[str, str]:
        """What leads to the checker and away from those of this machine."""
        return {
            "PATH": f"{self._bin}:/usr/bin:/bin",
            "HOME": str(self._home),
            "PIPELINE_ERROR_PLUGINS_PATH": str(self._plugins),
            "COLUMNS": "80",
        }

    def write(self, **files: str) -> None:
        """Write files; `__` in a name stands for a folder, the ending is `.txt`."""
        for name, text in files.items():
            place = self.root / f"{name.replace('__', '/')}.txt"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)

    def check(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Said:
        """Run `penstock check`."""
        return self.penstock("check", *args, cwd=cwd, env=env)

    def penstock(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Said:
        """Run penstock as a process of its own."""
        return child(*args, cwd=cwd or self.root, env={**self.env, **(env or {})}, program=PENSTOCK)

    def git(self, *args: str, cwd: Path | None = None) -> Said:
        """Run git as the user does, hooks and all."""
        env = {**self.env, "GIT_EDITOR": "true"}
        return child(*args, cwd=cwd or self.root, env=env, program=["git"])

    def stage(self, **files: str) -> None:
        """Write files and stage them."""
        self.write(**files)
        git(self.root, "add", "-A")

    def checked(self) -> list[str]:
        """Return the files that the checker was given so far, and forget them."""
        if not self._calls.exists():
            return []
        given = self._calls.read_text().split()
        self._calls.unlink()
        return sorted(given)
