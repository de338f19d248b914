"""A package manager that is a few lines of shell, so that hundreds of its commands take no time.

A package is a file whose text is its version. The name of a package tells what its installation does:
`fail-...` fails, `half-...` changes and then fails, `hang-...` never ends.
"""

from __future__ import annotations

from pathlib import Path

from penstock.environment.api import Inventory, Manager, Package
from penstock.environment.installers.port import Argv, Change, Home, Programs

SCRIPT = """
place=$1 name=$2 version=$3
case $name in fail-*) echo "no such package: $name" >&2; exit 4;; esac
if [ "$version" = none ]; then rm -f "$place/$name"; else printf %s "$version" >"$place/$name.new"
mv "$place/$name.new" "$place/$name"; fi
case $name in half-*) [ -e "$place/mended" ] || exit 5;; hang-*) sleep 60;; esac
"""


class ShellManager(Programs):
    """Keeps packages in a folder; calls itself whatever manager it stands for."""

    executable = "sh"
    hint = "there is always a shell"

    def __init__(self, manager: Manager, place: Path) -> None:
        super().__init__({"PATH": "/usr/bin:/bin"})
        self.manager = manager
        self.place = place
        place.mkdir(parents=True, exist_ok=True)

    def inventory(self) -> Inventory:
        """Return what lies in the folder."""
        found = {
            path.name: Package(
                name=path.name, version=path.read_text(), manager=self.manager, place=str(path)
            )
            for path in sorted(self.place.iterdir())
            if path.suffix != ".new" and path.name != "mended"
        }
        return Inventory(manager=self.manager, packages=found)

    def commands(self, change: Change) -> Argv:
        """Return the call of the script."""
        version = "none" if change.remove else change.pin.text if change.pin else "9"
        return ("/bin/sh", "-c", SCRIPT, "sh", str(self.place), change.name, version)

    def home(self, package: Package) -> Home | None:  # noqa: ARG002 - there is no folder for each
        """Return nothing: a file is no folder that could be kept."""
        return None

    def put(self, **versions: str) -> None:
        """Install without a command."""
        for name, version in versions.items():
            (self.place / name).write_text(version)

    @property
    def versions(self) -> dict[str, str]:
        """What is installed."""
        return {name: package.version for name, package in self.inventory().packages.items()}
