"""The documents below a folder, in a stable order, whatever links and strange files lie there."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import msgspec

from penstock.errors import NotFoundError
from penstock.planning.files import reason
from penstock.planning.sources.api import Notice, Place, Severity

ENDINGS = (".md", ".txt")
GIT = ".git"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A file to read: `name` as people name it."""

    name: str
    path: Path


class Documents(msgspec.Struct, frozen=True, kw_only=True):
    """The documents in the order of their names, and what could not be listed or followed."""

    files: tuple[Document, ...]
    notices: tuple[Notice, ...] = ()


def documents(folder: Path, *, root: Path, skip: Collection[str] = ()) -> Documents:
    """Return the Markdown and text files below a folder, hidden ones too, but nothing of git's own.

    Names count from `root` where they lie in it. `skip` are paths from there to leave out. A link
    is followed where it leads to something within `root` or the folder itself that is not there
    already. Raises NotFoundError when there is no such folder.
    """
    if not folder.is_dir():
        raise NotFoundError(
            f"there is no folder {folder}",
            hint="name the folder of your documents: --docs-dir DIR",
        )
    return _Walk(folder, root, skip).run()


class _Walk:
    """One walk: what really lies there comes first, then what links lead to and was not yet seen."""

    def __init__(self, folder: Path, root: Path, skip: Collection[str]) -> None:
        self._root = root
        self._homes = (Path(os.path.realpath(root)), Path(os.path.realpath(folder)))
        self._skip = frozenset(path.strip("/") for path in skip)
        self._seen: set[str] = set()
        self._links: list[Path] = []
        self._files: list[Document] = []
        self._notices: list[Notice] = []
        self._todo = [folder]

    def run(self) -> Documents:
        """Walk to the end."""
        while self._todo or self._links:
            if self._todo:
                self._list(self._todo.pop())
            else:  # in the order of their names, so that of two to one place the same one counts
                self._links.sort(reverse=True)
                self._follow(self._links.pop())
        return Documents(
            files=tuple(sorted(self._files, key=lambda each: each.name)),
            notices=tuple(sorted(self._notices, key=lambda each: str(each.place))),
        )

    def _list(self, folder: Path) -> None:
        """Take the files of a folder and remember its folders and links."""
        real = os.path.realpath(folder)
        if real in self._seen:
            return
        self._seen.add(real)
        try:
            with os.scandir(folder) as entries:
                found = list(entries)
        except OSError as error:
            self._note(folder, "unreadable", f"the folder cannot be listed: {reason(error)}")
            return
        inside = self._name(folder)
        start = "" if inside == "." else f"{inside}/"
        for entry in found:
            self._take(folder, entry, start + entry.name)

    def _take(self, folder: Path, entry: os.DirEntry[str], name: str) -> None:
        if entry.is_symlink():
            self._links.append(folder / entry.name)
        elif entry.is_dir(follow_symlinks=False):
            self._go_into(folder / entry.name, name)
        elif entry.name.lower().endswith(ENDINGS):
            self._files.append(Document(name=name, path=folder / entry.name))

    def _go_into(self, folder: Path, name: str) -> None:
        if folder.name != GIT and name not in self._skip:
            self._todo.append(folder)

    def _follow(self, link: Path) -> None:
        """Take what a link leads to, if it is new and ours to read."""
        real = Path(os.path.realpath(link))
        named = link.name.lower().endswith(ENDINGS)
        if not real.exists():
            if named:
                self._note(link, "broken-link", "the link leads nowhere, or in a circle")
        elif not any(real.is_relative_to(home) for home in self._homes):
            if named or real.is_dir():
                self._note(link, "link-outside", "the link leads out of the repository")
        elif real.is_dir():
            self._go_into(link, self._name(link))
        elif named and not self._known(real):
            self._files.append(Document(name=self._name(link), path=link))

    def _known(self, real: Path) -> bool:
        """Tell whether a file is read under its own name or by another link."""
        seen = str(real) in self._seen
        self._seen.add(str(real))
        return seen or (str(real.parent) in self._seen and real.name.lower().endswith(ENDINGS))

    def _name(self, path: Path) -> str:
        inside = path.is_relative_to(self._root)
        return (path.relative_to(self._root) if inside else path).as_posix()

    def _note(self, path: Path, code: str, text: str) -> None:
        place = Place(self._name(path), 1)
        notice = Notice(code=code, severity=Severity.WARNING, text=text, place=place)
        self._notices.append(notice)
