"""What a result depends on beside its own file: files of the project, or the names that lie in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from penstock.checks.inspection.contents import digest_of

MAX_LOOKED_AT = 20_000
"""Entries of folders that git ignores which are looked at, in all."""
_DATA_AFTER = 2_000
"""Entries of such a folder after which it holds data when none was a file of the wanted kind."""
_NEVER = frozenset({"node_modules", "__pycache__", "site-packages"})
_ENVIRONMENT_MARK = "pyvenv.cfg"
_INITS = ("__init__.py", "__init__.pyi")
_OURS = frozenset({"state", "logs"})


def of_kind(paths: Iterable[str], extensions: Sequence[str]) -> tuple[str, ...]:
    """Return those paths that end in one of the extensions (without dots; none or `*`: all). The
    empty extension is that of names without one, `bin/run` and `.env`.
    """
    if not extensions or "*" in extensions:
        return tuple(paths)
    bare = "" in extensions
    ends = tuple(f".{extension.lstrip('.')}" for extension in extensions if extension)
    return tuple(path for path in paths if path.endswith(ends) or (bare and _is_bare(path)))


def _is_bare(path: str) -> bool:
    return "." not in path.rpartition("/")[2][1:]


def folders_of(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the folders that hold the paths and the folders above these, the top ("") first."""
    found = {""}
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return tuple(sorted(found))


def unlisted(tree: str, listing: Sequence[str], extensions: Sequence[str]) -> tuple[str, ...]:
    """Return the files of a kind that lie beside those of the listing but are ignored by git:
    generated code, which tools import all the same.

    Hidden folders, installed packages and environments are left out, as are folders of data.
    """
    listed, folders = set(listing), set(folders_of(listing))
    found: list[str] = []
    left = MAX_LOOKED_AT
    for folder in sorted(folders):
        inside = f"{folder}/" if folder else ""
        for name, is_folder in _entries(f"{tree}/{inside}", tree):
            path = inside + name
            if not is_folder:
                found += [path] if path not in listed else []
            elif path not in folders and left > 0 and (folder or name not in _OURS):
                below, looked = _below(tree, path, extensions, left)
                left -= looked
                found += below
    return of_kind(sorted(found), extensions)


def _below(
    tree: str, folder: str, extensions: Sequence[str], limit: int
) -> tuple[tuple[str, ...], int]:
    """Return the files of a kind below a folder, and how many entries were looked at."""
    found: tuple[str, ...] = ()
    waiting, looked = [folder], 0
    while waiting and looked < limit and (found or looked < _DATA_AFTER):
        place = waiting.pop()
        entries = _entries(f"{tree}/{place}", tree)
        looked += len(entries) + 1
        if any(name == _ENVIRONMENT_MARK for name, _ in entries):
            continue
        waiting += [f"{place}/{name}" for name, is_folder in entries if is_folder]
        files = (f"{place}/{name}" for name, is_folder in entries if not is_folder)
        found += of_kind(files, extensions)
    return found, looked


def _entries(folder: str, tree: str | None = None) -> list[tuple[str, bool]]:
    """Return the entries of a folder that may hold code, each with whether it is a folder.

    With a `tree`, a link to a folder of that tree, or to one that holds it, is no folder.
    """
    try:
        with os.scandir(folder) as entries:
            return [
                (entry.name, entry.is_dir() and not _leads_back(entry, tree))
                for entry in entries
                if not entry.name.startswith(".") and entry.name not in _NEVER
            ]
    except OSError:
        return []


def _leads_back(entry: os.DirEntry[str], tree: str | None) -> bool:
    if tree is None or not entry.is_symlink():
        return False
    target = os.path.realpath(entry.path) + "/"
    return target.startswith(f"{tree}/") or f"{tree}/".startswith(target)


def module_names(folder: str) -> tuple[str, ...]:
    """Return what can be imported from a folder: its modules and packages, sorted."""
    found = []
    for name, is_folder in _entries(folder):
        stem, _, ending = name.partition(".")
        if is_folder and name.isidentifier():
            found.append(f"{name}/")
        elif ending in ("py", "pyi") and stem.isidentifier():
            found.append(stem)
    return tuple(sorted(found))


def packages_above(folder: str, names_in: Callable[[str], frozenset[str]]) -> tuple[str, ...]:
    """Return which folders from one (relative) up to the top are packages.

    `names_in` tells what lies in a folder.
    """
    found = []
    while True:
        found += [folder] if not names_in(folder).isdisjoint(_INITS) else []
        if not folder:
            return tuple(found)
        folder = folder.rpartition("/")[0]


def digest_over(paths: Iterable[str], content: Callable[[str], str | None]) -> str:
    """Return a digest of files by path and content."""
    return digest_of(*(part for path in paths for part in (path, content(path) or "unreadable")))
