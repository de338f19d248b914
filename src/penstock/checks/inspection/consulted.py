"""The configuration that a plugin consults for a file: what is there, and what that names in turn.

Every folder from the file's up to the root of the file system is looked into. What is absent counts by
being absent: a file that is made later is found then. Folders are looked into once, and the digest
of one builds on that of the folder above it, so a file costs no more than a look-up. Paths are texts
here, for a Path costs more than the look at what lies there.
"""
# ruff: noqa: PTH110, PTH111, PTH112, PTH113, PTH118, PTH119, PTH120, PTH123, PTH202, PTH207, PTH208

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import NamedTuple

from penstock.checks.inspection.contents import Contents, digest_of
from penstock.checks.inspection.elsewhere import files_below, statuses_outside
from penstock.checks.inspection.naming import named_in
from penstock.model.manifest import Manifest

MAX_DEPTH = 4
"""How far a configuration that is named by another is followed."""
MAX_NAMED = 200
_LARGEST = 1 << 20
_ENDINGS = ("", ".py", ".js", ".cjs", ".mjs", ".ts", ".json", ".yml", ".yaml", ".toml")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_MAGIC = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """The names that a plugin looks for in each folder, and at fixed places. `words` are what its
    tables are called in files that tools share."""

    exact: frozenset[str]
    deep: tuple[str, ...]
    patterns: re.Pattern[str] | None
    fixed: tuple[str, ...]
    words: tuple[str, ...]


class Found(NamedTuple):
    """What one folder adds: labels with digests, and the folders that are named there."""

    lines: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    configured: bool = False


def wanted_by(manifest: Manifest) -> Wanted:
    """Return what a plugin consults, by its manifest."""
    tool = manifest.tool
    names = list(manifest.depends.config_files)
    words = [manifest.plugin_id]
    if tool is not None:
        names += [name.partition("#")[0] for name in tool.needs_config]
        words += [tool.command, tool.distribution or "", tool.package or ""]
    plain = [name for name in names if not _MAGIC.search(name)]
    magic = [name for name in names if _MAGIC.search(name)]
    shallow = [translate(name) for name in magic if "/" not in name]
    return Wanted(
        frozenset(name for name in plain if "/" not in name),
        tuple(dict.fromkeys(name for name in (*plain, *magic) if "/" in name)),
        re.compile("|".join(shallow)) if shallow else None,
        tuple(_user_file(name) for name in manifest.depends.user_config_files),
        tuple(dict.fromkeys(os.path.basename(w).lower() for w in words if w)),
    )


def _user_file(name: str) -> str:
    """Return where a user's file lies; `~/.config` is wherever the user has put that."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if base.startswith("/") and name.startswith("~/.config/"):
        return os.path.join(base, name[len("~/.config/") :])
    return os.path.expanduser(name)


class Consulted:
    """The configurations of one tree at one moment; `root` is the repository that it belongs to."""

    def __init__(self, tree: str, root: str, contents: Contents) -> None:
        self._tree = tree
        self._root = root
        self._contents = contents
        self._names: dict[str, frozenset[str]] = {}
        self._found: dict[tuple[Wanted, str], Found] = {}
        self._digests: dict[tuple[Wanted, str], str] = {}

    def digest(self, wanted: Wanted, folder: str) -> str:
        """Return the digest of all that is consulted for files in a folder (relative to the tree)."""
        known = self._digests.get((wanted, folder))
        if known is None:
            known = self._digests.get((wanted, "")) or self._beyond(wanted)
            for inner in _downwards(folder):
                known = self._digest_below(known, wanted, inner)
        return known

    def _digest_below(self, above: str, wanted: Wanted, folder: str) -> str:
        """Return the digest for a folder, by that of the folder above."""
        known = self._digests.get((wanted, folder))
        if known is None:
            lines = self._in(wanted, self._absolute(folder)).lines
            known = self._digests[wanted, folder] = digest_of(above, *lines) if lines else above
        return known

    def roots(self, wanted: Wanted, folder: str) -> tuple[str, ...]:
        """Return the folders (absolute) from which a tool may look for modules: the tree, those
        with a configuration, those that one names; the innermost last, each followed by its src."""
        places = [self._tree]
        for inner in _downwards(folder):
            found = self._in(wanted, self._absolute(inner))
            places += [self._absolute(inner)] if found.configured else []
            places += found.folders
        return tuple(dict.fromkeys(p for place in places for p in (place, f"{place}/src")))

    def names_in(self, folder: str) -> frozenset[str]:
        """Return the names in a folder (absolute path), none when it cannot be read."""
        known = self._names.get(folder)
        if known is None:
            try:
                known = frozenset(os.listdir(folder))
            except OSError:
                known = frozenset()
            self._names[folder] = known
        return known

    # -- one folder ------------------------------------------------------------------------------
    def _absolute(self, folder: str) -> str:
        return f"{self._tree}/{folder}" if folder else self._tree

    def _in(self, wanted: Wanted, folder: str) -> Found:
        """Return what lies in a folder of the tree."""
        known = self._found.get((wanted, folder))
        if known is None:
            names = self.names_in(folder)
            hits = [name for name in names if _is_wanted(name, wanted)]
            hits += self._deep(wanted, folder)
            known = self._followed([f"{folder}/{name}" for name in sorted(hits)], wanted)
            self._found[wanted, folder] = known
        return known

    def _deep(self, wanted: Wanted, folder: str) -> Iterator[str]:
        """Yield what lies at a longer path below a folder; patterns hold from the tree's top."""
        for name in wanted.deep:
            if _MAGIC.search(name):
                yield from self._matching(name) if folder == self._tree else ()
            elif name.partition("/")[0] in self.names_in(folder) and _is_there(f"{folder}/{name}"):
                yield name

    def _matching(self, pattern: str) -> list[str]:
        from glob import glob  # patterns of whole paths are rare

        return glob(pattern, root_dir=self._tree, recursive=True)

    def _beyond(self, wanted: Wanted) -> str:
        """Return the digest of what lies above the tree and in the user's own places.

        A tree may lie within its repository (a worktree, what is staged), where tools would find
        what the repository holds. What that shares with the tree says nothing more, and is left
        out: so both share their results.
        """
        lines: list[str] = []
        levels = {"within": 0, "above": 0}
        folder = self._tree
        while folder != (folder := os.path.dirname(folder)):
            where = "within" if f"{folder}/".startswith(f"{self._root}/") else "above"
            levels[where] += 1
            for path in self._paths_in(folder, wanted):
                if where == "above" or not self._is_twin(path, folder, wanted):
                    lines += [f"{where} {levels[where]}", *self._followed([path], wanted).lines]
        there = [path for path in wanted.fixed if os.path.lexists(path)]
        return digest_of(*lines, *self._followed(there, wanted).lines)

    def _paths_in(self, folder: str, wanted: Wanted) -> list[str]:
        """Return what is wanted of a folder above the tree, which may be large."""
        names = [name for name in (*wanted.exact, *wanted.deep) if not _MAGIC.search(name)]
        hits = {name for name in names if os.path.lexists(os.path.join(folder, name))}
        if wanted.patterns is not None:
            hits.update(name for name in self.names_in(folder) if wanted.patterns.match(name))
        return [os.path.join(folder, name) for name in sorted(hits)]

    def _is_twin(self, path: str, folder: str, wanted: Wanted) -> bool:
        """Tell whether the tree has the same at its top, with the same in all that it names."""
        twin = self._tree + path[len(folder) :]
        if not os.path.lexists(twin):
            return False
        theirs = self._followed([path], wanted, base=folder)
        return theirs.lines == self._followed([twin], wanted).lines

    # -- following names -------------------------------------------------------------------------
    def _followed(self, paths: Sequence[str], wanted: Wanted, *, base: str | None = None) -> Found:
        """Return configurations, and what they name, to MAX_DEPTH, as seen from a folder (None: the
        tree)."""
        base = base or self._tree
        lines: list[str] = []
        folders: list[str] = []
        seen = set(paths)
        layer = list(paths)
        for depth in range(MAX_DEPTH + 1):
            following: list[str] = []
            for path in layer:
                lines += self._lines(path, base)
                if depth == MAX_DEPTH:
                    continue
                for named in self._named(path, wanted, base):
                    if named not in seen and len(seen) < MAX_NAMED:
                        seen.add(named)
                        (folders if os.path.isdir(named) else following).append(named)
            layer = following
        for folder in folders:
            lines += [f"names {_label(folder, base)}", *statuses_outside(folder, self._tree)]
        return Found(
            tuple(lines), tuple(f for f in folders if f.startswith(self._tree)), bool(paths)
        )

    def _lines(self, path: str, base: str) -> Iterator[str]:
        """Yield a configuration's place and digest; of a folder's files those of each."""
        if os.path.isdir(path):
            for inner in files_below(path):
                yield from (_label(inner, base), self._contents.digest(inner) or "unreadable")
        else:
            yield from (_label(path, base), self._contents.digest(path) or "unreadable")

    def _named(self, path: str, wanted: Wanted, base: str) -> Iterator[str]:
        """Yield the existing files and folders (absolute) that a configuration names."""
        data = self._text(path)
        if not data:
            return
        name, folder = os.path.basename(path), os.path.dirname(path)
        for word in named_in(name, data, wanted.words):
            for place in dict.fromkeys((folder, base)):
                found = self._resolved(word, place)
                if found not in (None, path):
                    yield found

    def _resolved(self, word: str, folder: str) -> str | None:
        """Return the file or folder that a word means from a folder, None when there is none."""
        if word.startswith("~"):
            word = os.path.expanduser(word)
        top = word.removeprefix("./").partition("/")[0]
        if not word.startswith(("/", "../")) and not self._may_be_in(top, folder):
            return None
        for ending in _ENDINGS:
            path = os.path.normpath(os.path.join(folder, word + ending))
            if _is_there(path) and path not in (folder, self._tree):
                return path
        if _MODULE.fullmatch(word):
            path = os.path.join(folder, word.replace(".", "/") + ".py")
            return path if _is_there(path) else None
        return None

    def _may_be_in(self, top: str, folder: str) -> bool:
        """Tell by the names in a folder whether a word that begins so can mean something there."""
        names = self.names_in(folder)
        if top in names or top.partition(".")[0] in names:
            return True
        return any(f"{top}{ending}" in names for ending in _ENDINGS)

    def _text(self, path: str) -> bytes:
        try:
            if os.path.isfile(path) and os.path.getsize(path) <= _LARGEST:
                with open(path, "rb") as stream:
                    return stream.read(_LARGEST)
        except OSError:
            pass  # counts as unreadable by its digest
        return b""


def _label(path: str, base: str) -> str:
    """Return what a path is called as seen from a folder: its name when it lies elsewhere."""
    return path[len(base) + 1 :] if path.startswith(f"{base}/") else os.path.basename(path)


def _is_wanted(name: str, wanted: Wanted) -> bool:
    if name in wanted.exact:
        return True
    return wanted.patterns is not None and wanted.patterns.match(name) is not None


def _is_there(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:
        return False


def _downwards(folder: str) -> Iterator[str]:
    """Yield the folders from the tree's top down to one."""
    yield ""
    parts = folder.split("/") if folder else []
    for count in range(len(parts)):
        yield "/".join(parts[: count + 1])
