"""What readers share: safe text and numbers out of what tools print, and the words of a manifest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from penstock.checks.reading import MAX_MESSAGE
from penstock.model.finding import Category, Severity
from penstock.model.manifest import OutputSpec

T = TypeVar("T")

FORMAT_CODE = "format"
"""The code of findings of formatters, which know no rules."""
WOULD_REFORMAT = "would be reformatted"
MAX_POSITION = 2**31 - 1
"""The largest line or column that is believed."""
MAX_PATH = 4096
_WORDS = {
    "fatal": Severity.ERROR,
    "fatal error": Severity.ERROR,
    "critical": Severity.ERROR,
    "blocker": Severity.ERROR,
    "error": Severity.ERROR,
    "high": Severity.ERROR,
    "warning": Severity.WARNING,
    "warn": Severity.WARNING,
    "medium": Severity.WARNING,
    "moderate": Severity.WARNING,
    "low": Severity.INFO,
    "info": Severity.INFO,
    "information": Severity.INFO,
    "note": Severity.INFO,
    "hint": Severity.INFO,
    "none": Severity.INFO,
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_CRASH = re.compile(rb"^Traceback \(most recent call last\):", re.MULTILINE)


class UnreadableError(ValueError):
    """Output that is not what it should be; the message says why."""


# -- values --------------------------------------------------------------------------------------
def load(data: bytes) -> Any:
    """Decode JSON. Raises UnreadableError for anything else, and for nothing at all.

    Bytes that are no UTF-8 and lone surrogates, which tools take over from the files that they look at, do no harm.
    """
    text = data.decode("utf-8", "replace").removeprefix("\ufeff").strip()
    if not text:
        raise UnreadableError("it printed nothing")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _load_again(text)


def _load_again(text: str) -> Any:
    """Decode what msgspec refuses: lone surrogates, numbers without end."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UnreadableError(f"its output is not JSON ({error.msg} at {place})") from None
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"its output is not JSON ({str(error)[:200]})") from None


def one_line(value: object, limit: int = MAX_MESSAGE) -> str:
    """Return text fit for one line: no control characters, spaces squeezed, at most `limit` long."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    text = " ".join(_CONTROL.sub(" ", text[: 2 * limit]).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def path_text(value: object) -> str | None:
    """Return a path as a tool printed it, None when it is none."""
    if not isinstance(value, str) or not value.strip() or _CONTROL.search(value):
        return None
    return value[:MAX_PATH]


def position(value: object, *, zero_based: bool = False) -> int | None:
    """Return a line or column that counts from 1, None for what cannot be one."""
    number = _integer(value)
    if number is None:
        return None
    number += zero_based
    return number if 1 <= number <= MAX_POSITION else None


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\s*[0-9]{1,10}\s*", value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) <= MAX_POSITION else None


# -- the words of a manifest -----------------------------------------------------------------------
def severity_of(spec: OutputSpec, word: object, code: str | None) -> Severity:
    """Return how bad a finding is: by the tool's word or code as the manifest maps them, by the
    word as everybody means it, or as the manifest says for all."""
    plain = one_line(word).lower()
    for said, severity in spec.severities.items():
        if plain and said.lower() == plain:
            return severity
    by_code = _by_code(spec.severities, code)
    return by_code or _WORDS.get(plain, spec.severity)


def category_of(spec: OutputSpec, code: str | None) -> Category:
    """Return what kind of trouble a finding is, by its code."""
    return _by_code(spec.categories, code) or spec.category


def _by_code(table: Mapping[str, T], code: str | None) -> T | None:
    """Look a code up: itself, else the longest prefix."""
    if code is None:
        return None
    if code in table:
        return table[code]
    prefixes = [key for key in table if key.endswith("*") and code.startswith(key[:-1])]
    return table[max(prefixes, key=len)] if prefixes else None


# -- crashes -------------------------------------------------------------------------------------
def crash_in(stderr: bytes) -> str | None:
    """Return the last line of a Python traceback, which a tool that prints lines may leave behind
    some findings that it had printed before."""
    if _CRASH.search(stderr) is None:
        return None
    lines = stderr.decode("utf-8", "replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    return f"it crashed: {one_line(last, 300)}"
