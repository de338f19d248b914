"""The documented functions around one workstream, with plain dicts in and out.

Each works in the repository of the current folder. `context` may hold dry_run, static_tools,
runtime_tools (or runtime_tool), model_name and verbose; the environment variables
PIPELINE_DRY_RUN and AIDER_MODEL count as in the command line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.config.places import dry_run_wanted
from penstock.engine.ports import RunRequest
from penstock.errors import NotFoundError
from penstock.model.bundle import Bundle
from penstock.model.results import RunResult, StepResult
from penstock.typed import typed
from penstock.wiring import Workspace, open_workspace

Result = dict[str, Any]
Context = Mapping[str, Any]


def run_single_workstream_from_bundle(
    ws_id: str, run_id: str | None = None, context: Context | None = None
) -> Result:
    """Run one workstream of the bundle folder to its end.

    Returns {run_id, ws_id, final_status, steps: [{step_name, success, details, error_message}]}.
    Raises BundleError, NotFoundError, EnvironmentProblem.
    """
    with _workspace(context) as workspace:
        report = workspace.load_bundles()
        (bundle,) = workspace.choose_bundles(report, [ws_id])
        return _run(workspace, run_id, bundle, context)


def run_workstream(
    run_id: str, ws_id: str, bundle_obj: Bundle | Mapping[str, Any], context: Context | None = None
) -> Result:
    """Run a bundle that is given as a value or as a dict; see run_single_workstream_from_bundle."""
    with _workspace(context) as workspace:
        return _run(workspace, run_id, _bundle(ws_id, bundle_obj), context)


def run_edit_step(
    run_id: str, ws_id: str, bundle_obj: Bundle | Mapping[str, Any], context: Context | None = None
) -> Result:
    """Run the EDIT step only; the run is entered when there is none of that id.

    Returns {step_name, success, details, error_message} of the last attempt.
    """
    with _workspace(context) as workspace:
        bundle = _bundle(ws_id, bundle_obj)
        workspace.sync_bundles(run_id, [bundle])
        return work_on_step(workspace, run_id, ws_id, "edit", fix=True)


def run_static_step(run_id: str, ws_id: str, context: Context | None = None) -> Result:
    """Run the static checks once, without FIX turns."""
    with _workspace(context) as workspace:
        return work_on_step(workspace, run_id, ws_id, "static", fix=False)


def run_runtime_step(run_id: str, ws_id: str, context: Context | None = None) -> Result:
    """Run the runtime checks once, without FIX turns."""
    with _workspace(context) as workspace:
        return work_on_step(workspace, run_id, ws_id, "runtime", fix=False)


def run_static_with_fix(run_id: str, ws_id: str, context: Context | None = None) -> Result:
    """Run the STATIC step with its FIX turns until it passes or a breaker stops it."""
    with _workspace(context) as workspace:
        return work_on_step(workspace, run_id, ws_id, "static", fix=True)


def run_runtime_with_fix(run_id: str, ws_id: str, context: Context | None = None) -> Result:
    """Run the RUNTIME step with its FIX turns until it passes or a breaker stops it."""
    with _workspace(context) as workspace:
        return work_on_step(workspace, run_id, ws_id, "runtime", fix=True)


def single_result(result: RunResult, ws_id: str) -> Result:
    """Return the documented result of one workstream out of a run's."""
    found = next(w for w in result.workstreams if w.ws_id == ws_id)
    document: Result = {
        "run_id": result.run_id,
        "ws_id": ws_id,
        "final_status": found.final_status,
        "steps": [_step_document(step) for step in found.steps],
    }
    return {**document, "dry_run": True} if result.dry_run else document


def _run(
    workspace: Workspace, run_id: str | None, bundle: Bundle, context: Context | None
) -> Result:
    given = dict(context or {})
    model = given.get("model_name") or os.environ.get("AIDER_MODEL")
    request = RunRequest(bundles=(bundle,), run_id=run_id, model=model)
    if given.get("dry_run", dry_run_wanted()):
        _, result = workspace.dry_run(request)
    else:
        result = workspace.run(request)
    return single_result(result, bundle.id)


def work_on_step(workspace: Workspace, run_id: str, ws_id: str, step: str, *, fix: bool) -> Result:
    """Work on one step (edit, static, runtime) and return the document of its last attempt.

    Raises UsageError when the workstream is not at that step, NotFoundError.
    """
    result = workspace.run_step(run_id, ws_id, step, fix=fix)
    (found,) = (w for w in result.workstreams if w.ws_id == ws_id)
    steps = [s for s in found.steps if step in (s.step_name, s.details.get("for_step"))]
    if not steps:
        raise NotFoundError(f"{ws_id} has no {step} attempt in {run_id}")
    return _step_document(steps[-1])


def _step_document(step: StepResult) -> Result:
    return {
        "step_name": step.step_name,
        "success": step.success,
        "details": step.details,
        "error_message": step.error_message,
    }


def _bundle(ws_id: str, given: Bundle | Mapping[str, Any]) -> Bundle:
    if isinstance(given, Bundle):
        return given
    return typed({**given, "id": ws_id}, Bundle)


def _workspace(context: Context | None) -> Workspace:
    given = context or {}
    overrides: dict[str, tuple[str, ...]] = {}
    if "static_tools" in given:
        overrides["static_tools"] = _names(given["static_tools"])
    runtime = given.get("runtime_tools", given.get("runtime_tool"))
    if runtime is not None:
        overrides["runtime_tools"] = _names(runtime)
    return open_workspace(settings=overrides)


def _names(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
