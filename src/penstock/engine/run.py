"""A run: its workstreams in dependency order, each from the head of the integration branch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from penstock.engine.loop import run_loop, run_one_step
from penstock.engine.ports import RunRequest
from penstock.engine.recovery import recover
from penstock.engine.report import run_result
from penstock.engine.selection import enter_bundles
from penstock.engine.services import Services
from penstock.errors import Interrupted, UsageError
from penstock.model.events import EventType
from penstock.model.ids import require_run_id
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

    def resume(self, run_id: str, *, tool: str | None = None) -> RunResult:
        """Go on with a run after any kind of end that was not its own, or begin a pending one.

        `tool` beats the tools that the run began with.

        Raises UsageError when the run has ended, ClaimError when another process works on it.
        """
        run = self._services.journal.get_run(run_id)
        if run.status not in (RunState.PENDING, RunState.RUNNING):
            raise UsageError(
                f"run {run_id} has ended ({run.status.value})",
                hint=f"look at it with penstock show {run_id}, or start another with penstock run",
            )
        if tool is not None:
            self._services.toolbox.get(tool)
        return self._drive(run_id, resumed=True, tool=tool)

    def create(self, request: RunRequest) -> str:
        """Enter a run with its workstreams as pending and return its id."""
        return self._create(request)

    def step(self, run_id: str, ws_id: str, step: str, *, fix: bool = True) -> RunResult:
        """Work on one step (edit, static, runtime) of one workstream and on nothing else.

        Raises UsageError when the workstream is not at that step.
        """
        services = self._services
        with self._held(run_id):
            self._begin(services.journal.get_run(run_id))
            run_one_step(services, run_id, ws_id, step, fix=fix)
        return run_result(services.journal, run_id)

    # -- making a run ----------------------------------------------------------------------
    def _create(self, request: RunRequest) -> str:
        services = self._services
        base = services.repository.head()
        run_id = require_run_id(request.run_id) if request.run_id is not None else self._free_id()
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
        enter_bundles(services.journal, run_id, request.bundles, mask=services.masks.values)
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
    def _drive(self, run_id: str, *, resumed: bool, tool: str | None = None) -> RunResult:
        services = self._services
        with self._held(run_id):
            if resumed:
                recover(services, run_id)
            self._begin(services.journal.get_run(run_id))
            run_loop(services, run_id, tool=tool)
        return run_result(services.journal, run_id)

    @contextmanager
    def _held(self, run_id: str) -> Iterator[None]:
        """Hold a run's lock and claim; an interrupt is recorded."""
        services, journal = self._services, self._services.journal
        if services.audit is not None:
            services.audit.require_writable()
        with services.hold(run_id):
            journal.claim_run(run_id, services.owner)
            try:
                yield
                _anchor(services)
            except Interrupted:
                journal.record_event(EventType.RUN_INTERRUPTED, run_id=run_id, payload={})
                _anchor(services)
                raise
            finally:
                journal.release_run(run_id)

    def _begin(self, run: Run) -> None:
        services = self._services
        base = run.base_commit or services.repository.head()
        branch = run.integration_branch or f"integration/{run.run_id}"
        services.journal.set_run_base(run.run_id, base, branch)
        services.repository.ensure_branch(branch, base)
        if run.status is RunState.PENDING:
            services.journal.move_run(run.run_id, RunState.RUNNING)
        services.journal.set_run_reason(run.run_id, None)


def _anchor(services: Services) -> None:
    """Keep a signed word of how far the audit trail has got, outside of it."""
    if services.audit is not None:
        services.audit.anchor()
