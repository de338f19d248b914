"""Ports and a temporary folder for each workstream, so that parallel test runs do not collide.

Each block of ports is a folder named after its first port, in a folder of the user's own under the
system's temporary folder. Whoever holds the block holds a lock in there, which the kernel frees when
the process dies, in whatever way. On Linux a name in the abstract socket namespace is held too: it
reaches exactly as far as the ports do, over users and over different temporary folders.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
import tempfile
import threading
import weakref
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec

from penstock.environment.api import Leftover
from penstock.errors import EnvironmentProblem
from penstock.folders import remove_tree
from penstock.locks import exclusive, try_lock
from penstock.typed import typed_json

FIRST_PORT = 20_000
BLOCK = 20
EPHEMERAL = 32_768
"""Where Linux begins to hand out ports by itself; blocks end below."""
LAST = 65_536
LONGEST = 48
"""Characters that our folder may have: a socket in a temporary folder has 107 for its whole path."""
OTHERS = ("/tmp", "/var/tmp")  # noqa: S108 - our folder in there is made for us alone
"""Where our folder goes when the system's temporary folder will not do."""
PATIENCE_S = 30.0
NEAR = 16
"""How many blocks from its own place on are searched for what a workstream had before: it was given
the first that was free."""
_LOCK, _OWNER, _FOLDER = "lock", "owner", "t"


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a block was given to; `state` is the state folder of the repository."""

    state: str
    run_id: str
    ws_id: str


class Isolation:
    """Gives blocks of ports and temporary folders to workstreams. Thread-safe.

    `root` is the repository, outside of which the folders lie: in a git repository tools behave
    differently. `state` is its state folder, which tells equal names of runs apart.
    """

    def __init__(
        self, root: Path, state: Path, *, first_port: int = FIRST_PORT, block: int = BLOCK
    ) -> None:
        """Raises ValueError when there is no room for a block above `first_port`."""
        top = EPHEMERAL if first_port < EPHEMERAL else LAST
        self._ports = tuple(range(first_port, top - block + 1, block))
        if not self._ports or first_port < 1:
            raise ValueError(f"there is no block of {block} ports from {first_port} on")
        self._root, self._state, self._count = root, str(state.resolve()), block
        self._held: dict[Owner, _Block] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _let_go, self._held)

    def take(self, run_id: str, ws_id: str) -> dict[str, str]:
        """Return the variables of a workstream, the same until given back.

        The process that resumes a run gets what the one before had, if it is still free. Raises
        EnvironmentProblem when there is no free block or no place for the folder, ClaimError when
        other processes keep the lock for half a minute.
        """
        owner = Owner(state=self._state, run_id=run_id, ws_id=ws_id)
        with self._lock:
            held = self._held.get(owner)
            if held is None:
                held = self._held[owner] = self._find(owner)
        with _explained(held.temporary):
            _private(held.temporary)
        folder = str(held.temporary)
        return {
            "PENSTOCK_PORT_BASE": str(held.port),
            "PENSTOCK_PORT_COUNT": str(self._count),
            **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder),
        }

    def give_back(self, run_id: str, ws_id: str) -> None:
        """Remove the temporary folder and free the ports; harmless when nothing was taken."""
        with self._lock:
            held = self._held.pop(Owner(state=self._state, run_id=run_id, ws_id=ws_id), None)
        if held is not None:
            held.clear()
            with _locked(held.folder.parent):
                held.end()

    def recover(self) -> tuple[str, ...]:
        """Free what dead processes held, of this repository or another; return a line for each."""
        base = base_folder(self._root)
        found: list[tuple[_Block, str]] = []
        with _explained(base), _locked(base):
            for port in _numbers(base):
                block = _Block.open(base / str(port), port)
                if block is not None:
                    found.append((block, _line(port, block.owner())))
        for block, _ in found:
            block.clear()
        with _locked(base):
            for block, _ in found:
                block.end()
        return tuple(line for _, line in found)

    def leftovers(self) -> tuple[Leftover, ...]:
        """Return what nobody holds any more, of this repository or of unknown origin."""
        if sys.platform == "win32":  # nothing is ever taken there
            return ()
        base = base_folder(self._root)
        with _explained(base), _locked(base):
            found = [self._leftover(base / str(port), port) for port in _numbers(base)]
        return tuple(each for each in found if each is not None)

    def free(self, leftover: Leftover) -> bool:
        """Remove a leftover; False when somebody holds it by now, or it is gone."""
        base = base_folder(self._root)
        with _explained(base), _locked(base):
            block = _Block.open(base / str(leftover.port), leftover.port)
        if block is None:
            return False
        block.clear()
        with _locked(base):
            block.end()
        return True

    def _leftover(self, folder: Path, port: int) -> Leftover | None:
        block = _Block.open(folder, port)
        if block is None:
            return None
        owner = block.owner()
        block.close()
        if owner is None:
            return Leftover(path=str(folder), port=port, run_id=None, ws_id=None)
        if owner.state != self._state:
            return None
        return Leftover(path=str(folder), port=port, run_id=owner.run_id, ws_id=owner.ws_id)

    # -- finding a block -------------------------------------------------------------------
    def _find(self, owner: Owner) -> _Block:
        base = base_folder(self._root)
        with _explained(base), _locked(base):
            for port in self._in_order(base, owner):
                block = _Block.make(base / str(port), port)
                if block is None:
                    continue
                if are_free(range(port, port + self._count)):
                    block.give_to(owner)
                    return block
                block.close()
        first, last = self._ports[0], self._ports[-1] + self._count - 1
        raise EnvironmentProblem(
            f"none of the {len(self._ports)} blocks of ports from {first} to {last} is free",
            hint="end what listens there (ss -ltn shows it), or run fewer workstreams at a time",
        )

    def _in_order(self, base: Path, owner: Owner) -> Iterator[int]:
        """Give the ports to try: what the workstream had, then from a place of its own on."""
        start = zlib.crc32(msgspec.json.encode(owner)) % len(self._ports)
        order = (*self._ports[start:], *self._ports[:start])
        yield from (port for port in order[:NEAR] if _owner_of(base / str(port)) == owner)
        yield from order


class _Block:
    """A block that this process holds: its folder, its lock, and its name among the sockets."""

    def __init__(self, folder: Path, port: int, descriptors: tuple[int, ...]) -> None:
        self.folder, self.port = folder, port
        self.temporary = folder / _FOLDER
        self._descriptors = descriptors

    @classmethod
    def make(cls, folder: Path, port: int) -> _Block | None:
        """Hold a block, whose folder is made if need be; None when it is held already."""
        _private(folder)
        return cls.open(folder, port)

    @classmethod
    def open(cls, folder: Path, port: int) -> _Block | None:
        """Hold a block whose folder is there; None when it is held already."""
        with ExitStack() as undo:
            try:
                lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
            undo.callback(os.close, lock)
            if not try_lock(lock):
                return None
            name = _socket_name(port)
            if name is None:
                return None
            undo.pop_all()
        return cls(folder, port, (lock, *name))

    def owner(self) -> Owner | None:
        """Return whom the block was given to last."""
        return _owner_of(self.folder)

    def give_to(self, owner: Owner) -> None:
        """Note the new owner; what another has left behind goes."""
        if self.owner() == owner:
            return
        self.clear()
        record = self.folder / _OWNER
        record.write_bytes(msgspec.json.encode(owner))
        record.chmod(0o600)

    def clear(self) -> None:
        """Remove the temporary folder."""
        remove_tree(self.temporary)

    def end(self) -> None:
        """Remove what is left of the block, and let go of it."""
        remove_tree(self.folder)
        self.close()

    def close(self) -> None:
        """Let go of the block."""
        descriptors, self._descriptors = self._descriptors, ()
        for descriptor in descriptors:
            os.close(descriptor)


def _let_go(held: dict[Owner, _Block]) -> None:
    for block in held.values():
        block.close()


def base_folder(root: Path) -> Path:
    """Return our folder under the system's temporary one, made if need be.

    It lies outside of `root` and of any other git repository where that can be had. Raises
    EnvironmentProblem when it is not ours alone.
    """
    places = [Path(place).resolve() for place in (tempfile.gettempdir(), *OTHERS)]
    name = f"penstock-{os.geteuid()}"
    outside = [place for place in places if _is_outside(place, root.resolve())]
    if not outside:
        raise EnvironmentProblem(
            f"there is no folder for temporary files outside of {root}",
            hint="set TMPDIR to a folder outside of the repository",
        )
    base = min(outside, key=lambda place: (_is_in_repository(place), _is_long(place / name))) / name
    with _explained(base):
        _private(base)
        _refuse_foreign(base)
    return base


def are_free(ports: Iterable[int]) -> bool:
    """Tell whether nobody uses any of these ports on the loopback addresses."""
    places = _loopback()
    return all(_is_free(port, family, host) for port in ports for family, host in places)


def _is_free(port: int, family: socket.AddressFamily, host: str) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # connections that are just being closed do not keep a server from starting
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _loopback() -> list[tuple[socket.AddressFamily, str]]:
    """Return the loopback addresses that this machine has."""
    both = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
    return [(family, host) for family, host in both if _has(family, host)]


def _has(family: socket.AddressFamily, host: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


def _socket_name(port: int) -> tuple[int, ...] | None:
    """Hold the name of a block among the abstract sockets, where there are such.

    Returns the descriptors that hold it, None when another process does.
    """
    if sys.platform != "linux":
        return ()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as name:
        try:
            name.bind(f"\0penstock-ports-{port}")
        except OSError:
            return None
        return (name.detach(),)


def _is_outside(place: Path, root: Path) -> bool:
    """Tell whether a place is a folder outside of `root` that we may write to."""
    return not place.is_relative_to(root) and os.access(place, os.W_OK | os.X_OK)


def _is_in_repository(place: Path) -> bool:
    marks = ((folder / ".git") for folder in (place, *place.parents))
    return any(mark.is_file() or (mark / "HEAD").exists() for mark in marks)


def _is_long(folder: Path) -> bool:
    return len(str(folder)) > LONGEST


def _private(folder: Path) -> None:
    """Make a folder for us alone, unless there is one of that name. Raises OSError."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)


def _refuse_foreign(base: Path) -> None:
    status = base.lstat()
    if (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.geteuid()
        and not status.st_mode & 0o077
    ):
        return
    raise EnvironmentProblem(
        f"{base} is not a folder that only you may enter: somebody else may read or change in it",
        hint=f"remove it (rm -r {base}), or set TMPDIR to a folder of your own",
    )


@contextmanager
def _locked(base: Path) -> Iterator[None]:
    busy = f"another penstock keeps {base / _LOCK} locked"
    with exclusive(base / _LOCK, busy=busy, patience_s=PATIENCE_S, sign=False):
        yield


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentProblem(
            f"no temporary folder can be had in {folder}: {error.strerror or error}",
            hint="free space there, or set TMPDIR to another folder",
        ) from error


def _numbers(base: Path) -> list[int]:
    return sorted(int(entry.name) for entry in base.iterdir() if entry.name.isdecimal())


def _owner_of(folder: Path) -> Owner | None:
    try:
        return typed_json((folder / _OWNER).read_bytes(), Owner)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def _line(port: int, owner: Owner | None) -> str:
    whose = f"{owner.ws_id} of {owner.run_id}" if owner is not None else "an unknown workstream"
    return f"ports from {port} on and the temporary folder of {whose}"
