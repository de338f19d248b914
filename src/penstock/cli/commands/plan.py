"""`penstock plan`: bundles from a change, an epic, a feature, tasks or a checklist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from penstock.authoring.following import Following
from penstock.cli import output, plans
from penstock.cli.asking import ask_for_paths, may_ask, read_stdin
from penstock.cli.checking import progress
from penstock.cli.options import json_option
from penstock.cli.plan_document import plan_document
from penstock.cli.signals import stop_on_signals
from penstock.errors import ExitCode, UsageError
from penstock.planning.api import Changes
from penstock.planning.drafting.api import GroupBy, Plan, PlanOptions
from penstock.planning.sources.api import Notice, Severity
from penstock.process.api import Stop
from penstock.wiring import Workspace, open_workspace

LISTED = frozenset({"needs-scope"})
"""Codes of notices about what is listed below the bundles."""
FORMATS = ("text", "mermaid", "dot", "json")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    words: tuple[str, ...] = ()
    spec_id: tuple[str, ...] = ()
    output_dir: str | None = None
    options: str | None = None
    tag: str | None = None
    tool: str | None = None
    group_by: str | None = None
    files_scope: tuple[str, ...] = ()
    dry_run: bool = False
    check: bool = False
    explain: bool = False
    refine: bool = False
    graph: str | None = None
    force: bool = False
    lenient: bool = False
    no_input: bool = False
    as_json: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        """What is to be planned, under whatever name it was given."""
        return (*self.words, *self.spec_id)

    @property
    def asks(self) -> bool:
        """Whether a person may be asked."""
        quiet = self.no_input or self.as_json or self.check or self.graph is not None
        return not quiet and "-" not in self.sources and may_ask()


@click.command("plan")
@click.argument("words", metavar="[SOURCE]...", nargs=-1)
@click.option("--spec-id", metavar="ID", multiple=True, help="The same as SOURCE.")
@click.option(
    "--output-dir", metavar="DIR",
    help="Where the bundles go (default: PIPELINE_WORKSTREAM_DIR, workstreams/).",
)  # fmt: skip
@click.option("--options", metavar="JSON", help='As JSON: {"max_files": 10}; see the reference.')
@click.option(
    "--group-by", type=click.Choice([str(one) for one in GroupBy]), help="What makes a workstream."
)
@click.option("--files-scope", metavar="PATH", multiple=True, help="The scope of what has none.")
@click.option("--tool", metavar="TOOL", help="The tool of the bundles (default: default_tool).")
@click.option("--tag", metavar="TAG", help="Of a task-master file (default: its current one).")
@click.option("--dry-run", is_flag=True, help="Print the plan; write nothing.")
@click.option("--check", is_flag=True, help="Report what is wrong only; exit 1 on contradictions.")
@click.option(
    "--explain", is_flag=True, help="Print each path with its evidence, and every notice."
)
@click.option(
    "--refine", is_flag=True, help="Let an AI tool (capability planning) refine the plan."
)
@click.option(
    "--graph", type=click.Choice(FORMATS), help="Print the plan as a graph; write nothing."
)
@click.option("--force", is_flag=True, help="Write over bundles that were edited, too.")
@click.option("--lenient", is_flag=True, help="Write bundles in spite of contradictions.")
@click.option("--no-input", is_flag=True, help="Never ask for the files of what has no scope.")
@json_option
def command(**options: Any) -> int:
    """Make bundles of plans that are written down already: an OpenSpec change (folder or id), a CCPM
    epic, a spec-kit feature, a task-master tasks.json, a Markdown checklist, or `-` for standard
    input.

    Which of them a SOURCE is, is told by its shape. Without SOURCE the plans of the repository are
    listed (with --check: checked). What is done is left out; what has no scope is listed, and not
    run. Exits 1 when the plan contradicts itself (then nothing is written, unless --lenient is given), or
    when nothing but items without a scope is left.
    """
    wanted = Wanted(**options)
    with open_workspace() as workspace:
        sources = wanted.sources or (_all(workspace) if wanted.check else ())
        if not sources:
            return _list(workspace, wanted)
        plan = _drafted(workspace, wanted, sources)
        if wanted.check:
            return _report(workspace, plan, wanted)
        if wanted.graph is not None:
            return _draw(workspace, plan, wanted.graph)
        return _settle(workspace, plan, wanted)


# -- making the plan -------------------------------------------------------------------------
def _options(workspace: Workspace, wanted: Wanted) -> PlanOptions:
    """Return the options of the command line over those of pipeline.yaml. Raises UsageError."""
    try:
        given = json.loads(wanted.options) if wanted.options is not None else {}
    except ValueError as error:
        raise UsageError(f"--options is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise UsageError("--options is no JSON object", hint="""Such as '{"max_files": 10}'.""")
    named = {"tool": wanted.tool, "group_by": wanted.group_by}
    given |= {name: value for name, value in named.items() if value is not None}
    if wanted.files_scope:
        given["files_scope"] = wanted.files_scope
    return workspace.plan_options(given, checking=wanted.check or wanted.graph is not None)


def _drafted(workspace: Workspace, wanted: Wanted, words: tuple[str, ...]) -> Plan:
    """Read, ask where a person may be asked, and draft."""
    options = _options(workspace, wanted)
    with _following() as shown:
        read = workspace.read_plans(words, tag=wanted.tag, stdin=read_stdin, following=shown)
        plan = workspace.draft_plan(read, options, directory=wanted.output_dir, following=shown)
    if plan.needs_scope and wanted.asks:
        answers = ask_for_paths(plan.needs_scope)
        if answers:
            read = workspace.answered(read, answers)
            plan = workspace.draft_plan(read, options, directory=wanted.output_dir)
    return _refined(workspace, plan, wanted.output_dir) if wanted.refine else plan


@contextmanager
def _following() -> Iterator[Following]:
    """Show how far it is while the block runs, on a terminal, and what goes wrong beside the plan."""

    def warn(problem: str) -> None:
        output.warn(f"Warning: {problem}")

    with progress("steps") as shown:
        yield Following(problem=warn) if shown is None else Following(shown, warn)


def _refined(workspace: Workspace, plan: Plan, directory: str | None) -> Plan:
    """Let a tool refine the plan, and show what it changed or why that is refused."""
    output.warn("Asking a tool of the capability planning to refine the plan ...")
    with stop_on_signals(Stop()) as stop:
        found = workspace.refine(plan, directory=directory, stop=stop)
    if found.diff:
        output.warn(found.diff.rstrip("\n"))
    for reason in found.refused:
        output.warn(f"refused: {reason}")
    if found.refused:
        output.warn("The draft stays as it is: the refined plan was refused.")
    return found.plan


# -- showing it ------------------------------------------------------------------------------
def _all(workspace: Workspace) -> tuple[str, ...]:
    return tuple(name for _dialect, name in workspace.available_plans())


def _list(workspace: Workspace, wanted: Wanted) -> int:
    """List the plans of the repository."""
    found = workspace.available_plans()
    if wanted.as_json:
        output.emit_json({"plans": [{"dialect": d, "source": name} for d, name in found]})
    elif found:
        output.table(("DIALECT", "SOURCE"), found)
        output.emit("Make bundles of one: penstock plan SOURCE")
    else:
        output.emit(
            "There are no OpenSpec changes, CCPM epics, spec-kit features or task-master files"
            " here.\nName a Markdown checklist: penstock plan FILE"
        )
    return int(ExitCode.DONE)


def _report(workspace: Workspace, plan: Plan, wanted: Wanted) -> int:
    """Print what is wrong with the sources, and nothing else."""
    notices = workspace.plan_findings(plan)
    if wanted.as_json:
        output.emit_json(plan_document(workspace.plan_document(plan)))
    else:
        _emit(plans.source_lines(plan.sources, output.width()))
        _emit(plans.notice_lines(notices, output.width(), everything=True))
        output.emit(plans.count_line(plan.items))
    return int(ExitCode.FAILED if _contradicts(notices) else ExitCode.DONE)


def _contradicts(notices: tuple[Notice, ...]) -> bool:
    return any(notice.severity is Severity.ERROR for notice in notices)


def _draw(workspace: Workspace, plan: Plan, form: str) -> int:
    """Print the plan as a graph."""
    from penstock.cli.commands.graph import print_graph

    title = ", ".join(source.id for source in plan.sources[:3])
    return print_graph(workspace.plan_graph(plan), None, title, form)


def _settle(workspace: Workspace, plan: Plan, wanted: Wanted) -> int:
    """Show the plan, and write it unless something speaks against it."""
    refused = bool(plan.unresolved) and not wanted.lenient
    changes = None
    if not (wanted.dry_run or refused):
        changes = workspace.write_plan(plan, wanted.output_dir, force=wanted.force)
    if wanted.as_json:
        output.emit_json(plan_document(workspace.plan_document(plan), changes))
    else:
        _show(plan, wanted)
    if refused and not wanted.dry_run:
        output.warn("Nothing was written: the plan contradicts itself (see the errors).")
        output.warn("Hint: mend the source, or pass --lenient to plan all the same.")
    elif changes is not None and not wanted.as_json:
        _tell_written(workspace, plan, changes, wanted)
    stuck = not plan.bundles and plan.needs_scope
    return int(ExitCode.FAILED if refused or stuck else ExitCode.DONE)


def _show(plan: Plan, wanted: Wanted) -> None:
    width = output.width()
    told = [one for one in plan.notices if one.code not in LISTED]
    for line in plans.notice_lines(told, width, everything=wanted.explain):
        output.warn(line)
    _emit(plans.source_lines(plan.sources, width))
    if plan.bundles:
        output.table(plans.COLUMNS, plans.bundle_rows(plan.bundles))
    if wanted.explain:
        _emit(plans.explain_lines(plan, width))
    if plan.needs_scope:
        output.emit("Without a scope (name the files in the source, or pass --files-scope PATH):")
        _emit(plans.scope_lines(plan.needs_scope, width, everything=wanted.explain))
    output.emit(plans.count_line(plan.items))
    if not plan.bundles and not plan.needs_scope:
        output.emit("There is nothing to do.")


def _tell_written(workspace: Workspace, plan: Plan, changes: Changes, wanted: Wanted) -> None:
    """Say what was written, what comes next, and what keeps the new bundles from running."""
    _emit(plans.changes_lines(changes, _from_here(changes.directory), output.width()))
    if not plan.bundles:
        return
    if workspace.load_bundles(directory=wanted.output_dir).ok:
        output.emit("Look at them: penstock graph. Run them: penstock run --all")
        output.emit("Tick what a run has done: penstock sync latest")
    else:
        output.warn("The folder has bundles that do not go together with these: penstock validate")


def _from_here(directory: str) -> str:
    path, here = Path(directory), Path.cwd()
    return f"{path.relative_to(here)}/" if path.is_relative_to(here) else f"{path}/"


def _emit(lines: Iterator[str]) -> None:
    for line in lines:
        output.emit(line)
