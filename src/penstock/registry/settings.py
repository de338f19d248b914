"""aim_config.json and aim_config.yaml: the switches of AIM, and what is laid over the registry."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.config.decode import decode
from penstock.config.documents import ConfigFileError, Document
from penstock.model.capability import AimSwitches
from penstock.registry.api import AimSettings
from penstock.registry.expand import expand_all
from penstock.registry.files import read_document
from penstock.registry.wire import ConfigFile

FOLDERS = ("config", "aim/config")
NAMES = ("aim_config.json", "aim_config.yaml", "aim_config.yml")


class AimConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, and the `registry` section as it is written, its variables not yet filled."""

    settings: AimSettings = AimSettings()
    overlay: Document | None = None


def load_aim_settings(root: Path, environ: Mapping[str, str] | None = None) -> AimSettings:
    """Return the switches and sections of aim_config; packaged defaults without one.

    Raises ConfigError naming file and key of every error.
    """
    return load_config(root, environ).settings


def load_config(root: Path, environ: Mapping[str, str] | None = None) -> AimConfig:
    """Read aim_config of `config/`, else of `aim/config/`.

    `environ` None is the process's own. Raises ConfigFileError, also when files side by side differ.
    """
    document = _find(root)
    if document is None or document.value is None:
        return AimConfig()
    variables = os.environ if environ is None else environ
    found = decode(_filled(document, variables), ConfigFile)
    settings = AimSettings(
        switches=_switches(document, found),
        environment=found.environment,
        audit=found.audit,
        version=None if found.version is None else str(found.version),
        source=document.shown,
    )
    return AimConfig(settings=settings, overlay=document)


def _filled(document: Document, variables: Mapping[str, str]) -> Document:
    """Return the document with the variables of all sections but `registry` filled."""
    if not isinstance(document.value, dict):
        return document
    value = {
        key: inner if key == "registry" else expand_all(inner, variables)
        for key, inner in document.value.items()
    }
    return Document(document.shown, value, document.marks)


def _switches(document: Document, found: ConfigFile) -> AimSwitches:
    """Return the five switches; `audit.enabled` is another name of `enable_audit_logging`."""
    auditing, alias = found.enable_audit_logging, found.audit.enabled
    if alias is not None:
        if "enable_audit_logging" in document.value and alias != auditing:
            wrong = f"is {alias}, but enable_audit_logging is {auditing}"
            raise ConfigFileError(
                document.shown,
                [document.problem(("audit", "enabled"), wrong)],
                hint="They are one switch; keep one of them.",
            )
        auditing = alias
    return AimSwitches(
        enable_aim=found.enable_aim,
        enable_audit_logging=auditing,
        audit_log_retention_days=found.audit_log_retention_days,
        default_timeout_ms=found.default_timeout_ms,
        registry_path=found.registry_path,
    )


def _find(root: Path) -> Document | None:
    """Return the file that counts. Raises ConfigFileError when several differ."""
    for folder in FOLDERS:
        read = (read_document(root / folder / name, root) for name in NAMES)
        found = [document for document in read if document is not None]
        for other in found[1:]:
            _agree(found[0], other)
        if found:
            return found[0]
    return None


def _agree(one: Document, other: Document) -> None:
    """Raise ConfigFileError that lists every key in which two files differ."""
    differing = list(_differences(one.value, other.value))
    if differing:
        raise ConfigFileError(
            one.shown,
            [one.problem(path, f"differs from {other.shown}") for path in differing],
            hint="Make them agree, or keep one of them.",
        )


def _differences(one: Any, other: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        if one != other:
            yield path
        return
    for key in dict.fromkeys((*one, *other)):
        if (key in one) != (key in other):
            yield (*path, str(key))
        else:
            yield from _differences(one[key], other[key], (*path, str(key)))
