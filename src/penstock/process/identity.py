"""Who a process is, so that a later process can tell whether it still lives."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.process import proc
from penstock.typed import typed


class ProcessIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """A process on a machine: numbers are reused, but not with the same start time and boot.

    `boot` is the boot id and `namespace` the world of process numbers (a container has its own);
    both are empty where the system has none. `start` is clock ticks since boot on Linux, else
    hundredths of a second since the epoch; 0 is unknown.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    start: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {field: getattr(self, field) for field in self.__struct_fields__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ProcessIdentity:
        """Read what `to_dict` gave; raises ValueError for anything else."""
        return typed(dict(data), cls)


def this_process() -> ProcessIdentity:
    """Return the identity of the process that calls."""
    import platform  # not needed by those who only ask whether a process lives

    return ProcessIdentity(
        host=platform.node(),
        boot=proc.boot_id(),
        namespace=proc.pid_namespace(),
        pid=os.getpid(),
        start=_start_of(os.getpid()),
    )


def is_local(identity: ProcessIdentity) -> bool:
    """Tell whether this process can see that one: the same host and world of process numbers.

    An earlier boot of this host counts as local: nothing of it lives, which is_alive knows.
    """
    here = this_process()
    if identity.host != here.host:
        return False
    return identity.boot != here.boot or identity.namespace == here.namespace


def is_alive(identity: ProcessIdentity) -> bool:
    """Tell whether the process may still live.

    False is certain. True is also the answer for a process on another host or in another
    container, which cannot be seen from here (see is_local).
    """
    if not is_local(identity):
        return True
    if identity.boot != proc.boot_id():
        return False
    start = _start_of(identity.pid)
    return start != 0 and (identity.start in (0, start))


def _start_of(pid: int) -> int:
    if proc.available():
        found = proc.entry(pid)
        return 0 if found is None or found.dead else found.start
    psutil = importlib.import_module("psutil")
    try:
        return int(psutil.Process(pid).create_time() * 100)
    except psutil.NoSuchProcess:
        return 0
