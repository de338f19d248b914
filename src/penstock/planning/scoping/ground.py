"""The repository's paths, ready to be asked what a written path means among them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from enum import Enum
from functools import cached_property
from heapq import nsmallest
from itertools import islice
from typing import NamedTuple

from penstock.schedule.glob import WILDCARD
from penstock.schedule.scope import ScopeMatcher, nfc

MAX_CANDIDATES = 5
"""So many paths are told where a name may be any of them."""
_NEAR_LOOKED_AT = 1000
_NEAR_COMPARED = 12
_MOST_NEAR = 1000
_LEAST_LIKENESS = 0.72


class Match(Enum):
    """How a written path was found in the repository."""

    FILE = "file"
    FOLDER = "folder"
    GLOB = "glob"
    CASE = "case"
    TAIL = "tail"
    NAME = "name"
    PLAN = "plan"
    SEVERAL = "several"
    NONE = "none"


class Found(NamedTuple):
    """What a written path means: one path, or candidates where it may be any of several."""

    match: Match
    paths: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The path, where it is one."""
        return self.paths[0]


_NOTHING = Found(Match.NONE)


class Ground:
    """The files of a repository and the folders that hold them.

    Files below `aside` (a plan's own folders, without slash at the end) are found by their whole
    path only: `tasks.md` in a task is seldom the task list that it stands in.
    """

    def __init__(self, files: Iterable[str], aside: Sequence[str] = ()) -> None:
        self.files = frozenset(files)
        self._aside = tuple(folder + "/" for folder in aside if folder not in ("", "."))
        self._found: dict[str, Found] = {}
        self._near: dict[str, tuple[str, ...]] = {}

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders that hold a file, without slash at the end."""
        known: set[str] = set()
        for path in self.files:
            folder = path.rpartition("/")[0]
            while folder and folder not in known:
                known.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(known)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _named(path for path in self.files if not path.startswith(self._aside))

    @cached_property
    def _plan_by_name(self) -> dict[str, list[str]]:
        return _named(path for path in self.files if path.startswith(self._aside))

    @cached_property
    def _folders_by_name(self) -> dict[str, list[str]]:
        return _named(path for path in self.folders if not f"{path}/".startswith(self._aside))

    @cached_property
    def _pieces(self) -> dict[str, list[str]]:
        """Names of files by the runs of three characters that they hold."""
        pieces: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self._by_name):
            for piece in _runs(name):
                pieces[piece].append(name)
        return pieces

    def has(self, path: str) -> bool:
        """Tell whether a file, or a folder with or without its slash, is there."""
        return path in self.files or path.rstrip("/") in self.folders

    def find(self, text: str) -> Found:
        """Return what a relative path, folder, glob or bare name means here."""
        if text not in self._found:
            self._found[text] = self._find(text)
        return self._found[text]

    def _find(self, text: str) -> Found:
        text = nfc(text)
        name = text.rstrip("/")
        if not text.endswith("/") and text in self.files:
            return Found(Match.FILE, (text,))
        if name in self.folders:
            return Found(Match.FOLDER, (name + "/",))
        if WILDCARD.search(text) and (pattern := self._glob(text)):
            return pattern
        if text.endswith("/"):
            return self._folder_tail(name)
        found = self._tail(text)
        return found if found.match is not Match.NONE else self._in_plan(text)

    def _glob(self, text: str) -> Found | None:
        """Return a glob that at least one file matches, anywhere when it names no folder."""
        claims = [text] if "/" in text else [text, f"**/{text}"]
        for claim in claims:
            try:
                matcher = ScopeMatcher([claim])
            except ValueError:
                return None
            if any(matcher.allows(path) for path in self._below(claim)):
                return Found(Match.GLOB, (claim,))
        return None

    def _below(self, claim: str) -> Iterable[str]:
        fixed = claim[: found.start()] if (found := WILDCARD.search(claim)) else claim
        return (path for path in self.files if path.startswith(fixed))

    def _folder_tail(self, name: str) -> Found:
        known = self._folders_by_name.get(name.rpartition("/")[2].casefold(), ())
        fitting = [path + "/" for path in known if path.endswith("/" + name)]
        return _one_of(fitting, Match.TAIL)

    def _tail(self, text: str) -> Found:
        """Return the file whose path ends with a text, or is it but for capitals."""
        folder, _, name = text.rpartition("/")
        known = self._by_name.get(name.casefold(), ())
        exact = [path for path in known if path.endswith("/" + text)]
        if exact or not folder:
            lone = exact or list(known) or self._with_extension(text)
            return _one_of(lone, Match.TAIL if folder else Match.NAME)
        low = text.casefold()
        loose = [path for path in known if path.casefold() == low]
        return _one_of(loose, Match.CASE)

    def _with_extension(self, name: str) -> list[str]:
        """Return the files at the top that a name without extension is short for."""
        if "." in name:
            return []
        return [path for path in self.files if path.startswith(f"{name}.") and "/" not in path]

    def _in_plan(self, text: str) -> Found:
        """Return a file of the plan itself whose path ends with a text."""
        known = self._plan_by_name.get(text.rpartition("/")[2].casefold(), ())
        fitting = [path for path in known if path.endswith("/" + text)]
        return Found(Match.PLAN, (fitting[0],)) if fitting else _NOTHING

    def near(self, text: str) -> tuple[str, ...]:
        """Return up to three paths whose names are like that of a path which is not there; none for
        the thousandth such path of a plan."""
        if text not in self._near:
            if len(self._near) >= _MOST_NEAR:
                return ()
            self._near[text] = self._likely(text)
        return self._near[text]

    def _likely(self, text: str) -> tuple[str, ...]:
        name = text.rstrip("/").rpartition("/")[2].casefold()
        low = text.casefold()
        rated = [
            (-SequenceMatcher(None, low, path.casefold()).ratio(), path)
            for other in self._alike(name)
            if SequenceMatcher(None, name, other).ratio() >= _LEAST_LIKENESS
            for path in islice(self._by_name[other], MAX_CANDIDATES)
        ]
        return tuple(path for _, path in sorted(rated)[:3])

    def _alike(self, name: str) -> list[str]:
        """Return the names that share most of their runs of characters with one, the rarest runs
        looked at first and not too many of the names that hold one."""
        wanted = _runs(name)
        shared: defaultdict[str, int] = defaultdict(int)
        looked_at = 0
        rarest = sorted((len(self._pieces[p]), p) for p in wanted if p in self._pieces)
        for holders in (self._pieces[piece] for _, piece in rarest):
            if looked_at > 0 and looked_at + len(holders) > _NEAR_LOOKED_AT:
                break
            looked_at += len(holders)
            for other in islice(holders, _NEAR_LOOKED_AT):
                shared[other] += 1
        return nsmallest(
            _NEAR_COMPARED,
            shared,
            key=lambda other: (-2 * shared[other] / (len(wanted) + max(len(other) - 2, 1)), other),
        )


def _runs(name: str) -> set[str]:
    """Return the runs of three characters of a name, itself when it is shorter."""
    return {name[at : at + 3] for at in range(max(len(name) - 2, 1))}


def _named(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return sorted paths by the last part of each, without regard to capitals."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(paths):
        names[path.rpartition("/")[2].casefold()].append(path)
    return names


def _one_of(paths: list[str], match: Match) -> Found:
    """Return the only path, or all of them as candidates."""
    if not paths:
        return _NOTHING
    return Found(match if len(paths) == 1 else Match.SEVERAL, tuple(sorted(paths)))
