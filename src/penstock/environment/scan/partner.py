"""Small files told apart by a second process: opening and reading so many keeps one core busy.

It is given paths through its standard input and tells their places in what it was given. It ends
with whoever started it.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import msgspec

from penstock.environment.scan.api import Entry
from penstock.environment.scan.contents import OnUnread, Same, small_same
from penstock.errors import EnvironmentProblem
from penstock.typed import typed_json

WORTH = 20_000
"""So many files in all are worth the start of a process."""
_OPENING_BYTES = 24 * 1024
"""Opening a file takes about as long as reading and comparing so many bytes."""
START = 4_000 * _OPENING_BYTES
"""The start of a process takes about as long as so many bytes."""
_ARGV = (sys.executable, "-I", "-m", "penstock.environment.scan.partner")

Groups = Sequence[list[Entry]]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Groups of files to look through, by the size of the files and how many there are, for the
    process `parent`. The paths follow, each ended by a NUL."""

    groups: tuple[tuple[int, int], ...]
    parent: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Hashes with the places of the files that have them, and places with why one was not read."""

    same: tuple[tuple[str, tuple[int, ...]], ...]
    unread: tuple[tuple[int, str], ...]


def shared_out(groups: Groups) -> tuple[Groups, Groups]:
    """Return the groups to be read here, and those for a second process, about half; none of those
    when there is no core for it or they are too few to be worth it."""
    if (os.cpu_count() or 1) < 2 or sum(map(len, groups)) < WORTH:
        return groups, ()
    shares: tuple[list[list[Entry]], list[list[Entry]]] = ([], [])
    ahead = -START  # by how much those who read the first share are later than the others
    for group in groups:
        cost = len(group) * (group[0].size + _OPENING_BYTES)
        shares[ahead > 0].append(group)
        ahead += cost if ahead <= 0 else -cost
    return shares


def same_elsewhere(groups: Groups, on_unread: OnUnread) -> list[Same]:
    """Group small files by their content in a process of its own; here, when that cannot be had.

    An interruption of the thread that waits here ends the process.
    """
    from penstock.process.capture import capture
    from penstock.process.environment import child_environment

    try:
        done = capture(_ARGV, Path(), child_environment(), stdin=_packed(groups))
        if done.returncode == 0:
            return _unpacked(done.stdout, groups, on_unread)
    except (EnvironmentProblem, OSError, msgspec.DecodeError, LookupError):
        pass  # what it would have told is found out here
    return [same for group in groups for same in small_same(group, on_unread)]


def _packed(groups: Groups) -> bytes:
    """Return groups as a Share in JSON, and the paths as they are: they may hold bytes that are no
    text."""
    share = Share(groups=tuple((group[0].size, len(group)) for group in groups), parent=os.getpid())
    paths = "".join(f"{entry.path}\0" for group in groups for entry in group)
    return msgspec.json.encode(share) + b"\n" + os.fsencode(paths)


def _unpacked(told: bytes, groups: Groups, on_unread: OnUnread) -> list[Same]:
    """Return what was told of files. Raises msgspec.DecodeError, IndexError."""
    entries = [entry for group in groups for entry in group]
    answer = typed_json(told, Told)
    found = [Same(known, tuple(entries[n] for n in places)) for known, places in answer.same]
    for path, why in [(entries[place].path, why) for place, why in answer.unread]:
        on_unread(path, why)
    return found


def look_through(packed: bytes) -> Told | None:
    """Look through a share; None when who wanted it is no more."""
    head, _, paths = packed.partition(b"\n")
    share = typed_json(head, Share)
    names = os.fsdecode(paths).split("\0")
    following = enumerate(names)
    same: list[tuple[str, tuple[int, ...]]] = []
    unread: list[tuple[str, str]] = []
    for size, count in share.groups:
        if os.getppid() != share.parent:
            return None
        # its place stands where the number of the file would: it is not looked at
        group = [Entry(path, size, 0, at, 0, 0, 0, 0) for at, path in islice(following, count)]
        found = small_same(group, lambda path, why: unread.append((path, why)))
        same += [(one.file_hash, tuple(entry.ino for entry in one.entries)) for one in found]
    places = {path: at for at, path in enumerate(names)} if unread else {}
    return Told(same=tuple(same), unread=tuple((places[path], why) for path, why in unread))


def main() -> int:
    """Look through the share on standard input and print what came of it."""
    gc.disable()
    told = look_through(sys.stdin.buffer.read())
    if told is None:
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
