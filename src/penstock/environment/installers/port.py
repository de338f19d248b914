"""What every package manager must be able to do, and a change of one package."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from penstock.environment.api import Inventory, Manager, Package
from penstock.environment.installers.distributions import environment_of
from penstock.environment.versions.names import normalised
from penstock.environment.versions.pins import Pin, exact_pin
from penstock.process.environment import child_environment, find_executable

Argv = tuple[str, ...]
Versions = Mapping[str, str | None]
"""Versions by normalised name; None is a package that is not there."""

KEPT = (
    "PIP_*", "PIPX_*", "UV_*", "NPM_*", "npm_*", "PREFIX", "PYENV_*", "NVM_*", "VOLTA_HOME",
)  # fmt: skip
"""What of our environment package managers are steered by: indexes, caches, folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A package that is to be installed in a version that meets `pin` (None: any), or removed.

    `tool` is its name for people, `name` the package's. `options` are further words for the manager's
    command. `force` installs what is there already once more; `replaces`: another version is there.
    """

    tool: str
    manager: Manager
    name: str
    pin: Pin | None = None
    remove: bool = False
    force: bool = False
    replaces: bool = False
    options: Argv = ()

    @property
    def key(self) -> str:
        """The one spelling of the package's name."""
        return normalised(self.manager, self.name)


class Restoring(NamedTuple):
    """A command that puts packages back; `copy` names the copy that does so where it fails."""

    names: tuple[str, ...]
    argv: Argv
    copy: str


class Home(NamedTuple):
    """A folder that is all there is of a package, or of all packages; `copy` names its copy."""

    copy: str
    folder: Path


class Installer(Protocol):
    """One package manager of this machine."""

    manager: Manager
    hint: str
    """How the manager itself is brought to this machine."""

    def program(self) -> Path | None:
        """Return what is started, None when the manager is not installed."""
        ...

    def inventory(self) -> Inventory:
        """Return what it has installed now."""
        ...

    def commands(self, change: Change) -> Argv:
        """Return the command that makes a change."""
        ...

    def restore(self, before: Versions, now: Versions) -> Iterator[Restoring]:
        """Yield each command that leads from `now` back to `before`."""
        ...

    def home(self, package: Package) -> Home | None:
        """Return what must be copied so that a package could be put back; None when nothing can."""
        ...

    def snapshot(self, inventory: Inventory, names: tuple[str, ...]) -> dict[str, str | None]:
        """Return what must be remembered so that changes of `names` can be undone."""
        ...


class Programs:
    """Managers that keep each package apart: what a change touches is that package alone."""

    manager: Manager
    executable: str
    hint: str

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.env = manager_environment(environ)

    def program(self) -> Path | None:
        """Return the manager's program on PATH."""
        return find_executable(self.executable, self.env)

    def snapshot(self, inventory: Inventory, names: tuple[str, ...]) -> dict[str, str | None]:
        """Return the versions of the packages that are named."""
        return versions_of(inventory, names)

    def home(self, package: Package) -> Home | None:
        """Return the environment of the package."""
        return Home(normalised(self.manager, package.name), environment_of(Path(package.place)))

    def restore(self, before: Versions, now: Versions) -> Iterator[Restoring]:
        """Yield a command for each package that is not as it was."""
        for name, version in before.items():
            if now.get(name) == version:
                continue
            pin = None if version is None else exact_pin(self.manager, version)
            change = Change(
                tool=name,
                manager=self.manager,
                name=name,
                pin=pin,
                remove=version is None,
                force=True,
            )
            yield Restoring((name,), self.commands(change), name)

    def commands(self, change: Change) -> Argv:
        """Return the command that makes a change."""
        raise NotImplementedError

    def word(self) -> str:
        """Return the manager's program as it is started, its bare name when it is not there."""
        found = self.program()
        return str(found) if found is not None else self.executable


def manager_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a package manager: ours as far as it is steered by it."""
    return child_environment(keep=KEPT, source=environ)


def versions_of(inventory: Inventory, names: tuple[str, ...]) -> dict[str, str | None]:
    """Return the versions that packages have, None for what is not there."""
    packages = inventory.packages
    return {name: packages[name].version if name in packages else None for name in names}


def requirement(change: Change) -> str:
    """Return what the manager is asked for: name and pin."""
    return change.name if change.pin is None else change.pin.requirement(change.name)


IS_WINDOWS = os.name == "nt"
