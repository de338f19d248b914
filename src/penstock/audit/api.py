"""What the audit room gives: a trail that is appended to, proven, searched, counted and shortened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import msgspec

FIRST_PREV = "0" * 64
"""`prev` of the very first line of a trail."""


class Kind(StrEnum):
    """What an entry records."""

    INVOCATION = "invocation"
    EVENT = "event"


class EventType(StrEnum):
    """Type of an audited event."""

    TOOL_INSTALL = "tool_install"
    TOOL_UNINSTALL = "tool_uninstall"
    TOOL_UPGRADE = "tool_upgrade"
    SECRET_SET = "secret_set"  # noqa: S105 - the name of an event
    SECRET_GET = "secret_get"  # noqa: S105 - the name of an event
    SECRET_DELETE = "secret_delete"  # noqa: S105 - the name of an event
    HEALTH_CHECK = "health_check"
    VERSION_SYNC = "version_sync"
    CONFIG_UPDATE = "config_update"
    SCAN_EXECUTE = "scan_execute"
    MIGRATION = "migration"
    WORKSTREAM_START = "workstream_start"
    WORKSTREAM_END = "workstream_end"
    ERROR = "error"


class Severity(StrEnum):
    """How much an event matters."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


CLASSES: Mapping[EventType, str] = {
    EventType.TOOL_INSTALL: "install",
    EventType.TOOL_UNINSTALL: "install",
    EventType.TOOL_UPGRADE: "install",
    EventType.VERSION_SYNC: "install",
    EventType.SECRET_SET: "secret_access",
    EventType.SECRET_GET: "secret_access",
    EventType.SECRET_DELETE: "secret_access",
    EventType.HEALTH_CHECK: "health_check",
    EventType.CONFIG_UPDATE: "config_change",
    EventType.MIGRATION: "config_change",
}
"""The class of an event in `audit.events` of aim_config; events of no class are always recorded."""
INVOCATION_CLASS = "tool_invoke"


# -- what is written -----------------------------------------------------------------------------
class InvocationResult(msgspec.Struct, frozen=True):
    """What an invocation came to.

    Of `content` the trail itself reads `outcome` (an OutcomeKind), `duration_sec`, `cost_usd` and
    `fallback` (whether it was not the first choice); all else is the adapter's.
    """

    success: bool
    message: str = ""
    content: Mapping[str, Any] = {}


class Invocation(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=Kind.INVOCATION.value
):
    """One call of a tool for a capability, to be recorded."""

    actor: str = "pipeline"
    run_id: str | None = None
    ws_id: str | None = None
    tool_id: str
    capability: str
    payload: Mapping[str, Any] = {}
    result: InvocationResult


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=Kind.EVENT.value):
    """One thing that happened, to be recorded. `session_id` names the process: 8 hex digits."""

    actor: str = "pipeline"
    run_id: str | None = None
    ws_id: str | None = None
    event_type: EventType
    severity: Severity = Severity.INFO
    message: str
    details: Mapping[str, Any] = {}
    user: str
    session_id: str


Record = Invocation | AuditEvent


# -- what is read --------------------------------------------------------------------------------
class EntryResult(msgspec.Struct, frozen=True):
    """The result of a recorded invocation; `content` is whatever was written."""

    success: bool = False
    message: str = ""
    content: Any = None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the trail. The members of the other kind are None."""

    timestamp: str
    kind: Kind
    actor: str = ""
    run_id: str | None = None
    ws_id: str | None = None
    tool_id: str | None = None
    capability: str | None = None
    payload: Any = None
    result: EntryResult | None = None
    event_type: str | None = None
    severity: str | None = None
    message: str | None = None
    details: Any = None
    user: str | None = None
    session_id: str | None = None
    prev: str
    hash: str

    @property
    def text(self) -> str:
        """What it says: the message of the result or of the event."""
        return self.result.message if self.result is not None else self.message or ""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted: those that match every condition that is not None.

    `since` (from then on) and `until` (before then) are seconds since the epoch. `limit` keeps the
    newest so many; None keeps all. `outcome` is the `outcome` of an invocation's content.
    """

    kind: Kind | None = None
    capability: str | None = None
    tool_id: str | None = None
    success: bool | None = None
    outcome: str | None = None
    run_id: str | None = None
    ws_id: str | None = None
    event_type: str | None = None
    severity: str | None = None
    since: float | None = None
    until: float | None = None
    limit: int | None = None


EVERYTHING = Query()


class GroupBy(StrEnum):
    """What statistics are grouped by."""

    TOOL = "tool"
    CAPABILITY = "capability"
    OUTCOME = "outcome"
    DAY = "day"


class ExportFormat(StrEnum):
    """In which form entries are written to a file."""

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class GroupStats(msgspec.Struct, frozen=True, kw_only=True):
    """Figures over the invocations of one group; None where nothing says it.

    Rates are from 0 to 1, times are seconds, `cost_usd` is the sum of what tools reported.
    `misses` names the targets that are missed.
    """

    name: str
    invocations: int
    successes: int
    success_rate: float
    mean_s: float | None
    p95_s: float | None
    fallback_rate: float
    auth_error_rate: float
    cost_usd: float | None
    misses: tuple[str, ...] = ()


class TrailStats(msgspec.Struct, frozen=True, kw_only=True):
    """Figures over a trail: all entries counted, and the invocations in groups and overall."""

    total_events: int
    by_type: Mapping[str, int]
    by_severity: Mapping[str, int]
    log_size_bytes: int
    oldest_event: str | None
    newest_event: str | None
    overall: GroupStats
    groups: tuple[GroupStats, ...] = ()
    unreadable: int = 0


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that a healthy trail keeps: at least (`least`) or at most (`most`) so much."""

    field: str
    least: float | None = None
    most: float | None = None


TARGETS = (
    Target(field="success_rate", least=0.8),
    Target(field="mean_s", most=60.0),
    Target(field="fallback_rate", most=0.3),
    Target(field="auth_error_rate", most=0.1),
)


# -- what is proven ------------------------------------------------------------------------------
class DamageKind(StrEnum):
    """What was done to a trail."""

    ALTERED = "altered"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    RE_STAMPED = "re_stamped"
    UNSIGNED = "unsigned"


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: the file, the line (from 1; None for the whole file), what, in words."""

    file: str
    line: int | None
    kind: DamageKind
    message: str


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What checking a trail found.

    `proven_until` is the time of the last anchor that the trail matches, without damage before it,
    and `proven_entries` how many entries on file it covers; None and 0 without such an anchor.
    `pruned_days` are days of which only the checkpoint is kept.
    """

    folder: str
    days: int
    entries: int
    damage: tuple[Damage, ...] = ()
    anchors: int = 0
    proven_until: str | None = None
    proven_entries: int = 0
    pruned_days: int = 0
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether nothing was found."""
        return not self.damage


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a closed day came to: lines, the hash of the last one, signed (base64) by a key."""

    date: str
    count: int
    head: str
    key_id: str
    signature: str


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A signed statement, kept outside the trail, of how far it had got at a moment.

    `count` lines of the day `date`, the last with the hash `head`.
    """

    timestamp: str
    date: str
    count: int
    head: str
    key_id: str
    signature: str


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """A signed statement that all lines of days up to `through` were dropped on purpose."""

    through: str
    key_id: str
    signature: str


class PruneReport(msgspec.Struct, frozen=True, kw_only=True):
    """Which days were dropped, or would be, and how much room they took."""

    days: tuple[str, ...]
    entries: int
    size_bytes: int


class AuditTrail(Protocol):
    """A trail in a folder, shared by threads and processes.

    All methods raise AIMAuditLogError when the trail cannot be written or read.
    """

    @property
    def folder(self) -> Path:
        """Where the trail lies."""
        ...

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
        """Record a call of a tool and return the line's hash; it is on file when this returns.

        Empty where `audit.events` leaves calls out.

        `outcome`, `duration_s` (as `duration_sec`), `fallback`, `cost_usd` and `routing` (why this
        tool: reason, order, rejected) become members of `content`.
        """
        ...

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
        """Record an event and return the line's hash; it is on file when this returns.

        Empty where `audit.events` leaves it out. Raises ValueError for an unknown type or severity.
        """
        ...

    def append_many(self, records: Sequence[Record]) -> str:
        """Record all of them under one lock, in order; return the hash of the last line.

        Those that `audit.events` leaves out are passed over; empty when that are all.
        """
        ...

    def require_writable(self) -> None:
        """Raise AIMAuditLogError when nothing could be recorded; to be asked before a run."""
        ...

    def anchor(self) -> Anchor | None:
        """Write a signed head outside the trail, at the end of a run; None for an empty trail."""
        ...

    def query(self, query: Query) -> Iterator[AuditEntry]:
        """Yield the matching entries, newest first."""
        ...

    def lines(self, query: Query) -> Iterator[bytes]:
        """Yield the matching lines as they are on file, without line ends, newest first."""
        ...

    def export(self, path: Path, form: ExportFormat, query: Query = EVERYTHING) -> int:
        """Write the matching entries to a file, oldest first, and return how many they are."""
        ...

    def stats(self, query: Query = EVERYTHING, by: GroupBy | None = None) -> TrailStats:
        """Return figures over the matching entries."""
        ...

    def verify(self) -> VerifyReport:
        """Check every line, checkpoint and anchor. Damage is reported, not raised."""
        ...

    def verify_last_day(self) -> VerifyReport:
        """Check the last day alone, and that it continues what was before it: quick enough before a
        run, however long the trail is."""
        ...

    def prune(self, days: int, *, dry_run: bool = False) -> PruneReport:
        """Drop the days before the last `days`, today counted, oldest first; checkpoints stay."""
        ...

    def close(self) -> None:
        """Give back what is open; the next use opens it again."""
        ...
