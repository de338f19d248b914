"""Looking through files for what should not be there: the scanner put together.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.errors import AIMAuditLogError
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.audit.api import AuditTrail


class Scanning(Surroundings):
    """What can be scanned in a repository or folder."""

    @property
    def scan_trail(self) -> AuditTrail | None:
        """The trail that scans are recorded in: None where auditing is switched off, and outside of
        any repository, unless a trail lies there or aim_config names one: a look into a folder must
        not leave files in it."""
        if self.place is None and not self.aim_settings.audit.log_path:
            return self.trail if self.audit_folder.is_dir() else None
        return self.trail

    def record_scan(self, message: str, details: Mapping[str, Any]) -> str | None:
        """Record a scan that only looked; return why that could not be done, None when it was."""
        from penstock.audit.api import EventType

        try:
            trail = self.scan_trail
            if trail is not None:
                trail.event(EventType.SCAN_EXECUTE, message, details=details)
        except AIMAuditLogError as error:
            return str(error)
        return None
