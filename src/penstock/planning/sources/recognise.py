"""Finds the plans that words on a command line mean, by their shape."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from penstock.errors import NotFoundError, UsageError
from penstock.planning.sources import layouts
from penstock.planning.sources.api import Dialect

STANDARD_INPUT: Final = "-"
_TEXTS: Final = frozenset(
    {".md", ".markdown", ".mdown", ".mdx", ".txt", ".text", ".rst", ".org", ""}
)
_MAX_LISTED: Final = 20


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was found and not read yet.

    `path` is the directory of a change, epic or feature, a tasks.json or a text file. `name` is what
    people call it: its path from the top of the repository, `-` for standard input, of which `raw`
    holds the bytes. `tag` is that of task-master, None for the current one.
    """

    dialect: Dialect
    path: Path
    name: str
    tag: str | None = None
    raw: bytes | None = None


def locate(
    words: Sequence[str],
    start: Path,
    root: Path,
    *,
    tag: str | None = None,
    stdin: Callable[[], bytes],
) -> tuple[Located, ...]:
    """Return the plans that words mean, each once, in order.

    A word is `-` (a checklist on standard input), a path from `start` or from the top of the
    repository `root`, or a name: the id of an OpenSpec change, an epic, a number or slug of a
    spec-kit feature, `tag/NAME` of task-master. `openspec`, `openspec/changes`, `specs` and
    `.claude/epics` mean all that is not archived in them.
    Raises NotFoundError for what is not found, UsageError for what is ambiguous or no plan.
    """
    finder = _Finder(Path(os.path.realpath(start)), Path(os.path.realpath(root)), tag)
    found: dict[tuple[Dialect, Path, str | None], Located] = {}
    for word in words:
        located = [_standard_input(stdin)] if word == STANDARD_INPUT else finder.find(word)
        for each in located:
            found.setdefault((each.dialect, each.path, each.tag), each)
    if tag is not None and not any(each.dialect is Dialect.TASK_MASTER for each in found.values()):
        raise UsageError(
            f"the tag {tag} chooses among the tasks of a tasks.json, and none is named",
            hint="name the tasks.json of task-master, or leave --tag out",
        )
    return tuple(found.values())


def available(root: Path) -> tuple[Located, ...]:
    """Return the plans that a repository holds and that are not archived."""
    top = Path(os.path.realpath(root))
    return tuple(_located(each, top) for each in layouts.plans(top))


def display_name(path: Path, root: Path) -> str:
    """Return a path as people name it: from the top of the repository, with slashes."""
    return Path(os.path.relpath(path, root)).as_posix()


def _located(found: layouts.Found, root: Path, tag: str | None = None) -> Located:
    chosen = tag if found.dialect is Dialect.TASK_MASTER else None
    name = display_name(found.path, root)
    return Located(dialect=found.dialect, path=found.path, name=name, tag=chosen)


def _standard_input(stdin: Callable[[], bytes]) -> Located:
    path = Path(STANDARD_INPUT)
    return Located(dialect=Dialect.CHECKLIST, path=path, name=STANDARD_INPUT, raw=stdin())


class _Finder:
    """Looks words up, first as paths, then as names."""

    def __init__(self, start: Path, root: Path, tag: str | None) -> None:
        self._start = start
        self._root = root
        self._tag = tag

    def find(self, word: str) -> list[Located]:
        """Return what a word means. Raises NotFoundError, UsageError."""
        if not word.strip() or "\0" in word:
            raise UsageError("a source without a name", hint=self._hint())
        path = self._path(word)
        found = self._of_path(path, word) if path else []
        found = found or self._of_name(word)
        if found:
            return found
        if path is not None:
            raise UsageError(f"{word} holds no plan that is read here", hint=self._hint())
        raise NotFoundError(f"there is no plan {word}", hint=self._hint(word))

    def _path(self, word: str) -> Path | None:
        """Return the path that a word is, None when there is none."""
        bases = dict.fromkeys((self._start, self._root))
        tries = (Path(os.path.realpath(base / Path(word).expanduser())) for base in bases)
        return next((path for path in tries if os.path.lexists(path)), None)

    def _of_path(self, path: Path, word: str) -> list[Located]:
        if path.is_dir():
            return [self._made(each) for each in layouts.inside(path)]
        if not path.is_file():
            raise UsageError(f"{word} is no regular file and no directory", hint=self._hint())
        found = layouts.owner(path)
        if found is None and path.suffix.lower() in _TEXTS:
            found = layouts.Found(Dialect.CHECKLIST, path)
        return [self._made(found)] if found else []

    def _made(self, found: layouts.Found, tag: str | None = None) -> Located:
        return _located(found, self._root, tag or self._tag)

    def _of_name(self, word: str) -> list[Located]:
        """Return the one plan with a name, those that are not archived first."""
        kind, _, rest = word.partition("/")
        if kind == "tag" and rest:
            return [self._made(each, rest) for each in self._everywhere(layouts.task_lists)][:1]
        for within in (self._current, self._archived):
            found = list(dict.fromkeys(each for each in within() if word in each.names))
            if len(found) > 1:
                self._refuse(word, found)
            if found:
                return [self._made(found[0])]
        return []

    def _refuse(self, word: str, found: Sequence[layouts.Found]) -> None:
        names = [f"{self._made(each).name} ({each.dialect})" for each in found]
        raise UsageError(
            f"{word} may mean {' or '.join(names)}", hint="name the one that is meant by its path"
        )

    def _current(self) -> Iterator[layouts.Found]:
        yield from self._everywhere(layouts.plans)

    def _archived(self) -> Iterator[layouts.Found]:
        yield from self._everywhere(lambda base: layouts.archived_changes(base / "openspec"))
        yield from self._everywhere(lambda base: layouts.archived_epics(base / ".claude"))

    def _everywhere(
        self, look: Callable[[Path], Iterable[layouts.Found]]
    ) -> Iterator[layouts.Found]:
        """Look in the folders from `start` up to the top of the repository."""
        above = [self._start, *self._start.parents]
        inside = [each for each in above if each.is_relative_to(self._root)] or [self._root]
        for base in inside:
            yield from look(base)

    def _hint(self, word: str | None = None) -> str:
        """Say what there is, and what was perhaps meant."""
        named = {name: each for each in self._current() for name in (*each.names[:1],)}
        names = [self._made(each).name for each in self._current()]
        if not names:
            return (
                "a source is an OpenSpec change, a CCPM epic, a spec-kit specs/NNN-name, a "
                "task-master tasks.json, a Markdown file or - (standard input); there is none of "
                "them in this repository"
            )
        near = difflib.get_close_matches(word or "", [*named, *names], n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
        return f"{meant}there are: {', '.join(names[:_MAX_LISTED])}{more}"
