"""Moving a file or folder to another place on the same file system, so that nothing is copied."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class NotMovedError(Exception):
    """Something stays where it is; the text says why."""


def move(source: Path, target: Path, expected: tuple[int, int] | None = None) -> None:
    """Move `source` to `target`, whose folder exists and which itself does not.

    `expected` is the device and inode that `source` must still have. The folder that it lies in is
    held open meanwhile, and reached through no link. A folder that the file system renames only
    piece by piece (overlayfs, for one) is moved so; when that breaks off, what is where can be seen,
    and moving back mends it. Raises NotMovedError.
    """
    try:
        parent = os.open(source.parent, _FOLDER)
    except OSError as error:
        raise NotMovedError(_words(error)) from error
    try:
        if os.path.realpath(source.parent) != os.fspath(source.parent):
            raise NotMovedError("a link is in the way")
        found = os.lstat(source.name, dir_fd=parent)
        if expected is not None and (found.st_dev, found.st_ino) != expected:
            raise NotMovedError("it is not what was found there any more")
        if os.path.lexists(target):
            raise NotMovedError(f"{target} is there already")
        _rename(source, target, parent)
    except OSError as error:
        raise NotMovedError(_words(error)) from error
    finally:
        os.close(parent)


def _rename(source: Path, target: Path, parent: int) -> None:
    try:
        os.rename(source.name, target, src_dir_fd=parent)
    except OSError as error:
        if error.errno != errno.EXDEV or not source.is_dir() or source.is_symlink():
            raise
        if source.lstat().st_dev != target.parent.stat().st_dev:
            raise
        move_pieces(source, target)


def move_pieces(source: Path, target: Path) -> list[Path]:
    """Move a folder's files one by one into `target`, which may be there; remove what is empty then.

    A file that is there already is left where it is; the paths of such files are returned. Raises
    OSError.
    """
    left: list[Path] = []
    target.mkdir(mode=0o700, exist_ok=True)
    for entry in sorted(source.iterdir()):
        there = target / entry.name
        if entry.is_dir() and not entry.is_symlink() and _takes_folder(there):
            left += move_pieces(entry, there)
        elif os.path.lexists(there):
            left.append(entry)
        else:
            entry.rename(there)
    with suppress(OSError):  # its tool has written there meanwhile, or something was left
        target.chmod(source.stat().st_mode & 0o7777)
    if not left:
        source.rmdir()
    return left


def _takes_folder(place: Path) -> bool:
    return not os.path.lexists(place) or (place.is_dir() and not place.is_symlink())


def _words(error: OSError) -> str:
    if error.errno == errno.EXDEV:
        return "it is on another file system than the trash"
    return error.strerror or str(error)
