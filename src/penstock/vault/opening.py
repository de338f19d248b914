"""Opening the user's vault."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from penstock.folders import aim_home
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
