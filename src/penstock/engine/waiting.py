"""Waiting for a rate limit to end: asleep while it is short, else until the run is resumed."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.engine.job import Job
from penstock.errors import PenstockError
from penstock.model.events import EventType
from penstock.model.records import Cost
from penstock.model.settings import Limits
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


def require_budget(job: Job) -> None:
    """Raise Waiting when the run has used up its budget of cost or tokens.

    A turn of unknown cost under a cap makes it impossible to watch: that waits for a human too.
    """
    services, limits = job.services, job.services.settings.limits
    if limits.max_cost_usd is None and limits.max_tokens is None:
        return
    costs = services.journal.list_costs(job.run_id)
    reason = _over(costs, limits)
    if reason is None:
        return
    job.event(EventType.BUDGET_EXCEEDED, {"reason": reason})
    services.journal.set_workstream_reason(job.run_id, job.ws_id, "budget")
    raise Waiting(f"{job.ws_id} waits: {reason}", hint=f"penstock resume {job.run_id}")


def _over(costs: Sequence[Cost], limits: Limits) -> str | None:
    amounts = [
        c.actual_cost_usd if c.actual_cost_usd is not None else c.estimated_cost_usd for c in costs
    ]
    if limits.max_cost_usd is not None:
        known = sum(amount for amount in amounts if amount is not None)
        if known >= limits.max_cost_usd and costs:
            return f"the run has used {known:.4f} of {limits.max_cost_usd:.2f} USD"
        if None in amounts:
            return (
                f"a turn has no known cost, so the cap of {limits.max_cost_usd:.2f} USD cannot "
                "hold: add the model to prices in config/pipeline.yaml"
            )
    if limits.max_tokens is not None:
        tokens = sum((c.input_tokens or 0) + (c.output_tokens or 0) for c in costs)
        if tokens >= limits.max_tokens and costs:
            return f"the run has used {tokens} of {limits.max_tokens} tokens"
    return None
