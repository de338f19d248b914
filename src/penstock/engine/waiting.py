"""Waiting for what this workstream cannot change: a rate limit, a budget, the user.

A workstream that waits gives its place to another; the moment until when is in the journal, so
that a process that takes over waits no longer than was said.
"""

from __future__ import annotations

from penstock.engine.job import Job, Waiting
from penstock.model.records import Workstream
from penstock.model.times import iso, seconds
from penstock.schedule.readiness import Reason

SHORT_S = 2.0
"""A wait that is not worth giving a place away for, in seconds."""
SLACK_S = 60.0
"""How far the clock may go back before it counts as set, in seconds."""
LONGEST_S = 31 * 86_400.0
"""No limit of a tool lasts longer, in seconds: the longest are monthly."""


def wait_until(job: Job, at: float, reason: str) -> None:
    """Wait until `at` (seconds since the epoch); a wait that was begun earlier ends when it said.

    Raises Waiting unless the wait is short or over, Interrupted when the user stops it.
    """
    services, row = job.services, job.row()
    if row.reason == Reason.RATE_LIMIT and row.reason_until is not None:
        at = seconds(row.reason_until)
    at = _believed(job, at, row)
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


def _believed(job: Job, at: float, row: Workstream) -> float:
    """Return the end of a wait, no later than was said when it was told.

    When the clock has been set back since, or the wait is longer than any limit of a tool, it is
    the clock that is wrong: then `limits.wait_s` is the most.
    """
    now = job.services.clock()
    moments = [row.updated_at, *(a.completed_at for a in job.attempts() if a.completed_at)]
    told = max(map(seconds, moments))
    if told <= now + SLACK_S and at - now <= LONGEST_S:
        return at
    return now + min(max(0.0, at - told), job.services.settings.limits.wait_s)
