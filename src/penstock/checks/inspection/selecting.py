"""From what the user names to the files that are checked, and a clear word on all others."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from penstock.checks.api import Place
from penstock.checks.inspection.project import walk

MAX_FILE_BYTES = 10_000_000
"""Bytes of one file; larger ones are data, and tools would take minutes for them."""
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What to check, relative to the tree, sorted and each only once; and what not, with reasons.

    `unusable` were named, and are not there, no file or folder, or outside of the root: a
    mistake in the command. `refused` are files that could not be judged. `skipped` were found in
    a folder and are no matter for checkers. `listing` are all files of the project.
    """

    files: tuple[str, ...] = ()
    unusable: tuple[tuple[str, str], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    listing: tuple[str, ...] = ()


class _Unusable(Exception):  # noqa: N818 - a verdict on its way up, not a fault
    """A named path is a mistake."""


class _Refused(Exception):  # noqa: N818 - the same
    """A file cannot be judged."""


class _Skipped(Exception):  # noqa: N818 - the same
    """A file is no matter for checkers, unless it was named."""


def select(place: Place, start: Path, paths: Sequence[str], *, listing: Sequence[str]) -> Selection:
    """Return the files that `paths` mean, seen from the folder `start`; without any, all of them.

    A folder stands for the files of `listing` in it, or for what lies there when that has none
    (a folder that git ignores). A link stands for its target. Never raises for what lies in the
    tree.
    """
    return _Selecting(place, listing).run(start, paths)


def is_plain(name: str) -> bool:
    """Tell whether a name can be given to tools and printed: UTF-8 without control characters."""
    return _UNPRINTABLE.search(name) is None


def shown(name: str) -> str:
    """Return a name as one printable line: bytes and characters that are not, escaped."""
    return _UNPRINTABLE.sub(lambda found: _escaped(found[0]), name)


class _Selecting:
    def __init__(self, place: Place, listing: Sequence[str]) -> None:
        self._tree = os.fspath(place.tree)
        self._outside = f"it lies outside of {place.root}"
        self._leads_out = f"it is a link that leads out of {place.root}"
        self._listing = listing
        self._files: dict[str, None] = {}
        self._told: dict[type[Exception], dict[str, str]] = {
            _Unusable: {},
            _Refused: {},
            _Skipped: {},
        }

    def run(self, start: Path, paths: Sequence[str]) -> Selection:
        if not paths:
            self._take_found(self._listing)
        for path in paths:
            self._take_named(os.fspath(start), path)
        told = {kind: tuple(sorted(reasons.items())) for kind, reasons in self._told.items()}
        return Selection(
            files=tuple(sorted(self._files)),
            unusable=told[_Unusable],
            refused=told[_Refused],
            skipped=told[_Skipped],
            listing=tuple(self._listing),
        )

    def _take_named(self, start: str, said: str) -> None:
        """Take what the user has named; it is told of in the words that he used."""
        try:
            real, status = self._named(start, said)
            if stat.S_ISDIR(status.st_mode):
                self._take_folder(real)
            else:
                name = self._relative(real)
                self._judge(real, name, status)
                self._files[name] = None
        except _Skipped as verdict:
            self._tell(_Refused, said, verdict)
        except (_Unusable, _Refused) as verdict:
            self._tell(type(verdict), said, verdict)

    def _named(self, start: str, said: str) -> tuple[str, os.stat_result]:
        if not said or not _can_be_a_name(said):
            raise _Unusable("no file can have such a name")
        path = said if said.startswith(os.sep) else f"{start}{os.sep}{said}"
        above, last = os.path.split(path.rstrip(os.sep) or os.sep)
        if not self._holds(os.path.normpath(f"{os.path.realpath(above)}{os.sep}{last}")):
            raise _Unusable(self._outside)
        status = _status(path)
        real = os.path.realpath(path)
        if not self._holds(real):
            raise _Refused(self._leads_out)
        return real, status

    def _take_folder(self, real: str) -> None:
        if not os.access(real, os.R_OK | os.X_OK):
            raise _Refused("it cannot be listed: permission denied")
        prefix = "" if real == self._tree else self._relative(real) + "/"
        listed = [name for name in self._listing if name.startswith(prefix)]
        self._take_found(listed or [prefix + name for name in walk(Path(real))])

    def _take_found(self, names: Iterable[str]) -> None:
        """Take files that lie in a folder; a link there stands for nothing that is not listed itself."""
        for name in names:
            path = f"{self._tree}/{name}"
            try:
                status = os.lstat(path)
                if stat.S_ISLNK(status.st_mode):
                    self._look_through(path)
                    continue
                self._judge(path, name, status)
                self._files[name] = None
            except FileNotFoundError:  # it went while we looked: no longer part of the project
                continue
            except OSError as error:
                self._tell(_Refused, name, _why(path, error))
            except (_Refused, _Skipped) as verdict:
                self._tell(type(verdict), name, verdict)

    def _look_through(self, path: str) -> None:
        if not self._holds(os.path.realpath(path)):
            raise _Skipped(self._leads_out)

    def _judge(self, path: str, name: str, status: os.stat_result) -> None:
        """Raise _Refused or _Skipped for a file that tools cannot or should not be given."""
        if not is_plain(name):
            raise _Skipped("tools cannot be given a name with control characters or invalid UTF-8")
        if status.st_size > MAX_FILE_BYTES:
            size, limit = status.st_size / 1e6, MAX_FILE_BYTES / 1e6
            raise _Skipped(f"it is too large: {size:,.1f} MB, the limit is {limit:g} MB")
        if not os.access(path, os.R_OK):
            raise _Refused("it cannot be read: permission denied")

    def _relative(self, real: str) -> str:
        return real[len(self._tree.rstrip(os.sep)) + 1 :].replace(os.sep, "/")

    def _holds(self, path: str) -> bool:
        return path == self._tree or path.startswith(self._tree.rstrip(os.sep) + os.sep)

    def _tell(self, kind: type[Exception], name: str, verdict: Exception) -> None:
        self._told[kind].setdefault(shown(name), str(verdict))


def _status(path: str) -> os.stat_result:
    """Look at a path, links followed; raises _Unusable or _Refused for what is no file or folder."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path for each file is slow
    except OSError as error:
        raise _why(path, error) from error
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise _Unusable(f"it is neither a file nor a folder but {_kind(status.st_mode)}")
    return status


def _can_be_a_name(path: str) -> bool:
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def _why(path: str, error: OSError) -> Exception:
    if error.errno == errno.ELOOP:
        return _Refused("it is a link in a loop of links")
    if error.errno in (errno.EACCES, errno.EPERM):
        return _Refused("it cannot be looked at: permission denied")
    if error.errno == errno.ENAMETOOLONG:
        return _Unusable("its name is too long for any file")
    if Path(path).is_symlink():
        return _Refused(f"it is a link to {shown(str(Path(path).readlink()))}, which is not there")
    return _Unusable("there is no such file or folder")


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
