"""What a run may be called: its id is part of branch names and of folders."""

from __future__ import annotations

import re

from penstock.errors import UsageError

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def require_run_id(text: str) -> str:
    """Return a run's id if it is fit for branch names and folders. Raises UsageError.

    Git refuses `..` and a last `.` or `.lock` in a branch name.
    """
    if RUN_ID.fullmatch(text) and ".." not in text and not text.endswith((".", ".lock")):
        return text
    raise UsageError(
        f"{text!r} cannot be the id of a run",
        hint="Use letters, digits, `.`, `_` and `-`, at most 100 and the first a letter or digit.",
    )
