"""`penstock errors`: the escalation pipeline, one state at a time or to its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.cli.signals import stop_on_signals
from penstock.cli.words import moment, money, one_line, plural, shortened
from penstock.engine.escalation.ports import Seed
from penstock.engine.escalation.record import decoded
from penstock.errors import ExitCode, NotFoundError, UsageError
from penstock.model.escalation import TIERS, EscalationContext, FinalStatus, line_of
from penstock.model.records import ErrorContext
from penstock.process.api import Stop
from penstock.wiring import Workspace, open_workspace

F = TypeVar("F", bound=Callable[..., Any])
MANY = ("--py", "--ps", "--file")
"""Options that take every word up to the next option."""
SHOWN = 100


class ManyFiles(click.Command):
    """A command whose options of files take several: `--py a.py b.py --ps c.ps1`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give each word its option, as click wants it."""
        return super().parse_args(ctx, list(_spread(args)))


def _spread(args: Sequence[str]) -> Iterator[str]:
    option, given = None, False
    for word in args:
        if word.startswith("-") and word != "-":
            name, _, value = word.partition("=")
            option, given = (name if name in MANY else None), bool(value)
            if option is None or value:
                yield word
        elif option is not None:
            given = True
            yield from (option, word)
        else:
            yield word
    if option is not None and not given:
        yield option  # without a file, which click then says


@click.group("errors")
def command() -> None:
    """Mend the errors of files: mechanical fixes first, then aider, codex and claude in turn.

    After each attempt the files are checked again (see `penstock check`). Each command works on
    the files of one workstream of a run, or on any files under a run and workstream of your own
    naming. Agents are described in config/agent_profiles.json.
    """


def _ids(function: F) -> F:
    """Add `--run-id` and `--ws-id`."""
    options = (
        click.option("--run-id", metavar="RUN", required=True, help="The run, or a name for it."),
        click.option("--ws-id", metavar="WS", required=True, help="The workstream, or a name."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _beginning(function: F) -> F:
    """Add what a pipeline is begun with."""
    options = (
        click.option("--py", multiple=True, metavar="FILE...", help="Python files to begin with."),
        click.option("--ps", multiple=True, metavar="FILE...", help="PowerShell files."),
        click.option("--file", "files", multiple=True, metavar="FILE...", help="Other files."),
        click.option(
            "--strict/--no-strict",
            default=None,
            help="Pass only when nothing at all is found (default), or without a hard fail.",
        ),
        click.option(
            "--autofix/--no-autofix", default=None, help="Let fixers rewrite first (default)."
        ),
        click.option(
            "--without",
            multiple=True,
            type=click.Choice([agent.value for agent in TIERS]),
            help="Do not ask this agent.",
        ),
        click.option("--restart", is_flag=True, help="Begin again, also after the end."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command.command("tick", cls=ManyFiles)
@_ids
@_beginning
@db_option
@json_option
def tick(run_id: str, ws_id: str, db: str | None, as_json: bool, **begun: Any) -> int:
    """Do the work of one state and move to the next.

    Prints `state=S attempt=N agent=A final=F`. The first tick begins the pipeline with the files
    that are named, or with those of the workstream; later ones go on with it. Exit 1 when it is
    quarantined or could not work.
    """
    with open_workspace(db=db) as workspace, stop_on_signals(Stop()) as stop:
        seed = _seed(workspace, begun)
        with workspace.error_pipeline(run_id, ws_id, stop=stop) as pipeline:
            context = pipeline.tick(seed, restart=begun["restart"])
    _say(context, as_json=as_json)
    if seed.files and not set(seed.files) <= set(context.files):
        output.warn(f"It goes on with the files that it began with: {', '.join(context.files)}")
        output.warn("Hint: --restart begins again with others.")
    return _code(context)


@command.command("run", cls=ManyFiles)
@_ids
@_beginning
@db_option
@json_option
def run(run_id: str, ws_id: str, db: str | None, as_json: bool, **begun: Any) -> int:
    """Tick until the files pass, are quarantined, or cannot be worked on; the exit code tells.

    Killed or interrupted, the same command goes on where it was.
    """

    with open_workspace(db=db) as workspace, stop_on_signals(Stop()) as stop:
        seed = _seed(workspace, begun)
        with workspace.error_pipeline(run_id, ws_id, stop=stop) as pipeline:
            on_tick = None if as_json else _Progress()
            context = pipeline.run(seed, restart=begun["restart"], on_tick=on_tick)
    if as_json:
        output.emit_json(context)
    else:
        for line in _outcome(context):
            output.emit(line)
    return _code(context)


@command.command("show")
@_ids
@db_option
@json_option
def show(run_id: str, ws_id: str, db: str | None, as_json: bool) -> int:
    """Show where a pipeline stands, its attempts, and what the last check found."""
    with open_workspace(db=db) as workspace:
        kept = workspace.reader.get_error_context(run_id, ws_id)
        if kept is None:
            raise NotFoundError(
                f"there is no error pipeline of {run_id}/{ws_id}", hint="penstock errors list"
            )
        context = _context(kept)
    if as_json:
        output.emit_json(context)
        return 0
    output.emit(line_of(context))
    for line in _story(context):
        output.emit(line)
    return 0


@command.command("list")
@db_option
@json_option
def list_all(db: str | None, as_json: bool) -> int:
    """List the pipelines, the one that moved last first."""
    with open_workspace(db=db) as workspace:
        found = workspace.reader.list_error_contexts(limit=SHOWN)
    if as_json:
        told = ("run_id", "ws_id", "current_state", "attempt_number", "current_agent",
                "final_status", "created_at", "updated_at")  # fmt: skip
        output.emit_json([{name: getattr(one, name) for name in told} for one in found])
    elif not found:
        output.emit("There are no error pipelines yet.")
    else:
        output.table(
            ("RUN", "WORKSTREAM", "STATE", "AGENT", "FINAL", "UPDATED"),
            [
                (one.run_id, one.ws_id, one.current_state, one.current_agent or "none",
                 one.final_status or "none", moment(one.updated_at))
                for one in found
            ],
        )  # fmt: skip
    return 0


# -- what is asked -------------------------------------------------------------------------------
def _seed(workspace: Workspace, begun: dict[str, Any]) -> Seed:
    return Seed(
        python_files=_files(workspace, begun["py"]),
        powershell_files=_files(workspace, begun["ps"]),
        other_files=_files(workspace, begun["files"]),
        strict=begun["strict"],
        mechanical=begun["autofix"],
        without=tuple(begun["without"]),
    )


def _files(workspace: Workspace, named: Sequence[str]) -> tuple[str, ...]:
    """Return files, named from where we stand, as they are called from the top. Raises UsageError."""
    found = []
    for name in named:
        path = Path(os.path.normpath(workspace.start / name))
        if not path.is_relative_to(workspace.root):
            raise UsageError(f"{name} lies outside of {workspace.root}")
        found.append(path.relative_to(workspace.root).as_posix())
    return tuple(found)


# -- what is told --------------------------------------------------------------------------------
def _say(context: EscalationContext, *, as_json: bool) -> None:
    if as_json:
        output.emit_json(context)
        return
    output.emit(line_of(context))
    if context.final_status is FinalStatus.INFRA_FAILURE and context.infra_reason:
        output.warn(f"It could not work: {one_line(context.infra_reason)}")


def _code(context: EscalationContext) -> int:
    bad = (FinalStatus.QUARANTINED, FinalStatus.INFRA_FAILURE)
    return int(ExitCode.FAILED if context.final_status in bad else ExitCode.DONE)


class _Progress:
    """Prints each state, and each check and attempt once it is over."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, context: EscalationContext) -> None:
        report, attempts = context.last_error_report, context.ai_attempts
        if attempts:
            self._once(f"attempt {attempts[-1].label}: {one_line(attempts[-1].notes)}")
        if report is not None:
            self._once(f"check {report.attempt}: {_figures(context)}")
        output.emit(line_of(context))
        output.flush()

    def _once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            output.emit(f"  {shortened(line, 200)}")


def _figures(context: EscalationContext) -> str:
    report = context.last_error_report
    if report is None:
        return "not checked yet"
    summary, changes = report.summary, report.changes
    issues = sum(summary.issues_by_tool.values())
    figures = f"issues={issues} errors={summary.total_errors} warnings={summary.total_warnings}"
    if context.previous_error_report is None:
        return figures
    told = f"{changes.new} new, {changes.fixed} fixed, {changes.unchanged} unchanged"
    return f"{figures} ({told})"


def _outcome(context: EscalationContext) -> Iterator[str]:
    """Give the words for an end, and what may be done next."""
    again = f"penstock errors run --run-id {context.run_id} --ws-id {context.workstream_id}"
    match context.final_status:
        case FinalStatus.SUCCESS:
            yield f"The checks pass ({plural(len(context.files), 'file')})."
            yield from _unavailable(context)
            if context.commit is not None:
                yield f"Committed to the workstream's branch as {context.commit[:12]}. Go on with:"
                yield f"penstock retry {context.run_id} {context.workstream_id} --from static"
        case FinalStatus.QUARANTINED:
            yield f"No agent could mend it; all that was tried is in {context.quarantine_path}/"
        case _:
            yield f"It could not work: {one_line(context.infra_reason or 'unknown')}"
            yield f"Mend that, then: {again} --restart"


def _unavailable(context: EscalationContext) -> Iterator[str]:
    """Give the line that says who could not look at the files."""
    report = context.last_error_report
    names = [gone.plugin_id for gone in report.unavailable] if report is not None else []
    if names:
        yield f"Not installed, so not asked: {', '.join(names)} (see penstock check --list)."


def _story(context: EscalationContext) -> Iterator[str]:
    yield f"  files: {', '.join(context.files)}"
    yield f"  last check: {_figures(context)}"
    if context.auto_fixed:
        yield f"  fixed mechanically: {', '.join(context.auto_fixed)}"
    for attempt in context.ai_attempts:
        kept = ", ".join(attempt.changed_files) or "nothing"
        who = f"{attempt.agent.value} ({attempt.tool_id or 'no tool'})"
        spent = f", {money(attempt.cost_usd)}" if attempt.cost_usd is not None else ""
        yield f"  attempt {attempt.label}: {who}: {one_line(attempt.notes)}; kept: {kept}{spent}"
    if context.infra_reason:
        yield f"  could not work: {one_line(context.infra_reason)}"
    if context.quarantine_path:
        yield f"  set apart in: {context.quarantine_path}"
    report = context.last_error_report
    for issue in (report.issues if report is not None else ())[:20]:
        yield f"    {issue.path}:{issue.line or 0}: {issue.code or '-'} {one_line(issue.message)}"


def _context(kept: ErrorContext) -> EscalationContext:
    return decoded(kept.run_id, kept.ws_id, kept.context)
