"""What a run works on and how wide: its jobs, its choices, and the frontier of what may start."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from penstock.engine.job import Job
from penstock.engine.ports import ResumeOptions
from penstock.engine.services import Services
from penstock.engine.signals import Signals
from penstock.engine.toolslots import configured_limits
from penstock.errors import UsageError
from penstock.model.bundle import Bundle
from penstock.model.records import Run
from penstock.model.settings import OverlapPolicy
from penstock.schedule.frontier import Capacity, Frontier
from penstock.typed import typed


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen for a run when it began or was resumed, over the settings."""

    max_parallel: int
    fail_fast: bool = False
    tool: str | None = None
    model: str | None = None
    max_cost_usd: float | None = None


def choices_of(services: Services, run: Run, options: ResumeOptions) -> Choices:
    """Return the choices of a run: those of this process, else those that it began with."""
    kept, limits = run.metadata, services.settings.limits
    return Choices(
        max_parallel=options.max_parallel or kept.get("max_parallel") or limits.max_parallel,
        fail_fast=bool(kept.get("fail_fast")),
        tool=options.tool or kept.get("tool"),
        model=kept.get("model"),
        max_cost_usd=(
            options.max_cost_usd
            if options.max_cost_usd is not None
            else kept.get("max_cost_usd", limits.max_cost_usd)
        ),
    )


def jobs_of(
    services: Services, run: Run, choices: Choices, *, only_known: bool = False
) -> dict[str, Job]:
    """Return the workstreams of a run with what is needed to work on them, by id.

    Raises UsageError for one that was entered without its bundle; it is left out with `only_known`.
    """
    signals = Signals()
    jobs: dict[str, Job] = {}
    for row in services.journal.list_workstreams(run.run_id):
        if "bundle" not in row.metadata:  # a script has entered it, which does the work itself
            if only_known:
                continue
            raise UsageError(
                f"{row.ws_id} of {run.run_id} was entered without its bundle: it cannot be run",
                hint=f"penstock cancel {run.run_id} ends the run",
            )
        bundle = typed(row.metadata["bundle"], Bundle)
        jobs[row.ws_id] = Job(
            services=services,
            run_id=run.run_id,
            integration_branch=run.integration_branch or f"integration/{run.run_id}",
            bundle=bundle,
            tool_id=services.toolbox.get(choices.tool or bundle.tool).tool_id,
            model=choices.model,
            forced_tool=choices.tool is not None,
            max_cost_usd=choices.max_cost_usd,
            signals=signals,
        )
    return jobs


def is_routed(job: Job) -> bool:
    """Tell whether the tools of a job are chosen by its capability, turn by turn."""
    has_rule = job.bundle.capability is not None and job.services.router is not None
    return has_rule and not job.forced_tool


def frontier_of(services: Services, jobs: Mapping[str, Job], choices: Choices) -> Frontier:
    """Return the frontier of a run; it is told nothing yet of how the workstreams stand."""
    limits = services.settings.limits
    named = {
        **{f"tool:{name}": limit for name, limit in configured_limits(limits.tools).items()},
        **{f"capability:{name}": limit for name, limit in limits.capabilities.items()},
    }
    for tool_id in {job.tool_id for job in jobs.values()}:
        if services.toolbox.get(tool_id).own_login():
            named[f"tool:{tool_id}"] = 1

    def keys_of(bundle: Bundle) -> tuple[str, ...]:
        if is_routed(jobs[bundle.id]):
            return (f"capability:{bundle.capability}",)
        return (f"tool:{jobs[bundle.id].tool_id}",)

    return Frontier(
        [job.bundle for job in jobs.values()],
        approvals_needed=services.settings.approvals,
        capacity=Capacity(total=choices.max_parallel, keys=named),
        keys_of=keys_of,
        overlap_holds=services.settings.overlap_policy is not OverlapPolicy.MERGE,
    )
