"""`aim audit`: what was recorded, whether it is whole, and what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from penstock.aim_cli import trails
from penstock.aim_cli.options import F, json_option
from penstock.audit.api import EventType, ExportFormat, GroupBy, Kind, Query, Severity
from penstock.cli import output
from penstock.cli.asking import agreed
from penstock.cli.moments import moment
from penstock.errors import ExitCode
from penstock.wiring import open_workspace

SINCE = "From then on: 2026-01-31, 2026-01-31T10:20, 2h, 3d, 1w."
FILTERS: tuple[Callable[[Any], Any], ...] = (
    click.option("--kind", type=click.Choice([k.value for k in Kind]), help="Calls or events."),
    click.option(
        "--type", "event_type", type=click.Choice([t.value for t in EventType]), help="Event type."
    ),
    click.option(
        "--severity", type=click.Choice([s.value for s in Severity]), help="Severity of events."
    ),
    click.option("--tool", "tool_id", metavar="TOOL", help="Calls of this tool."),
    click.option("--capability", metavar="NAME", help="Calls for this capability."),
    click.option("--success/--failed", default=None, help="Calls that went well, or did not."),
    click.option("--outcome", metavar="NAME", help="Calls that came to this: edited, auth, ..."),
    click.option("--run", "run_id", metavar="RUN", help="Entries of this run."),
    click.option("--workstream", "ws_id", metavar="WS", help="Entries of this workstream."),
    click.option("--since", metavar="WHEN", help=SINCE),
    click.option("--until", metavar="WHEN", help="Before then, written as for --since."),
)


def filters(function: F) -> F:
    """Add the options that choose entries."""
    for option in reversed(FILTERS):
        function = option(function)
    return function


def chosen(limit: int | None = None, **given: Any) -> Query:
    """Return the query of the options. Raises UsageError for a time that is none."""
    now = time.time()
    for name in ("since", "until"):
        if given.get(name) is not None:
            given[name] = moment(given[name], now)
    if given.get("kind") is not None:
        given["kind"] = Kind(given["kind"])
    return Query(**given, limit=limit or None)


@click.group("audit")
def command() -> None:
    """Look into the audit trail: every call of a tool, chained, signed, without secrets.

    The trail is in the registry's folder, in the repository's .AIM_ai-tools-registry/AIM_audit with
    the packaged registry, or where audit.logPath says.
    """


@command.command("show")
@click.option("--count", "-n", type=click.IntRange(1), default=20, show_default=True,
              help="How many of the newest entries.")  # fmt: skip
@json_option
def show(count: int, as_json: bool) -> None:
    """Show the newest entries."""
    with open_workspace() as workspace:
        entries = list(workspace.recorded.query(Query(limit=count)))
    if as_json:
        output.emit_json({"entries": [trails.document(entry) for entry in entries]})
    elif entries:
        output.table(trails.COLUMNS, [trails.row(entry) for entry in entries])
    else:
        output.emit("Nothing is recorded yet.")


@command.command("query")
@filters
@click.option("--limit", type=click.IntRange(0), default=100, show_default=True,
              help="Keep the newest so many; 0 for all.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text",
              show_default=True, help="json is one object a line.")  # fmt: skip
@json_option
def query(limit: int, form: str, as_json: bool, **given: Any) -> None:
    """Print entries, newest first."""
    wanted = chosen(limit, **given)
    with open_workspace() as workspace:
        for text in trails.printed(workspace.recorded, wanted, "json" if as_json else form):
            output.emit(text)
            if output.stdout_gone():
                return


@command.command("stats")
@click.option("--by", type=click.Choice([g.value for g in GroupBy]), help="Group the calls.")
@filters
@json_option
def stats(by: str | None, as_json: bool, **given: Any) -> None:
    """Count entries; hold calls against the targets for success, time, fallback and login."""
    wanted = chosen(**given)
    with open_workspace() as workspace:
        found = workspace.recorded.stats(wanted, GroupBy(by) if by is not None else None)
    if as_json:
        output.emit_json(trails.stats_document(found))
        return
    for line in trails.stats_lines(found):
        output.emit(line)
    if found.groups:
        output.emit()
        output.table(trails.group_columns(by or ""), trails.group_rows(found.groups))


@command.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice([f.value for f in ExportFormat]),
              default="json", show_default=True, help="jsonl is one object a line.")  # fmt: skip
@filters
@json_option
def export(file: Path, form: str, as_json: bool, **given: Any) -> None:
    """Write entries to FILE, oldest first."""
    wanted = chosen(**given)
    with open_workspace() as workspace:
        count = workspace.recorded.export(file.absolute(), ExportFormat(form), wanted)
    if as_json:
        output.emit_json({"file": str(file), "format": form, "entries": count})
    else:
        output.emit(f"Wrote {trails.entries(count)} to {file}.")


@command.command("verify")
@json_option
def verify(as_json: bool) -> int:
    """Check every line, checkpoint and anchor; say up to where the trail is proven.

    Exits 1 when anything was altered, removed, inserted, reordered, truncated or re-stamped.
    """
    with open_workspace() as workspace:
        report = workspace.recorded.verify()
    if as_json:
        output.emit_json(trails.report_document(report))
    else:
        for line in trails.report_lines(report):
            output.emit(line)
    return int(ExitCode.DONE if report.ok else ExitCode.FAILED)


@command.command("prune")
@click.option("--days", type=click.IntRange(1), metavar="N",
              help="Days to keep, today counted (default: audit_log_retention_days).")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would go; drop nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def prune(days: int | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Drop the lines of old days; their checkpoints stay, so that the rest still verifies."""
    with open_workspace() as workspace:
        keep = days or workspace.aim_settings.switches.audit_log_retention_days
        plan = workspace.recorded.prune(keep, dry_run=True)
        if not as_json:
            output.emit(trails.prune_line(plan, keep))
        go = bool(plan.days) and not dry_run and agreed("Drop them?", yes=yes)
        done = workspace.recorded.prune(keep) if go else None
    if as_json:
        output.emit_json(trails.prune_document(plan, keep, done))
    elif done is not None:
        output.emit("Dropped.")
