"""Reading definitions in processes of their own: parsing keeps a core busy, and a grammar that
crashes over some file takes nothing with it but that file.

A process is given a share through its standard input and tells what it read through its standard
output. It ends when whoever started it is no more.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from penstock.errors import EnvironmentProblem
from penstock.planning.scoping.definitions import MAX_BYTES, NOTHING, Named, definitions
from penstock.planning.scoping.terrain import read_regular
from penstock.typed import typed_msgpack

SHARE_BYTES: Final = 6 * 1024 * 1024
"""So much is read by one process."""
WORTH_BYTES: Final = 1024 * 1024
"""So much in all is worth the start of a process."""
MOST_WORKERS: Final = 8
TIME_LIMIT_S: Final = 120.0
"""In which a share is read many times over."""
DIGEST_BYTES: Final = 16
_ARGV: Final = (sys.executable, "-I", "-m", "penstock.planning.scoping.crew")

OnRead = Callable[[int], None]


class Known(msgspec.Struct, frozen=True, array_like=True):
    """A file's content by its hash, and what it defines; no hash for one that cannot be read."""

    digest: bytes
    named: Named


UNREAD: Final = Known(b"", NOTHING)


class Share(msgspec.Struct, frozen=True, array_like=True):
    """Files below `top` for one process, with the digests that are known of them: what still has
    the same is not parsed. `parent` is the process that waits."""

    top: str
    paths: tuple[str, ...]
    digests: tuple[bytes, ...]
    parent: int


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What a process tells of each file of its share, None for one whose digest is the same."""

    known: tuple[Known | None, ...]


def digest_of(content: bytes) -> bytes:
    """Return the hash by which contents are told apart."""
    return blake2b(content, digest_size=DIGEST_BYTES).digest()


def read_together(shares: Sequence[Share], on_read: OnRead) -> Iterator[tuple[Share, Told]]:
    """Read shares in as many processes as there are cores and yield what each tells, in order."""
    workers = min(os.cpu_count() or 1, MOST_WORKERS, max(len(shares), 1))
    pool = ThreadPoolExecutor(workers)
    try:
        for share, told in zip(shares, pool.map(in_child, shares), strict=True):
            on_read(len(share.paths))
            yield share, told
    finally:
        pool.shutdown(cancel_futures=True)


def in_child(share: Share) -> Told:
    """Read a share in a process of its own.

    When the process dies over it, by a crash or its time limit, the share is halved until the file
    is found; that file defines nothing. Where no process can be started at all, it is read here.
    """
    from penstock.process.capture import capture
    from penstock.process.environment import child_environment

    try:
        packed = msgspec.msgpack.encode(share)
        done = capture(
            _ARGV, Path(share.top), child_environment(), timeout=TIME_LIMIT_S, stdin=packed
        )
    except (EnvironmentProblem, OSError):
        return read_share(share)
    if done.returncode == 0:
        try:
            return _checked(typed_msgpack(done.stdout, Told), share)
        except msgspec.DecodeError:
            pass
    return _halved(share)


def _checked(told: Told, share: Share) -> Told:
    """Return what was told. Raises msgspec.DecodeError when it is not of all files."""
    if len(told.known) != len(share.paths):
        raise msgspec.DecodeError("files are missing")
    return told


def _halved(share: Share) -> Told:
    count = len(share.paths)
    if count < 2:
        content = _content(share.top, share.paths[0]) if count else None
        return Told((UNREAD if content is None else Known(digest_of(content), NOTHING),))
    halves = (slice(0, count // 2), slice(count // 2, count))
    told = [
        in_child(msgspec.structs.replace(share, paths=share.paths[h], digests=share.digests[h]))
        for h in halves
    ]
    return Told(told[0].known + told[1].known)


def read_share(share: Share, *, orphaned: Callable[[], bool] = lambda: False) -> Told:
    """Read a share; breaks off, telling too little, when `orphaned` says so."""
    known: list[Known | None] = []
    for path, digest in zip(share.paths, share.digests, strict=True):
        if orphaned():
            break
        known.append(look(path, _content(share.top, path), digest))
    return Told(tuple(known))


def look(path: str, content: bytes | None, digest: bytes) -> Known | None:
    """Return what a file defines, None when its content has the digest that is known of it."""
    if content is None:
        return UNREAD
    found = digest_of(content)
    return None if found == digest else Known(found, definitions(path, content))


def _content(top: str, path: str) -> bytes | None:
    """Return what a file holds, a byte more at most than is looked at; None if it cannot be read."""
    try:
        return read_regular(Path(top, path), MAX_BYTES + 1)
    except (OSError, ValueError):
        return None


def main() -> int:
    """Read the share on standard input and tell what was read."""
    gc.disable()
    share = typed_msgpack(sys.stdin.buffer.read(), Share)
    told = read_share(share, orphaned=lambda: os.getppid() != share.parent)
    sys.stdout.buffer.write(msgspec.msgpack.encode(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
