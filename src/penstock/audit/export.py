"""Writing entries for other programs: JSON, lines of JSON, CSV."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from penstock.audit.api import AuditEntry, ExportFormat
from penstock.errors import AIMAuditLogError
from penstock.model.csvtext import csv_row

EXPORT_COLUMNS = ("timestamp", "event_type", "severity", "message", "user", "session_id")

_DECODER = msgspec.json.Decoder(AuditEntry)


def entry_of(line: bytes) -> AuditEntry | None:
    """Read a line; None for one that is damaged."""
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def export(lines: Iterable[bytes], path: Path, form: ExportFormat) -> int:
    """Write lines into a file, whole or not at all, for nobody else to read; return how many.

    Raises AIMAuditLogError.
    """
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for line in lines:
            count += 1
            yield line

    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(_FORMS[form](counted()))
            Path(draft).replace(path)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise AIMAuditLogError(f"cannot write {path}: {error.strerror}") from error
    return count


def _as_lines(lines: Iterator[bytes]) -> Iterator[bytes]:
    return (line + b"\n" for line in lines)


def _as_array(lines: Iterator[bytes]) -> Iterator[bytes]:
    yield b"["
    for number, line in enumerate(lines):
        yield (b",\n" if number else b"\n") + line
    yield b"\n]\n"


def _as_csv(lines: Iterator[bytes]) -> Iterator[bytes]:
    yield (csv_row(EXPORT_COLUMNS) + "\n").encode()
    for line in lines:
        entry = entry_of(line)
        if entry is not None:
            yield (csv_row(_export_row(entry)) + "\n").encode()


def _export_row(entry: AuditEntry) -> tuple[object, ...]:
    if entry.result is None:
        kind, severity = entry.event_type, entry.severity
    else:
        kind, severity = entry.kind.value, "info" if entry.result.success else "error"
    return (entry.timestamp, kind, severity, entry.text, entry.user, entry.session_id)


_FORMS: dict[ExportFormat, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    ExportFormat.JSON: _as_array,
    ExportFormat.JSONL: _as_lines,
    ExportFormat.CSV: _as_csv,
}
