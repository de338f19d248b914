"""Waiting for a rate limit to end: asleep while it is short, else until the run is resumed."""

from __future__ import annotations

from penstock.engine.job import Job
from penstock.errors import PenstockError
from penstock.model.times import iso


class Waiting(PenstockError):  # noqa: N818 - a state, not an error
    """A workstream waits for something that this process does not sit out."""


def wait_until(job: Job, at: float, reason: str) -> None:
    """Sleep until `at` (seconds since the epoch), the reason in the journal meanwhile.

    Raises Waiting when that is longer than limits.wait_s, Interrupted when the user stops it.
    """
    services = job.services
    delay = at - services.clock()
    if delay <= 0:
        return
    journal = services.journal
    journal.set_workstream_reason(job.run_id, job.ws_id, "rate_limit", until=iso(at))
    if delay > services.settings.limits.wait_s:
        raise Waiting(
            f"{job.ws_id} waits until {iso(at)}: {reason}",
            hint=f"penstock resume {job.run_id}",
        )
    services.stop.wait(delay)
    job.check_stop()
    journal.set_workstream_reason(job.run_id, job.ws_id, None)
