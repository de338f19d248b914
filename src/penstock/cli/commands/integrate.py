"""`penstock integrate`: the result of a run goes to a branch of the user's."""

from __future__ import annotations

import click

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run
from penstock.cli.words import one_line, plural
from penstock.engine.handover import HandoverRequest, HandoverResult
from penstock.wiring import open_workspace
from penstock.worktrees.api import Handover, HandoverStrategy

SHOWN_COMMITS = 20
UNCHECKED = (
    "Not checked: {into} held other changes already, so its files are now another set than the one"
    " that the run's checks have passed on. Run your tests on it."
)


@click.command("integrate")
@click.argument("run", metavar="RUN")
@click.option("--into", metavar="BRANCH", required=True, help="The branch that gets the result.")
@click.option(
    "--strategy",
    type=click.Choice([strategy.value for strategy in HandoverStrategy]),
    default=HandoverStrategy.MERGE.value,
    show_default=True,
    help="A merge commit, one commit of everything, or the commits in a line.",
)
@click.option(
    "--update-checkout", is_flag=True, help="BRANCH may be checked out here: bring the files along."
)
@click.option(
    "--allow-moved", is_flag=True, help="BRANCH may hold commits from after the run's start."
)
@click.option(
    "--partial", is_flag=True, help="Take what is merged so far of a run that has not succeeded."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@db_option
@json_option
def command(
    run: str,
    into: str,
    strategy: str,
    update_checkout: bool,
    allow_moved: bool,
    partial: bool,
    dry_run: bool,
    db: str | None,
    as_json: bool,
) -> int:
    """Hand the result of RUN, its branch integration/RUN, over to a BRANCH of yours.

    No file, index or HEAD of yours is touched, unless BRANCH is checked out here and
    --update-checkout is given; changes that are not committed make it refuse. A BRANCH that has
    moved since the run started is refused without --allow-moved, because its files are then no
    longer those that were checked. Said twice, nothing is done twice.
    """
    with open_workspace(db=db) as workspace:
        request = HandoverRequest(
            run_id=find_run(workspace.reader, run).run_id,
            into=into.removeprefix("refs/heads/"),
            strategy=HandoverStrategy(strategy),
            update_checkout=update_checkout,
            allow_moved=allow_moved,
            partial=partial,
            dry_run=dry_run,
        )
        result = workspace.integrate(request)
    if as_json:
        output.emit_json(result)
    else:
        _show(result)
    return 0


def _show(result: HandoverResult) -> None:
    handover = result.handover
    if handover.already:
        output.emit(f"{result.into} holds the result of {result.run_id} already.")
        _show_missing(result)
        return
    output.emit(_headline(result))
    _show_commits(handover)
    output.emit(handover.stat.rstrip("\n"))
    output.emit()
    _show_missing(result)
    if not handover.as_checked:
        output.emit(UNCHECKED.format(into=result.into))
    for line in _next_steps(result):
        output.emit(line)


def _headline(result: HandoverResult) -> str:
    handover = result.handover
    count = plural(len(handover.commits), "commit")
    what = f"{count} of {result.run_id} to {result.into} by {handover.strategy.value}"
    if handover.dry_run:
        return f"Dry run: would hand over {what}, which is at {handover.previous[:12]}."
    return f"Handed over {what}: {handover.previous[:12]} -> {handover.commit[:12]}."


def _show_commits(handover: Handover) -> None:
    for commit in handover.commits[:SHOWN_COMMITS]:
        output.emit(f"  {commit.commit[:12]} {one_line(commit.subject)}")
    more = len(handover.commits) - SHOWN_COMMITS
    if more > 0:
        output.emit(f"  and {more} more")


def _show_missing(result: HandoverResult) -> None:
    if not result.missing:
        return
    output.emit(f"Not in it: {plural(len(result.missing), 'workstream')}.")
    for item in result.missing:
        reason = f": {one_line(item.reason)}" if item.reason else ""
        output.emit(f"  {item.ws_id} ({item.status}, integration {item.integration}){reason}")


def _next_steps(result: HandoverResult) -> list[str]:
    handover, into = result.handover, result.into
    if handover.dry_run:
        return []
    if handover.checkout_updated:
        undo = f"git reset --keep {handover.previous[:12]}"
    else:
        undo = f"git branch --force {into} {handover.previous[:12]}"
    return [f"Look: git log --oneline --graph {handover.previous[:12]}..{into}", f"Undo: {undo}"]
