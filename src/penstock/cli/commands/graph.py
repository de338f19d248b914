"""`penstock graph`: what may run side by side, what waits for what, and what that costs."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import click

from penstock.cli import output
from penstock.cli.asking import read_stdin
from penstock.cli.options import db_option
from penstock.cli.problems import show_errors
from penstock.cli.select import find_run
from penstock.engine.graph import graph_of_bundles, graph_of_run
from penstock.errors import ExitCode, NotFoundError, UsageError
from penstock.planning.api import ProblemType, ValidationReport
from penstock.schedule.picture import Picture
from penstock.wiring import Workspace, open_workspace

FORMATS = ("text", "mermaid", "dot", "json")


class What(Enum):
    """What a graph is drawn of."""

    RUN = "RUN"
    BUNDLES = "PATH"
    SOURCE = "SOURCE"


@click.command("graph")
@click.argument("what", metavar="[RUN | PATH... | SOURCE...]", nargs=-1)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--max-parallel", metavar="N", type=click.IntRange(1),
    help="Workstreams at a time (default: the run's, else limits.max_parallel).",
)  # fmt: skip
@click.option(
    "--dir", "directory", metavar="DIR",
    help="Folder of bundles (default: PIPELINE_WORKSTREAM_DIR, workstreams/).",
)  # fmt: skip
@db_option
def command(
    what: tuple[str, ...],
    form: str,
    as_json: bool,
    max_parallel: int | None,
    directory: str | None,
    db: str | None,
) -> int:
    """Show the graph of a run, of bundles, of the folder of bundles, or of a plan before it is run:
    waves of what may run side by side, the critical path, the expected speed-up, and what serialises
    and why.

    PATH is a file or folder of bundles; SOURCE is what `penstock plan` takes. Times are those of the
    journal: of the run, and of earlier runs with the same tools. Where it knows none, each
    workstream counts one.
    """
    form = "json" if as_json else form
    with open_workspace(db=db) as workspace:
        kind = _kind(workspace, what)
        if kind is not What.BUNDLES and directory is not None:
            raise UsageError(f"--dir is about bundles: leave {kind.value} out")
        if kind is What.RUN:
            run = find_run(workspace.reader, what[0])
            drawn = graph_of_run(workspace.reader, run, workspace.settings, slots=max_parallel)
            return print_graph(drawn, run.run_id, run.run_id, form)
        if kind is What.SOURCE:
            options = workspace.plan_options(checking=True)
            plan = workspace.plan(what, options, stdin=read_stdin)
            drawn = workspace.plan_graph(plan, slots=max_parallel)
            return print_graph(drawn, None, ", ".join(what[:3]), form)
        return _bundles(workspace, what, directory, max_parallel, form)


def _bundles(
    workspace: Workspace,
    what: tuple[str, ...],
    directory: str | None,
    max_parallel: int | None,
    form: str,
) -> int:
    """Show the graph of bundles, unless they make none."""
    report = workspace.load_bundles([Path(path) for path in what], directory=directory)
    if not _drawable(report):
        show_errors(report)
        return int(ExitCode.FAILED)
    if report.errors:
        output.warn(
            "Note: `penstock validate` refuses the overlaps shown here unless overlap_policy"
            " allows them."
        )
    title = ", ".join(what[:3]) or str(directory or "the folder of bundles")
    return print_graph(_draw(workspace, report, max_parallel), None, title, form)


def _kind(workspace: Workspace, words: tuple[str, ...]) -> What:
    """Tell what the words mean: a plan's source by its shape, else bundles, else a run.

    Raises NotFoundError for one among several that is none of them.
    """
    if not words:
        return What.BUNDLES
    missing = [word for word in words if not Path(word).exists()]
    if workspace.are_plans(words, named=bool(missing) and not _is_run(workspace, words)):
        return What.SOURCE
    if not missing:
        return What.BUNDLES
    if len(words) == 1 and not (missing[0].endswith(".json") or "/" in missing[0]):
        return What.RUN
    raise NotFoundError(f"there is no file or folder {missing[0]!r}")


def _is_run(workspace: Workspace, words: tuple[str, ...]) -> bool:
    """Tell whether a single word names a run."""
    if len(words) > 1:
        return False
    try:
        find_run(workspace.reader, words[0])
    except NotFoundError:
        return False
    except UsageError:  # several begin so
        return True
    return True


def _drawable(report: ValidationReport) -> bool:
    """Tell whether the bundles make a graph: overlaps are shown in it, other errors forbid it."""
    return all(error.type is ProblemType.OVERLAP for error in report.errors)


def _draw(workspace: Workspace, report: ValidationReport, slots: int | None) -> Picture:
    bundles = [item.bundle for item in report.bundles]
    return graph_of_bundles(bundles, workspace.reader, workspace.settings, slots=slots)


def print_graph(drawn: Picture, run_id: str | None, title: str, form: str) -> int:
    """Print a graph in one of FORMATS; return the exit code."""
    if form == "json":
        from penstock.cli.documents import graph_document

        output.emit_json(graph_document(drawn, run_id))
        return int(ExitCode.DONE)
    from penstock.cli import graphs

    if form == "text":
        output.emit(graphs.text_graph(title, drawn, output.width()), end="")
    else:
        render = graphs.mermaid_graph if form == "mermaid" else graphs.dot_graph
        output.emit(render(drawn), end="")
    return int(ExitCode.DONE)
