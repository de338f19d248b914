"""What each manager has installed, read from the files that it keeps."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import structs

from penstock.environment.api import Inventory, Manager, Package
from penstock.environment.installers.distributions import distributions, site_folders
from penstock.environment.installers.npm_root import global_packages, global_root
from penstock.environment.installers.python_place import PythonPlace
from penstock.environment.versions.names import normalised


def pip_inventory(place: PythonPlace | None) -> Inventory:
    """Return what an environment of Python has; one that is not there (None) has nothing."""
    if place is None:
        return Inventory(manager=Manager.PIP)
    try:
        folders = place.folders()
    except OSError as error:
        return Inventory(manager=Manager.PIP, problem=f"{place.python} cannot be asked: {error}")
    return Inventory(manager=Manager.PIP, packages=distributions(folders, Manager.PIP))


def pipx_inventory(env: Mapping[str, str]) -> Inventory:
    """Return the applications of pipx: an environment each below its home."""
    home = pipx_home(env)
    return _applications(Manager.PIPX, None if home is None else home / "venvs", _pipx_name)


def uv_inventory(env: Mapping[str, str]) -> Inventory:
    """Return the tools of uv: an environment each in its folder of tools."""
    return _applications(Manager.UV, uv_tools(env), _folder_name)


def npm_inventory(env: Mapping[str, str]) -> Inventory:
    """Return the global packages of npm; without node there are none."""
    root = global_root(env)
    return Inventory(manager=Manager.NPM, packages={} if root is None else global_packages(root))


def pipx_home(env: Mapping[str, str]) -> Path | None:
    """Return pipx's folder: PIPX_HOME, else `~/.local/pipx` where an older pipx has made it, else
    that of the platform's user data."""
    if env.get("PIPX_HOME"):
        return Path(env["PIPX_HOME"]).expanduser()
    home = _home(env)
    if home is None:
        return None
    older = home / ("pipx" if os.name == "nt" else ".local/pipx")
    if older.is_dir():
        return older
    data = _data(env, home)
    return data / "pipx"


def uv_tools(env: Mapping[str, str]) -> Path | None:
    """Return uv's folder of tools: UV_TOOL_DIR, else below the platform's user data."""
    if env.get("UV_TOOL_DIR"):
        return Path(env["UV_TOOL_DIR"]).expanduser()
    home = _home(env)
    if home is None:
        return None
    return _data(env, home) / "uv" / ("data/tools" if os.name == "nt" else "tools")


def _home(env: Mapping[str, str]) -> Path | None:
    home = env.get("HOME") or env.get("USERPROFILE")
    return Path(home) if home and Path(home).is_absolute() else None


def _data(env: Mapping[str, str], home: Path) -> Path:
    """Return the folder of the user's data on this platform."""
    if os.name == "nt":
        return Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local")
    stated = env.get("XDG_DATA_HOME", "")
    return Path(stated) if Path(stated).is_absolute() else home / ".local" / "share"


def _applications(
    manager: Manager, folder: Path | None, names_of: Callable[[Path], tuple[str, str]]
) -> Inventory:
    if folder is None:
        return Inventory(manager=manager, problem="there is no home folder")
    found: dict[str, Package] = {}
    for venv in _environments(folder):
        name, suffix = names_of(venv)
        inside = distributions(site_folders(venv), manager)
        package = inside.get(normalised(manager, name))
        if package is not None:
            shown = structs.replace(package, name=name + suffix, requested=True)
            found[normalised(manager, shown.name)] = shown
    return Inventory(manager=manager, packages=found)


def _environments(folder: Path) -> Iterator[Path]:
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return
    yield from (path for path in found if not path.name.startswith(".") and path.is_dir())


def _folder_name(venv: Path) -> tuple[str, str]:
    return venv.name, ""


def _pipx_name(venv: Path) -> tuple[str, str]:
    """Return the package that pipx has put into an environment, and the suffix that tells it from
    another environment with the same."""
    try:
        main = json.loads((venv / "pipx_metadata.json").read_bytes())["main_package"]
        return str(main["package"] or venv.name), str(main.get("suffix") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return venv.name, ""
