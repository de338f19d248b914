"""What the vault room gives: a vault, what it knows of each secret, and what could be a vault here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

import msgspec

from penstock.errors import SecretMissingError, UsageError

KEY_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
"""A secret is named like the environment variable that hands it on."""
LONGEST_VALUE = 64 * 1024
"""Bytes of UTF-8; what is longer is a file and no secret."""
VAULT_VARIABLE = "AIM_VAULT"
"""Names the backend, over `environment.secretsVault` of aim_config."""
AUTO = "auto"


class SecretInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a secret besides its value.

    Times are UTC in ISO 8601, None when nothing was noted. `backend` is where the value lies: the
    name of a backend, or `reference`. `exists` tells whether the value is really there, None when
    that cannot be told now. `reference` is where a referenced value comes from.
    """

    key: str
    description: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    backend: str | None = None
    exists: bool | None = True
    reference: str | None = None


class BackendStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One backend on this machine: whether it can be used, is the one that is, and why (not)."""

    name: str
    usable: bool
    chosen: bool
    reason: str


class KnownSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """The values that can be read now, by key, and why some or all cannot (None: all can)."""

    values: dict[str, str] = msgspec.field(default_factory=dict)
    problem: str | None = None


class Purpose(StrEnum):
    """Why a value was read, for the audit trail."""

    SHOW = "show"
    CLIPBOARD = "clipboard"
    EXPORT = "export"
    RUN = "run"
    TOOL = "tool"
    REDACTION = "redaction"


class VaultReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of the vault.

    `backend` is the one that takes fresh secrets, None when there is none. `decided_by` says in
    words what chose it. `round_trip` tells whether a value could be written, read and removed, None
    when that was not tried. `problems` are things to be mended, `notes` to be known.
    """

    backend: str | None
    decided_by: str
    statuses: tuple[BackendStatus, ...]
    secrets: int = 0
    round_trip: bool | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether secrets can be kept and all that are known can be read."""
        return self.backend is not None and not self.problems


class Vault(Protocol):
    """The user's secrets, shared by threads and processes.

    All methods raise SecretsError when the vault cannot be used, UsageError for a key or value that
    no secret can have.
    """

    @property
    def backend(self) -> str:
        """The name of the backend that takes fresh secrets."""
        ...

    def set(self, key: str, value: str, description: str | None = None) -> None:
        """Keep a value under a key, over what was there; the description stays when None."""
        ...

    def refer(self, key: str, reference: str, description: str | None = None) -> None:
        """Keep where a value comes from (`op://`, `env:`, `cmd:`) instead of the value.

        Raises UsageError for any other reference.
        """
        ...

    def get(self, key: str) -> str | None:
        """Return the value, None when there is no such secret."""
        ...

    def delete(self, key: str) -> bool:
        """Remove a secret and what is known of it; tell whether there was one."""
        ...

    def listed(self) -> tuple[str, ...]:
        """Return the keys of all secrets, sorted, without asking anybody for anything."""
        ...

    def infos(self) -> tuple[SecretInfo, ...]:
        """Return what is known of each secret, sorted by key. No value is shown."""
        ...

    def info(self, key: str) -> SecretInfo | None:
        """Return what is known of one secret, None when there is none."""
        ...

    def values(self, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return the values of those keys (None: of all) that are listed."""
        ...

    def known(self) -> KnownSecrets:
        """Return what can be read without asking anybody, and never raise for what cannot."""
        ...


class Backend(Protocol):
    """One place that secrets can be kept in. Methods raise SecretsError when it cannot be used."""

    name: str
    writable: bool

    def problem(self) -> str | None:
        """Return why it cannot be used now, None when it can. Changes nothing, asks nobody."""
        ...

    def describe(self) -> str:
        """Say for people where it keeps secrets."""
        ...

    def get(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the values of those keys that it has."""
        ...

    def peek(self, keys: Iterable[str]) -> dict[str, str]:
        """Return them as `get` does, but raise SecretsError where its user would be asked first."""
        ...

    def set(self, key: str, value: str) -> None:
        """Keep a value."""
        ...

    def delete(self, key: str) -> bool:
        """Remove a value; tell whether it was there."""
        ...

    def listed(self) -> tuple[str, ...]:
        """Return the keys it has; empty where it cannot list them."""
        ...


def check_key(key: str) -> str:
    """Return a key that can name a secret. Raises UsageError."""
    if not KEY_PATTERN.fullmatch(key):
        raise UsageError(
            f"{key[:80]!r} cannot name a secret",
            hint="Use letters, digits and underscores, as in OPENAI_API_KEY.",
        )
    return key


def check_value(key: str, value: str) -> str:
    """Return a value that an environment variable can hold. Raises UsageError without showing it."""
    if not value:
        raise UsageError(f"the value of {key} is empty", hint=f"aim secrets delete {key}")
    try:
        size = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise UsageError(f"the value of {key} is no text in UTF-8") from None
    if "\0" in value:
        raise UsageError(f"the value of {key} holds a NUL character")
    if size > LONGEST_VALUE:
        raise UsageError(f"the value of {key} is longer than {LONGEST_VALUE // 1024} KiB")
    return value


def missing(key: str) -> SecretMissingError:
    """Return the error for a secret that is not there."""
    return SecretMissingError(f"there is no secret {key}", hint=f"aim secrets set {key}")
