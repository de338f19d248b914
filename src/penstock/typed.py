"""Decoding into types, whatever other threads decode meanwhile.

msgspec learns a type when it first meets it. Another thread that meets the type meanwhile takes the
half of it for the whole, which ends the process with a segmentation fault (seen with msgspec 0.22). So
each type is learned once, by one thread at a time, before anything is decoded into it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_LEARNING = threading.Lock()
_LEARNED: set[Any] = set()


def learn(kind: Any) -> None:
    """See that a type, with all that it holds, is known to msgspec."""
    if kind not in _LEARNED:
        with _LEARNING:
            msgspec.json.Decoder(kind)
            _LEARNED.add(kind)


def typed(
    value: Any,
    kind: type[T],
    *,
    from_attributes: bool = False,
    dec_hook: Callable[[type, Any], Any] | None = None,
) -> T:
    """Turn plain values into a type; the options are those of msgspec.convert.

    Raises msgspec.ValidationError.
    """
    learn(kind)
    return msgspec.convert(value, kind, from_attributes=from_attributes, dec_hook=dec_hook)


def typed_json(data: bytes | str, kind: type[T]) -> T:
    """Read JSON into a type. Raises msgspec.DecodeError, of which ValidationError is one."""
    learn(kind)
    return msgspec.json.decode(data, type=kind)


def typed_msgpack(data: bytes, kind: type[T]) -> T:
    """Read MessagePack into a type. Raises msgspec.DecodeError, of which ValidationError is one."""
    learn(kind)
    return msgspec.msgpack.decode(data, type=kind)
