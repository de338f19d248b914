"""The line ends of a file, which no fixer may change on its way."""

from __future__ import annotations


def is_uniformly_crlf(data: bytes) -> bool:
    """Tell whether every line of a text ends as on Windows; not so without any, or in UTF-16."""
    ends = data.count(b"\r\n")
    return ends > 0 and ends == data.count(b"\n") == data.count(b"\r") and b"\0" not in data


def with_ends_of(original: bytes, data: bytes) -> bytes:
    """Return a changed text with the line ends of the original, where those were all the same.

    A mixed original has no line ends of its own, so its text stays as the fixer made it.
    """
    if is_uniformly_crlf(original):
        return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if b"\n" in original and b"\r" not in original:
        return data.replace(b"\r\n", b"\n")
    return data
