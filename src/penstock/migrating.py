"""The configuration of AIM looked at, and brought over from AI_MANGER.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from penstock.errors import PenstockError
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.config.survey import Fault, Survey, Verdict
    from penstock.environment.api import VersionReport
    from penstock.migration.api import Backup, Check, Report, Restored, Validation
    from penstock.migration.files import Places
    from penstock.migration.plan import Edges
    from penstock.vault.names import SecretNames


class Migrating(Surroundings):
    """What can be done with aim_config as a whole."""

    if TYPE_CHECKING:  # what the workspace has from the mixin that asks package managers

        def version_report(self) -> VersionReport: ...

    def survey_config(self) -> Survey:
        """Return every setting of aim_config with its origin. Raises ConfigError for a wrong file."""
        from msgspec import structs

        from penstock.registry.survey import survey_config

        mask = self.redactor.text
        found = survey_config(self.root, os.environ)
        settings = tuple(structs.replace(s, value=_masked(s.value, mask)) for s in found.settings)
        return structs.replace(found, settings=settings)

    def check_config(self, file: str | None = None) -> Verdict:
        """Return everything that is wrong with aim_config, and with the registry and rules it leads to;
        or what the schema says of `file` alone, named from where we stand."""
        from msgspec import structs

        from penstock.registry.survey import check_config, check_file

        if file is not None:
            return check_file(self.start / file, self.start)
        found = check_config(self.root, os.environ, lambda: self.toolbox.ids())
        if not found.ok:
            return found
        return structs.replace(found, errors=tuple(self._pin_faults()))

    def _pin_faults(self) -> Iterator[Fault]:
        """Yield the pins that are neither versions nor ranges in the words of their manager."""
        from penstock.config.survey import fault
        from penstock.environment.api import Manager
        from penstock.environment.versions.pins import PinError, parse_pin
        from penstock.registry.settings import load_config

        config = load_config(self.root, os.environ)
        for manager, pins in config.settings.environment.version_pins.by_manager().items():
            for name, pin in pins.items():
                try:
                    parse_pin(Manager(manager), pin)
                except PinError as error:
                    path = ("environment", "versionPins", manager, name)
                    document = config.overlay
                    if document is not None:
                        yield fault(document.shown, document.problem(path, str(error)))

    # -- from AI_MANGER ----------------------------------------------------------------------
    def migrate(
        self,
        source: str | None = None,
        *,
        vault: str | None = None,
        mark_deprecated: bool = False,
        dry_run: bool = False,
        say: Callable[[str], None] | None = None,
    ) -> Report:
        """Bring an AI_MANGER tree over: back up, names of secrets, settings, validate, report.

        `source` is the tree (AI_MANGER of the repository by default) and `vault` its vault's file, from
        where we stand; `say` is told what is begun. What aim_config has already wins; a second time
        changes nothing. Raises
        NotFoundError without a tree, ConfigError, SecretsError, AIMAuditLogError, and
        InvalidMigrationError after everything was put back.
        """
        from msgspec import structs

        from penstock.migration.apply import apply
        from penstock.migration.plan import Options
        from penstock.model.times import iso

        options = Options(
            source=self._old_tree(source),
            vault=None if vault is None else self.start / vault,
            mark_deprecated=mark_deprecated,
            dry_run=dry_run,
        )
        now = iso(time.time())
        edges = self._edges if say is None else structs.replace(self._edges, say=say)
        report = apply(self._places, edges, options, now, self._after_applying)
        if report.backup_path is not None:
            told = {"source": report.source, "backup": report.backup_path}
            self._record_migration("applied a migration", {**told, "changed": report.changed})
        return report

    def back_up(self, source: str | None = None) -> Backup:
        """Copy everything that a migration may change. Raises EnvironmentProblem."""
        from penstock.migration.apply import back_up
        from penstock.migration.plan import Options
        from penstock.model.times import iso

        self._before_changes()
        options = Options(source=self._old_tree(source))
        made = back_up(self._places, self._edges, options, iso(time.time()))
        self._record_migration("backed up", {"backup": made.path})
        return made

    def roll_back(self, backup: str | None = None) -> Restored:
        """Put everything back as the newest backup has it, or the one that is named.

        Raises NotFoundError, DamagedBackupError, AIMAuditLogError.
        """
        from penstock.migration.apply import roll_back

        done = roll_back(self._places, self._edges, backup)
        if done.path is not None:
            self._record_migration("rolled back a migration", {"backup": done.path})
        return done

    def validate_migration(self) -> Validation:
        """Return whether a migration is in place and everything it brought can be used."""
        from penstock.migration.api import Validation
        from penstock.migration.check import journal_checks, last_report, report_check

        report = last_report(self._places)
        return Validation(
            checks=(
                *journal_checks(self._places),
                report_check(report),
                *self._checks(report),
            )
        )

    def _after_applying(self) -> Validation:
        from penstock.migration.api import Validation

        return Validation(checks=tuple(self._checks(None)))

    def _checks(self, report: Report | None) -> Iterator[Check]:
        """Yield what can be seen of the configuration, its tools, and what a report says."""
        from penstock.migration.api import Check
        from penstock.migration.check import secrets_check, settings_check

        verdict = self.check_config()
        words = "; ".join(error.words for error in verdict.errors) or "valid"
        yield Check(name="schema", status="pass" if verdict.ok else "fail", message=words)
        if verdict.ok:
            yield self._tools_check()
        if report is not None:
            files = self._edges.config_files
            yield settings_check(self._places, report, files, "settings")
            yield settings_check(self._places, report, files, "pins")
            yield secrets_check(self._desk, report.secrets.migrated)

    def _tools_check(self) -> Check:
        """Return how the tools of this machine stand to the pins and lists of aim_config."""
        from penstock.migration.api import Check

        found = self.version_report()
        missing = [tool.tool for tool in found.tools if tool.status in ("drift", "missing")]
        if missing:
            text = f"not as pinned: {', '.join(missing)} (aim version sync)"
            return Check(name="tools", status="warn", message=text)
        return Check(name="tools", status="pass", message="none misses or differs from its pin")

    # -- what that needs -------------------------------------------------------------------
    def _old_tree(self, source: str | None) -> Path:
        from penstock.migration.api import SOURCE

        return self.root / SOURCE if source is None else self.start / source

    @cached_property
    def _places(self) -> Places:
        from penstock.folders import aim_home
        from penstock.migration.files import Places

        return Places(self.root, aim_home())

    @property
    def _edges(self) -> Edges:
        from penstock.migration.plan import Edges
        from penstock.registry.survey import files_that_count

        return Edges(
            environ=os.environ,
            desk=self._desk,
            config_files=files_that_count(self.root),
            check_text=_check_text,
            mask=self.redactor.text,
            before=self._before_changes,
        )

    @cached_property
    def _desk(self) -> SecretNames:
        from penstock.folders import aim_home
        from penstock.vault.names import SecretNames

        return SecretNames(self.vault, aim_home())

    def _before_changes(self) -> None:
        """See that what is about to be done can be recorded. Raises AIMAuditLogError."""
        if self.place is not None:
            with suppress(PenstockError):  # a repository with a `state` of its own is migrated, too
                self._hide()
        trail = self.trail
        if trail is not None:
            trail.require_writable()

    def _record_migration(self, message: str, details: dict[str, Any]) -> None:
        from penstock.audit.api import EventType

        trail = self.trail
        if trail is not None:
            trail.event(EventType.MIGRATION, message, details=details)

    # -- the schema --------------------------------------------------------------------------
    def config_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of aim_config."""
        from penstock.registry.schemas import aim_schema

        return aim_schema("aim_config")


def _check_text(text: str, name: str) -> None:
    """Raise ConfigError for the text of an aim_config that is wrong."""
    from penstock.config.decode import decode
    from penstock.config.documents import parse_document
    from penstock.registry.files import cleaned
    from penstock.registry.wire import ConfigFile

    decode(cleaned(parse_document(text, name)), ConfigFile)


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    """Return a setting's value for people: somebody may have written a key into a command."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, (list, tuple)):
        return [_masked(item, mask) for item in value]
    if isinstance(value, dict):
        return {key: _masked(inner, mask) for key, inner in value.items()}
    return value
