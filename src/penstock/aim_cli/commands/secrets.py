"""`aim secrets`: the user's keys and passwords, kept where nobody else can read them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.cli.asking import agreed
from penstock.cli.words import plural
from penstock.errors import ExitCode, UsageError
from penstock.wiring import open_workspace

if TYPE_CHECKING:
    from penstock.vault.api import SecretInfo, VaultReport

COLUMNS = ("KEY", "DESCRIPTION", "CREATED", "IN", "EXISTS")
BACKEND_COLUMNS = ("VAULT", "STATE", "WHY")
STDIN = "-"


@click.group("secrets")
def command() -> None:
    """Keep keys and passwords in the vault, and hand them to tools.

    Values come from a hidden prompt or from stdin, never from the command line. `aim secrets doctor`
    says where they are kept and why.
    """


# -- keeping -------------------------------------------------------------------------------------
@command.command("set")
@click.argument("key")
@click.argument("source", required=False, metavar="[-]")
@click.option("--description", "-d", metavar="TEXT", help="What it is for; shown by `list`.")
@click.option("--prompt", "-p", is_flag=True, help="Ask for the value, as without `-`.")
@click.option("--reference", "-r", metavar="REF",
              help="Keep where the value comes from: op://VAULT/ITEM/FIELD, env:NAME, 'cmd:PROGRAM ARG'.")  # fmt: skip
@json_option
def set_(
    key: str,
    source: str | None,
    description: str | None,
    prompt: bool,
    reference: str | None,
    as_json: bool,
) -> None:
    """Keep the value of KEY, asked for without showing it, or read from stdin with `-`.

    What was kept under KEY before is replaced.
    """
    _require_source(key, source, prompt=prompt, reference=reference)
    from penstock.vault.api import check_key

    check_key(key)
    with open_workspace() as workspace:
        if reference is not None:
            workspace.refer_secret(key, reference, description)
            where = "a reference"
        else:
            workspace.set_secret(key, _value(key, source), description)
            where = workspace.vault.backend
    if as_json:
        output.emit_json({"key": key, "backend": "reference" if reference else where})
    else:
        output.emit(f"Kept {key} ({where}).")


def _require_source(key: str, source: str | None, *, prompt: bool, reference: str | None) -> None:
    """Refuse a value in the command line, without repeating it, and two sources at once."""
    if source not in (None, STDIN):
        raise UsageError(
            f"the value of {key} must not stand in the command line: it is in the list of processes"
            " and in your shell's history now",
            hint=f"aim secrets set {key}, or: ... | aim secrets set {key} -",
        )
    if sum((source is not None, prompt, reference is not None)) > 1:
        raise UsageError("the value can come from one place only", hint="aim secrets set --help")


def _value(key: str, source: str | None) -> str:
    """Return the value from stdin, without the end of its line, or from the user."""
    if source is None:
        return _asked(key)
    from penstock.vault.api import LONGEST_VALUE

    data = sys.stdin.buffer.read(LONGEST_VALUE + 2)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"the value of {key} is no text in UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")


def _asked(key: str) -> str:
    if not output.on_terminal(sys.stdin):
        raise UsageError(
            "there is nobody to ask for the value",
            hint=f"... | aim secrets set {key} -",
        )
    answer: str = click.prompt(f"Value of {key} (not shown)", hide_input=True, err=True)
    return answer


@command.command("delete")
@click.argument("key")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def delete(key: str, yes: bool, as_json: bool) -> int:
    """Remove KEY and what is known of it."""
    with open_workspace() as workspace:
        if not agreed(f"Remove {key}?", yes=yes):
            return int(ExitCode.FAILED)
        workspace.delete_secret(key)
    if as_json:
        output.emit_json({"key": key, "deleted": True})
    else:
        output.emit(f"Removed {key}.")
    return int(ExitCode.DONE)


# -- looking -------------------------------------------------------------------------------------
@command.command("get")
@click.argument("key")
@click.option("--show", "-s", is_flag=True, help="Print the value.")
@click.option("--clipboard", "-c", is_flag=True, help="Put the value into the clipboard.")
@json_option
def get(key: str, show: bool, clipboard: bool, as_json: bool) -> int:
    """Tell whether there is KEY; its value only with --show or --clipboard. Exits 1 without it."""
    if show and clipboard:
        raise UsageError("the value goes to one place only", hint="Pass --show or --clipboard.")
    from penstock.vault.api import Purpose, check_key, missing

    check_key(key)
    with open_workspace() as workspace:
        if show or clipboard:
            purpose = Purpose.SHOW if show else Purpose.CLIPBOARD
            value = workspace.read_secrets([key], purpose)[key]
            return _handed(key, value, clipboard=clipboard, as_json=as_json)
        info = workspace.secret_info(key)
    if as_json:
        output.emit_json({"key": key, "exists": info is not None and info.exists is not False})
    if info is None or info.exists is False:
        if as_json:
            return int(ExitCode.FAILED)
        raise missing(key)
    if not as_json:
        output.emit(f"{key} exists ({info.backend}). --show prints its value.")
    return int(ExitCode.DONE)


def _handed(key: str, value: str, *, clipboard: bool, as_json: bool) -> int:
    if clipboard:
        from penstock.aim_cli.clipboard import copy

        program = copy(value)
        if not as_json:
            output.emit(f"{key} is in the clipboard ({program}) until something else is.")
        else:
            output.emit_json({"key": key, "exists": True, "clipboard": program})
    elif as_json:
        output.emit_secret(output.json_text({"key": key, "exists": True, "value": value}))
    else:
        output.emit_secret(value)
    return int(ExitCode.DONE)


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the secrets: key, description, when and where they are kept; no values."""
    with open_workspace() as workspace:
        infos = workspace.secret_infos()
    if as_json:
        output.emit_json({"secrets": infos})
    elif infos:
        output.table(COLUMNS, [_row(info) for info in infos])
    else:
        output.emit("There are no secrets. aim secrets set OPENAI_API_KEY keeps one.")


def _row(info: SecretInfo) -> tuple[str, ...]:
    from penstock.cli.words import moment

    exists = {True: "yes", False: "NO", None: "-"}[info.exists]
    place = info.reference or info.backend or ""
    when = moment(info.created_at) if info.created_at else "-"
    return (info.key, info.description or "", when, place, exists)


# -- handing on ----------------------------------------------------------------------------------
@command.command("export")
@click.argument("keys", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Export every secret.")
@click.option("--force", "-f", is_flag=True, help="Print values on a terminal, too.")
@json_option
def export(keys: tuple[str, ...], everything: bool, force: bool, as_json: bool) -> None:
    """Print `export KEY='VALUE'` for a shell: eval "$(aim secrets export OPENAI_API_KEY)".

    Refused on a terminal, where values would stay on the screen. `aim secrets run` needs no shell.
    """
    if bool(keys) == everything:
        raise UsageError("say which secrets", hint="Name keys, or pass --all.")
    if output.on_terminal() and not force:
        raise UsageError(
            "values are not printed on a terminal",
            hint='eval "$(aim secrets export KEY)", or pass --force',
        )
    from penstock.vault.api import Purpose

    with open_workspace() as workspace:
        wanted = workspace.vault.listed() if everything else keys
        values = workspace.read_secrets(wanted, Purpose.EXPORT)
    if as_json:
        output.emit_secret(output.json_text(values))
    else:
        for key, value in values.items():
            output.emit_secret(_export_line(key, value))


def _export_line(key: str, value: str) -> str:
    import shlex

    return f"export {key}={shlex.quote(value)}"


@command.command("run", context_settings={"ignore_unknown_options": True})
@click.option("--only", "-o", metavar="KEYS", help="These secrets alone: OPENAI_API_KEY,GH_TOKEN.")
@click.option("--all", "everything", is_flag=True, help="All secrets.")
@click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND [ARG]...")
def run(only: str | None, everything: bool, argv: tuple[str, ...]) -> None:
    """Run COMMAND with secrets in its environment, and no other of the vault.

    It takes our place: it has the terminal, and its exit code is ours.
    """
    keys = tuple(key.strip() for key in (only or "").split(",") if key.strip())
    if bool(keys) == everything:
        raise UsageError("say which secrets", hint="aim secrets run --only KEY,KEY -- COMMAND")
    if not argv:
        raise UsageError("say which command", hint="aim secrets run --only KEY -- COMMAND")
    with open_workspace() as workspace:
        workspace.run_with_secrets(workspace.vault.listed() if everything else keys, argv)


# -- the vault itself ----------------------------------------------------------------------------
@command.command("doctor")
@json_option
def doctor(as_json: bool) -> int:
    """Say which vault is used and why, and whether it works: a value is written, read and removed.

    Exits 1 when there is none, or something ought to be mended.
    """
    with open_workspace() as workspace:
        report = workspace.vault_doctor(round_trip=True)
    if as_json:
        output.emit_json({"ok": report.ok, **_plain(report)})
    else:
        _show(report)
    return int(ExitCode.DONE if report.ok else ExitCode.FAILED)


def _plain(report: VaultReport) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(report)
    return plain


def _show(report: VaultReport) -> None:
    rows: Sequence[tuple[str, ...]] = [
        (s.name, "in use" if s.chosen else "usable" if s.usable else "no", s.reason)
        for s in report.statuses
    ]
    output.table(BACKEND_COLUMNS, rows)
    if report.backend is not None:
        tried = "; a value was written, read and removed" if report.round_trip else ""
        output.emit(f"Fresh secrets go to {report.backend}: {report.decided_by}{tried}.")
    output.emit(f"{plural(report.secrets, 'secret')} in all.")
    for note in report.notes:
        output.emit(f"Note: {note}.")
    for problem in report.problems:
        output.emit(f"Problem: {problem}")
