"""`penstock run`: run workstreams, or resume the one unfinished run."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from penstock.cli import output
from penstock.cli.before import Before, look_again, look_before, preflight_options
from penstock.cli.looking import looker
from penstock.cli.options import db_option, json_option, max_cost_option, max_parallel_option
from penstock.cli.problems import show_errors
from penstock.cli.running import run_and_report, show_plan
from penstock.cli.select import all_runs
from penstock.engine.ports import ResumeOptions, RunRequest
from penstock.errors import BundleError, NotFoundError, UsageError
from penstock.model.bundle import Bundle
from penstock.model.records import Run
from penstock.model.states import RunState
from penstock.typed import typed
from penstock.wiring import Workspace, open_workspace

UNFINISHED = frozenset({RunState.PENDING, RunState.RUNNING})


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    words: tuple[str, ...] = ()
    everything: bool = False
    run_id: str | None = None
    tool: str | None = None
    model: str | None = None
    with_deps: bool = False
    directory: str | None = None
    dry_run: bool = False
    max_parallel: int | None = None
    max_cost_usd: float | None = None
    fail_fast: bool = False
    as_json: bool = False
    verbose: bool = False
    no_preflight: bool = False
    auto_sync: bool = False

    @property
    def before(self) -> Before:
        """What is said about the look before the run."""
        return Before(no_preflight=self.no_preflight, auto_sync=self.auto_sync)

    @property
    def nothing_named(self) -> bool:
        """Tell whether no bundle is asked for."""
        return not self.words and not self.everything


@click.command("run")
@click.argument("words", metavar="[WS_ID|PATH]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Run every bundle of the folder.")
@click.option("--ws-id", metavar="ID", multiple=True, help="The same as WS_ID.")
@click.option("--run-id", metavar="ID", help="Name the run, or resume it when it is unfinished.")
@click.option("--dry-run", is_flag=True, help="Print the plan; start and write nothing.")
@click.option("--tool", metavar="TOOL", help="Use this tool whatever the bundles say.")
@click.option("--model", metavar="MODEL", help="Hand this model to tools that take one.")
@max_parallel_option
@max_cost_option
@click.option("--fail-fast", is_flag=True, help="Start nothing more once a workstream has failed.")
@click.option("--with-deps", is_flag=True, help="Run the dependencies that are not done yet too.")
@click.option("--dir", "directory", metavar="DIR", help="Folder of bundles.")
@preflight_options
@click.option("-v", "--verbose", is_flag=True, help="Print what the tools print.")
@db_option
@json_option
def command(
    ws_id: tuple[str, ...], words: tuple[str, ...], db: str | None, **options: object
) -> int:
    """Run workstreams, as many at a time as may: EDIT, STATIC, RUNTIME, with FIX turns in between.

    Before that machine and repository are looked at: what would make the run impossible, such as a
    tool that is not there, stops it before anything is spent; other findings are shown.

    What is done is merged into integration/RUN, each merge checked, and what depends on it starts
    from there; `penstock graph` shows what can run side by side, and why the rest cannot.

    Name bundles by id or by file, or pass --all. Without any, the one unfinished run is resumed.
    Exits 0 when all are done, 1 when one failed, 2 for a mistake, 130 when interrupted; an
    interrupted run goes on with `penstock resume RUN`.
    """
    wanted = typed({**options, "words": (*words, *ws_id)}, Wanted)
    with open_workspace(db=db) as workspace:
        resumed = _run_to_resume(workspace, wanted)
        if resumed is not None:
            return _resume(workspace, resumed, wanted)
        return _start(workspace, wanted)


def _run_to_resume(workspace: Workspace, wanted: Wanted) -> Run | None:
    """Return the unfinished run that is meant, None when a run shall be started.

    Raises UsageError when there is neither.
    """
    if wanted.run_id is not None:
        return _named_run(workspace, wanted.run_id, wanted)
    if not wanted.nothing_named:
        return None
    unfinished = [run for run in all_runs(workspace.reader) if run.status in UNFINISHED]
    if len(unfinished) != 1:
        raise _say_what(workspace, unfinished, wanted)
    output.warn(f"Resuming {unfinished[0].run_id}, the one unfinished run.")
    return unfinished[0]


def _named_run(workspace: Workspace, run_id: str, wanted: Wanted) -> Run | None:
    """Return the unfinished run of that id, None when there is none of it."""
    try:
        run = workspace.reader.get_run(run_id)
    except NotFoundError:
        if wanted.nothing_named:
            raise
        return None
    if run.status in UNFINISHED:
        return run
    raise UsageError(
        f"run {run_id} has ended ({run.status.value})",
        hint="Choose another --run-id, or leave it out.",
    )


def _say_what(workspace: Workspace, unfinished: list[Run], wanted: Wanted) -> UsageError:
    """Return the error that lists what could be run or resumed."""
    report = workspace.load_bundles(directory=wanted.directory)
    names = [item.bundle.id for item in report.bundles]
    lines = ["say what to run: a workstream id, the path of a bundle, or --all"]
    lines.append(f"  bundles: {', '.join(names) or 'none'}")
    if unfinished:
        lines.append(f"  unfinished runs: {', '.join(run.run_id for run in unfinished)}")
    hint = f"penstock run {names[0]}" if names else "penstock init makes an example bundle."
    if unfinished:
        hint = f"penstock resume {unfinished[0].run_id}"
    return UsageError("\n".join(lines), hint=hint)


def _resume(workspace: Workspace, run: Run, wanted: Wanted) -> int:
    """Go on with a run, whose workstreams are those it began with."""
    rows = workspace.reader.list_workstreams(run.run_id)
    held = {row.ws_id for row in rows}
    others = sorted(word for word in wanted.words if word.startswith("ws-") and word not in held)
    if others:
        raise UsageError(
            f"{run.run_id} is unfinished and does not hold {', '.join(others)}",
            hint="Choose another --run-id to start a run of its own.",
        )
    if wanted.dry_run:
        raise UsageError(f"{run.run_id} has begun; a dry run is for what has not")
    tool = wanted.tool or run.metadata.get("tool")
    options = ResumeOptions(
        tool=wanted.tool,
        max_parallel=wanted.max_parallel,
        max_cost_usd=wanted.max_cost_usd,
        preflight=look_again(workspace, rows, tool, wanted.before),
    )
    return run_and_report(
        lambda observer, stop: workspace.resume(
            run.run_id, options=options, observer=observer, stop=stop
        ),
        sorted(held),
        as_json=wanted.as_json,
        verbose=wanted.verbose,
        look=looker(workspace),
    )


def _start(workspace: Workspace, wanted: Wanted) -> int:
    """Start a run of the bundles that are asked for, or show what it would do."""
    bundles = _bundles(workspace, wanted)
    request = RunRequest(
        bundles=bundles,
        run_id=wanted.run_id,
        tool=wanted.tool,
        model=wanted.model,
        max_parallel=wanted.max_parallel,
        fail_fast=wanted.fail_fast,
        max_cost_usd=wanted.max_cost_usd,
    )
    if wanted.dry_run or workspace.dry_run_wanted():
        plan, result = workspace.dry_run(request)
        return show_plan(plan, result, as_json=wanted.as_json)
    found = look_before(workspace, bundles, wanted.tool, wanted.before)
    request = msgspec.structs.replace(request, preflight=found)
    return run_and_report(
        lambda observer, stop: workspace.run(request, observer=observer, stop=stop),
        [bundle.id for bundle in bundles],
        as_json=wanted.as_json,
        verbose=wanted.verbose,
        look=looker(workspace),
    )


def _bundles(workspace: Workspace, wanted: Wanted) -> tuple[Bundle, ...]:
    """Return the bundles that are asked for. Prints every error of theirs and raises BundleError."""
    paths = tuple(Path(word) for word in wanted.words if names_file(word))
    report = workspace.load_bundles(paths, directory=wanted.directory)
    if not report.ok:
        show_errors(report, to_stderr=True)
        raise BundleError("the bundles are not valid", hint="Mend what is listed above.")
    ids = [word for word in wanted.words if not names_file(word)]
    return workspace.choose_bundles(
        report, ids, paths=paths, everything=wanted.everything, with_deps=wanted.with_deps
    )


def names_file(word: str) -> bool:
    """Tell a path from a workstream id, which holds no dot or slash."""
    return word.endswith(".json") or "/" in word or "\\" in word
