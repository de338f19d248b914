"""Putting a changed file in the place of the one it was made from: whole, or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.checks.inspection.project import TEMPORARY_PREFIX
from penstock.checks.regular import open_regular

CHANGED_MEANWHILE = "it was changed meanwhile, so it was left as it is"
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_PIECE = 1 << 20


class Refusal(Exception):  # noqa: N818 - a verdict, not a fault
    """Why a file was left as it is."""


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A replacement to be: at `target` (absolute, no link) stands `before`, `after` is to stand
    there; `temporary` lies in the same folder and is ours."""

    target: str
    temporary: str
    before: bytes
    after: bytes


def swaps(changes: Sequence[tuple[str, bytes, bytes]], token: str) -> list[Swap]:
    """Give each (target, before, after) a temporary name; `token` belongs to this run alone."""
    return [
        Swap(target=target, temporary=_beside(target, f"{token}-{number}"), before=old, after=new)
        for number, (target, old, new) in enumerate(changes)
    ]


def replace(swap: Swap) -> None:
    """Replace a file by its changed content, at once for everybody who looks.

    Mode, owner and extended attributes are kept; other names of the same file (hard links) keep the
    old content. Raises Refusal when the file is no longer what it was, may not be written, or
    cannot be; nothing is left behind then.
    """
    try:
        status = _demand_unchanged(swap)
        _demand_writable(swap.target, status)
        try:
            _write(swap, status)
            again = _demand_unchanged(swap)
            if (again.st_ino, again.st_mode) != (status.st_ino, status.st_mode):
                raise Refusal(CHANGED_MEANWHILE)
            os.replace(swap.temporary, swap.target)  # noqa: PTH105 - these are texts
        except BaseException:
            with suppress(OSError):
                os.unlink(swap.temporary)  # noqa: PTH108
            raise
    except FileNotFoundError:
        raise Refusal("it was removed meanwhile") from None
    except OSError as error:
        raise Refusal(f"it cannot be written: {error.strerror or error}") from error


def flush_folders(targets: Sequence[str]) -> None:
    """Make replacements outlast a power cut, as far as the file system can."""
    for folder in dict.fromkeys(os.path.dirname(target) for target in targets):  # noqa: PTH120
        with suppress(OSError):  # the files are whole in any case
            descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


# -- what a killed run leaves behind ---------------------------------------------------------------
def announce(ledger: Path, plan: Sequence[Swap]) -> None:
    """Write down the temporary files that are about to be made. Raises OSError."""
    names = b"".join(os.fsencode(swap.temporary) + b"\0" for swap in plan)
    descriptor = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write_all(descriptor, names)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear(ledger: Path, inside: Path) -> None:
    """Remove the temporary files that a killed run has written down, and the list of them.

    Only what has a name of ours and lies below `inside` is touched.
    """
    try:
        listed = ledger.read_bytes()
    except OSError:
        return
    for name in filter(None, listed.split(b"\0")):
        path = Path(os.fsdecode(name))
        if path.name.startswith(TEMPORARY_PREFIX) and path.parent.resolve().is_relative_to(inside):
            with suppress(OSError):
                path.unlink()
    with suppress(OSError):
        ledger.unlink()


# -- one file --------------------------------------------------------------------------------------
def _beside(target: str, token: str) -> str:
    folder, _, _ = target.rpartition(os.sep)
    return f"{folder}{os.sep}{TEMPORARY_PREFIX}{token}"


def _demand_unchanged(swap: Swap) -> os.stat_result:
    """Raise Refusal when the bytes on disk are not those that were changed; OSError."""
    found, status = open_regular(swap.target, follow=False, limit=len(swap.before) + 1)
    if found != swap.before:
        raise Refusal(CHANGED_MEANWHILE)
    return status


def _demand_writable(target: str, status: os.stat_result) -> None:
    if not status.st_mode & _WRITABLE or not os.access(target, os.W_OK):
        raise Refusal("it is read-only")


def _write(swap: Swap, like: os.stat_result) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(swap.temporary, flags, 0o600)
    try:
        _write_all(descriptor, swap.after)
        _make_alike(descriptor, swap.target, like)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest[:_PIECE]) :]


def _make_alike(descriptor: int, target: str, like: os.stat_result) -> None:
    """Give a file owner, attributes and mode of another. Raises Refusal, OSError."""
    made = os.fstat(descriptor)
    if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(descriptor, like.st_uid, like.st_gid)
        except PermissionError:
            raise Refusal("it belongs to another user or group, which could not be kept") from None
    if hasattr(os, "listxattr"):
        for name in os.listxattr(target):
            with suppress(OSError):  # some, like those of a security module, are not ours to set
                os.setxattr(descriptor, name, os.getxattr(target, name))
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
