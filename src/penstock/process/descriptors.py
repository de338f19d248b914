"""The limit on open files, which many children at once run into first."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from penstock.errors import EnvironmentProblem

FILE_LIMIT = 65_536
"""Enough for 20,000 children at once; a higher soft limit slows programs that close every number."""
PER_WORKSTREAM = 12
"""A child has three for its output and its end, its log one; git, ports and set-up need the rest."""
MARGIN = 64
"""For the journal, locks, logs, and what Python itself opens."""


def descriptors_for(workstreams: int) -> int:
    """Return how many descriptors so many workstreams at work at once may need."""
    return MARGIN + PER_WORKSTREAM * workstreams


def ensure_descriptors(needed: int) -> None:
    """See that this process can open `needed` more files, raising its soft limit if it must.

    Raises EnvironmentProblem when the hard limit does not allow that.
    """
    have = raise_file_limit()
    if have is None or have - _open() >= needed:
        return
    raise EnvironmentProblem(
        f"this process may have {have} files open at once, and {needed + _open()} are needed",
        hint=f"allow more (ulimit -n {needed + _open()}), or run fewer workstreams at a time "
        "(limits.max_parallel, --max-parallel)",
    )


def raise_file_limit() -> int | None:
    """Raise the soft limit on open files towards the hard one, and return what it is now.

    None is no limit, or a system that has none to be read.
    """
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILE_LIMIT if hard == resource.RLIM_INFINITY else min(hard, FILE_LIMIT)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # some systems have a lower limit than they name; then the old one has to do
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return None if soft == resource.RLIM_INFINITY else soft


def _open() -> int:
    """Return how many files this process has open, 0 where that cannot be seen."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        with suppress(OSError):
            return len(os.listdir(folder))  # noqa: PTH208 - no paths are needed
    return 0
