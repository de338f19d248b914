"""The package managers, each with its commands. The table at the end is all there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from penstock.environment.api import Inventory, Manager, Package
from penstock.environment.installers import inventories
from penstock.environment.installers.port import (
    Argv,
    Change,
    Home,
    Installer,
    Programs,
    Restoring,
    Versions,
    requirement,
)
from penstock.environment.installers.python_place import PythonPlace
from penstock.environment.versions.pins import exact_pin


class Pipx(Programs):
    """pipx: every application of Python in an environment of its own."""

    manager = Manager.PIPX
    executable = "pipx"
    hint = "Install pipx: `python3 -m pip install --user pipx`."

    def inventory(self) -> Inventory:
        """Return the applications."""
        return inventories.pipx_inventory(self.env)

    def commands(self, change: Change) -> Argv:
        """Return `pipx install [--force] name==version`: it leaves what is there alone without."""
        if change.remove:
            return (self.word(), "uninstall", change.name)
        force = ("--force",) if change.force or change.replaces else ()
        return (self.word(), "install", *force, *change.options, requirement(change))


class Uv(Programs):
    """uv: every tool of Python in an environment of its own."""

    manager = Manager.UV
    executable = "uv"
    hint = "Install uv: `python3 -m pip install --user uv`, or see docs.astral.sh/uv."

    def inventory(self) -> Inventory:
        """Return the tools."""
        return inventories.uv_inventory(self.env)

    def commands(self, change: Change) -> Argv:
        """Return `uv tool install [--force] name==version`."""
        if change.remove:
            return (self.word(), "tool", "uninstall", change.name)
        force = ("--force",) if change.force else ()
        return (self.word(), "tool", "install", *force, *change.options, requirement(change))


class Npm(Programs):
    """npm: the packages that it installs for everybody (`-g`)."""

    manager = Manager.NPM
    executable = "npm"
    hint = "Install Node.js with npm: see nodejs.org."
    _QUIET = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")

    def inventory(self) -> Inventory:
        """Return the global packages."""
        return inventories.npm_inventory(self.env)

    def home(self, package: Package) -> Home | None:
        """Return the package's folder, in which all that it needs lies too."""
        return Home(package.name, Path(package.place))

    def commands(self, change: Change) -> Argv:
        """Return `npm install -g name@version`."""
        if change.remove:
            return (self.word(), "uninstall", "-g", *self._QUIET, change.name)
        force = ("--force",) if change.force else ()
        options = (*force, *change.options, *self._QUIET)
        return (self.word(), "install", "-g", *options, requirement(change))


class Winget(Programs):
    """winget of Windows, as it is documented; never run here."""

    manager = Manager.WINGET
    executable = "winget"
    hint = "winget is part of Windows (App Installer)."

    def inventory(self) -> Inventory:
        """Say that nothing can be told: winget keeps no files that could be read."""
        return Inventory(manager=self.manager, problem="what winget has cannot be told")

    def commands(self, change: Change) -> Argv:
        """Return `winget install --id X --exact --silent [--version V]`."""
        named = ("--id", change.name, "--exact", "--silent")
        if change.remove:
            return (self.word(), "uninstall", *named)
        version = () if change.pin is None or change.pin.any else ("--version", change.pin.text)
        force = ("--force",) if change.force else ()
        return (self.word(), "install", *named, *version, *force)


_ENVIRONMENT = "environment"
"""The copy of all of pip's packages."""


class Pip(Programs):
    """pip, in one environment. A change may touch any package of it, so all are remembered."""

    manager = Manager.PIP
    executable = "python3"
    hint = (
        "Make an environment (`python3 -m venv .venv`) or name one in environment.pipEnvironment."
    )
    _QUIET = ("--no-input", "--disable-pip-version-check", "--quiet")

    def __init__(self, environ: Mapping[str, str], place: PythonPlace | None) -> None:
        super().__init__(environ)
        self.place = place

    def program(self) -> Path | None:
        """Return the interpreter of the environment."""
        return None if self.place is None else self.place.python

    def inventory(self) -> Inventory:
        """Return the distributions of the environment."""
        return inventories.pip_inventory(self.place)

    def snapshot(self, inventory: Inventory, names: tuple[str, ...]) -> dict[str, str | None]:
        """Return the versions of everything in the environment."""
        everything = {name: package.version for name, package in inventory.packages.items()}
        return {**dict.fromkeys(names), **everything}

    def commands(self, change: Change) -> Argv:
        """Return `python -m pip install name==version`."""
        if change.remove:
            return self._pip("uninstall", "--yes", change.name)
        force = ("--force-reinstall",) if change.force else ()
        return self._pip("install", *force, *change.options, requirement(change))

    def home(self, package: Package) -> Home | None:  # noqa: ARG002 - one for all packages
        """Return the virtual environment as a whole; that of a system is not ours to copy."""
        venv = None if self.place is None else self.place.venv
        return None if venv is None else Home(_ENVIRONMENT, venv)

    def restore(self, before: Versions, now: Versions) -> Iterator[Restoring]:
        """Yield a command that removes all that came, and one that puts back all that changed."""
        came = [name for name in now if before.get(name) is None and now[name] is not None]
        changed = {name: v for name, v in before.items() if v is not None and now.get(name) != v}
        if came:
            yield Restoring(tuple(came), self._pip("uninstall", "--yes", *came), _ENVIRONMENT)
        if changed:
            exact = (exact_pin(self.manager, v).requirement(name) for name, v in changed.items())
            words = ("--no-deps", *exact)
            yield Restoring(tuple(changed), self._pip("install", *words), _ENVIRONMENT)

    def _pip(self, verb: str, *words: str) -> Argv:
        return (self.word(), "-m", "pip", verb, *self._QUIET, *words)


_MAKERS: Mapping[Manager, Callable[[Mapping[str, str]], Installer]] = {
    Manager.PIPX: Pipx,
    Manager.UV: Uv,
    Manager.NPM: Npm,
    Manager.WINGET: Winget,
}


def make_installers(
    environ: Mapping[str, str], pip_place: Callable[[], PythonPlace | None]
) -> dict[Manager, Installer]:
    """Return every manager; `environ` is the environment that they are started with, as far as they
    need it."""
    made: dict[Manager, Installer] = {Manager.PIP: Pip(environ, pip_place())}
    return made | {manager: make(environ) for manager, make in _MAKERS.items()}
