"""Between rows and records: JSON columns, one decoding per table."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, TypeVar

import msgspec

from penstock.errors import JournalError, UsageError
from penstock.typed import typed

T = TypeVar("T")

# column -> field of the record, each holding JSON text
_JSON_FIELDS: Mapping[str, str] = {
    "metadata_json": "metadata",
    "payload_json": "payload",
    "result_json": "result",
    "context_json": "context",
    "depends_on": "depends_on",
}


def _plain(value: Any) -> Any:
    """Turn what JSON does not know into what it does (called by the encoder)."""
    if isinstance(value, PurePath):
        return value.as_posix()
    raise NotImplementedError(f"a {type(value).__name__} is not JSON")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def clean_text(text: str) -> str:
    r"""Write bytes that were no UTF-8 (held as lone surrogates) as `\udcff`, so they can be stored."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def clean(value: Any) -> Any:
    """Apply clean_text to every text within a JSON value."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [clean(item) for item in value]
    return clean_text(value.as_posix()) if isinstance(value, PurePath) else value


def to_json(value: Mapping[str, Any] | Sequence[Any] | None) -> str | None:
    """Render a value for a JSON column; nothing and the empty value become NULL.

    Raises UsageError when it cannot be JSON.
    """
    if not value:
        return None
    try:
        return _encode(value)
    except (NotImplementedError, TypeError, OverflowError, RecursionError) as error:
        raise UsageError(f"the journal holds JSON only: {error}") from error


def _encode(value: Any) -> str:
    """Encode, cleaning the texts only when that proves necessary."""
    try:
        return _ENCODER.encode(value).decode("utf-8")
    except UnicodeEncodeError:
        return _ENCODER.encode(clean(value)).decode("utf-8")


def from_json(text: str | None) -> Any:
    """Read a JSON column; NULL is the empty object."""
    return {} if text is None else msgspec.json.decode(text)


def from_row(kind: type[T], row: sqlite3.Row) -> T:
    """Turn a row into its record. Raises JournalError when the row holds what it cannot hold."""
    values: dict[str, Any] = dict(row)
    try:
        for column, name in _JSON_FIELDS.items():
            if column in values:
                text = values.pop(column)
                if text is not None:
                    values[name] = msgspec.json.decode(text)
        return typed(values, kind)
    except (msgspec.MsgspecError, TypeError, RecursionError) as error:
        raise JournalError(
            f"the journal holds a damaged {kind.__name__}: {error}",
            hint="restore a backup, or remove the run with `penstock clean`",
        ) from error
