"""The sweep where there is no /proc: the same marks as far as psutil shows them.

Pipes cannot be seen there. Instead the descendants of a child are recorded while it runs.
psutil is imported at the first call only, since Linux does without it.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from penstock.process.api import MARKER_VARIABLE
from penstock.process.marks import Marks, until_two_are_empty
from penstock.process.spawn import live_sessions

RECORD_S = 0.5
"""How often the descendants of a running child are recorded."""


class Descendants:
    """The processes that were seen below a child while it ran."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._next = 0.0
        self._seen: dict[tuple[int, float], Any] = {}

    def record(self) -> None:
        """Look at the descendants, at most once in RECORD_S."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + RECORD_S
        psutil = _psutil()
        try:
            for process in psutil.Process(self._pid).children(recursive=True):
                self._seen[process.pid, process.create_time()] = process
        except psutil.Error:
            return

    def kill(self) -> int:
        """Kill those that still live, wait until they are gone, and return how many.

        psutil sees to it that a number that has passed to another process is left alone.
        """
        return _kill_all(lambda _: list(self._seen.values()))


def sweep_portably(marks: Marks) -> int:
    """Kill all processes that bear one of the marks and return how many, as `sweep` does."""
    spared = {os.getpid(), *(parent.pid for parent in _psutil().Process().parents())}
    return _kill_all(
        lambda psutil: [
            process
            for process in psutil.process_iter()
            if process.pid not in spared and _bears(psutil, process, marks)
        ]
    )


def _kill_all(find: Callable[[ModuleType], list[Any]]) -> int:
    psutil = _psutil()
    killed: set[int] = set()

    def one_pass() -> bool:
        found = {process.pid for process in find(psutil) if _kill(psutil, process)}
        killed.update(found)
        return bool(found)

    until_two_are_empty(one_pass)
    return len(killed)


def _psutil() -> ModuleType:
    return importlib.import_module("psutil")


def _bears(psutil: ModuleType, process: Any, marks: Marks) -> bool:
    try:
        session = os.getsid(process.pid)
        if session in live_sessions() - {marks.session}:
            return False
        if session == marks.session or _in_folder(process, marks):
            return True
        value = process.environ().get(MARKER_VARIABLE)
    except (psutil.Error, OSError):
        return False
    return value is not None and os.fsencode(value) in marks.markers


def _in_folder(process: Any, marks: Marks) -> bool:
    return bool(marks.folders and not process.terminal() and marks.covers(process.cwd()))


def _kill(psutil: ModuleType, process: Any) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        process.kill()
    except psutil.Error:
        return False
    return True
