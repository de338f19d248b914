"""`aim health`: is this machine fit for runs?"""

from __future__ import annotations

from pathlib import Path

import click

from penstock.aim_cli import screens
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.cli.words import one_line
from penstock.environment.api import Health, HealthReport, ReportFormat, Verdict
from penstock.errors import EnvironmentProblem, ExitCode
from penstock.wiring import Workspace, open_workspace

COLUMNS = ("CHECK", "STATUS", "FINDING")


@click.group("health")
def command() -> None:
    """Look whether this machine and repository are fit for runs. Nothing goes to the network."""


@command.command("check")
@click.option("-v", "--verbose", is_flag=True, help="Show the details of every check.")
@json_option
def check(verbose: bool, as_json: bool) -> int:
    """Ask every probe at once and show what they found; no probe may take longer than 2 s.

    Exits 1 when something fails (unhealthy). A warning (degraded) does not keep runs from working.
    """
    with open_workspace() as workspace:
        report = _examine(workspace)
        if as_json:
            output.emit_json(report)
        else:
            show_report(report, verbose=verbose)
    return int(ExitCode.FAILED if report.overall_status is Health.UNHEALTHY else ExitCode.DONE)


@command.command("report")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice([form.value for form in ReportFormat]),
    help="Form of the report (default: by the name of the file, else markdown).",
)
@click.option("-o", "--output", "path", metavar="FILE", help="Write to a file instead of stdout.")
@json_option
def report(form: str | None, path: str | None, as_json: bool) -> int:
    """Write all findings with their details as Markdown, JSON or one HTML page.

    Exits as `aim health check` does.
    """
    with open_workspace() as workspace:
        found = _examine(workspace)
        wanted = ReportFormat.JSON if as_json else _form(form, path)
        text = workspace.write_health(found, wanted)
    if path is None:
        output.emit(text, end="")
    else:
        _write(Path(path), text)
    return int(ExitCode.FAILED if found.overall_status is Health.UNHEALTHY else ExitCode.DONE)


@command.command("verify")
@json_option
def verify(as_json: bool) -> int:
    """Tell whether everything is in order: exits 0 only when nothing fails and nothing warns."""
    with open_workspace() as workspace:
        found = _examine(workspace)
    if as_json:
        output.emit_json(found)
    else:
        output.emit(screens.health_words(found))
        for line in screens.finding_lines(found):
            output.emit(line)
    return int(ExitCode.DONE if found.overall_status is Health.HEALTHY else ExitCode.FAILED)


def _examine(workspace: Workspace) -> HealthReport:
    """Ask all probes, and record that they were."""
    found = workspace.health()
    trouble = workspace.record_health(found)
    if trouble is not None:
        output.warn(f"Warning: not recorded in the audit trail: {one_line(trouble)}")
    return found


def _form(given: str | None, path: str | None) -> ReportFormat:
    if given is not None:
        return ReportFormat(given)
    endings = {".json": ReportFormat.JSON, ".html": ReportFormat.HTML, ".htm": ReportFormat.HTML}
    return endings.get(Path(path or "").suffix.lower(), ReportFormat.MARKDOWN)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(
            f"cannot write the report to {path}: {error}",
            hint="Choose another place with --output.",
        ) from error


def show_report(found: HealthReport, *, verbose: bool) -> None:
    """Print a table of all checks, what to do, and with `verbose` the details."""
    rows = [(check.name, check.status.value, check.message) for check in found.checks]
    output.table(COLUMNS, rows)
    output.emit()
    for check in found.checks:
        if verbose:
            for name, value in check.details.items():
                output.emit(f"{check.name}.{name}: {one_line(str(value))}")
    for line in hint_lines(found):
        output.emit(line)
    output.emit(screens.health_words(found))


def hint_lines(found: HealthReport) -> list[str]:
    """Return what mends each check that does not pass."""
    return [
        f"Hint ({check.name}): {one_line(check.hint)}"
        for check in found.checks
        if check.hint and check.status is not Verdict.PASS
    ]
