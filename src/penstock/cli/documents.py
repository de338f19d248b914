"""The JSON that other programs rely on, as types: schema/*.schema.json is made from them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from penstock.engine.ports import PlannedWorkstream
from penstock.model.figures import RunFigures
from penstock.model.progress import RunMetrics
from penstock.model.results import RunResult, StepResult
from penstock.planning.api import ProblemType, ValidationReport
from penstock.schedule.picture import Node, Picture, Serial


class RunDocument(RunResult, frozen=True, kw_only=True):
    """What `penstock run --json`, `resume --json` and `report --format json` print.

    A run of a single workstream has `ws_id`, `final_status` and `steps` at the top too. `plan`
    is there for a dry run only, `figures` and `metrics` for a report.
    """

    ws_id: str | UnsetType = UNSET
    final_status: str | UnsetType = UNSET
    steps: tuple[StepResult, ...] | UnsetType = UNSET
    plan: tuple[PlannedWorkstream, ...] | UnsetType = UNSET
    figures: RunFigures | UnsetType = UNSET
    metrics: RunMetrics | UnsetType = UNSET


def run_document(
    result: RunResult,
    plan: tuple[PlannedWorkstream, ...] | None = None,
    *,
    figures: RunFigures | None = None,
    metrics: RunMetrics | None = None,
) -> RunDocument:
    """Return the document of a run's result, and with the figures of its report."""
    fields: dict[str, Any] = msgspec.structs.asdict(result)
    if len(result.workstreams) == 1:
        only = result.workstreams[0]
        fields |= {"ws_id": only.ws_id, "final_status": only.final_status, "steps": only.steps}
    if plan is not None:
        fields["plan"] = plan
    if figures is not None:
        fields["figures"] = figures
    if metrics is not None:
        fields["metrics"] = metrics
    return RunDocument(**fields)


class ValidationError(msgspec.Struct, frozen=True, kw_only=True):
    """One error: `type` is schema, dependency, cycle, overlap, config or unexpected; `path` is
    the JSON path within the file; `details` says what was expected and how to mend it."""

    type: ProblemType
    file: str | None
    id: str | None
    path: str | None
    details: str


class ValidationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `penstock validate --json` prints. `synced_run_id` is there with `--run-id` only."""

    ok: bool
    bundles_checked: int
    errors: tuple[ValidationError, ...]
    synced_run_id: str | UnsetType = UNSET


def validation_document(report: ValidationReport, synced_run_id: str | None) -> ValidationDocument:
    """Return the document of a validation."""
    return ValidationDocument(
        ok=report.ok,
        bundles_checked=report.bundles_checked,
        errors=tuple(
            ValidationError(type=e.type, file=e.file, id=e.id, path=e.path, details=e.details)
            for e in report.errors
        ),
        synced_run_id=UNSET if synced_run_id is None else synced_run_id,
    )


class GraphDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `penstock graph --json` prints. `run_id` is null for bundles that are no run.

    Durations, starts, ends and lengths are in `unit`: seconds, or workstreams of which each counts
    one where the journal knows no times. `work` is the sum of all durations, `critical_length` that
    of `critical_path`, `lower_bound` what no order on `slots` slots can beat, `length` what the
    scheduler's order takes; `speedup` is work / length, `max_speedup` that of any number of slots.
    `serialised` lists what keeps workstreams apart beside dependencies, `costs` how much longer
    each kind of it makes the run.
    """

    run_id: str | None
    unit: str
    slots: int
    workstreams: tuple[Node, ...]
    waves: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    work: float
    critical_length: float
    lower_bound: float
    length: float
    speedup: float
    max_speedup: float
    serialised: tuple[Serial, ...]
    costs: dict[str, float]
    warnings: tuple[str, ...]


def graph_document(picture: Picture, run_id: str | None) -> GraphDocument:
    """Return the document of a graph."""
    fields: dict[str, Any] = msgspec.structs.asdict(picture)
    workstreams, serialised = fields.pop("nodes"), fields.pop("serial")
    return GraphDocument(run_id=run_id, workstreams=workstreams, serialised=serialised, **fields)
