"""A finished workstream arrives on the run's integration branch."""

from __future__ import annotations

from penstock.engine.job import Job
from penstock.model.states import IntegrationState


def integrate(job: Job) -> IntegrationState:
    """Merge a done workstream into the integration branch, without fast-forward.

    A conflict changes no branch; it is recorded and the dependents wait. Safe to call again after
    a crash at any moment.
    """
    services, row = job.services, job.row()
    journal, repository = services.journal, services.repository
    if row.integration in (IntegrationState.MERGED, IntegrationState.REJECTED):
        return row.integration
    payload = {"branch": job.branch, "into": job.integration_branch}
    journal.move_integration(job.run_id, job.ws_id, IntegrationState.QUEUED, payload=payload)
    head = row.head_commit or row.base_commit or ""
    target = repository.resolve(job.integration_branch)
    if target is not None and repository.is_ancestor(head, target):
        commit: str | None = target
        conflicts: tuple[str, ...] = ()
    else:
        merge = repository.merge(
            job.branch,
            job.integration_branch,
            message=f"Merge {job.ws_id} ({job.run_id})",
            trailers={"Penstock-Run": job.run_id, "Penstock-Workstream": job.ws_id},
        )
        commit, conflicts = merge.commit, merge.conflicts
    to = IntegrationState.CONFLICT if commit is None else IntegrationState.MERGED
    payload = {**payload, "commit": commit or "", "conflicts": ", ".join(conflicts[:50])}
    journal.move_integration(job.run_id, job.ws_id, to, payload=payload)
    return to
