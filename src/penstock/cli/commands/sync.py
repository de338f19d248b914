"""`penstock sync`: the results of a run go back into the plan that it came from."""

from __future__ import annotations

from collections.abc import Iterator

import click

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run
from penstock.cli.words import one_line, plural
from penstock.errors import ExitCode
from penstock.planning.writeback.api import SyncedSource, SyncRequest, SyncResult
from penstock.wiring import open_workspace

SHOWN = 20


@click.command("sync")
@click.argument("run", metavar="RUN")
@click.option("--dry-run", is_flag=True, help="Show what would be written, as a diff.")
@click.option(
    "--partial", is_flag=True, help="Write what is still to be found of a plan that has changed."
)
@click.option(
    "--in-place", is_flag=True, help="Write to the files of your checkout; commit nothing."
)
@click.option(
    "--openspec-archive",
    is_flag=True,
    help="Let the openspec program archive the changes that are wholly done.",
)
@db_option
@json_option
def command(
    run: str,
    dry_run: bool,
    partial: bool,
    in_place: bool,
    openspec_archive: bool,
    db: str | None,
    as_json: bool,
) -> int:
    """Write what RUN has done back into its plan: boxes ticked, statuses set, progress counted.

    Only work that is done and passed the gates on the integrated tree counts. One commit is added
    to the branch integration/RUN; what git does not track is written in your checkout. Nothing but
    the marks and values changes, and nothing is ever unticked. When the plan has changed so that an
    item is not found by its id or text any more, nothing is written and the changes are shown
    (exit 1).
    """
    with open_workspace(db=db) as workspace:
        request = SyncRequest(
            run_id=find_run(workspace.reader, run).run_id,
            dry_run=dry_run,
            partial=partial,
            in_place=in_place,
            archive=openspec_archive,
        )
        result = workspace.sync_plan(request)
    if as_json:
        output.emit_json(result)
    else:
        for line in _told(result):
            output.emit(line)
    return ExitCode.FAILED if result.refused else ExitCode.DONE


def _told(result: SyncResult) -> Iterator[str]:
    if result.refused:
        yield from _refusal(result)
        return
    yield from _headline(result)
    for source in result.sources:
        yield from _source(source)
    yield from _left(result)
    yield from result.notes
    if result.dry_run and result.diff:
        yield ""
        yield result.diff.rstrip("\n")


def _headline(result: SyncResult) -> Iterator[str]:
    count = sum(len(source.edits) for source in result.sources)
    if not count:
        yield f"The plan of {result.run_id} says so already; nothing was written."
        return
    verb = "Dry run: would write" if result.dry_run else "Wrote"
    if result.committed:
        place = (
            result.branch if result.commit is None else f"{result.branch} as {result.commit[:12]}"
        )
        yield f"{verb} {', '.join(result.committed)} on {place}."
    if result.in_place:
        yield f"{verb} {', '.join(result.in_place)} in your checkout."
    if result.commit is not None:
        yield f"Take it: penstock integrate {result.run_id} --into BRANCH"


def _source(source: SyncedSource) -> Iterator[str]:
    already = f", {len(source.already)} already" if source.already else ""
    yield f"{source.id} ({source.dialect.value}): {plural(len(source.edits), 'edit')}{already}"
    for edit in source.edits[:SHOWN]:
        yield f"  {edit.file}:{edit.line} {one_line(edit.after)}"
    if len(source.edits) > SHOWN:
        yield f"  and {len(source.edits) - SHOWN} more"
    if source.archived:
        yield "  archived by openspec"
    for item in source.unmarked[:SHOWN]:
        yield f"  no mark to set: {item.place} {one_line(item.text)}"
    for lost in source.lost[:SHOWN]:
        yield f"  not found: {lost.item.place} {one_line(lost.item.text)}: {lost.why}"


def _left(result: SyncResult) -> Iterator[str]:
    if result.unfinished:
        names = ", ".join(f"{name} ({state})" for name, state in result.unfinished.items())
        yield f"Not integrated, so not written: {names}"


def _refusal(result: SyncResult) -> Iterator[str]:
    count = sum(len(source.lost) for source in result.sources)
    yield f"The plan has changed since it was read: {plural(count, 'item')} cannot be found."
    for source in result.sources:
        for lost in source.lost[:SHOWN]:
            label = f"{lost.item.label} " if lost.item.label else ""
            yield f"  {lost.item.place} {label}{one_line(lost.item.text)}: {lost.why}"
    yield result.drift.rstrip("\n")
    yield "Nothing was written. --partial writes the rest; --in-place takes the plan of your checkout."
