"""Code of others that penstock starts or imports: whether nobody else can change it, and whether it
is still what it was.

Adapter programs, plugins and the programs of tool profiles lie outside of the package. Like `sshd` with
its files (StrictModes), we take only what belongs to us or to root, in folders that nobody else may
write to. What a file holds is remembered the first time; a change is told until somebody accepts it.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import msgspec

from penstock.typed import typed_json

SHARED_GROUPS = frozenset({"root", "wheel", "staff", "admin"})
"""Groups of a machine's administrators, who can change everything anyway."""
LARGEST_LEDGER = 4 << 20
_SKIPPED = "__pycache__"


class Standing(StrEnum):
    """What is thought of a piece of code."""

    FIRST = "first"
    KNOWN = "known"
    CHANGED = "changed"
    REFUSED = "refused"


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A program, or a folder of code, and what it is for people: `adapter of aider`."""

    name: str
    path: Path


class Vetted(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a piece of code.

    `digest` is the SHA-256 of what it holds, None where it cannot be read. `reason` says why it is
    refused. `since` is when what it holds was first seen, seconds since the epoch. `is_news`: nobody
    was told of the change yet.
    """

    name: str
    path: Path
    standing: Standing
    digest: str | None = None
    reason: str | None = None
    since: float | None = None
    is_news: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether nothing speaks against it."""
        return self.standing in (Standing.FIRST, Standing.KNOWN)


# -- who can change it -----------------------------------------------------------------------------
def why_not_trusted(path: Path) -> str | None:
    """Return why a file or folder could be changed by others than us and root, None when it cannot.

    Where it really lies counts, with every folder above it: a folder that others may write to must be
    one like /tmp, in which nobody can replace what is another's. Nothing is known on Windows.
    """
    if os.name == "nt":
        return None
    try:
        real = path.resolve(strict=True)
        places = [real, *real.parents]
        return next(filter(None, (_why(place, place is real) for place in places)), None)
    except OSError as error:
        return f"{path} cannot be looked at: {error.strerror or error}"


def _why(place: Path, is_itself: bool) -> str | None:
    found = place.stat()
    if found.st_uid not in (0, os.geteuid()):
        return f"{place} belongs to {_user(found.st_uid)}, who can change it at any time"
    if found.st_mode & stat.S_ISVTX and not is_itself:
        return None
    if found.st_mode & stat.S_IWOTH:
        return f"everybody may write to {place} (chmod o-w)"
    if found.st_mode & stat.S_IWGRP and not _is_harmless(found.st_gid):
        return f"the group of {place} may write to it (chmod g-w)"
    return None


def _is_harmless(group: int) -> bool:
    """Tell whether a group is one of ours alone, or of administrators, with nobody else in it."""
    import grp

    try:
        entry = grp.getgrgid(group)
    except KeyError:
        return False
    us = {_user(os.geteuid()), "root"}
    return entry.gr_name in us | SHARED_GROUPS and us.issuperset(entry.gr_mem)


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


# -- what it holds ---------------------------------------------------------------------------------
def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files of a folder with their names. Raises OSError."""
    if not path.is_dir():
        return sha256(path.read_bytes()).hexdigest()
    total = sha256()
    for file in _files(path):
        content = file.read_bytes()
        name = os.fsencode(file.relative_to(path))
        total.update(b"%d %b %d\0" % (len(name), name, len(content)))
        total.update(content)
    return total.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder in order, but for what Python compiles them to."""
    for path in sorted(folder.rglob("*")):
        if _SKIPPED not in path.parts and path.is_file():
            yield path


# -- what it was -----------------------------------------------------------------------------------
class _Entry(msgspec.Struct, kw_only=True):
    """What was seen of a path: the digest that counts, the last one, and when that came up."""

    accepted: str
    seen: str
    at: float


class Ledger:
    """What code of others held when it was seen. One private file; a broken one is an empty one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def look(self, codes: Iterable[Code], now: float) -> tuple[Vetted, ...]:
        """Return what is known of each, and remember what is there now (seconds since the epoch).

        A change is news once, and stays a change until it is accepted. What cannot be written down
        is news again. Never raises for what it looks at.
        """
        entries = self._read()
        before = msgspec.json.encode(entries)
        found = tuple(_look(code, entries, now) for code in codes)
        if msgspec.json.encode(entries) != before:
            self._write(entries)
        return found

    def accept(self, codes: Sequence[Code], now: float) -> tuple[Vetted, ...]:
        """Take what is there now as what is meant, and return it. Raises OSError."""
        entries = self._read()
        for code in codes:
            with suppress(OSError):  # what cannot be read stays refused
                digest = digest_of(code.path)
                entries[str(code.path)] = _Entry(accepted=digest, seen=digest, at=now)
        self._write(entries, must=True)
        return self.look(codes, now)

    def _read(self) -> dict[str, _Entry]:
        try:
            if self._path.stat().st_size > LARGEST_LEDGER:
                return {}
            return typed_json(self._path.read_bytes(), dict[str, _Entry])
        except (OSError, msgspec.MsgspecError):
            return {}

    def _write(self, entries: dict[str, _Entry], *, must: bool = False) -> None:
        text = json.dumps(msgspec.to_builtins(entries), indent=1, sort_keys=True)
        scratch = self._path.with_name(f".{self._path.name}.{secrets.token_hex(6)}")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(scratch, flags, 0o600), "w", encoding="utf-8") as stream:
                stream.write(text)
            scratch.replace(self._path)
        except OSError:
            with suppress(OSError):
                scratch.unlink()
            if must:
                raise


def _look(code: Code, entries: dict[str, _Entry], now: float) -> Vetted:
    reason = why_not_trusted(code.path)
    try:
        digest = digest_of(code.path)
    except OSError as error:
        reason = reason or f"{code.path} cannot be read: {error.strerror or error}"
        return Vetted(name=code.name, path=code.path, standing=Standing.REFUSED, reason=reason)
    known = entries.get(str(code.path))
    is_news = known is not None and digest not in (known.accepted, known.seen)
    if known is None:
        entries[str(code.path)] = _Entry(accepted=digest, seen=digest, at=now)
    elif digest != known.seen:
        entries[str(code.path)] = _Entry(accepted=known.accepted, seen=digest, at=now)
    return Vetted(
        name=code.name,
        path=code.path,
        standing=Standing.REFUSED if reason else _standing(known, digest),
        digest=digest,
        reason=reason,
        since=entries[str(code.path)].at,
        is_news=is_news,
    )


def _standing(known: _Entry | None, digest: str) -> Standing:
    if known is None:
        return Standing.FIRST
    return Standing.KNOWN if digest == known.accepted else Standing.CHANGED
