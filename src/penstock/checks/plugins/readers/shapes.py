"""Reading JSON of one known shape."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from penstock.checks.plugins.readers.fields import UnreadableError, load, one_line
from penstock.typed import typed

_Shape = TypeVar("_Shape")


def shaped(data: bytes, shape: type[_Shape]) -> _Shape:
    """Decode JSON of a shape; members that it does not name are passed over.

    Raises UnreadableError for anything else, and for nothing at all.
    """
    try:
        return typed(load(data), shape)
    except (msgspec.ValidationError, RecursionError) as error:
        raise UnreadableError(f"its output is of another shape ({one_line(error, 300)})") from None
