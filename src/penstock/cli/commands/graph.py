"""`penstock graph`: what may run side by side, what waits for what, and what that costs."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli import output
from penstock.cli.options import db_option
from penstock.cli.problems import show_errors
from penstock.cli.select import find_run
from penstock.engine.graph import graph_of_bundles, graph_of_run
from penstock.errors import ExitCode, NotFoundError, UsageError
from penstock.planning.api import ProblemType, ValidationReport
from penstock.schedule.picture import Picture
from penstock.wiring import Workspace, open_workspace

FORMATS = ("text", "mermaid", "dot", "json")


@click.command("graph")
@click.argument("what", metavar="[RUN | PATH...]", nargs=-1)
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
    """Show the graph of a run, of bundles, or of the folder of bundles: waves of what may run side
    by side, the critical path, the expected speed-up, and what serialises and why.

    Times are those of the journal: of the run, and of earlier runs with the same tools. Where it
    knows none, each workstream counts one.
    """
    with open_workspace(db=db) as workspace:
        if what and not _are_paths(what):
            if directory is not None:
                raise UsageError("--dir is about bundles: leave RUN out")
            run = find_run(workspace.reader, what[0])
            drawn = graph_of_run(workspace.reader, run, workspace.settings, slots=max_parallel)
            return print_graph(drawn, run.run_id, run.run_id, "json" if as_json else form)
        report = workspace.load_bundles([Path(path) for path in what], directory=directory)
        if not _drawable(report):
            show_errors(report)
            return int(ExitCode.FAILED)
        if report.errors:
            output.warn(
                "Note: `penstock validate` refuses the overlaps shown here unless overlap_policy"
                " allows them."
            )
        drawn = _draw(workspace, report, max_parallel)
        title = ", ".join(what[:3]) or str(directory or "the folder of bundles")
        return print_graph(drawn, None, title, "json" if as_json else form)


def _are_paths(words: tuple[str, ...]) -> bool:
    """Tell whether the words are files and folders; one that is not can only be a run.

    Raises NotFoundError for one among several that is no path.
    """
    missing = [word for word in words if not Path(word).exists()]
    if not missing:
        return True
    if len(words) == 1 and not (missing[0].endswith(".json") or "/" in missing[0]):
        return False
    raise NotFoundError(f"there is no file or folder {missing[0]!r}")


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
