"""`aim scan secrets`: keys, tokens and passwords where none should be."""

from __future__ import annotations

import click

from penstock.aim_cli import leaks
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.cli.checking import progress
from penstock.errors import ExitCode, UsageError
from penstock.leaks.rule import LEVELS
from penstock.wiring import open_workspace

FORMATS = ("text", "json", "sarif")


@click.command("secrets")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--tree", is_flag=True, help="The files of the tree, as without any of these.")
@click.option("--staged", is_flag=True, help="What is staged and not committed yet.")
@click.option("--history", is_flag=True, help="Every commit of every branch, tag and stash.")
@click.option("--range", "revisions", metavar="REVS", multiple=True,
              help="Only these commits, such as main..topic, and only what they add.")  # fmt: skip
@click.option("--audit", is_flag=True, help="The audit trail.")
@click.option("--logs", is_flag=True, help="Logs, prompts, patches and journal of runs.")
@click.option("--level", type=click.Choice(LEVELS), default="default", show_default=True,
              help="How sure to be: certain knows a provider's shape.")  # fmt: skip
@click.option("--baseline", metavar="FILE",
              help="Secrets that may stay (default: .aim-secrets-baseline.json).")  # fmt: skip
@click.option("--no-baseline", is_flag=True, help="Report what the baseline knows, too.")
@click.option("--update-baseline", is_flag=True, help="Let all that is found now stay.")
@click.option("--share-key", is_flag=True,
              help="Keep the baseline's key in it, for other machines.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True,
              help="How the report is printed.")  # fmt: skip
@json_option
def command(
    paths: tuple[str, ...],
    *,
    revisions: tuple[str, ...],
    level: str,
    baseline: str | None,
    no_baseline: bool,
    update_baseline: bool,
    share_key: bool,
    form: str,
    as_json: bool,
    **wanted: bool,
) -> int:
    """Look for keys, tokens and passwords; exit 1 when there are any.

    PATHS narrow the search down. A value is never printed, only its kind and place. A comment
    `penstock: allow-secret` in its line lets one stay, and so does the baseline, which holds
    fingerprints made with a key of yours. A key that was committed is known to whoever has the
    repository: revoke it, then take it out.
    """
    _refuse(update_baseline, share_key, no_baseline)
    sources = [name for name, chosen in wanted.items() if chosen]
    sources += ["history"] if revisions and "history" not in sources else []
    with open_workspace() as workspace, progress("sources") as shown:
        scan = workspace.secret_scan(
            sources or ["tree"],
            paths,
            revisions=revisions,
            level=level,
            baseline=baseline,
            use_baseline=not no_baseline,
            share_key=share_key,
            on_progress=shown,
        )
        report = scan.report()
        kept = scan.update_baseline(report) if update_baseline else None
        unrecorded = workspace.record_secret_scan(report)
        top = str(workspace.root)
    if unrecorded is not None:
        output.warn(f"Warning: this scan is not in the audit trail: {unrecorded}")
    leaks.show(report, "json" if as_json else form, top, kept=kept)
    return int(ExitCode.DONE if report.ok or update_baseline else ExitCode.FAILED)


def _refuse(update_baseline: bool, share_key: bool, no_baseline: bool) -> None:
    """Raise UsageError for options that do not go together."""
    if update_baseline and no_baseline:
        raise UsageError("--update-baseline and --no-baseline do not go together")
    if share_key and not update_baseline:
        raise UsageError(
            "--share-key makes a baseline anew",
            hint="aim scan secrets --update-baseline --share-key",
        )
