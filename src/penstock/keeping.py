"""Keeping the user's secrets: the vault with everything that is done to it recorded.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.audit.api import AuditTrail, EventType
    from penstock.vault.api import Purpose, SecretInfo, VaultReport


class Keeping(Surroundings):
    """What can be done with the user's secrets. The trail gets names, never values."""

    if TYPE_CHECKING:  # what the workspace has from the mixin that scans

        @property
        def scan_trail(self) -> AuditTrail | None: ...

    # -- changing ----------------------------------------------------------------------------
    def set_secret(self, key: str, value: str, description: str | None = None) -> None:
        """Keep a value. Raises UsageError, SecretsError, and AIMAuditLogError before it is kept."""
        from penstock.audit.api import EventType
        from penstock.vault.api import check_key, check_value

        check_value(check_key(key), value)
        self._require_trail()
        self.vault.set(key, value, description)
        self._record_access(
            EventType.SECRET_SET, f"kept {key}", {"backend": self.vault.backend}, [key]
        )

    def refer_secret(self, key: str, reference: str, description: str | None = None) -> None:
        """Keep where a value comes from. Raises as `set_secret` does."""
        from penstock.audit.api import EventType

        self._require_trail()
        self.vault.refer(key, reference, description)
        kind = reference.partition(":")[0]
        self._record_access(
            EventType.SECRET_SET, f"kept a reference for {key}", {"kind": kind}, [key]
        )

    def delete_secret(self, key: str) -> None:
        """Remove a secret. Raises SecretMissingError, SecretsError, AIMAuditLogError."""
        from penstock.audit.api import EventType
        from penstock.vault.api import missing

        self._require_trail()
        if not self.vault.delete(key):
            raise missing(key)
        self._record_access(EventType.SECRET_DELETE, f"removed {key}", {}, [key])

    # -- reading -----------------------------------------------------------------------------
    def secret_infos(self) -> tuple[SecretInfo, ...]:
        """Return what is known of each secret besides its value. Raises SecretsError."""
        return self.vault.infos()

    def secret_info(self, key: str) -> SecretInfo | None:
        """Return what is known of one secret, None when there is none. Raises SecretsError."""
        return self.vault.info(key)

    def read_secrets(self, keys: Iterable[str], purpose: Purpose) -> dict[str, str]:
        """Return the values of all those keys, once the trail has it.

        Raises SecretMissingError for the first that there is not, SecretsError, AIMAuditLogError.
        """
        from penstock.audit.api import EventType
        from penstock.vault.api import missing

        wanted = list(dict.fromkeys(keys))
        values = {key: value for key in wanted if (value := self.vault.get(key)) is not None}
        for key in wanted:
            if key not in values:
                raise missing(key)
        if values:
            self._record_access(
                EventType.SECRET_GET, f"read for {purpose}", {"purpose": purpose}, wanted
            )
        return values

    def record_redaction(self) -> None:
        """Record that the values that can be read were read, to be taken out of what a run writes.

        Raises AIMAuditLogError.
        """
        from penstock.audit.api import EventType
        from penstock.vault.api import Purpose

        names = sorted(self.vault.known().values)
        if names:
            details = {"purpose": Purpose.REDACTION}
            self._record_access(EventType.SECRET_GET, "read for redaction", details, names)

    # -- children ----------------------------------------------------------------------------
    def run_with_secrets(self, keys: Sequence[str], argv: Sequence[str]) -> NoReturn:
        """Become a command that has those secrets in its environment, and no other of the vault.

        Raises ToolMissingError, SecretsError, SecretMissingError, AIMAuditLogError.
        """
        from penstock.process.become import become, find_program
        from penstock.vault.api import Purpose

        program = find_program(argv[0])
        values = self.read_secrets(keys, Purpose.RUN)
        others = set(self.vault.listed()) - set(values)
        kept = {name: value for name, value in os.environ.items() if name not in others}
        self.close()
        become(program, argv, {**kept, **values})

    # -- the vault itself --------------------------------------------------------------------
    def vault_doctor(self, *, round_trip: bool = False) -> VaultReport:
        """Return which backends there are, which one is used and why, and what ought to be mended.

        With `round_trip` a value is written, read and removed, which the trail gets. Raises
        ConfigError, and AIMAuditLogError with `round_trip`.
        """
        from penstock.audit.api import EventType
        from penstock.vault.doctor import examine
        from penstock.vault.opening import open_vault

        vault = open_vault(self.aim_settings.environment.secrets_vault)
        report = examine(vault, round_trip=round_trip)
        if round_trip:
            state = "works" if report.ok else "has problems"
            self._record_access(
                EventType.HEALTH_CHECK, f"the vault {state}", {"backend": report.backend}
            )
        return report

    # -- the trail ---------------------------------------------------------------------------
    def _require_trail(self) -> None:
        """See that what is about to be changed can be recorded. Raises AIMAuditLogError."""
        trail = self._secret_trail()
        if trail is not None:
            trail.require_writable()

    def _record_access(
        self,
        event_type: EventType,
        message: str,
        details: Mapping[str, str | None],
        names: Sequence[str] = (),
    ) -> None:
        trail = self._secret_trail()
        if trail is not None:
            told = {"names": list(names), **details} if names else details
            trail.event(event_type, message, details=told)

    def _secret_trail(self) -> AuditTrail | None:
        """The trail of where we stand; outside of any, the user's own in the folder of the vault."""
        if not self.aim_settings.switches.enable_audit_logging:
            return None
        if self.place is not None:
            self._hide()
        return self.scan_trail or self._users_own.recorded

    @cached_property
    def _users_own(self) -> Surroundings:
        """The user's own folder, which has a trail like that of a repository."""
        from penstock.folders import aim_home, private_folder

        own = Surroundings(private_folder(aim_home()))
        self._opened.callback(own.close)
        return own
