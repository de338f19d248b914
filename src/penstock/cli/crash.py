"""The report file about an error that nobody foresaw."""

from __future__ import annotations

import os
import platform
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from penstock.errors import PenstockError
from penstock.masking import redactor
from penstock.redact.redactor import Redactor


def write_report(error: BaseException, argv: Sequence[str]) -> Path | None:
    """Write a report (readable by the user only) and return its path, None when none can be.

    It goes to `state/reports/` where the current directory has a `state/`, else to the temporary
    directory. It holds versions, the command line with secrets masked, and the traceback: no
    environment and no values of variables.
    """
    text = report_text(error, argv)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for folder in (_repository_folder(), Path(tempfile.gettempdir())):
        path = _write(folder, f"penstock-report-{stamp}-{os.getpid()}.txt", text)
        if path is not None:
            return path
    return None


def report_text(error: BaseException, argv: Sequence[str]) -> str:
    """Return what a report says, without what is known to be secret or looks like it."""
    masks = _masks()
    lines = (
        f"penstock {_version()}",
        f"python {platform.python_version()} on {platform.platform()}",
        f"command: penstock {' '.join(masks.argv(argv))}",
        "",
        "".join(traceback.format_exception(error)),
    )
    return masks.text("\n".join(lines))


def _masks() -> Redactor:
    """Return what knows the secrets of where we stand, if that can be told in this state."""
    from penstock.wiring import open_workspace

    with suppress(PenstockError, OSError), open_workspace() as workspace:
        return workspace.redactor
    return redactor()


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("penstock")
    except PackageNotFoundError:
        return "(not installed)"


def _repository_folder() -> Path | None:
    """Return state/reports of the current repository, if it has a journal's folder."""
    try:
        here = Path.cwd()
    except OSError:  # the directory is gone
        return None
    for folder in (here, *here.parents):
        if (folder / ".git").exists():
            return folder / "state" / "reports" if (folder / "state").is_dir() else None
    return None


def _write(folder: Path | None, name: str, text: str) -> Path | None:
    """Write a file that only the user may read; None when that cannot be done."""
    if folder is None:
        return None
    path = folder / name
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:  # a full or read-only disk: the caller tries the next place
        return None
    return path
