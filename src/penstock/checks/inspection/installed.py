"""What is installed beside a tool: its stubs and plugins, which decide what it says.

Paths are texts here: folders of packages are large, and a Path for each entry costs more than the look.
"""
# ruff: noqa: PTH112, PTH119, PTH120, PTH123

from __future__ import annotations

import os
from collections.abc import Iterator

from penstock.checks.api import Place
from penstock.checks.inspection.contents import Contents, digest_of
from penstock.checks.inspection.elsewhere import statuses_outside
from penstock.checks.plugins.port import ToolFacts
from penstock.checks.surroundings import base_environment, locate, virtual_environment

# what installers write down, each in a file that changes with every package
_NODE_RECORDS = (".package-lock.json", ".yarn-integrity", ".yarn-state.yml", ".modules.yaml")
_LINKS = (".pth", ".egg-link")
_CODE = (".py", ".pyi", "/py.typed")
_CLIMB = 6
_LARGEST_LINK = 1 << 16


def python_packages(
    place: Place, tool: ToolFacts | None, contents: Contents, known: dict[str, str]
) -> str:
    """Return a digest of the distributions in the environments of the tree, of the tool, and of the
    Python on PATH, and of the sources that these link to.

    `known` keeps what was found of each environment, for other tools of this inspection.
    """
    venv = virtual_environment(place.tree, place.root)
    homes = [] if venv is None else [os.fspath(venv)]
    programs = [] if tool is None else [os.fspath(tool.executable)]
    if venv is None:
        found = locate("python", place.tree, base_environment(place.tree, place.root))
        programs += [] if found is None else [os.fspath(found)]
    homes += [_home(path) for program in programs for path in _forms(program)]
    sites = dict.fromkeys(site for home in homes for site in _sites(home))
    for site in sites:
        if site not in known:
            known[site] = digest_of(*_distributions(site, os.fspath(place.tree), contents))
    return digest_of(*(known[site] for site in sites))


def _home(program: str) -> str:
    """Return the installation that a program belongs to."""
    return os.path.dirname(os.path.dirname(program))


def node_packages(place: Place, tool: ToolFacts | None, contents: Contents) -> str:
    """Return a digest of the packages in node_modules of the tree, the root, and the tool."""
    places = [f"{place.tree}/node_modules", f"{place.root}/node_modules"]
    if tool is not None:
        places += [
            folder for path in _forms(os.fspath(tool.executable)) for folder in _modules_above(path)
        ]
    found = dict.fromkeys(os.path.realpath(folder) for folder in places)
    return digest_of(*(line for folder in found for line in _modules(folder, contents)))


def _forms(program: str) -> tuple[str, str]:
    """Return a program as it was found and as what it leads to."""
    return program, os.path.realpath(program)


def _sites(home: str) -> Iterator[str]:
    """Yield the folders of packages of a Python installation."""
    for lib in ("lib", "lib64", "Lib", "local/lib"):
        for name in ("", *_names(f"{home}/{lib}")):
            for kind in ("site-packages", "dist-packages"):
                folder = f"{home}/{lib}/{name}/{kind}" if name else f"{home}/{lib}/{kind}"
                if (not name or name.startswith("python3")) and os.path.isdir(folder):
                    yield os.path.realpath(folder)


def _distributions(site: str, tree: str, contents: Contents) -> Iterator[str]:
    """Yield a line for each distribution (its folder's time tells a reinstalled one), and for what
    leads to other places."""
    for name in _names(site):
        path = f"{site}/{name}"
        if name.endswith((".dist-info", ".egg-info")):
            yield f"{name} {_time(path)}"
        elif name.endswith(_LINKS):
            yield f"{name} {contents.digest(path)}"
            for folder in _linked(path):
                yield from statuses_outside(folder, tree, _CODE)


def _linked(path: str) -> Iterator[str]:
    """Yield the folders that a file of paths names: the sources of packages in development."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            lines = [line.strip() for line in stream.read(_LARGEST_LINK).splitlines()]
    except OSError:
        return
    yield from (line for line in lines if line.startswith("/") and os.path.isdir(line))


def _modules_above(path: str) -> Iterator[str]:
    """Yield the node_modules folders that an executable lies in."""
    for _ in range(_CLIMB):
        path = os.path.dirname(path)
        if os.path.basename(path) == "node_modules":
            yield path


def _modules(folder: str, contents: Contents) -> Iterator[str]:
    """Yield what tells the packages of a node_modules folder: an installer's record, else all."""
    names = _names(folder)
    records = [name for name in names if name in _NODE_RECORDS]
    for name in records:
        yield f"{name} {contents.digest(f'{folder}/{name}')}"
    if records:
        return
    for name in names:
        inner = [f"{name}/{each}" for each in _names(f"{folder}/{name}")]
        for package in inner if name.startswith("@") else [name]:
            yield f"{package} {_time(f'{folder}/{package}/package.json')}"


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are all we want
    except OSError:
        return []


def _time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - asked for each package
    except OSError:
        return 0
