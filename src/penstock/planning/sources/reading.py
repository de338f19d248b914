"""Reading a plan, whichever dialect it is in. A reader is loaded when a plan needs it."""

from __future__ import annotations

import os
from pathlib import Path

from penstock.errors import UsageError
from penstock.planning.files import UnreadableError
from penstock.planning.sources.api import Dialect, PlanSource
from penstock.planning.sources.recognise import Located


def read_source(located: Located, root: Path) -> PlanSource:
    """Read what `recognise.locate` found; `root` is the top of the repository.

    Raises UsageError when it cannot be read at all.
    """
    try:
        return _read(located, Path(os.path.realpath(root)))
    except UnreadableError as error:
        raise UsageError(
            f"{located.name}: {error}", hint="name another source, or mend this one"
        ) from error


def _read(located: Located, root: Path) -> PlanSource:
    """Let the reader of the dialect read. Raises UnreadableError."""
    if located.dialect is Dialect.OPENSPEC:
        from penstock.planning.sources.openspec import read_openspec

        return read_openspec(located, root)
    if located.dialect is Dialect.CCPM:
        from penstock.planning.sources.ccpm import read_ccpm

        return read_ccpm(located, root)
    if located.dialect is Dialect.SPEC_KIT:
        from penstock.planning.sources.speckit import read_speckit

        return read_speckit(located, root)
    if located.dialect is Dialect.TASK_MASTER:
        from penstock.planning.sources.taskmaster import read_taskmaster

        return read_taskmaster(located, root)
    return _read_checklist(located)


def _read_checklist(located: Located) -> PlanSource:
    from penstock.planning.sources.checklist import read_checklist
    from penstock.planning.sources.text import from_bytes, read_file

    if located.raw is not None:
        return read_checklist(from_bytes(located.raw, located.name))
    return read_checklist(read_file(located.path, located.name))
