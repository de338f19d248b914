"""One step of one workstream, worked on by itself."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.engine.desk import Desk
from penstock.engine.job import Job, Waiting
from penstock.engine.queue import Integration, queue_up
from penstock.engine.step import run_step
from penstock.errors import NotFoundError
from penstock.model.states import WorkstreamState


def run_one_step(jobs: Mapping[str, Job], run_id: str, ws_id: str, step: str, *, fix: bool) -> None:
    """Work on one step of one workstream of a claimed, running run; nothing else starts.

    One that is done with it is merged, as far as that goes without a FIX turn.
    """
    if ws_id not in jobs:
        raise NotFoundError(f"run {run_id} does not hold {ws_id}")
    job, desk = jobs[ws_id], Desk()
    _sitting_out(job, desk, step, fix=fix)
    if job.row().status is WorkstreamState.DONE:
        queue_up(job)
        desk.release(job)
        integration = Integration(job.services, run_id, job.integration_branch, jobs)
        integration.integrate([job])
        integration.close()


def _sitting_out(job: Job, desk: Desk, step: str, *, fix: bool) -> None:
    """Work on the step; a wait that ends by itself is sat out as long as a run would."""
    while True:
        try:
            run_step(job, desk, step, fix=fix)
        except Waiting as wait:
            services = job.services
            delay = None if wait.until is None else wait.until - services.clock()
            if delay is None or delay > services.settings.limits.wait_s:
                raise
            services.stop.wait(max(0.0, delay))
            job.check_stop()
        else:
            return
