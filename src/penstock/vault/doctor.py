"""Whether the vault works, which backend that is and why, and what ought to be mended."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from penstock.errors import PenstockError, SecretsError
from penstock.vault.api import Backend, BackendStatus, SecretInfo, VaultReport
from penstock.vault.files import writing
from penstock.vault.vault import LayeredVault

TRIAL_KEY = "PENSTOCK_ROUND_TRIP"


def examine(vault: LayeredVault, *, round_trip: bool = False) -> VaultReport:
    """Look at every backend and every secret; no value is shown, nobody is asked for a password.

    With `round_trip` a fresh value is written, read and removed again; then the keyring may ask.
    Never raises: what cannot be used is a problem of the report.
    """
    problems: list[str] = []
    statuses, chosen = _backends(vault, problems)
    infos = _infos(vault, problems)
    problems += [text for info in infos for text in _problems(info)]
    notes = [text for info in infos for text in _shadows(info, vault)]
    tried: bool | None = None
    if chosen is not None and not chosen.writable:
        notes.append(f"{chosen.name} is read only: fresh secrets need AIM_VAULT=age")
    elif chosen is not None and round_trip:
        failure = _round_trip(vault, chosen)
        problems += [failure] if failure else []
        tried = failure is None
    return VaultReport(
        backend=chosen.name if chosen else None,
        decided_by=vault.choice.why(),
        statuses=statuses,
        secrets=len(infos),
        round_trip=tried,
        problems=tuple(dict.fromkeys(problems)),
        notes=tuple(notes),
    )


def _backends(
    vault: LayeredVault, problems: list[str]
) -> tuple[tuple[BackendStatus, ...], Backend | None]:
    try:
        return vault.choice.statuses(), vault.choice.chosen()
    except SecretsError as error:
        problems.append(_sentence(error))
    return vault.choice.all_statuses(), None


def _infos(vault: LayeredVault, problems: list[str]) -> tuple[SecretInfo, ...]:
    try:
        return vault.infos()
    except PenstockError as error:
        problems.append(_sentence(error))
        return ()


def _problems(info: SecretInfo) -> Iterator[str]:
    if info.exists is False:
        yield (
            f"{info.key} is known, but {info.backend} has no value for it:"
            f" aim secrets set {info.key}, or aim secrets delete {info.key}"
        )
    elif info.exists is None and info.reference is None:
        yield f"{info.key} cannot be read from {info.backend} now: unlock it, or mend it as said"


def _shadows(info: SecretInfo, vault: LayeredVault) -> Iterator[str]:
    if info.key in vault.environ and info.reference != f"env:{info.key}":
        yield f"{info.key} is also set in the environment, which tools are given first"


def _round_trip(vault: LayeredVault, chosen: Backend) -> str | None:
    """Write, read and remove a value; return what failed."""
    value = secrets.token_urlsafe(24)
    try:
        with writing(vault.folder):
            chosen.set(TRIAL_KEY, value)
            try:
                read = chosen.get([TRIAL_KEY])
            finally:
                chosen.delete(TRIAL_KEY)
    except SecretsError as error:
        return _sentence(error)
    return None if read == {TRIAL_KEY: value} else f"{chosen.name} gave back another value"


def _sentence(error: PenstockError) -> str:
    return f"{error} ({error.hint})" if error.hint else str(error)
