"""Programs on a PATH of a test's own: what a registry looks for, fast, slow or lying."""

from __future__ import annotations

from pathlib import Path

from penstock.registry.api import RegistryTool


class Machine:
    """A machine with a home and programs of its own.

    Each program that is started adds a line to `asked`.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.bin = folder / "bin"
        self.asked = folder / "asked"
        for place in (self.home, self.bin):
            place.mkdir(parents=True)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of whoever uses it."""
        return {"HOME": str(self.home), "PATH": f"{self.bin}:/usr/bin:/bin"}

    def program(self, name: str, script: str = 'echo "tool 1.2.3"') -> Path:
        """Install a shell script."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\necho {name} >>{self.asked}\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def times_asked(self, name: str) -> int:
        """Return how often a program was started."""
        if not self.asked.exists():
            return 0
        return self.asked.read_text(encoding="utf-8").split().count(name)


def tool(tool_id: str, *command: str, version: tuple[str, ...] = ()) -> RegistryTool:
    """Return a tool that one command detects, by default its own `--version`."""
    return RegistryTool(
        tool_id=tool_id,
        name=tool_id,
        detect_commands=(command or (tool_id, "--version"),),
        version_command=version,
    )
