"""The documented class of run life cycles: plain dicts out, states by the documented tables.

    orchestrator = Orchestrator()
    run_id = orchestrator.create_run("ws-a")      # pending
    orchestrator.start_run(run_id)                # running
    orchestrator.execute_step(run_id, "ws-a/edit")
    orchestrator.execute_workstream("ws-a", run_id)
    orchestrator.complete_run(run_id, "succeeded")

`execute_run` does all of it at once, as wide as limits and dependencies allow, and is what
`penstock run` does. A change of state that the tables do not allow raises InvalidTransitionError, a
ValueError; each change is written together with its event.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from penstock.aim import pre_flight
from penstock.api import metrics, progress
from penstock.assembly import event_sink
from penstock.control import approve, cancel, integrate, pause, quarantine, retry
from penstock.engine.ports import RunRequest
from penstock.engine.step import ENDED, STATES_OF
from penstock.errors import (
    BundleError,
    ExitCode,
    InvalidTransitionError,
    NotFoundError,
    UsageError,
)
from penstock.journal import as_row, state_named
from penstock.model.bundle import Bundle
from penstock.model.records import NewAttempt, Run, Workstream
from penstock.model.states import (
    ATTEMPT_ALIASES,
    RUN_ALIASES,
    AttemptState,
    IntegrationState,
    RunState,
    WorkstreamState,
)
from penstock.orchestrator import single_result, work_on_step
from penstock.store.api import DocumentedJournal
from penstock.wiring import Workspace, open_workspace

Row = dict[str, Any]
Part = str | Path | Bundle | Mapping[str, Any]
Spec = Part | list[Part] | tuple[Part, ...]
STEPS = ("edit", "static", "runtime")
PAGE = 500
_END_NAMES = {**RUN_ALIASES, **ATTEMPT_ALIASES}
_EXIT_CODES = {RunState.SUCCEEDED: ExitCode.DONE, RunState.FAILED: ExitCode.FAILED}
_UNDER_WAY = frozenset({RunState.PENDING, RunState.RUNNING})


class Orchestrator:
    """Creates runs, drives them as a whole or step by step, and answers what is known of them.

    `root` is any folder inside the repository, by default the current one at each call; `db` is a
    path as for `--db`. Nothing is held open between two calls.
    """

    def __init__(
        self, root: str | os.PathLike[str] | None = None, *, db: str | None = None
    ) -> None:
        self._root = None if root is None else Path(root)
        self._db = db

    # -- runs ------------------------------------------------------------------------------
    def create_run(
        self,
        workstream_spec: Spec,
        *,
        run_id: str | None = None,
        tool: str | None = None,
        model: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        """Enter a pending run and return its id (from the clock, unless given).

        `workstream_spec` is a workstream, or a sequence of them: the id of a bundle in the folder
        of bundles, the path of a file of bundles (it ends with `.json`), a Bundle, or a bundle as
        a dict. All of them are validated together. `tool` beats the tools of the bundles.
        Raises BundleError, NotFoundError, UsageError when the id is taken.
        """
        with self._workspace() as workspace:
            bundles = _chosen(workspace, workstream_spec)
            request = RunRequest(
                bundles=bundles,
                run_id=run_id,
                tool=tool,
                model=model,
                metadata=dict(metadata or {}),
            )
            return workspace.create_run(request)

    def start_run(self, run_id: str) -> Row:
        """Begin a run: it is running from now on, on the commit that HEAD is at. Returns its row.

        Nothing is executed yet; a run that is running stays as it is. Raises
        InvalidTransitionError when it has ended, NotFoundError.
        """
        with self._writing() as (workspace, journal):
            run = journal.get_run(run_id)
            base = run.base_commit or workspace.repository.head()
            journal.move_run(run_id, RunState.RUNNING)
            branch = run.integration_branch or f"integration/{run_id}"
            return as_row(journal.set_run_base(run_id, base, branch))

    def execute_run(self, run_id: str) -> Row:
        """Drive a run to its end, or to where it waits, and return {run_id, status, ..., workstreams}.

        Raises UsageError when it has ended, ClaimError when another process works on it,
        Interrupted.
        """
        with self._workspace() as workspace:
            return _document(workspace.resume(run_id))

    def complete_run(
        self,
        run_id: str,
        status: str,
        *,
        reason: str | None = None,
        error_message: str | None = None,
    ) -> Row:
        """End a run as succeeded, failed, quarantined or canceled, and return its row.

        The state is the caller's word: nothing is run, checked or merged for it. Raises
        InvalidTransitionError, NotFoundError, ClaimLostError while a process works on it.
        """
        state = state_named(RunState, status, _END_NAMES)
        if state in _UNDER_WAY:
            raise InvalidTransitionError(f"a run cannot be completed as {state.value}")
        with self._writing() as (_, journal):
            moved = journal.move_run(
                run_id,
                state,
                reason=reason,
                exit_code=_EXIT_CODES.get(state),
                error_message=error_message,
            )
            return as_row(moved)

    def get_run_status(self, run_id: str) -> Row:
        """Return a run's row; `workstreams` holds {ws_id, status, integration, reason} of each.

        Raises NotFoundError, a ValueError.
        """
        with self._workspace() as workspace:
            run = workspace.reader.get_run(run_id)
            rows = workspace.reader.list_workstreams(run_id)
            return {**as_row(run), "workstreams": [_brief(row) for row in rows]}

    def list_runs(self, status: str | None = None, limit: int = 100, offset: int = 0) -> list[Row]:
        """Return the rows of runs, newest first."""
        state = None if status is None else state_named(RunState, status, RUN_ALIASES)
        with self._workspace() as workspace:
            found = workspace.reader.list_runs(status=state, limit=limit, offset=offset)
            return [as_row(run) for run in found]

    def get_run_steps(self, run_id: str, ws_id: str | None = None) -> list[Row]:
        """Return the attempts of a run or workstream in the order in which they began."""
        with self._workspace() as workspace:
            workspace.reader.get_run(run_id)
            return [as_row(one) for one in workspace.reader.list_attempts(run_id, ws_id)]

    def get_run_events(
        self, run_id: str, ws_id: str | None = None, event_type: str | None = None
    ) -> list[Row]:
        """Return the events of a run, oldest first."""
        found: list[Row] = []
        with self._workspace() as workspace:
            workspace.reader.get_run(run_id)
            last = 0
            while page := workspace.reader.list_events(
                run_id=run_id, ws_id=ws_id, after_id=last, limit=PAGE
            ):
                last = page[-1].id
                found += [as_row(e) for e in page if event_type in (None, e.event_type)]
        return found

    def get_run_progress(self, run_id: str) -> Row:
        """Return the documented snapshot: tasks, percent, times, estimated end. Raises NotFoundError."""
        return _document(progress(run_id, root=self._root, db=self._db))

    def get_run_metrics(self, run_id: str) -> Row:
        """Return the documented counts over a run: steps, events, duration. Raises NotFoundError."""
        return _document(metrics(run_id, root=self._root, db=self._db))

    # -- steering --------------------------------------------------------------------------
    def pause_run(self, run_id: str, *, reason: str | None = None) -> Row:
        """Let a run begin nothing more; see `penstock.pause`."""
        return as_row(pause(run_id, reason=reason, root=self._root, db=self._db))

    def resume_run(self, run_id: str) -> Row:
        """Go on with a run that was paused, was interrupted or waits; the same as `execute_run`."""
        return self.execute_run(run_id)

    def retry_workstream(self, run_id: str, ws_id: str, *, from_step: str = "edit") -> Row:
        """Try a workstream again and go on with its run; see `penstock.retry`. Returns as
        `execute_run` does."""
        return _document(retry(run_id, ws_id, from_step=from_step, root=self._root, db=self._db))

    def quarantine_run(
        self, run_id: str, ws_id: str | None = None, *, reason: str = "", compensate: bool = False
    ) -> Row:
        """Set a run aside, or a failed workstream of it; see `penstock.quarantine`."""
        place: Any = {"root": self._root, "db": self._db}
        return as_row(quarantine(run_id, ws_id, reason=reason, compensate=compensate, **place))

    def cancel_run(
        self, run_id: str, *, reason: str | None = None, compensate: bool = False
    ) -> Row:
        """Give a run up; see `penstock.cancel`."""
        place: Any = {"root": self._root, "db": self._db}
        return as_row(cancel(run_id, reason=reason, compensate=compensate, **place))

    def approve_gate(
        self,
        run_id: str,
        gate: int | None = None,
        *,
        by: str | None = None,
        note: str | None = None,
    ) -> int:
        """Open a gate that waits for somebody's word; see `penstock.approve`."""
        place: Any = {"root": self._root, "db": self._db}
        return approve(run_id, gate, by=by, note=note, **place)

    def integrate_run(self, run_id: str, into: str, **how: Any) -> Row:
        """Hand the result of a run over to a branch; see `penstock.integrate` for `how`."""
        done = integrate(run_id, into, root=self._root, db=self._db, **how)
        return _document(done)

    # -- steps -----------------------------------------------------------------------------
    def execute_step(self, run_id: str, step_id: str) -> Row:
        """Work on one step until it passes or a breaker stops it; nothing else starts.

        `step_id` is `WS_ID/STEP`, STEP being edit, static or runtime; in a run of one workstream
        STEP alone will do. Returns {run_id, ws_id, step_name, success, details, error_message}.
        Raises UsageError when the workstream is not at that step or the run has ended,
        NotFoundError.
        """
        with self._workspace() as workspace:
            _require_open(workspace.reader.get_run(run_id))
            ws_id, step = _step_of(step_id, workspace.reader.list_workstreams(run_id))
            if step not in STEPS:
                raise UsageError(f"there is no step {step!r}", hint=f"one of {', '.join(STEPS)}")
            _require_dependencies(workspace, run_id, ws_id)
            done = work_on_step(workspace, run_id, ws_id, step, fix=True)
            return {"run_id": run_id, "ws_id": ws_id, **done}

    def execute_workstream(self, ws_id: str, run_id: str) -> Row:
        """Check that workstreams can run here, then drive one of a run to its end.

        The run is created from the folder of bundles when there is none of that id; it stays
        running. Returns {run_id, ws_id, final_status, steps}. Raises PreFlightError, a
        RuntimeError, when the machine is not up to it; UsageError when a dependency is not done.
        """
        if not self._has_run(run_id):
            self.create_run(ws_id, run_id=run_id)
        self._pre_flight_checks(run_id, ws_id)
        with self._workspace() as workspace:
            _require_open(workspace.reader.get_run(run_id))
            _require_dependencies(workspace, run_id, ws_id)
            for step in STEPS:
                state = workspace.reader.get_workstream(run_id, ws_id).status
                if state in STATES_OF[step] and state not in ENDED:
                    workspace.run_step(run_id, ws_id, step, fix=True)
            return single_result(workspace.result(run_id), ws_id)

    def create_step_attempt(
        self,
        run_id: str,
        step_id: str,
        *,
        tool_id: str | None = None,
        result: Mapping[str, Any] | None = None,
    ) -> Row:
        """Record that an attempt of a step begins that the caller makes, and return its row.

        `step_id` is as in `execute_step`, with any name for the step. Raises
        InvalidTransitionError unless the run is running, NotFoundError, ClaimLostError while a
        process works on it.
        """
        with self._writing() as (_, journal):
            run = journal.get_run(run_id)
            if run.status is not RunState.RUNNING:
                raise InvalidTransitionError(
                    f"run {run_id} is {run.status.value}: attempts begin in running runs only"
                )
            ws_id, step = _step_of(step_id, journal.list_workstreams(run_id))
            intent = NewAttempt(
                run_id=run_id,
                ws_id=ws_id,
                step_name=step,
                attempt=0,
                tool_id=tool_id,
                result=dict(result or {}),
            )
            return as_row(journal.record_attempt(intent, AttemptState.RUNNING))

    def complete_step_attempt(
        self,
        step_attempt_id: int,
        status: str,
        *,
        exit_code: int | None = None,
        error_signature: str | None = None,
        result: Mapping[str, Any] | None = None,
    ) -> Row:
        """Record the outcome of an attempt: succeeded, failed, canceled or unknown.

        `result` is laid over what it began with. Returns its row. Raises InvalidTransitionError
        when it has ended otherwise, NotFoundError, ClaimLostError.
        """
        state = state_named(AttemptState, status, ATTEMPT_ALIASES)
        if state in (AttemptState.PENDING, AttemptState.RUNNING):
            raise InvalidTransitionError(f"an attempt cannot be completed as {state.value}")
        with self._writing() as (_, journal):
            finished = journal.finish_attempt(
                step_attempt_id,
                state,
                exit_code=exit_code,
                error_signature=error_signature,
                result=result,
            )
            return as_row(finished)

    def _pre_flight_checks(self, run_id: str | None = None, ws_id: str | None = None) -> Row:
        """Return {health_status, health_summary, version_drift, pre_flight_passed, checks, ...}.

        It is what `penstock run` looks at before a run, with the tools of the run, of one workstream
        of it, or of none without `run_id`. `version_drift` counts the tools that have another
        version than aim_config pins. With a run, the event `preflight` keeps it. Raises
        PreFlightError, a RuntimeError, when one of the checks fails.
        """
        return pre_flight(self._root, self._db, run_id, ws_id)

    # -- what they share -------------------------------------------------------------------
    @contextmanager
    def _workspace(self) -> Iterator[Workspace]:
        with open_workspace(self._root, db=self._db) as workspace:
            yield workspace

    @contextmanager
    def _writing(self) -> Iterator[tuple[Workspace, DocumentedJournal]]:
        """Open the journal; its events go to the log and the audit trail, like those of a run."""
        with self._workspace() as workspace:
            sink = event_sink(workspace.need_repository().root, None, workspace.trail)
            yield workspace, workspace.open_journal(create=False, on_event=sink)

    def _has_run(self, run_id: str) -> bool:
        with self._workspace() as workspace:
            try:
                workspace.reader.get_run(run_id)
            except NotFoundError:
                return False
            return True


def _document(value: msgspec.Struct) -> Row:
    """Return a value as JSON has it: lists, not tuples."""
    plain: Row = msgspec.json.decode(msgspec.json.encode(value))
    return plain


def _chosen(workspace: Workspace, spec: Spec) -> tuple[Bundle, ...]:
    """Return the bundles that a specification means, judged together.

    Raises the BundleError of the first problem, NotFoundError, BundleDependencyError.
    """
    parts = list(spec) if isinstance(spec, list | tuple | set | frozenset) else [spec]
    if not parts:
        raise BundleError("a run needs at least one workstream")
    objects: list[Mapping[str, Any]] = []
    for part in parts:
        objects += _objects(workspace, part)
    report = workspace.judge_bundles(objects)
    if not report.ok:
        more = f" and {len(report.errors) - 1} more errors" if len(report.errors) > 1 else ""
        raise BundleError(report.errors[0].text + more)
    return workspace.choose_bundles(report, [], everything=True)


def _objects(workspace: Workspace, part: object) -> list[Mapping[str, Any]]:
    """Return one part of a specification as decoded bundles."""
    if isinstance(part, Mapping):
        return [_as_json(part)]
    if isinstance(part, Bundle):
        return [msgspec.to_builtins(part)]
    if not isinstance(part, str | Path):
        kind = type(part).__name__
        raise BundleError(f"a workstream is an id, a path, a Bundle or a dict, not {kind}")
    text = str(part)
    if text.endswith(".json"):
        report = workspace.load_bundles([Path(text)])
        found = [item.bundle for item in report.bundles]
    else:
        report = workspace.load_bundles()
        found = [item.bundle for item in report.bundles if item.bundle.id == text]
        if report.ok and not found:
            raise NotFoundError(f"there is no workstream bundle {text!r}")
    if not report.ok:
        raise BundleError(report.errors[0].text, hint="penstock validate lists all")
    return [msgspec.to_builtins(bundle) for bundle in found]


def _as_json(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a bundle as a file would hold it. Raises BundleError for what JSON cannot say."""
    try:
        plain: Mapping[str, Any] = json.loads(json.dumps(dict(part), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise BundleError(f"the bundle is not JSON: {error}") from error
    return plain


def _step_of(step_id: str, rows: Sequence[Workstream]) -> tuple[str, str]:
    """Return the workstream and the step that an id names. Raises NotFoundError, UsageError."""
    ws_id, slash, step = step_id.rpartition("/")
    if not slash and len(rows) == 1:
        ws_id = rows[0].ws_id
    elif not slash:
        raise UsageError(
            f"{step_id!r} names no workstream of several", hint="write WS_ID/STEP, as ws-a/edit"
        )
    if ws_id not in {row.ws_id for row in rows}:
        raise NotFoundError(f"the run does not hold {ws_id!r}")
    if not step:
        raise UsageError(f"{step_id!r} names no step", hint="write WS_ID/STEP, as ws-a/edit")
    return ws_id, step


def _require_open(run: Run) -> None:
    """Raise UsageError when a run has ended."""
    if run.status not in _UNDER_WAY:
        raise UsageError(f"run {run.run_id} has ended ({run.status.value})")


def _require_dependencies(workspace: Workspace, run_id: str, ws_id: str) -> None:
    """Raise UsageError unless all that a workstream depends on in its run is done and merged."""
    rows = {row.ws_id: row for row in workspace.reader.list_workstreams(run_id)}
    if ws_id not in rows:
        raise NotFoundError(f"run {run_id} does not hold {ws_id!r}")
    waits = [name for name in rows[ws_id].depends_on if name in rows and not _arrived(rows[name])]
    if waits:
        raise UsageError(f"{ws_id} waits for {', '.join(waits)}")


def _arrived(row: Workstream) -> bool:
    done = row.status is WorkstreamState.DONE
    return done and row.integration is IntegrationState.MERGED


def _brief(row: Workstream) -> Row:
    return {
        "ws_id": row.ws_id,
        "status": row.status.value,
        "integration": row.integration.value,
        "reason": row.reason,
    }
