"""The typed Python API: what the commands do, as functions that return values.

`root` is any folder inside the repository, by default the current one; `db` is a path as for
`--db`. Errors are those of `penstock.errors`; nothing is printed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.engine.ports import Observer, PlannedWorkstream, RunRequest
from penstock.environment.api import InitReport
from penstock.errors import BundleError
from penstock.model.bundle import Bundle
from penstock.model.figures import RunFigures
from penstock.model.progress import ProgressSnapshot, RunMetrics
from penstock.model.records import Attempt, Event, Run, Workstream
from penstock.model.results import RunResult
from penstock.planning.api import Changes, ValidationReport
from penstock.planning.drafting.api import Plan
from penstock.planning.writeback.api import SyncRequest, SyncResult
from penstock.process.api import Stop
from penstock.schedule.picture import Picture
from penstock.wiring import Workspace, open_workspace

Place = str | os.PathLike[str] | None
PAGE = 500


def init(*, root: Place = None, check: bool = False) -> InitReport:
    """Prepare a repository, or with `check` only say what it lacks."""
    with _open(root) as workspace:
        return workspace.initialise(check=check)


def validate(
    *paths: str | os.PathLike[str], directory: str | None = None, root: Place = None
) -> ValidationReport:
    """Check bundles: those of `paths`, else all of the folder; nothing is raised for their errors."""
    with _open(root) as workspace:
        return workspace.load_bundles([Path(path) for path in paths], directory=directory)


def load(
    *wanted: str,
    everything: bool = False,
    with_deps: bool = False,
    directory: str | None = None,
    root: Place = None,
) -> tuple[Bundle, ...]:
    """Return valid bundles by id, or all of them.

    Raises BundleError naming the first error, NotFoundError, BundleDependencyError.
    """
    with _open(root) as workspace:
        return _load(workspace, wanted, everything, with_deps, directory)


def run(
    *wanted: str | Bundle,
    everything: bool = False,
    with_deps: bool = False,
    run_id: str | None = None,
    tool: str | None = None,
    directory: str | None = None,
    root: Place = None,
    db: str | None = None,
    observer: Observer | None = None,
    stop: Stop | None = None,
) -> RunResult:
    """Run bundles, given as values or by id, to their end and return the result.

    A workstream that fails raises nothing; its reason is in the result. Raises UsageError,
    EnvironmentProblem, and Interrupted when `stop` is asked for; the run can then be resumed.
    """
    with _open(root, db) as workspace:
        bundles = _chosen(workspace, wanted, everything, with_deps, directory)
        request = RunRequest(bundles=bundles, run_id=run_id, tool=tool)
        return workspace.run(request, observer=observer, stop=stop)


def dry_run(
    *wanted: str | Bundle,
    everything: bool = False,
    with_deps: bool = False,
    tool: str | None = None,
    directory: str | None = None,
    root: Place = None,
) -> tuple[tuple[PlannedWorkstream, ...], RunResult]:
    """Return what a run would do, with the result that it would have; nothing is written."""
    with _open(root) as workspace:
        bundles = _chosen(workspace, wanted, everything, with_deps, directory)
        return workspace.dry_run(RunRequest(bundles=bundles, tool=tool))


def resume(
    run_id: str,
    *,
    root: Place = None,
    db: str | None = None,
    observer: Observer | None = None,
    stop: Stop | None = None,
) -> RunResult:
    """Go on with an unfinished run. Raises UsageError when it has ended, ClaimError when another
    process works on it."""
    with _open(root, db) as workspace:
        return workspace.resume(run_id, observer=observer, stop=stop)


def runs(*, limit: int = 100, root: Place = None, db: str | None = None) -> list[Run]:
    """Return the runs, newest first."""
    with _open(root, db) as workspace:
        return workspace.reader.list_runs(limit=limit)


def status(run_id: str, *, root: Place = None, db: str | None = None) -> list[Workstream]:
    """Return the workstreams of a run, with why each waits or failed. Raises NotFoundError."""
    with _open(root, db) as workspace:
        workspace.reader.get_run(run_id)
        return workspace.reader.list_workstreams(run_id)


def result(run_id: str, *, root: Place = None, db: str | None = None) -> RunResult:
    """Return what became of a run. Raises NotFoundError."""
    with _open(root, db) as workspace:
        return workspace.result(run_id)


def progress(run_id: str, *, root: Place = None, db: str | None = None) -> ProgressSnapshot:
    """Return how far a run has come, and when it is going to end by the durations that the journal
    knows (None without any). Raises NotFoundError."""
    from penstock.engine.progress import snapshot

    with _open(root, db) as workspace:
        return snapshot(workspace.reader, run_id, time.time(), workspace.settings)


def metrics(run_id: str, *, root: Place = None, db: str | None = None) -> RunMetrics:
    """Return the counts over a run: steps, events, duration. Raises NotFoundError."""
    from penstock.engine.metrics import run_metrics

    with _open(root, db) as workspace:
        return run_metrics(workspace.reader, run_id, time.time())


def figures(run_id: str, *, root: Place = None, db: str | None = None) -> RunFigures:
    """Return what a run used and what went otherwise than straight on, as `penstock report` has it.

    Raises NotFoundError.
    """
    from penstock.engine.report_figures import run_figures

    with _open(root, db) as workspace:
        return run_figures(
            workspace.reader,
            run_id,
            time.time(),
            workspace.settings,
            workspace.diff_stat,
            integrated=workspace.reader.get_run(run_id).integration_branch,
        )


def attempts(
    run_id: str, ws_id: str | None = None, *, root: Place = None, db: str | None = None
) -> list[Attempt]:
    """Return the attempts of a run or workstream in the order in which they began."""
    with _open(root, db) as workspace:
        return workspace.reader.list_attempts(run_id, ws_id)


def events(run_id: str, *, root: Place = None, db: str | None = None) -> list[Event]:
    """Return the events of a run, oldest first."""
    found: list[Event] = []
    with _open(root, db) as workspace:
        while page := workspace.reader.list_events(
            run_id=run_id, after_id=found[-1].id if found else 0, limit=PAGE
        ):
            found += page
    return found


def diff(run_id: str, ws_id: str, *, root: Place = None, db: str | None = None) -> str:
    """Return what a workstream committed, as text. Raises NotFoundError, GitError."""
    with _open(root, db) as workspace:
        return workspace.diff(workspace.reader.get_workstream(run_id, ws_id))


def graph(
    run_id: str | None = None,
    *,
    bundles: Sequence[Bundle] | None = None,
    max_parallel: int | None = None,
    directory: str | None = None,
    root: Place = None,
    db: str | None = None,
) -> Picture:
    """Return the graph of a run, of bundles given as values, or of those of the folder: waves,
    critical path, expected speed-up, and what serialises.

    Raises NotFoundError, BundleError naming the first error, BundleCycleError.
    """
    from penstock.engine.graph import graph_of_bundles, graph_of_run

    with _open(root, db) as workspace:
        journal, settings = workspace.reader, workspace.settings
        if run_id is not None:
            run = journal.get_run(run_id)
            return graph_of_run(journal, run, settings, slots=max_parallel)
        if bundles is None:
            bundles = _load(workspace, (), everything=True, with_deps=False, directory=directory)
        return graph_of_bundles(bundles, journal, settings, slots=max_parallel)


def plan(
    *sources: str,
    options: Mapping[str, Any] | None = None,
    tag: str | None = None,
    directory: str | None = None,
    root: Place = None,
) -> Plan:
    """Draft bundles for plans that are written down already; nothing is written.

    `sources` are what `penstock plan` takes, but for standard input, `options` the keys of its
    `--options`. What `unresolved` of the plan holds are contradictions in the sources. Raises
    NotFoundError, UsageError.
    """
    with _open(root) as workspace:
        chosen = workspace.plan_options(options)
        return workspace.plan(sources, chosen, tag=tag, directory=directory)


def write_plan(
    plan: Plan, *, directory: str | None = None, force: bool = False, root: Place = None
) -> Changes:
    """Bring the folder of bundles to hold those of a plan, and no older ones of the same sources.

    Raises UsageError when that would write over what people have edited, unless `force`.
    """
    with _open(root) as workspace:
        return workspace.write_plan(plan, directory, force=force)


def sync_plan(
    run_id: str,
    *,
    dry_run: bool = False,
    partial: bool = False,
    in_place: bool = False,
    archive: bool = False,
    root: Place = None,
    db: str | None = None,
) -> SyncResult:
    """Write what a run has done back into the plan that it came from, as `penstock sync` does.

    `partial` writes what is still to be found of a plan that has changed, where else all is
    `refused`; `in_place` writes to the checkout and commits nothing; `archive` lets the openspec
    program archive what is wholly done. Raises NotFoundError, UsageError, RepositoryError.
    """
    with _open(root, db) as workspace:
        return workspace.sync_plan(
            SyncRequest(
                run_id=run_id, dry_run=dry_run, partial=partial, in_place=in_place, archive=archive
            )
        )


@contextmanager
def _open(root: Place, db: str | None = None) -> Iterator[Workspace]:
    with open_workspace(None if root is None else Path(root), db=db) as workspace:
        yield workspace


def _chosen(
    workspace: Workspace,
    wanted: Sequence[str | Bundle],
    everything: bool,
    with_deps: bool,
    directory: str | None,
) -> tuple[Bundle, ...]:
    """Return the bundles given as values, and those given by id from the folder."""
    values = tuple(item for item in wanted if isinstance(item, Bundle))
    ids = [item for item in wanted if isinstance(item, str)]
    if values and not ids and not everything:
        return values
    return (*values, *_load(workspace, ids, everything, with_deps, directory))


def _load(
    workspace: Workspace,
    wanted: Sequence[str],
    everything: bool,
    with_deps: bool,
    directory: str | None,
) -> tuple[Bundle, ...]:
    report = workspace.load_bundles(directory=directory)
    if not report.ok:
        more = f" and {len(report.errors) - 1} more errors" if len(report.errors) > 1 else ""
        raise BundleError(report.errors[0].text + more, hint="penstock validate lists all")
    return workspace.choose_bundles(report, wanted, everything=everything, with_deps=with_deps)
