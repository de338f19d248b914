"""A run: its workstreams in dependency order, each from the head of the integration branch."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.engine.loop import run_loop
from penstock.engine.ports import RunRequest
from penstock.engine.recovery import recover
from penstock.engine.report import run_result
from penstock.engine.services import Services
from penstock.errors import Interrupted, UsageError
from penstock.model.events import EventType
from penstock.model.records import Run
from penstock.model.results import RunResult
from penstock.model.states import RunState
from penstock.model.times import run_id_at

VERSION = 1
"""Version of what a run keeps in its metadata."""


class Engine:
    """Starts runs and resumes them. One object per process and repository."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def start(self, request: RunRequest, *, dry_run: bool = False) -> RunResult:
        """Run a set of bundles to its end; `dry_run` marks the result of one.

        Raises Interrupted, EnvironmentProblem and JournalError; the run can then be resumed.
        """
        run_id = self._create(request)
        result = self._drive(run_id, resumed=False)
        return msgspec.structs.replace(result, dry_run=dry_run)

    def resume(self, run_id: str) -> RunResult:
        """Go on with a run after any kind of end that was not its own.

        Raises UsageError when the run has ended, ClaimError when another process works on it.
        """
        run = self._services.journal.get_run(run_id)
        if run.status not in (RunState.PENDING, RunState.RUNNING):
            raise UsageError(
                f"run {run_id} has ended ({run.status.value})",
                hint=f"look at it with penstock show {run_id}, or start another with penstock run",
            )
        return self._drive(run_id, resumed=True)

    # -- making a run ----------------------------------------------------------------------
    def _create(self, request: RunRequest) -> str:
        services = self._services
        base = services.repository.head()
        run_id = request.run_id or self._free_id()
        for tool_id in sorted({request.tool or bundle.tool for bundle in request.bundles}):
            services.toolbox.get(tool_id)
        metadata: dict[str, Any] = {
            **request.metadata,
            "version": VERSION,
            "tool": request.tool,
            "model": request.model,
        }
        services.journal.create_run(
            run_id,
            base_commit=base,
            integration_branch=f"integration/{run_id}",
            metadata={key: value for key, value in metadata.items() if value is not None},
        )
        for bundle in request.bundles:
            services.journal.add_workstream(
                run_id,
                bundle.id,
                gate=bundle.gate,
                depends_on=bundle.depends_on,
                metadata={"bundle": msgspec.to_builtins(bundle)},
            )
        return run_id

    def _free_id(self) -> str:
        wanted = run_id_at(self._services.clock())
        taken = {run.run_id for run in self._services.journal.list_runs(limit=1000)}
        number, run_id = 1, wanted
        while run_id in taken:
            number += 1
            run_id = f"{wanted}-{number}"
        return run_id

    # -- driving it ------------------------------------------------------------------------
    def _drive(self, run_id: str, *, resumed: bool) -> RunResult:
        services = self._services
        journal = services.journal
        with services.hold(run_id):
            journal.claim_run(run_id, services.owner)
            try:
                if resumed:
                    recover(services, run_id)
                self._begin(journal.get_run(run_id))
                run_loop(services, run_id)
            except Interrupted:
                journal.record_event(EventType.RUN_INTERRUPTED, run_id=run_id, payload={})
                raise
            finally:
                journal.release_run(run_id)
        return run_result(journal, run_id)

    def _begin(self, run: Run) -> None:
        services = self._services
        if run.base_commit is not None and run.integration_branch is not None:
            services.repository.ensure_branch(run.integration_branch, run.base_commit)
        if run.status is RunState.PENDING:
            services.journal.move_run(run.run_id, RunState.RUNNING)
        services.journal.set_run_reason(run.run_id, None)
