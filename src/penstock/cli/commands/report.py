"""`penstock report`: a run for people, for a page, for programs, for a CI server."""

from __future__ import annotations

import time

import click

from penstock.cli import output
from penstock.cli.documents import run_document
from penstock.cli.options import db_option
from penstock.cli.select import find_run
from penstock.engine.metrics import run_metrics
from penstock.engine.report_figures import run_figures
from penstock.model.figures import RunFigures
from penstock.model.progress import RunMetrics
from penstock.model.records import Run
from penstock.model.results import RunResult
from penstock.wiring import Workspace, open_workspace

FORMATS = ("text", "md", "json", "junit")


@click.command("report")
@click.argument("run", metavar="RUN")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@db_option
def command(run: str, form: str, as_json: bool, db: str | None) -> None:
    """Report on RUN as text, Markdown, JSON (as `penstock run --json`) or JUnit XML: what became of
    each workstream, what it used against the caps, how tools and steps did, what went otherwise
    than straight on, and what was not checked.
    """
    with open_workspace(db=db) as workspace:
        found = find_run(workspace.reader, run)
        result, figures = workspace.result(found.run_id), figures_of(workspace, found)
        metrics = run_metrics(workspace.reader, found.run_id, time.time())
    _print(result, figures, metrics, "json" if as_json else form)


def figures_of(workspace: Workspace, run: Run) -> RunFigures:
    """Return the figures of a run as it is now."""
    return run_figures(
        workspace.reader,
        run.run_id,
        time.time(),
        workspace.settings,
        workspace.diff_stat,
        integrated=run.integration_branch,
    )


def _print(result: RunResult, figures: RunFigures, metrics: RunMetrics, form: str) -> None:
    if form == "json":
        output.emit_json(run_document(result, figures=figures, metrics=metrics))
    elif form == "junit":
        from penstock.cli.junit import junit_xml

        output.emit(junit_xml(result, figures), end="")
    else:
        from penstock.cli.reports import markdown_report, text_report

        render = markdown_report if form == "md" else text_report
        output.emit(render(result, figures), end="")
