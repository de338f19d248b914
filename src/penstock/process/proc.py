"""Reading /proc: what the sweep and the identity of a process need to know, as cheaply as may be.

What is gone, or may not be seen, reads as nothing. Out of descriptors everything raises OSError:
a sweep must not take blindness for an empty field.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = "/proc"
KTHREADD = 2
"""The parent of all kernel threads."""


class Entry(NamedTuple):
    """One process. `start` is in clock ticks since boot, `tty` the number of its terminal or 0."""

    pid: int
    parent: int
    session: int
    tty: int
    start: int
    dead: bool


def available() -> bool:
    """Tell whether this system has a /proc that can be read like Linux's."""
    return os.path.exists(f"{ROOT}/self/stat")  # noqa: PTH110 - a Path costs more than the call


def entry(pid: int) -> Entry | None:
    """Read one process; None when there is no such process (any more)."""
    fields = _stat(str(pid))
    return None if fields is None else _entry(pid, fields)


def names() -> list[str]:
    """Return the numbers of all processes, as text."""
    return [name for name in os.listdir(ROOT) if name.isdigit()]  # noqa: PTH208 - hundreds of them


def entries() -> Iterator[Entry]:
    """Read all living user processes."""
    for name in names():
        found = entry(int(name))
        if found is not None and not found.dead and found.parent != KTHREADD:
            yield found


def _stat(name: str) -> list[bytes] | None:
    data = _read(f"{ROOT}/{name}/stat")
    # the process's own name is in brackets and may hold anything, brackets and spaces too
    fields = data[data.rfind(b")") + 2 :].split(None, 20)
    return fields if len(fields) >= 20 else None


def _entry(pid: int, fields: list[bytes]) -> Entry:
    # a dead first thread shows as Z while the other threads still run
    dead = fields[0] in b"ZX" and int(fields[17]) <= 1
    return Entry(pid, int(fields[1]), int(fields[3]), int(fields[4]), int(fields[19]), dead)


def start_of(pid: int) -> int:
    """Return when a process was started, in clock ticks since boot; 0 when that is unknown."""
    found = entry(pid)
    return 0 if found is None else found.start


def ancestors(pid: int) -> frozenset[int]:
    """Return the process itself and all its ancestors."""
    chain: set[int] = set()
    while pid > 0 and pid not in chain:
        chain.add(pid)
        found = entry(pid)
        pid = 0 if found is None else found.parent
    return frozenset(chain)


def environ_values(pid: int, name: bytes) -> list[bytes]:
    """Return the values that `name` had in the environment the process was started with."""
    data = _read(f"{ROOT}/{pid}/environ")
    prefix = name + b"="
    if prefix not in data:
        return []
    return [part[len(prefix) :] for part in data.split(b"\0") if part.startswith(prefix)]


def cwd(pid: int) -> str:
    """Return the working directory, empty when it may not be read; a deleted one as it was."""
    return _link(f"{ROOT}/{pid}/cwd").removesuffix(" (deleted)")


def writes_to(pid: int, pipes: Collection[int]) -> bool:
    """Tell whether the process holds the writing end of one of the pipes (inode numbers)."""
    wanted = {f"pipe:[{inode}]" for inode in pipes}
    folder = f"{ROOT}/{pid}/fd"
    try:
        names = os.listdir(folder)  # noqa: PTH208 - see entries()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return any(
        _link(f"{folder}/{name}") in wanted and _is_writable(f"{folder}/{name}") for name in names
    )


def _is_writable(path: str) -> bool:
    # a child between fork and exec holds copies of all our descriptors, our reading ends too
    try:
        return bool(os.lstat(path).st_mode & 0o200)
    except OSError:
        return False


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - a Path costs more than the call
    except OSError:
        return ""


def _read(path: str) -> bytes:
    """Read a file; empty when it is not there or not for us. Raises OSError out of descriptors."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise
        return b""
    try:
        data = os.read(descriptor, 1 << 16)
        while len(data) >= 1 << 16 and (more := os.read(descriptor, 1 << 20)):
            data += more
        return data
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def boot_id() -> str:
    """Return the id of this boot of the machine, empty where there is none."""
    return _read(f"{ROOT}/sys/kernel/random/boot_id").decode("ascii", "replace").strip()


def pid_namespace() -> str:
    """Return the id of the world of process numbers that we live in, empty where there is none."""
    return _link(str(Path(ROOT, "self", "ns", "pid")))
