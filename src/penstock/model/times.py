"""ISO-8601 UTC times and run ids as functions of a clock value."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Render seconds since the epoch as `2026-01-31T10:20:30.123456Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(text: str) -> float:
    """Read an ISO-8601 time (`Z` or an offset; without one it is UTC) as seconds since the epoch.

    Raises ValueError when it is no such time.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def run_id_at(seconds_since_epoch: float) -> str:
    """Make the run id of a moment: `run-20260131T102030Z`."""
    moment = datetime.fromtimestamp(seconds_since_epoch, UTC)
    return moment.strftime("run-%Y%m%dT%H%M%SZ")
