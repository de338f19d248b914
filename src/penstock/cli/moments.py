"""Points in time as people write them: `2026-01-31`, `2026-01-31T10:20`, `2h`, `3d`, `1w`."""

from __future__ import annotations

import re
from datetime import datetime

from penstock.errors import UsageError

_AGO = re.compile(r"(\d{1,6})([hdw])")
_UNITS = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def moment(text: str, now: float) -> float:
    """Return a point in time in seconds since the epoch; `2h` is two hours before `now`.

    A date is its beginning. Without `Z` or an offset the local time of this machine is meant, as
    `date -I` prints it. Raises UsageError for anything else.
    """
    match = _AGO.fullmatch(text.strip().lower())
    if match is not None:
        return now - int(match[1]) * _UNITS[match[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no point in time",
            hint="Write a date (2026-01-31), a date and time, or how long ago (2h, 3d, 1w).",
        ) from error
