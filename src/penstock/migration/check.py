"""Whether a migration is still what its report and its backup say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from penstock.config.documents import parse_document
from penstock.config.problems import key_name
from penstock.errors import ConfigError, PenstockError
from penstock.migration import files
from penstock.migration.api import REPORT_JSON, Action, Check, Report, SecretsDesk
from penstock.migration.backup import OPEN, BackupSet, Phase, all_sets
from penstock.migration.files import Base, Name, Places
from penstock.migration.plan import config_text
from penstock.typed import typed_json


def last_report(places: Places) -> Report | None:
    """Return the report that lies in the repository, None without one that can be read."""
    data = files.read(places.path(Name(Base.REPOSITORY, REPORT_JSON)))
    try:
        return None if data is None else typed_json(data, Report)
    except msgspec.DecodeError:
        return None


def journal_checks(places: Places) -> Iterator[Check]:
    """Yield how the newest migration stands, and whether it could be taken back."""
    found = [b for b in all_sets(places) if b.state().phase is not Phase.BACKED_UP]
    if not found or found[0].state().phase is Phase.ROLLED_BACK:
        yield Check(
            name="migration", status="fail", message="none is in place; see `aim migrate apply`"
        )
    elif found[0].state().phase in OPEN:
        yield Check(
            name="migration",
            status="fail",
            message="was cut short: `aim migrate apply` begins anew, `aim migrate rollback` takes it"
            " back",
        )
    else:
        yield Check(name="migration", status="pass", message=f"applied, backup {found[0].name}")
        yield _backup_check(found[0])


def _backup_check(backup: BackupSet) -> Check:
    try:
        entries = [entry for entry in backup.manifest().files if entry.existed]
        for entry in entries:
            backup.content(entry)
    except PenstockError as error:
        return Check(name="backup", status="fail", message=str(error))
    return Check(name="backup", status="pass", message=f"{len(entries)} files, all as backed up")


def report_check(report: Report | None) -> Check:
    """Return whether the report is there."""
    if report is None:
        text = f"{REPORT_JSON} is missing or cannot be read"
        return Check(name="report", status="fail", message=text)
    carried = sum(item.action in (Action.SET, Action.SAME) for item in report.mapped)
    text = f"{carried} settings carried over, {len(report.unmapped)} have no place"
    return Check(name="report", status="pass", message=text)


def settings_check(
    places: Places, report: Report, config_files: tuple[str, ...], name: str = "pins"
) -> Check:
    """Return whether what was carried over (its pins, or everything else) is still in aim_config."""
    pins = name == "pins"
    wanted = [
        item.new
        for item in report.mapped
        if item.action in (Action.SET, Action.SAME)
        and item.new.startswith("environment.versionPins.") is pins
    ]
    try:
        there = _names_in(places, config_files)
    except ConfigError as error:
        return Check(name=name, status="fail", message=str(error))
    gone = [key for key in wanted if key not in there]
    if gone:
        text = f"not in aim_config any more: {', '.join(gone)}"
        return Check(name=name, status="fail", message=text)
    return Check(name=name, status="pass", message=f"{len(wanted)} in aim_config")


def _names_in(places: Places, config_files: tuple[str, ...]) -> set[str]:
    name = next(iter(config_files), None)
    if name is None:
        return set()
    return set(_names(parse_document(config_text(places, name)[0], name).value))


def _names(value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield key_name((*path, key))
        yield from _names(inner, (*path, key))


def secrets_check(desk: SecretsDesk, keys: tuple[str, ...]) -> Check:
    """Return whether the names of secrets are known, and which still need their values."""
    try:
        unknown = sorted(set(keys) - desk.known())
        valueless = desk.valueless(keys)
    except PenstockError as error:
        return Check(name="secrets", status="fail", message=str(error))
    if unknown:
        text = f"not known any more: {', '.join(unknown)}"
        return Check(name="secrets", status="fail", message=text)
    if valueless:
        text = f"to be entered again: {', '.join(valueless)} (aim secrets set KEY)"
        return Check(name="secrets", status="warn", message=text)
    return Check(name="secrets", status="pass", message=f"{len(keys)} known, all with values")
