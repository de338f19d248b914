"""Waiting for what this workstream cannot change: a rate limit, a budget, the user.

A workstream that waits gives its place to another; the moment until when is in the journal, so
that a process that takes over waits no longer than was said.
"""

from __future__ import annotations

from penstock.engine.job import Job, Waiting
from penstock.model.times import iso, seconds
from penstock.schedule.readiness import Reason

SHORT_S = 2.0
"""A wait that is not worth giving a place away for, in seconds."""


def wait_until(job: Job, at: float, reason: str) -> None:
    """Wait until `at` (seconds since the epoch); a wait that was begun earlier ends when it said.

    Raises Waiting unless the wait is short or over, Interrupted when the user stops it.
    """
    services, row = job.services, job.row()
    if row.reason == Reason.RATE_LIMIT and row.reason_until is not None:
        at = seconds(row.reason_until)
    delay = at - services.clock()
    if delay > 0:
        tell = services.journal.set_workstream_reason
        tell(job.run_id, job.ws_id, Reason.RATE_LIMIT.value, until=iso(at))
        if delay > min(SHORT_S, services.settings.limits.wait_s):
            raise Waiting(
                f"{job.ws_id} waits until {iso(at)}: {reason}", kind=Reason.RATE_LIMIT, until=at
            )
        services.stop.wait(delay)
        job.check_stop()
    services.journal.set_workstream_reason(job.run_id, job.ws_id, None)
