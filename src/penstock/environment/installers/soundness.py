"""Whether what is installed can be started: its programs are there, on PATH, and have an interpreter."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from penstock.environment.api import (
    Inventory,
    Manager,
    Package,
    ToolSoundness,
    ToolVersion,
    VersionStatus,
)
from penstock.environment.installers import distributions, npm_root
from penstock.environment.versions.names import normalised
from penstock.process.environment import find_executable

_FIRST_LINE = 4096


def soundness(tool: ToolVersion, inventory: Inventory, env: Mapping[str, str]) -> ToolSoundness:
    """Return whether a tool of a version report is there, as pinned, and can be started."""
    package = inventory.packages.get(normalised(tool.manager, tool.tool))
    trouble = _stated_trouble(tool)
    if trouble is None and package is not None:
        trouble = trouble_of(package, env)
    return ToolSoundness(
        tool=tool.tool, manager=tool.manager, version=tool.installed, trouble=trouble
    )


def _stated_trouble(tool: ToolVersion) -> str | None:
    """Return what the version report has against a tool."""
    if tool.status is VersionStatus.MISSING:
        return "is not installed"
    if tool.status is VersionStatus.DRIFT:
        return f"is not as pinned ({tool.pinned})"
    return tool.detail if tool.status is VersionStatus.UNKNOWN else None


def trouble_of(package: Package, env: Mapping[str, str]) -> str | None:
    """Return why a package cannot be used, None when nothing speaks against it.

    Nothing is started: a program that is there, that PATH leads to, and whose interpreter is there,
    is sound. Packages without a program are.
    """
    if package.manager is Manager.TOOLS:
        return _broken(Path(package.place))
    names = programs_of(package)
    troubles = (_program_trouble(package, name, env) for name in names)
    return next((trouble for trouble in troubles if trouble is not None), None)


def programs_of(package: Package) -> tuple[str, ...]:
    """Return the names of the programs that a package brings."""
    if package.manager is Manager.NPM:
        return tuple(_npm_programs(package))
    return distributions.programs(package)


def _npm_programs(package: Package) -> Iterator[str]:
    """Yield what `bin` of the package.json names; text means one program with the package's name."""
    stated = npm_root.manifest(Path(package.place)).get("bin")
    if isinstance(stated, str):
        yield package.name.rpartition("/")[2]
    elif isinstance(stated, dict):
        yield from (str(name) for name in stated)


def _program_trouble(package: Package, name: str, env: Mapping[str, str]) -> str | None:
    place = Path(package.place)
    if package.manager is Manager.PIP:
        return _broken(_beside(place, name))
    home = place if package.manager is Manager.NPM else distributions.environment_of(place)
    found = find_executable(name, env)
    if found is None:
        return f"its program {name} is not on PATH"
    if os.name != "nt" and not found.resolve().is_relative_to(home.resolve()):
        return f"another {name} comes first on PATH: {found}"
    return _broken(found)


def _beside(dist_info: Path, name: str) -> Path:
    if os.name == "nt":
        return distributions.environment_of(dist_info) / "Scripts" / f"{name}.exe"
    return distributions.environment_of(dist_info) / "bin" / name


def _broken(program: Path) -> str | None:
    """Return why a program cannot be started."""
    try:
        with program.open("rb") as stream:
            first = stream.read(_FIRST_LINE).split(b"\n", 1)[0]
    except OSError as error:
        return f"its program {program} cannot be read: {error.strerror}"
    if not os.access(program, os.X_OK):
        return f"its program {program} may not be executed"
    words = first[2:].split() if first.startswith(b"#!") else []
    interpreter = os.fsdecode(words[0]) if words else ""
    if interpreter and not Path(interpreter).exists():
        return f"the interpreter of {program} is gone: {interpreter}"
    return None
