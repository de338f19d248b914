"""How many turns a tool may have at once, over all runs of this repository on this machine.

A slot is a lock file that the kernel frees when its holder dies, so nothing has to be recovered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from penstock.engine.job import Job, Waiting
from penstock.errors import ClaimError, Interrupted
from penstock.tools.api import ALIASES

POLL_S = 0.2


def limit_of(job: Job) -> int | None:
    """Return how many turns the job's tool may have at once, None for any number.

    One that would use the user's own login has one in any case. The configured limit goes before
    that of the coordination rules, which is for a tool that is reached through a capability.
    """
    services = job.services
    if services.toolbox.get(job.tool_id).own_login():
        return 1
    configured = configured_limits(services.settings.limits.tools).get(job.tool_id)
    if configured is None and job.route is not None and services.router is not None:
        return services.router.max_concurrent()
    return configured


def configured_limits(limits: Mapping[str, int]) -> dict[str, int]:
    """Return limits by the tools' own ids, whatever names they were configured by."""
    return {ALIASES.get(name, name): limit for name, limit in limits.items()}


def tool_slot(job: Job) -> AbstractContextManager[None]:
    """Return a context that holds a slot of the job's tool, waiting for one to be free.

    Raises Interrupted and Waiting meanwhile, as `Job.check_stop` does.
    """
    limit = limit_of(job)
    return nullcontext() if limit is None else _held(job, limit)


@contextmanager
def _held(job: Job, limit: int) -> Iterator[None]:
    slot = _first_free(job, limit)
    if slot is None:
        slot = _await(job, limit)
    with slot:
        yield


def _await(job: Job, limit: int) -> ExitStack:
    """Wait for a free slot; the journal says so meanwhile."""
    tell = job.services.journal.set_workstream_reason
    tell(job.run_id, job.ws_id, f"a free slot of {job.tool_id} (limit {limit})")
    try:
        while (slot := _first_free(job, limit)) is None:
            job.check_stop()
            job.services.stop.wait(POLL_S)
    except (Interrupted, Waiting):
        tell(job.run_id, job.ws_id, None)
        raise
    tell(job.run_id, job.ws_id, None)
    return slot


def _first_free(job: Job, limit: int) -> ExitStack | None:
    for number in range(limit):
        with ExitStack() as stack:
            try:
                stack.enter_context(job.services.slot_lock(job.tool_id, number))
            except ClaimError:
                continue
            return stack.pop_all()
    return None
