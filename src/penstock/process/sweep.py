"""Ending what a child left behind, found by four marks that it would have to shed one and all."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from penstock.process import proc
from penstock.process.api import MARKER_VARIABLE
from penstock.process.exits import pidfd
from penstock.process.glance import Glance
from penstock.process.marks import Marks, encoded, resolved, until_two_are_empty
from penstock.process.spawn import live_sessions

_MARKER = MARKER_VARIABLE.encode()
_glance = Glance()


def sweep(
    *,
    marker: str | None,
    session: int | None = None,
    pipes: Collection[int] = (),
    cwd: Path | None = None,
    since: int = 0,
) -> int:
    """Kill all that a child left behind, and return how many processes that were.

    Killed is whatever has `marker` in its environment, is in `session`, holds the writing end of
    one of `pipes` (inode numbers), or works inside `cwd` without a terminal and without being a
    child of this process; never this process, its ancestors, or what the door is running now. Goes on until two passes in a row
    find nothing, at most some seconds.
    """
    return _sweep(
        Marks(
            markers=encoded(() if marker is None else (marker,)),
            session=session,
            pipes=frozenset(pipes),
            folders=resolved(() if cwd is None else (cwd,)),
            since=since,
        )
    )


def sweep_markers(markers: Iterable[str], cwds: Iterable[Path] = ()) -> int:
    """Kill all that bears one of the markers or works inside one of the folders; return how many.

    For recovery, when the process that started them is dead. The rest is as in `sweep`.
    """
    return _sweep(Marks(markers=encoded(markers), folders=resolved(cwds)))


def _sweep(marks: Marks) -> int:
    if not proc.available():
        # no /proc, so not Linux: the same marks as far as psutil shows them
        from penstock.process.portable import sweep_portably

        return sweep_portably(marks)
    ancestors = _ancestors()
    killed: set[tuple[int, int]] = set()

    def one_pass() -> bool:
        try:
            found = [process for process in _bearers(marks, ancestors) if _kill(process)]
        except OSError:  # out of descriptors: nothing can be seen now, but perhaps in a moment
            return True
        killed.update((process.pid, process.start) for process in found)
        return bool(found)

    until_two_are_empty(one_pass)
    _collect_adopted(killed, marks.session)
    return len(killed)


def _ancestors() -> frozenset[int]:
    try:
        return _glance.ancestors()
    except OSError:  # out of descriptors; the next nearest are known without any
        return frozenset((os.getpid(), os.getppid()))


def _bearers(marks: Marks, ancestors: frozenset[int]) -> list[proc.Entry]:
    running = live_sessions() - {marks.session}
    return [
        process
        for process in _glance.entries(marks.since, running)
        if process.pid not in ancestors and _bears(process, marks)
    ]


def _bears(process: proc.Entry, marks: Marks) -> bool:
    # the cheap marks are looked at first
    return (
        process.session == marks.session
        or _is_inside(process, marks)
        or _is_marked(process, marks)
        or bool(marks.pipes and proc.writes_to(process.pid, marks.pipes))
    )


def _is_marked(process: proc.Entry, marks: Marks) -> bool:
    if not marks.markers:
        return False
    return not marks.markers.isdisjoint(proc.environ_values(process.pid, _MARKER))


def _is_inside(process: proc.Entry, marks: Marks) -> bool:
    # a process at a terminal is most likely the user's own shell or editor, looking around:
    # a tool's child has no terminal, having been started in a session without one
    if not marks.folders or process.tty or _is_our_child(process):
        return False
    return marks.covers(proc.cwd(process.pid))


def _is_our_child(process: proc.Entry) -> bool:
    # another thread may be starting it just now, or a program that embeds us may have; only
    # process 1 of a container is also the parent of orphans, and those have left its session
    me = os.getpid()
    return process.parent == me and (me != 1 or process.session == os.getsid(0))


def _kill(process: proc.Entry) -> bool:
    """Kill a process unless its number has passed to another; False when that cannot be done."""
    descriptor = pidfd(process.pid)
    try:
        if proc.start_of(process.pid) != process.start:
            return False
        if descriptor is None:
            os.kill(process.pid, signal.SIGKILL)
        else:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone meanwhile, or running as another user
        return False
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return True


def _collect_adopted(killed: Iterable[tuple[int, int]], session: int | None) -> None:
    # as process 1 of a container we inherit orphans, and nobody else would collect them
    for pid, _ in killed:
        if pid != session:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
