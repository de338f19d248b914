"""What no scan offers and no cleaning touches: repositories, environments, installed and built files."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

REPOSITORIES = frozenset({".git", ".hg", ".svn", ".jj", "CVS"})
INSTALLED = frozenset({"node_modules", "bower_components", "site-packages", "dist-packages"})
ENVIRONMENTS = frozenset({".venv", "venv", ".virtualenv", "virtualenv"})
ENVIRONMENT_MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
"""Names that make the folder they lie in a virtual environment."""
BARE_REPOSITORY = frozenset({"HEAD", "objects", "refs"})
BUILD_OUTPUTS = frozenset(
    {
        "build", "dist", "out", "target", "_build", "obj", ".tox", ".nox", ".eggs", ".next", ".nuxt",
        ".output", ".svelte-kit", ".gradle", ".build",
    }
)  # fmt: skip
BUILD_PATTERNS = ("*.egg-info", "cmake-build-*", "bazel-*")
NEXT_CACHE = (".next", "cache")
"""The one part of a build output that is a cache and may go."""
TRASH_FOLDER = ".aim-trash"
_ALWAYS = REPOSITORIES | INSTALLED | ENVIRONMENTS
_BELOW = REPOSITORIES | INSTALLED


def what_is(name: str) -> str | None:
    """Say what a folder of this name is that nobody may touch, None for any other."""
    if name in REPOSITORIES:
        return "a repository's own folder"
    if name in INSTALLED:
        return "a folder of installed packages"
    if name in ENVIRONMENTS:
        return "a virtual environment"
    if name in BUILD_OUTPUTS or any(fnmatchcase(name, pattern) for pattern in BUILD_PATTERNS):
        return "a build output"
    return "a trash folder" if name == TRASH_FOLDER else None


def marks(names: Collection[str]) -> str | None:
    """Say what the names in a folder make it that nobody may touch, None for any other."""
    if not ENVIRONMENT_MARKS.isdisjoint(names):
        return "a virtual environment"
    return "a bare repository" if set(names) >= BARE_REPOSITORY else None


class Guard:
    """Says why a path may not be touched.

    `anchor` gives the folder below which names of build outputs count: the top of the checkout that
    a path lies in. `tracked` tells whether git tracks a path or something below it. `kept` are
    folders that must not go, nor anything that holds them.
    """

    def __init__(
        self,
        *,
        tracked: Callable[[Path], bool],
        anchor: Callable[[Path], Path | None],
        kept: Iterable[Path] = (),
    ) -> None:
        self._tracked = tracked
        self._anchor = anchor
        self._kept = tuple(Path(os.path.realpath(path)) for path in kept)

    def refusal(self, path: Path, root: Path) -> str | None:
        """Return why a path found below `root` may not be touched, None when it may.

        Looks at the file system as it is now. Raises GitError, ToolMissingError when git cannot say.
        """
        where = Path(os.path.realpath(path.parent), path.name)
        if where != path or path.is_symlink():
            return "a link is in the way"
        if path == root or not path.is_relative_to(root):
            return "it is not below the scanned folder"
        return (
            self._by_place(path, root)
            or self._by_content(path)
            or ("git tracks it, or something in it" if self._tracked(path) else None)
        )

    def _by_place(self, path: Path, root: Path) -> str | None:
        """Judge the folders that a path lies in."""
        for kept in self._kept:
            if kept == path or kept.is_relative_to(path):
                return f"{kept} lies there"
        top = self._anchor(path.parent)
        anchor = top if top is not None else root.parent
        for folder in (path, *path.parents):
            what = _what_names_say(folder, path, anchored=anchor in folder.parents)
            what = what or marks(_names(folder))
            if what is not None:
                return f"{folder} is {what}" if folder == path else f"it lies in {what}: {folder}"
        return None

    def _by_content(self, path: Path) -> str | None:
        """Judge what lies below a folder, mounted file systems included."""
        device = path.lstat().st_dev
        for place, folders, files in os.walk(path):
            for name in folders:
                inner = Path(place, name)
                if name in _BELOW or inner.lstat().st_dev != device:
                    return f"{inner} lies in it"
            what = marks((*folders, *files)) or (".git" in files and "a checkout")
            if what:
                return f"{what} lies in it: {place}"
        return None


def _what_names_say(folder: Path, path: Path, *, anchored: bool) -> str | None:
    """Judge a folder by its name, the names of build outputs only where `anchored`."""
    what = what_is(folder.name)
    if what is None or (folder.name not in _ALWAYS and not anchored):
        return None
    return None if is_next_cache(folder, path) else what


def is_next_cache(folder: PurePath, path: PurePath) -> bool:
    """Tell whether `folder` is a build output of Next.js and `path` its cache, or in it."""
    name, cache = NEXT_CACHE
    return folder.name == name and path.is_relative_to(folder / cache)


def _names(folder: Path) -> Sequence[str]:
    try:
        return os.listdir(folder) if folder.is_dir() else ()  # noqa: PTH208 - names are enough
    except OSError:  # not ours to read; then we cannot move anything out of it either
        return ()
