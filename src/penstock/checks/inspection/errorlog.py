"""The log of what was checked: a line of JSON for each file, the newest 75,000 bytes of them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec

from penstock.errors import PenstockError
from penstock.locks import exclusive
from penstock.model.inspection import CheckReport, FileResult

NAME = "pipeline_errors.jsonl"
LIMIT_BYTES = 75_000
PATIENCE_S = 2.0


def write_log(folder: Path, report: CheckReport) -> str | None:
    """Add the files of a report to the log in `folder`; return why it could not be written.

    A file whose results all came from the cache is `skipped`, any other `validated`. The oldest
    lines go when the log would be longer than LIMIT_BYTES.
    """
    added = _newest(_lines(report), LIMIT_BYTES)
    if not added:
        return None
    try:
        with _alone(folder):
            _add(folder / NAME, added)
    except (OSError, PenstockError) as error:
        return f"{folder / NAME} cannot be written: {getattr(error, 'strerror', None) or error}"
    return None


def _alone(folder: Path) -> AbstractContextManager[None]:
    """Keep others from writing the log meanwhile, so that no line of theirs is lost."""
    if sys.platform == "win32":
        return nullcontext()
    lock = folder / "pipeline_errors.lock"
    return exclusive(lock, busy="another process holds it", patience_s=PATIENCE_S, sign=False)


def _lines(report: CheckReport) -> Iterator[bytes]:
    """Yield the lines, the last one first."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(report.started_at))
    for result in reversed(report.files):
        yield _line(stamp, result)


def _line(stamp: str, result: FileResult) -> bytes:
    fields = {
        "timestamp_utc": stamp,
        "event": "skipped" if result.cached else "validated",
        # JSON is UTF-8: a name that is no text is shown with its bytes escaped
        "path": os.fsencode(result.path).decode("utf-8", "backslashreplace"),
        "status": result.status.value,
        "errors": result.errors,
        "warnings": result.warnings,
    }
    return msgspec.json.encode(fields) + b"\n"


def _newest(lines: Iterator[bytes], room: int) -> bytes:
    """Return as many lines as fit, in their order; they come with the last one first."""
    taken: list[bytes] = []
    for line in lines:
        room -= len(line)
        if room < 0:
            break
        taken.append(line)
    return b"".join(reversed(taken))


def _add(path: Path, added: bytes) -> None:
    """Append, or write anew what is to be kept."""
    if path.is_symlink():  # it would lead our writing elsewhere
        path.unlink()
    old = path.read_bytes() if path.exists() else b""
    if old and not old.endswith(b"\n"):  # a writer died in the midst of a line
        old = old[: old.rfind(b"\n") + 1]
    elif len(old) + len(added) <= LIMIT_BYTES:
        with open(path, "ab", opener=_private) as stream:
            stream.write(added)
        return
    kept = _newest(iter(reversed(old.splitlines(keepends=True))), LIMIT_BYTES - len(added))
    fresh = path.with_suffix(".new")
    with open(fresh, "wb", opener=_private) as stream:
        stream.write(kept + added)
    fresh.replace(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
