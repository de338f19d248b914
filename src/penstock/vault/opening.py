"""Opening the user's vault, and saying which vaults this machine could have."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from penstock.errors import PenstockError
from penstock.folders import aim_home
from penstock.vault.api import BackendStatus, KnownSecrets
from penstock.vault.choice import Choice
from penstock.vault.vault import LayeredVault


def open_vault(
    wish: str | None = None,
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> LayeredVault:
    """Return the vault; nothing is looked at before it is used.

    `wish` is `environment.secretsVault`, `environ` None the process's own, `home` None its
    `aim_home`. Raises EnvironmentProblem when there is no home.
    """
    env = os.environ if environ is None else environ
    folder = aim_home(env) if home is None else home
    return LayeredVault(Choice(wish, env, folder), folder, env)


def statuses(
    wish: str | None = None,
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> tuple[BackendStatus, ...]:
    """Return each backend with whether it can be used, is the one that is, and why (not).

    Arguments are those of `open_vault`. Raises SecretsError for a wish that is no backend.
    """
    env = os.environ if environ is None else environ
    return Choice(wish, env, aim_home(env) if home is None else home).statuses()


def known_secrets(
    wish: str | None = None, environ: Mapping[str, str] | None = None
) -> KnownSecrets:
    """Return what of the vault can be read without asking anybody, for taking it out of texts.

    Never raises for a vault that is locked, damaged or missing: `problem` says so then.
    """
    try:
        return open_vault(wish, environ).known()
    except PenstockError as error:
        return KnownSecrets(problem=str(error))
