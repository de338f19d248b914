"""How far what runs here can be contained: ending it with all its children, and locking it in."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from penstock.environment.api import Finding, Verdict
from penstock.environment.platform import require_runnable
from penstock.process import proc

_CLONE = Path("/proc/sys/kernel/unprivileged_userns_clone")
_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")
_LSM = Path("/sys/kernel/security/lsm")
_CGROUPS = Path("/sys/fs/cgroup/cgroup.controllers")
_OWN_GROUP = Path("/proc/self/cgroup")


def sandbox() -> Finding:
    """Look at what holds a tool and its children. Raises EnvironmentProblem where runs cannot be.

    penstock itself needs process groups, and /proc to find children that left theirs. What could
    lock a tool in (user namespaces, bubblewrap, Landlock, cgroups) is told for whoever sets that up.
    """
    require_runnable()
    details = {
        "proc": proc.available(),
        "pidfd": hasattr(os, "pidfd_open"),
        "user_namespaces": _user_namespaces(),
        "bubblewrap": shutil.which("bwrap"),
        "landlock": "landlock" in _text(_LSM).split(","),
        "writable_cgroup": _writable_cgroup(),
    }
    able = [name.replace("_", " ") for name in list(details)[2:] if details[name]]
    locks = f"a sandbox could use {', '.join(able)}" if able else "nothing here could lock it in"
    if details["proc"]:
        return Finding(message=f"tools are ended with all children; {locks}", details=details)
    return Finding(
        status=Verdict.WARN,
        message=f"without /proc a child that leaves its process group is found late; {locks}",
        details=details,
        hint="mount /proc" if sys.platform == "linux" else None,
    )


def _user_namespaces() -> bool:
    """Tell whether somebody without rights may make a user namespace."""
    return _text(_CLONE) != "0" and _text(_NAMESPACES) not in ("", "0")


def _writable_cgroup() -> bool:
    """Tell whether a cgroup could be made for a tool below our own."""
    if not _CGROUPS.exists():
        return False
    lines = _text(_OWN_GROUP).split("\n")
    own = next((line[3:] for line in lines if line.startswith("0::")), "")
    return bool(own) and os.access(_CGROUPS.parent / own.lstrip("/"), os.W_OK)


def _text(path: Path) -> str:
    """Return what a file of the kernel says, nothing where there is none."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
