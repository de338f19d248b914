"""One line of CSV (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_row(values: Iterable[object]) -> str:
    """Return values as one line without its end; None is empty.

    What a spreadsheet would calculate gets an apostrophe in front.
    """
    return ",".join(_cell("" if value is None else str(value)) for value in values)


def _cell(text: str) -> str:
    safe = f"'{text}" if text.startswith(_FORMULA) else text
    if not any(c in safe for c in ',"\r\n'):
        return safe
    return '"' + safe.replace('"', '""') + '"'
