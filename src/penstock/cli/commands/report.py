"""`penstock report`: a run for people, for a page, for programs, for a CI server."""

from __future__ import annotations

import click

from penstock.cli import output
from penstock.cli.documents import run_document
from penstock.cli.options import db_option
from penstock.cli.select import find_run
from penstock.model.results import RunResult
from penstock.wiring import open_workspace

FORMATS = ("text", "md", "json", "junit")


@click.command("report")
@click.argument("run", metavar="RUN")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@db_option
def command(run: str, form: str, as_json: bool, db: str | None) -> None:
    """Report on RUN as text, Markdown, JSON (as `penstock run --json`) or JUnit XML."""
    with open_workspace(db=db) as workspace:
        run_id = find_run(workspace.reader, run).run_id
        result = workspace.result(run_id)
    _print(result, "json" if as_json else form)


def _print(result: RunResult, form: str) -> None:
    if form == "json":
        output.emit_json(run_document(result))
    elif form == "junit":
        from penstock.cli.junit import junit_xml

        output.emit(junit_xml(result), end="")
    else:
        from penstock.cli.reports import markdown_report, text_report

        output.emit(markdown_report(result) if form == "md" else text_report(result), end="")
