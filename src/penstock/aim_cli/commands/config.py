"""`aim config`: what aim_config says, where each value comes from, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.cli.words import plural
from penstock.config.survey import PACKAGED, Setting, Survey, Verdict
from penstock.errors import EnvironmentProblem, ExitCode
from penstock.wiring import open_workspace

COLUMNS = ("SETTING", "VALUE", "FROM")


@click.group("config")
def command() -> None:
    """Look at aim_config: config/aim_config.json or .yaml, else the same in aim/config/."""


# -- show ------------------------------------------------------------------------------------
@command.command("show")
@click.option("--changed", is_flag=True, help="Leave out the packaged defaults.")
@json_option
def show(changed: bool, as_json: bool) -> None:
    """Show every setting, and whether a file, a variable or a packaged default gives it."""
    with open_workspace() as workspace:
        survey = workspace.survey_config()
    kept = [s for s in survey.settings if not changed or s.origin != PACKAGED]
    if as_json:
        output.emit_json(_survey_document(survey, kept))
    else:
        _show(survey, kept)


def _survey_document(survey: Survey, kept: list[Setting]) -> dict[str, Any]:
    return {
        "source": survey.source,
        "passed_over": list(survey.passed_over),
        "settings": [msgspec.to_builtins(setting) for setting in kept],
    }


def _show(survey: Survey, kept: list[Setting]) -> None:
    output.emit(f"Configuration: {survey.source or 'no file, packaged defaults serve'}")
    for name in survey.passed_over:
        output.emit(f"Not read: {name}, because {survey.source} is there")
    if kept:
        output.emit()
        output.table(COLUMNS, [(s.key, _shown(s.value), _place(survey, s)) for s in kept])


def _place(survey: Survey, setting: Setting) -> str:
    """Return a setting's origin, shorter where it is the file that was named already."""
    if setting.file is None or setting.file != survey.source:
        return setting.origin
    return setting.origin.replace(f"{setting.file}:", "line ", 1)


def _shown(value: Any) -> str:
    """Return a value as people write it."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# -- validate --------------------------------------------------------------------------------
@command.command("validate")
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@json_option
def validate(file: str | None, as_json: bool) -> int:
    """List everything that is wrong with aim_config, with line and column, and exit 1 for it.

    The registry and rules that it leads to, and its pins, are looked at too. FILE is held against
    the schema alone.
    """
    with open_workspace() as workspace:
        verdict = workspace.check_config(file)
    if as_json:
        output.emit_json({"ok": verdict.ok, **msgspec.to_builtins(verdict)})
    else:
        _tell(verdict)
    return int(ExitCode.DONE if verdict.ok else ExitCode.FAILED)


def _tell(verdict: Verdict) -> None:
    for error in verdict.errors:
        output.emit(error.words)
    for warning in verdict.warnings:
        output.emit(f"warning: {warning.words}")
    if verdict.errors:
        output.warn(f"Error: {plural(len(verdict.errors), 'mistake')} in the configuration")
        output.warn("Hint: mend the files; `aim config schema` says what may be in them.")
    elif verdict.files:
        output.emit(f"{' and '.join(verdict.files)}: valid.")
    else:
        output.emit("There is no aim_config: packaged defaults serve.")


# -- schema ----------------------------------------------------------------------------------
@command.command("schema")
@click.option("--output", "-o", "target", type=click.Path(dir_okay=False, path_type=Path),
              help="Write it to this file.")  # fmt: skip
@json_option
def schema(target: Path | None, as_json: bool) -> None:
    """Print the JSON Schema of aim_config, for editors."""
    with open_workspace() as workspace:
        found = workspace.config_schema()
    if target is None:
        output.emit_json(found)
        return
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot write {target}: {error.strerror}", hint="Choose another file."
        ) from error
    if as_json:
        output.emit_json({"file": str(target)})
    else:
        output.emit(f"Wrote the schema to {target}.")
