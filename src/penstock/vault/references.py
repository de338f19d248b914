"""Values that lie elsewhere: in 1Password (`op://`), in a variable (`env:`), with a program (`cmd:`).

Programs are started as argument lists, never through a shell, and what they print is the value.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import SecretsError, UsageError
from penstock.vault.api import LONGEST_VALUE

if TYPE_CHECKING:
    from penstock.process.api import Outcome

OP = "op://"
ENV = "env:"
CMD = "cmd:"
ANSWER_S = 20.0
"""Seconds that a program may take, unlocking by its user included."""
KEPT = (
    "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "SSH_AUTH_SOCK",
    "GPG_*", "GNUPGHOME", "PASSWORD_STORE_*", "OP_*", "BW_*", "VAULT_*", "PASSAGE_*",
    "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "KUBECONFIG",
)  # fmt: skip
"""What password managers find their agent, store or session by."""


def check_reference(reference: str) -> str:
    """Return a reference that can be followed, as far as it can be told. Raises UsageError."""
    hint = "Use op://VAULT/ITEM/FIELD, env:NAME, or 'cmd:PROGRAM ARG...'."
    if reference.startswith(OP):
        fine = len([part for part in reference[len(OP) :].split("/") if part]) >= 3
    elif reference.startswith(ENV):
        fine = reference[len(ENV) :].isidentifier()
    else:
        fine = reference.startswith(CMD) and bool(_words(reference))
    if not fine or not reference.isprintable():
        raise UsageError(f"{reference[:200]!r} is no reference to a secret", hint=hint)
    return reference


def follow(reference: str, environ: Mapping[str, str], *, answer_s: float = ANSWER_S) -> str:
    """Return the value that a reference stands for. Raises SecretsError without showing any of it."""
    if reference.startswith(ENV):
        return _from_environment(reference[len(ENV) :], environ)
    argv: tuple[str, ...] = ("op", "read", "--no-newline", reference)
    if reference.startswith(CMD):
        argv = tuple(_words(reference))
    return _from_program(argv, environ, answer_s)


def _words(reference: str) -> list[str]:
    try:
        return shlex.split(reference.removeprefix(CMD))
    except ValueError as error:
        raise UsageError(f"{reference[:200]!r} is no command line: {error}") from error


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    if not (value := environ.get(name)):
        raise SecretsError(f"the variable {name} is not set", hint=f"export {name}=...")
    return value


def _from_program(argv: tuple[str, ...], environ: Mapping[str, str], answer_s: float) -> str:
    from penstock.process.api import Command  # most vaults start nothing
    from penstock.process.environment import child_environment
    from penstock.process.run import run

    command = Command(
        argv=argv,
        cwd=Path(environ.get("HOME") or os.sep),
        env=child_environment(keep=KEPT, source=environ),
        wall_s=answer_s,
        keep_bytes=LONGEST_VALUE + 1,
    )
    outcome = run(command)
    if why := _failure(outcome, answer_s):
        raise SecretsError(
            f"`{shlex.join(argv)[:200]}` {why}",
            hint="Run it yourself and see; `aim secrets list` shows what refers to it.",
        )
    return _text(outcome, argv)


def _failure(outcome: Outcome, answer_s: float) -> str | None:
    """Return what went wrong, its own words left out: they may hold anything."""
    if outcome.exit_code is None:
        return f"cannot be started: {outcome.error}"
    if outcome.timed_out:
        return f"gave no answer within {answer_s:g} s"
    if outcome.exit_code != 0:
        return f"failed: exit code {outcome.exit_code}"
    if outcome.stdout_bytes > LONGEST_VALUE:
        return f"printed more than {LONGEST_VALUE // 1024} KiB"
    return None if outcome.stdout.strip(b"\r\n") else "printed nothing"


def _text(outcome: Outcome, argv: tuple[str, ...]) -> str:
    try:
        return outcome.stdout.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretsError(f"`{shlex.join(argv)[:200]}` printed no text in UTF-8") from None
