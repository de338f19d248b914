"""Where npm keeps global packages, and which: told from its files, because npm takes long to start.

The order in which npm looks for `prefix` is that of its documentation ("npmrc"): environment, the
user's file, the global one, the one beside npm itself; without any, the folder that node lies in.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from penstock.environment.api import Manager, Package
from penstock.process.environment import find_executable

_LARGEST = 4 << 20
_VARIABLE = re.compile(r"\$\{([^}?]+)(\?)?\}")


def global_prefix(env: Mapping[str, str]) -> Path | None:
    """Return the folder below which npm installs globally; None where nothing tells it."""
    stated = _from_environment(env) or _from_file(_user_file(env), env)
    if stated is not None:
        return stated
    own = _default_prefix(env)
    if own is not None:
        stated = _from_file(own / "etc" / "npmrc", env)
    return stated or _from_file(_builtin_file(env), env) or own


def global_root(env: Mapping[str, str]) -> Path | None:
    """Return the folder of the global packages (`npm root -g`); None where nothing tells it."""
    prefix = global_prefix(env)
    if prefix is None:
        return None
    return prefix / "node_modules" if os.name == "nt" else prefix / "lib" / "node_modules"


def global_packages(root: Path) -> dict[str, Package]:
    """Return the packages in a root by name, scoped ones (`@scope/name`) too."""
    found = (_package(folder) for folder in _folders(root))
    return {package.name: package for package in found if package is not None}


def manifest(folder: Path) -> dict[str, Any]:
    """Return what the `package.json` of a folder says; empty when it cannot be read."""
    try:
        with (folder / "package.json").open("rb") as stream:
            value = json.loads(stream.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _folders(root: Path) -> Iterator[Path]:
    for folder in _listed(root):
        if folder.name.startswith("@"):
            yield from _listed(folder)
        else:
            yield folder


def _listed(folder: Path) -> list[Path]:
    """Return what lies in a folder, but what npm has put aside (`.name-Xy12`)."""
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    return [path for path in found if not path.name.startswith(".")]


def _package(folder: Path) -> Package | None:
    version = manifest(folder).get("version")
    if not isinstance(version, str) or not version:
        return None
    scope = folder.parent.name
    name = f"{scope}/{folder.name}" if scope.startswith("@") else folder.name
    return Package(name=name, version=version, manager=Manager.NPM, place=str(folder))


# -- where the prefix is stated --------------------------------------------------------------
def _from_environment(env: Mapping[str, str]) -> Path | None:
    """Return what `npm_config_prefix` says, in whatever case it is written."""
    found = [value for name, value in env.items() if name.lower() == "npm_config_prefix" and value]
    return _absolute(found[0], env) if found else None


def _user_file(env: Mapping[str, str]) -> Path | None:
    for name, value in env.items():
        if name.lower() == "npm_config_userconfig" and value:
            return Path(value)
    home = env.get("HOME") or env.get("USERPROFILE")
    return Path(home, ".npmrc") if home else None


def _default_prefix(env: Mapping[str, str]) -> Path | None:
    """Return the folder that the running node is installed in."""
    if env.get("PREFIX"):
        return Path(env["PREFIX"])
    node = find_executable("node", env)
    if node is None:
        return None
    folder = node.resolve().parent
    return folder if os.name == "nt" else folder.parent


def _builtin_file(env: Mapping[str, str]) -> Path | None:
    """Return the file beside npm's own code, with which its packager says where the prefix is."""
    npm = find_executable("npm", env)
    return None if npm is None else npm.resolve().parent.parent / "npmrc"


def _from_file(path: Path | None, env: Mapping[str, str]) -> Path | None:
    """Return what `prefix = ...` of an npmrc says."""
    if path is None:
        return None
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    stated = None
    for line in lines:
        key, equals, value = line.partition("=")
        if equals and key.strip() == "prefix" and value.strip():
            stated = value.strip().strip("\"'")
    return None if stated is None else _absolute(stated, env)


def _absolute(value: str, env: Mapping[str, str]) -> Path:
    """Return a path as npm reads it: `${VAR}` filled, `~` the home."""
    filled = _VARIABLE.sub(lambda match: env.get(match[1], "" if match[2] else match[0]), value)
    if filled == "~" or filled.startswith(("~/", "~\\")):
        filled = str(Path(env.get("HOME") or env.get("USERPROFILE") or "~")) + filled[1:]
    return Path(filled).absolute()
