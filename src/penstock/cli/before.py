"""The look before a run: its options, what of it is shown, and what of it stops the run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

import click
import msgspec

from penstock.cli import output
from penstock.cli.words import one_line, plural
from penstock.environment.api import PreflightReport, Verdict
from penstock.model.bundle import Bundle
from penstock.model.records import Workstream
from penstock.schedule.standing import ENDED
from penstock.wiring import Workspace

F = TypeVar("F", bound=Callable[..., Any])


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says about the look before a run."""

    no_preflight: bool = False
    auto_sync: bool = False


def preflight_options(function: F) -> F:
    """Add `--no-preflight` and `--auto-sync`."""
    for option in (
        click.option(
            "--auto-sync", is_flag=True, help="Install the versions that aim_config pins first."
        ),
        click.option(
            "--no-preflight", is_flag=True, help="Start without a look at machine and repository."
        ),
    ):
        function = option(function)
    return function


def look_before(
    workspace: Workspace, bundles: Iterable[Bundle], tool: str | None, wanted: Before
) -> dict[str, Any]:
    """Look at machine and repository, show what people must know, and return what is to be kept
    with the run.

    `tool` serves for all bundles. Raises PreFlightError when something fails; that is recorded in
    the audit trail, there being no run that could keep it.
    """
    needed, optional = workspace.tools_of(bundles, tool)
    report = workspace.preflight(
        needed,
        optional=optional,
        sync=wanted.auto_sync,
        say=output.warn if output.on_terminal(sys.stderr) else None,
        skip="--no-preflight" if wanted.no_preflight else None,
    )
    show(report)
    workspace.record_refusal(report)
    report.require_passed()
    return report.document()


def look_again(
    workspace: Workspace,
    rows: Iterable[Workstream],
    tool: str | None,
    wanted: Before,
    *,
    again: Collection[str] = (),
) -> dict[str, Any]:
    """Look as `look_before` does, before a run goes on with those of its workstreams that have not
    ended, or are tried `again`."""
    left = [row for row in rows if row.status not in ENDED or row.ws_id in again]
    return look_before(workspace, workspace.bundles_of(left), tool, wanted)


def show(report: PreflightReport) -> None:
    """Show on stderr what is not as it should be; that all is well only at a terminal."""
    health = report.health
    if health is None:
        return
    counts = health.summary
    checks = plural(len(health.checks), "check")
    if report.calm:
        if output.on_terminal(sys.stderr):
            output.warn(f"Pre-flight: healthy, {checks} in {report.seconds:.1f} s.")
        return
    told = f"{counts.passed} pass, {counts.warn} warn, {counts.fail} fail"
    output.warn(f"Pre-flight: {health.overall_status.value} ({told}).")
    for check in health.checks:
        if check.status is not Verdict.PASS:
            output.warn(f"  {check.status.value}  {check.name}: {one_line(check.message)}")
            if check.hint:
                output.warn(f"        {one_line(check.hint)}")
    for line in report.synced:
        output.warn(f"  synced  {one_line(line)}")
