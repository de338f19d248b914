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
    from penstock.environment.scan.api import (
        CleanPlan,
        CleanResult,
        Identity,
        Progress,
        RestoreResult,
        ScanReport,
        TrashInfo,
    )
    from penstock.environment.scan.clean import Cleaner
    from penstock.environment.scan.scanner import ScanRequest
    from penstock.environment.scan.secretscan import Places, Scan
    from penstock.environment.scan.trash import Trash
    from penstock.leaks.found import SecretReport
    from penstock.store.checkcache import CheckCache, NoCache

INDEX_FILE = "scan_index.db"
"""Where in the user's folder the hashes of files are that scans have read."""
TRASH = "trash"


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

    # -- duplicates and caches -------------------------------------------------------------
    def scan_report(
        self,
        paths: Sequence[str] = (),
        *,
        duplicates: bool = True,
        caches: bool = True,
        min_size_kb: int | None = None,
        extensions: Sequence[str] = (),
        obey: bool = True,
        on_progress: Progress | None = None,
    ) -> ScanReport:
        """Look for duplicates and misplaced caches below `paths`, from where we stand.

        Without paths the folders of `environment.scanner.roots` are meant, else the repository.
        `min_size_kb` (1024 bytes each; None: what aim_config says) is the smallest file compared;
        with `obey` False ignore files do not count. Raises UsageError, ConfigError.
        """
        from penstock.environment.scan.scanner import scan

        request = self._scan_request(
            paths, duplicates=duplicates, caches=caches, min_size_kb=min_size_kb,
            extensions=extensions, obey=obey,
        )  # fmt: skip
        index = self._hash_index()
        try:
            return scan(request, index, on_progress or (lambda _phase, _done, _total: None))
        finally:
            index.close()

    def _scan_request(
        self,
        paths: Sequence[str],
        *,
        duplicates: bool,
        caches: bool,
        min_size_kb: int | None,
        extensions: Sequence[str],
        obey: bool,
    ) -> ScanRequest:
        import os
        from pathlib import Path

        from penstock.environment.scan.api import KILOBYTE
        from penstock.environment.scan.scanner import ScanRequest
        from penstock.folders import aim_home

        section = self.aim_settings.environment
        settings = section.scanner
        central = (
            Path(os.path.realpath(self.root / place)) if (place := section.central_cache) else None
        )
        kilobytes = settings.min_size_kb if min_size_kb is None else min_size_kb
        ours = [self.root / folder for folder in self.own.folders] if self.place else []
        elsewhere = [aim_home(), *([central] if central else [])]
        return ScanRequest(
            roots=self._scan_roots(paths, settings.roots),
            duplicates=duplicates,
            caches=caches,
            cache_patterns=settings.cache_patterns,
            central=central,
            ignore=settings.ignore,
            skipped=tuple(os.path.realpath(path) for path in (*ours, *elsewhere)),
            obey=obey,
            min_bytes=max(kilobytes * KILOBYTE, 1),
            extensions=tuple(f".{one.lower().lstrip('.')}" for one in extensions),
        )

    def _scan_roots(self, paths: Sequence[str], configured: Sequence[str]) -> tuple[Path, ...]:
        """Return the folders to be scanned. Raises UsageError for one of `paths` that is none."""
        from pathlib import Path

        if not paths:
            found = tuple(self.root / Path(root).expanduser() for root in configured)
            return found or (self.root,)
        roots = tuple(self.start / path for path in paths)
        for root in roots:
            if not root.is_dir():
                raise UsageError(
                    f"{root} is not a folder", hint="Name folders, or leave them out for all of it."
                )
        return roots

    def _hash_index(self) -> _KeptHashes:
        """Open the hashes of earlier scans; one that keeps nothing where there can be none."""
        from penstock.folders import aim_home
        from penstock.store.checkcache import NoCache, open_check_cache

        try:
            return _KeptHashes(open_check_cache(aim_home() / INDEX_FILE))
        except EnvironmentProblem:
            return _KeptHashes(NoCache())

    # -- cleaning --------------------------------------------------------------------------
    def plan_scan_clean(
        self,
        paths: Sequence[str] = (),
        *,
        patterns: Sequence[str] = (),
        duplicates: bool = False,
        min_size_kb: int | None = None,
        on_progress: Progress | None = None,
    ) -> CleanPlan:
        """Return what cleaning would move to the trash: caches that may go (of `patterns`, if any),
        with `duplicates` also all but one of each set. Raises UsageError, ConfigError."""
        report = self.scan_report(
            paths, duplicates=duplicates, min_size_kb=min_size_kb, on_progress=on_progress
        )
        return self._scan_cleaner().plan(report, patterns=patterns, duplicates=duplicates)

    def scan_clean(
        self, plan: CleanPlan, on_moved: Callable[[int], None] = lambda _count: None
    ) -> CleanResult:
        """Move what is planned to the trash, each thing looked at once more.

        Raises AIMAuditLogError when it cannot be recorded, EnvironmentProblem when there can be no
        trash: then nothing was moved.
        """
        planned = {"items": len(plan.items), "size_bytes": plan.size_bytes}
        self._record_change(f"clean begins: {len(plan.items)} planned", "clean", planned)
        result = self._scan_cleaner().clean(plan, on_moved)
        done = {
            "trash_id": result.trash_id,
            "moved": len(result.moved),
            "size_bytes": result.size_bytes,
            "stayed": len(result.stayed),
        }
        self._record_change(f"clean: {len(result.moved)} moved to the trash", "clean", done)
        return result

    def trash_sets(self) -> tuple[TrashInfo, ...]:
        """Return what lies in the trash, newest first."""
        return tuple(found.info() for found in self._trash().sets())

    def scan_restore(self, trash_id: str | None = None) -> RestoreResult:
        """Put a set of the trash back, the newest by default.

        Raises NotFoundError, AIMAuditLogError, ClaimError while another process uses the trash.
        """
        trash = self._trash()
        with trash.locked():
            found = trash.get(trash_id)
            self._record_change(f"restore begins: {found.trash_id}", "restore", {})
            result = trash.restore(found)
        figures = {"restored": len(result.restored), "stayed": len(result.stayed)}
        self._record_change(f"restore: {result.trash_id}", "restore", figures)
        return result

    def empty_trash(self, trash_ids: Sequence[str]) -> dict[str, str]:
        """Delete sets of the trash for good; return why some stay. Raises as `scan_restore` does."""
        trash = self._trash()
        stays: dict[str, str] = {}
        with trash.locked():
            for trash_id in trash_ids:
                found = trash.get(trash_id)
                self._record_change(f"trash emptied: {trash_id}", "empty", {})
                why = trash.drop(found)
                stays.update({trash_id: why} if why is not None else {})
        return stays

    def _record_change(self, message: str, action: str, details: Mapping[str, Any]) -> None:
        """Record what is done to files. Raises AIMAuditLogError."""
        from penstock.audit.api import EventType

        self._hide_quietly()
        trail = self.scan_trail
        if trail is not None:
            trail.event(EventType.SCAN_EXECUTE, message, details={"scan": action, **details})

    def _trash(self) -> Trash:
        from penstock.environment.scan.trash import Trash
        from penstock.folders import aim_home

        return Trash(aim_home() / TRASH)

    def _scan_cleaner(self) -> Cleaner:
        from pathlib import Path

        from penstock.environment.repository import find_checkout
        from penstock.environment.scan.clean import Cleaner
        from penstock.environment.scan.protect import Guard
        from penstock.environment.scan.tracked import TrackedFiles
        from penstock.folders import aim_home
        from penstock.worktrees.git import find_git, split_z

        def listing(top: Path) -> list[str]:
            return split_z(find_git(top).run("ls-files", "-z", reading=True))

        guard = Guard(
            tracked=TrackedFiles(listing),
            anchor=find_checkout,
            kept=(aim_home(), self.start, self.root, Path.home()),
        )
        return Cleaner(guard, self._trash())

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


class _KeptHashes:
    """Hashes of files by what their content is known by, in the file of a cache."""

    def __init__(self, kept: CheckCache | NoCache) -> None:
        self._kept = kept

    def lookup(self, wanted: Sequence[Identity]) -> dict[Identity, str]:
        """Return the hashes that are known."""
        keys = {_packed(identity): identity for identity in wanted}
        found = self._kept.lookup(tuple(keys))
        return {keys[key]: value.hex() for key, value in found.items()}

    def save(self, found: Mapping[Identity, str]) -> None:
        """Keep hashes."""
        from penstock.model.inspection import CacheEntry

        self._kept.save(
            [
                CacheEntry(
                    key=_packed(identity), plugin_id="sha256", path="", parts=b"",
                    value=bytes.fromhex(digest),
                )
                for identity, digest in found.items()
            ]
        )  # fmt: skip

    def close(self) -> None:
        """Give the file back."""
        self._kept.close()


def _packed(identity: Identity) -> bytes:
    """Return an identity as the key of a cache."""
    return b"".join(number.to_bytes(16, "big", signed=True) for number in identity)
