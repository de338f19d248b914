"""Ids: what a run may be called (its id is part of branch names and of folders), and ULIDs."""

from __future__ import annotations

import re

from penstock.errors import UsageError

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_LENGTH = 26
ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
INTEGRATION = "integration"
"""Stands where a workstream's id would, for the worktree in which merges are checked."""
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def require_run_id(text: str) -> str:
    """Return a run's id if it is fit for branch names and folders. Raises UsageError.

    Git refuses `..` and a last `.` or `.lock` in a branch name.
    """
    if RUN_ID.fullmatch(text) and ".." not in text and not text.endswith((".", ".lock")):
        return text
    raise UsageError(
        f"{text!r} cannot be the id of a run",
        hint="Use letters, digits, `.`, `_` and `-`, at most 100 and the first a letter or digit.",
    )


def next_ulid(milliseconds: int, randomness: bytes, last: str | None = None) -> str:
    """Make the ULID (github.com/ulid/spec) of a moment, always above `last`.

    `milliseconds` count from the epoch, `randomness` is ten random bytes. Within one millisecond,
    and when the clock went back, it is `last` and one more. Raises ValueError when it cannot be
    one: a moment beyond 48 bits, other than ten bytes, a `last` that is no ULID.
    """
    if not 0 <= milliseconds < 1 << 48 or len(randomness) * 8 != _RANDOM_BITS:
        raise ValueError("a ULID is made of 48 bits of time and ten random bytes")
    number = milliseconds << _RANDOM_BITS | int.from_bytes(randomness, "big")
    if last is not None:
        before = _ulid_number(last)
        if before >> _RANDOM_BITS >= milliseconds:
            number = before + 1
    if number >> 128:
        raise ValueError("there is no ULID above the last one")
    shifts = range((_LENGTH - 1) * 5, -1, -5)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in shifts)


def _ulid_number(text: str) -> int:
    if not ULID.fullmatch(text):
        raise ValueError(f"{text!r} is no ULID")
    number = 0
    for letter in text:
        number = number << 5 | _CROCKFORD.index(letter)
    return number
