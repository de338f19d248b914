"""`penstock spec`: the tags of the documents, and the code that they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from penstock.cli import output
from penstock.cli.options import json_option
from penstock.cli.words import plural
from penstock.errors import ExitCode
from penstock.planning.sources.api import Notice
from penstock.planning.specs.api import MappedTag
from penstock.wiring import open_workspace

F = TypeVar("F", bound=Callable[..., Any])


@click.group("spec")
def command() -> None:
    """List the tags `[IDX-...]` of your documents, map them to code, check them.

    A tag is put next to what it names: `[IDX-DB-SCHEMA-01] create the tables`. It may stand in a
    heading, a list, a table or a block of code of any .md or .txt file.
    """


def docs_option(function: F) -> F:
    """Add `--docs-dir`."""
    return click.option(
        "--docs-dir", "docs", metavar="DIR", help="Folder of the documents (default: docs)."
    )(function)


@command.command("index")
@docs_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print."
)
@json_option
def index(docs: str | None, form: str, as_json: bool) -> None:
    """Print every tag with its file, line and description.

    The description is the rest of the line, else the nearest heading above.
    """
    with open_workspace() as workspace:
        found = workspace.spec_index(docs)
    _tell(found.notices)
    if as_json or form == "json":
        output.emit_json(found.rows)
        return
    for row in found.rows:
        said = f"{row.idx}: {row.file}:{row.line} - {row.description}"
        output.emit(output.displayed(said.rstrip(" -") if not row.description else said))
    if not found.rows:
        output.warn(f"No tags in {plural(found.files, 'document')}.")


@command.command("map")
@docs_option
@click.option(
    "--output", "target", metavar="FILE",
    help="The document to write (default: docs/spec/spec_index_map.md).",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a file that is no mapping.")
@click.option("--verbose", is_flag=True, help="Print each tag with what it maps to.")
@json_option
def map_(docs: str | None, target: str | None, force: bool, verbose: bool, as_json: bool) -> None:
    """Write a document that maps each tag to module, function, phase and version.

    The rules are in docs/reference/spec-index.md; config/spec_mapping.yaml names your own modules.
    """
    with open_workspace() as workspace:
        made = workspace.spec_map(docs, target, force=force)
    _tell(made.notices)
    if as_json:
        output.emit_json({"output": made.path, "changed": made.changed, "tags": _rows(made.tags)})
        return
    for tag in made.tags if verbose else ():
        names = f"{tag.module} {tag.function} {tag.phase} {tag.version}"
        output.emit(output.displayed(f"{tag.row.idx}: {tag.row.file}:{tag.row.line} -> {names}"))
    state = "written" if made.changed else "up to date"
    output.emit(f"{made.path}: {plural(len(made.tags), 'tag')}, {state}.")


@command.command("check")
@docs_option
@json_option
def check(docs: str | None, as_json: bool) -> int:
    """Find duplicate tags, targets that do not exist, and what only looks like a tag.

    Exits 1 when there is any error; warnings alone do not count.
    """
    with open_workspace() as workspace:
        report = workspace.spec_check(docs)
    if as_json:
        counts = {"ok": report.ok, "files": report.files, "tags": report.tags}
        output.emit_json({**counts, "problems": [_problem(each) for each in report.problems]})
    else:
        for line in _words(report.problems):
            output.emit(output.displayed(line))
        looked = f"{plural(report.tags, 'tag')} in {plural(report.files, 'document')}"
        output.emit(f"{looked}: {plural(len(report.problems), 'problem')}.")
    return int(ExitCode.DONE if report.ok else ExitCode.FAILED)


def _rows(tags: Iterable[MappedTag]) -> list[dict[str, Any]]:
    return [
        {
            "idx": tag.row.idx,
            "description": tag.row.description,
            "file": tag.row.file,
            "line": tag.row.line,
            "module": tag.module,
            "function": tag.function,
            "phase": tag.phase,
            "version": tag.version,
        }
        for tag in tags
    ]


def _problem(notice: Notice) -> dict[str, Any]:
    place = notice.place
    return {
        "code": notice.code,
        "severity": notice.severity.value,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "text": notice.text,
        "hint": notice.hint,
    }


def _words(notices: Iterable[Notice]) -> Iterable[str]:
    """Return each notice on one line; a hint is given once, below the first that needs it."""
    hints: set[str] = set()
    for notice in notices:
        where = f"{notice.place}: " if notice.place else ""
        yield f"{where}{notice.severity.value}: {notice.text} [{notice.code}]"
        if notice.hint and notice.hint not in hints:
            hints.add(notice.hint)
            yield f"  hint: {notice.hint}"


def _tell(notices: Iterable[Notice]) -> None:
    for line in _words(notices):
        output.warn(line)
