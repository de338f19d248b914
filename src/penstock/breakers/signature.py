"""Error signatures: the same trouble gets the same hash, whatever its line, path or time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

# Order matters: longer forms first, so that an address is not eaten as a number.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\x1b\[[0-9;]*[A-Za-z]"), ""),
    (re.compile(r"0x[0-9a-fA-F]+"), "<addr>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)?\s*(?:ms|us|ns|s|sec|secs|seconds|minutes|min)\b"), "<duration>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b"), "<id>"),
    (re.compile(r"(?:[A-Za-z]:)?(?:[\w.@+~-]*[\\/])+[\w.@+~-]*"), "<path>"),
    (re.compile(r"\bline \d+"), "line <n>"),
    (re.compile(r":\d+(?::\d+)?"), ":<n>"),
    (re.compile(r"\s+"), " "),
)


def normalise(message: str) -> str:
    """Replace what differs between two sightings of the same error, and collapse white space."""
    for pattern, replacement in _RULES:
        message = pattern.sub(replacement, message)
    return message.strip()


def signature(step: str, code: str, message: str) -> str:
    """Return the SHA-256 (hex) of step, error code and normalised message."""
    text = "\x00".join((step, code, normalise(message)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def combined(signatures: Iterable[str]) -> str:
    """Return one signature for a set of them, whatever their order and number."""
    text = "\n".join(sorted(set(signatures)))
    return hashlib.sha256(text.encode()).hexdigest()
