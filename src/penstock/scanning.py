"""Looking through files for what should not be there: the scanner put together.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from penstock.errors import (
    AIMAuditLogError,
    AIMRegistryNotFoundError,
    EnvironmentProblem,
    UsageError,
)
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from penstock.audit.api import AuditTrail
    from penstock.environment.scan.secretscan import Places, Scan
    from penstock.leaks.found import SecretReport


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

    # -- secrets ---------------------------------------------------------------------------
    def secret_scan(
        self,
        sources: Sequence[str] = ("tree",),
        paths: Sequence[str] = (),
        *,
        revisions: Sequence[str] = (),
        level: str = "default",
        baseline: str | None = None,
        use_baseline: bool = True,
        share_key: bool = False,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> Scan:
        """Return a scan for secrets, ready to be asked for its `report`.

        `sources` are tree, staged, history, audit and logs; `paths` and `baseline` are from where we
        stand. Raises UsageError, ConfigError.
        """
        import os

        from penstock.environment.scan.secretscan import Scan, request_of

        places = self._scan_places(os.environ)
        request = request_of(
            places,
            self.start,
            sources,
            paths,
            revisions=revisions,
            level=level,
            baseline=baseline,
            use_baseline=use_baseline,
            share_key=share_key,
        )
        return Scan(request, places, on_progress)

    def _scan_places(self, environ: Mapping[str, str]) -> Places:
        """Return where the sources of a scan are, seen from where we stand."""
        from penstock.environment.repository import find_checkout
        from penstock.environment.scan.secretscan import Places
        from penstock.worktrees.git import find_git

        top = find_checkout(self.start) if self.place is not None else None
        state = self.root / self.state_folder
        return Places(
            top=top or self.root,
            git=find_git(top) if top is not None else None,
            index=environ.get("GIT_INDEX_FILE"),
            logs=(self.root / "logs", state, self.root / ".state"),
            trail=self._trail_folder(),
            private=(state / "homes", self.root / ".state" / "tools"),
        )

    def _trail_folder(self) -> Path | None:
        """Return where the audit trail lies, None where there is no registry to have one."""
        try:
            return self.audit_folder
        except AIMRegistryNotFoundError:
            return None

    def record_secret_scan(self, report: SecretReport) -> str | None:
        """Record a scan for secrets, of which only figures and places; return why that could not be
        done, None when it was."""
        self._hide_quietly()
        places = [f"{one.path}:{one.line} {one.rule}" for one in report.findings[:50]]
        details = {
            "scan": "secrets",
            "sources": [source.value for source in report.sources],
            "level": report.level,
            "files": report.files,
            "findings": len(report.findings),
            "known": len(report.known),
            "allowed": report.allowed,
            "places": places,
        }
        return self.record_scan(f"secrets: {len(report.findings)} found", details)

    def _hide_quietly(self) -> None:
        """See that git does not show what is ours, the trail above all, where there is a repository; where
        that cannot be done, it shows, which hurts nobody."""
        if self.place is not None:
            with suppress(EnvironmentProblem, UsageError):
                self._hide()
