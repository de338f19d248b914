"""Where the registry lies, and the audit trail that belongs to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from penstock.config.places import resolve
from penstock.errors import AIMRegistryNotFoundError
from penstock.registry.api import (
    AUDIT_FOLDER,
    REGISTRY_FILE,
    REGISTRY_FOLDER,
    RULES_FILE,
    AimSettings,
)

VARIABLE = "AIM_REGISTRY_PATH"
PACKAGED = Path(__file__).with_name("packaged")
IN_REPOSITORY = (f"aim/{REGISTRY_FOLDER}", REGISTRY_FOLDER)


class RegistryPlace(NamedTuple):
    """The registry's folder, why it counts (for people), and whether it is penstock's own."""

    path: Path
    origin: str
    packaged: bool = False


def find_registry(
    root: Path, settings: AimSettings, environ: Mapping[str, str] | None = None
) -> RegistryPlace:
    """Return the registry's folder: AIM_REGISTRY_PATH > `registry_path` of aim_config unless it is
    `auto` > `aim/.AIM_ai-tools-registry/` > `.AIM_ai-tools-registry/` > the packaged one.

    A folder of the repository counts when it holds a registry or rules: the audit trail lies there
    too. Raises AIMRegistryNotFoundError when one that is named is not there or cannot be read.
    """
    named = _named(settings, os.environ if environ is None else environ)
    if named is not None:
        value, source = named
        path = resolve(root, value, source)
        if not _exists(path / REGISTRY_FILE):
            raise AIMRegistryNotFoundError(
                f"{source}: there is no AIM registry at {path} ({REGISTRY_FILE} is missing)",
                hint=f"Mend or unset {source}; without it the packaged registry is used.",
            )
        return RegistryPlace(path, source)
    for name in IN_REPOSITORY:
        folder = root / name
        if _exists(folder / REGISTRY_FILE) or _exists(folder / RULES_FILE):
            return RegistryPlace(folder, f"{name}/ of the repository")
    return RegistryPlace(PACKAGED, "packaged with penstock", packaged=True)


def audit_folder(root: Path, settings: AimSettings, registry: Path | None = None) -> Path:
    """Return the folder of the audit trail: `audit.logPath`, else `AIM_audit/` of the registry's
    folder, or of the repository's `.AIM_ai-tools-registry/` when that is the packaged one.
    """
    if settings.audit.log_path:
        return resolve(root, settings.audit.log_path, "audit.logPath of aim_config")
    if registry is None or registry == PACKAGED:
        return root / REGISTRY_FOLDER / AUDIT_FOLDER
    return registry / AUDIT_FOLDER


def _named(settings: AimSettings, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the path that somebody named, with where he did."""
    if environ.get(VARIABLE):
        return environ[VARIABLE], f"environment {VARIABLE}"
    if settings.switches.registry_path != "auto":
        return settings.switches.registry_path, f"registry_path in {settings.source}"
    return None


def _exists(path: Path) -> bool:
    """Tell whether a file is there. Raises AIMRegistryNotFoundError when that cannot be seen."""
    try:
        return path.is_file()
    except OSError as error:
        raise AIMRegistryNotFoundError(
            f"the AIM registry cannot be read: {path}: {error.strerror}",
            hint="Mend its permissions.",
        ) from error
