"""The little of psutil that the process door uses, made from /proc, to try the way without it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

from penstock.process import proc

STATUS_ZOMBIE = "zombie"


class Error(Exception):
    """The base of what psutil raises."""


class NoSuchProcess(Error):  # noqa: N818 - psutil's own name
    """There is no such process."""


class Process:
    """A process, as psutil shows it."""

    def __init__(self, pid: int | None = None) -> None:
        self.pid = os.getpid() if pid is None else pid
        if proc.entry(self.pid) is None:
            raise NoSuchProcess

    def parents(self) -> list[Process]:
        """All ancestors."""
        return [Process(pid) for pid in proc.ancestors(self.pid) - {self.pid} if proc.entry(pid)]

    def children(self, *, recursive: bool) -> list[Process]:
        """All descendants."""
        assert recursive
        return [
            Process(entry.pid)
            for entry in proc.entries()
            if self.pid in proc.ancestors(entry.pid) - {entry.pid}
        ]

    def environ(self) -> dict[str, str]:
        """The environment, as far as the process door looks at it."""
        values = proc.environ_values(self.pid, b"PENSTOCK_ATTEMPT")
        return dict.fromkeys(["PENSTOCK_ATTEMPT"] if values else [], b"".join(values).decode())

    def cwd(self) -> str:
        """The working directory."""
        return proc.cwd(self.pid)

    def terminal(self) -> str | None:
        """The terminal, or None."""
        entry = proc.entry(self.pid)
        return "/dev/pts/0" if entry is not None and entry.tty else None

    def status(self) -> str:
        """Whether it is a zombie."""
        entry = proc.entry(self.pid)
        if entry is None:
            raise NoSuchProcess
        return STATUS_ZOMBIE if entry.dead else "running"

    def create_time(self) -> float:
        """When it was started."""
        return proc.start_of(self.pid) / 100

    def kill(self) -> None:
        """End it."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError as error:
            raise NoSuchProcess from error


def process_iter() -> Iterator[Process]:
    """All processes."""
    for entry in proc.entries():
        try:
            yield Process(entry.pid)
        except NoSuchProcess:
            continue
