"""`penstock check`: every checker that is there, on what has changed."""

from __future__ import annotations

from typing import Any

import click

from penstock.cli.checking import DEFAULT_BASELINE, CheckOptions, plugin_ids
from penstock.cli.options import json_option

FORMATS = ("text", "json", "sarif", "github", "junit")


@click.command("check")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--changed", metavar="[REF]", is_flag=False, flag_value="",
    help="Only files that differ from REF (default: the last commit).",
)  # fmt: skip
@click.option("--staged", is_flag=True, help="Only staged files, as they are in the index.")
@click.option("--fix", is_flag=True, help="Let formatters and fixers rewrite files first.")
@click.option(
    "--only", multiple=True, metavar="PLUGINS", help="Only these plugins (ids, by commas)."
)
@click.option("--skip", multiple=True, metavar="PLUGINS", help="All but these plugins.")
@click.option("--strict", is_flag=True, help="Let warnings fail a file, too.")
@click.option("--require", is_flag=True, help="A plugin whose tool is missing is an error.")
@click.option("--baseline", metavar="FILE", help="Findings that this file knows fail nothing.")
@click.option(
    "--update-baseline", is_flag=True,
    help=f"Write what is found into the baseline (default: {DEFAULT_BASELINE}).",
)  # fmt: skip
@click.option(
    "--format", "style", type=click.Choice(FORMATS), default="text", show_default=True,
    help="How to print the result.",
)  # fmt: skip
@json_option
@click.option("--summary", is_flag=True, hidden=True)
@click.option("-v", "--verbose", is_flag=True, help="Say more about files and plugins.")
@click.option("--explain", is_flag=True, help="Say why each result was kept or made anew.")
@click.option("--list", "listing", is_flag=True, help="List the plugins and check nothing.")
@click.option(
    "--cache", metavar="PATH", help="Where results are kept (default: .state/validation_cache.db)."
)
@click.option("--no-cache", is_flag=True, help="Neither use kept results nor keep any.")
def command(as_json: bool, no_cache: bool, only: Any, skip: Any, **given: Any) -> int:
    """Check files with every checker that is installed; unchanged ones are not run again.

    PATH is a file or a folder; without any, all files of the project that git does not
    ignore. Exits 1 when a file fails, 2 when a PATH cannot be taken. Only errors fail
    a file unless --strict is given.
    """
    from penstock.cli.inspecting import check

    if as_json:
        given["style"] = "json"
    options = CheckOptions(
        only=plugin_ids(only), skip=plugin_ids(skip), use_cache=not no_cache, **given
    )
    return int(check(options))
