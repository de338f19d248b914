"""The audit trail in a folder: recording, and the ways to everything that reads it.

What reads is imported where it is used, because a run only records.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from penstock.audit.api import (
    CLASSES,
    EVERYTHING,
    INVOCATION_CLASS,
    Anchor,
    AuditEntry,
    AuditEvent,
    EventType,
    ExportFormat,
    GroupBy,
    Invocation,
    InvocationResult,
    PruneReport,
    Query,
    Record,
    Severity,
    TrailStats,
    VerifyReport,
)
from penstock.audit.append import Appender
from penstock.audit.clean import body_of
from penstock.audit.desk import Desk, read_head, readable
from penstock.audit.keys import Signer, key_path
from penstock.audit.layout import HEAD, day_at
from penstock.audit.sealing import Sealer
from penstock.redact.redactor import Redactor

if TYPE_CHECKING:
    from penstock.audit.verify import Snapshot

SESSION_ID = os.urandom(4).hex()
"""Tells the entries of one process from those of others."""


class FileTrail:
    """A trail in `folder`; it may be shared by threads, and processes may share the folder.

    `redactor` takes secrets out before anything is hashed. Anchors go to the file `anchors`, None
    for none; `classes` are the classes of entries that are recorded (audit.events), None for all;
    `key` is the private key's place, by default that of `keys.key_path`. `clock` gives
    seconds since the epoch. Nothing is opened or made before it is needed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        redactor: Redactor | None = None,
        anchors: Path | None = None,
        classes: Collection[str] | None = None,
        key: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._redactor = redactor or Redactor()
        self._anchors = anchors
        self._classes = classes
        self._key = key or key_path()
        self._clock = clock
        self._desk = Desk(folder)
        self._sealer = Sealer(folder, Signer(self._key, trail=folder), anchors, self._now_us)
        self._appender = Appender(
            self._desk,
            now_us=self._now_us,
            note=self._note,
            close_day=self._sealer.close_day,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """Where the trail lies."""
        return self._folder

    # -- recording -------------------------------------------------------------------------
    def invocation(
        self,
        *,
        tool_id: str,
        capability: str,
        payload: Mapping[str, Any],
        success: bool,
        message: str = "",
        content: Mapping[str, Any] | None = None,
        outcome: str | None = None,
        duration_s: float | None = None,
        fallback: bool = False,
        cost_usd: float | None = None,
        routing: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        ws_id: str | None = None,
        actor: str = "pipeline",
    ) -> str:
        """See AuditTrail."""
        facts = {
            "outcome": outcome,
            "duration_sec": duration_s,
            "fallback": fallback,
            "cost_usd": cost_usd,
            "routing": routing,
        }
        told = {name: value for name, value in facts.items() if value is not None}
        return self.append_many(
            [
                Invocation(
                    actor=actor,
                    run_id=run_id,
                    ws_id=ws_id,
                    tool_id=tool_id,
                    capability=capability,
                    payload=payload,
                    result=InvocationResult(success, message, {**(content or {}), **told}),
                )
            ]
        )

    def event(
        self,
        event_type: EventType | str,
        message: str,
        *,
        severity: Severity | str = Severity.INFO,
        details: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        ws_id: str | None = None,
        actor: str = "pipeline",
    ) -> str:
        """See AuditTrail."""
        record = AuditEvent(
            actor=actor,
            run_id=run_id,
            ws_id=ws_id,
            event_type=EventType(event_type),
            severity=Severity(severity),
            message=message,
            details=details or {},
            user=user_name(),
            session_id=SESSION_ID,
        )
        return self.append_many([record])

    def append_many(self, records: Sequence[Record]) -> str:
        """See AuditTrail."""
        bodies = [body_of(record, self._redactor) for record in records if self._is_wanted(record)]
        return self._appender.append(bodies) if bodies else ""

    def _is_wanted(self, record: Record) -> bool:
        if self._classes is None:
            return True
        if isinstance(record, Invocation):
            return INVOCATION_CLASS in self._classes
        known = CLASSES.get(record.event_type)
        return known is None or known in self._classes

    def require_writable(self) -> None:
        """See AuditTrail."""
        with self._desk:
            self._appender.settle()
            self._sealer.require_key()

    def anchor(self) -> Anchor | None:
        """See AuditTrail."""
        with self._desk:
            head = self._appender.settle()
            self._desk.synchronise()
            return self._sealer.anchor(head)

    # -- reading ---------------------------------------------------------------------------
    def lines(self, query: Query) -> Iterator[bytes]:
        """See AuditTrail."""
        from penstock.audit.search import search

        with readable(self._folder):
            yield from search(self._folder, query)

    def query(self, query: Query) -> Iterator[AuditEntry]:
        """See AuditTrail."""
        from penstock.audit.export import entry_of

        return (entry for line in self.lines(query) if (entry := entry_of(line)) is not None)

    def stats(self, query: Query = EVERYTHING, by: GroupBy | None = None) -> TrailStats:
        """See AuditTrail."""
        from penstock.audit.statistics import statistics

        with readable(self._folder):
            return statistics(self._folder, query, by)

    def export(self, path: Path, form: ExportFormat, query: Query = EVERYTHING) -> int:
        """See AuditTrail."""
        from penstock.audit.export import export
        from penstock.audit.search import search

        with readable(self._folder):
            return export(search(self._folder, query, newest_first=False), path, form)

    # -- keeping it short ------------------------------------------------------------------
    def prune(self, days: int, *, dry_run: bool = False) -> PruneReport:
        """See AuditTrail."""
        from penstock.audit.prune import days_before, drop, report_on

        if days < 1 or not self._folder.exists():
            return PruneReport(days=(), entries=0, size_bytes=0)
        with self._desk:
            self._appender.settle()
            due = days_before(self._folder, day_at(self._now_us()), days)
            report = report_on(self._folder, due)
            if not dry_run:
                drop(self._folder, due, self._sealer.prune)
        if report.days and not dry_run:
            self._tell_of_pruning(report)
        return report

    def _tell_of_pruning(self, report: PruneReport) -> None:
        self.event(
            EventType.CONFIG_UPDATE,
            f"dropped the lines of {len(report.days)} days up to {report.days[-1]}",
            details={"days": list(report.days), "entries": report.entries},
            actor="audit",
        )

    # -- proving ---------------------------------------------------------------------------
    def verify(self) -> VerifyReport:
        """See AuditTrail."""
        from penstock.audit.verify import verify

        return verify(self._folder, self._snapshot(), self._anchors, self._key)

    def verify_last_day(self) -> VerifyReport:
        """See AuditTrail."""
        from penstock.audit.verify import verify_last_day

        return verify_last_day(self._folder, self._snapshot(), self._anchors, self._key)

    def _snapshot(self) -> Snapshot:
        """Take stock while nobody writes; without the right to keep others out, as it is."""
        from penstock.audit.verify import snapshot

        if not os.access(self._folder / HEAD, os.W_OK):
            return snapshot(self._folder, read_head(self._folder))
        with self._desk:
            return snapshot(self._folder, self._desk.read_head())

    def close(self) -> None:
        """See AuditTrail."""
        self._desk.close()

    def _note(self, message: str, details: Mapping[str, Any]) -> bytes:
        """Make the body of an entry about the trail itself."""
        record = AuditEvent(
            actor="audit",
            event_type=EventType.ERROR,
            severity=Severity.WARNING,
            message=message,
            details=details,
            user=user_name(),
            session_id=SESSION_ID,
        )
        return body_of(record, self._redactor)

    def _now_us(self) -> int:
        return int(self._clock() * 1_000_000)


@cache
def user_name() -> str:
    """Return who runs this process: the account's name, else its number."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
