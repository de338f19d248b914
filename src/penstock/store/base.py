"""What the parts of the journal share: the write transaction with its events, and the fence."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from penstock.errors import ClaimLostError, JournalError, NotFoundError
from penstock.masking import certain
from penstock.model.events import EventType
from penstock.model.records import Event, Run, Workstream
from penstock.model.times import iso
from penstock.store.codec import from_json, from_row, to_json
from penstock.store.database import Database, execute
from penstock.store.faults import HINT_DAMAGED
from penstock.typed import typed

T = TypeVar("T")
E = TypeVar("E")


class Transaction:
    """One write transaction: its moment (`now`), its queries, the events it recorded so far."""

    __slots__ = ("_connection", "events", "now")

    def __init__(self, connection: sqlite3.Connection, now: str) -> None:
        self._connection = connection
        self.now = now
        self.events: list[Event] = []

    def run(self, name: str, **parameters: Any) -> sqlite3.Cursor:
        """Run a named query; `:now` is bound to the transaction's moment.

        No text that is known to be a secret gets into the journal, whoever let it come this far.
        """
        clean = {k: certain(v) if isinstance(v, str) else v for k, v in parameters.items()}
        return execute(self._connection, name, {"now": self.now, **clean})

    def row(self, name: str, **parameters: Any) -> sqlite3.Row | None:
        """Return the first row of a named query, or None."""
        found: sqlite3.Row | None = self.run(name, **parameters).fetchone()
        return found

    def event(
        self,
        event_type: EventType | str,
        run_id: str | None,
        ws_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> Event:
        """Record an event; whoever watches hears of it after the commit, as a reader would see it."""
        text = to_json(payload)
        cursor = self.run(
            "facts.insert_event",
            run_id=run_id,
            ws_id=ws_id,
            event_type=str(event_type),
            payload_json=text,
        )
        event = Event(
            id=cursor.lastrowid or 0,
            timestamp=self.now,
            event_type=str(event_type),
            run_id=run_id,
            ws_id=ws_id,
            payload=from_json(text),
        )
        self.events.append(event)
        return event


class Base:
    """The database, the clock, the claims of this object, and who hears of its events."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], float],
        on_event: Callable[[Event], None] | None,
    ) -> None:
        self._db = database
        self._clock = clock
        self._on_event = on_event
        self._claims: dict[str, int] = {}
        # when the attempts of this object began, by a clock that is not set
        self._begun: dict[int, float] = {}
        self._shared: tuple[int, Transaction] | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make one transaction of all that this thread writes within the block.

        Its events are told after the commit. An error that leaves the block undoes all of it; one
        of a write must not be caught within. Not for claiming runs, and not for long: nobody else
        writes meanwhile. A block within a block belongs to the outer one.
        """
        if self._own_block() is not None:
            yield
            return
        with self._db.write() as connection:
            tx = Transaction(connection, iso(self._clock()))
            self._shared = (threading.get_ident(), tx)
            try:
                yield
            finally:
                self._shared = None
        self._tell(tx)

    @contextmanager
    def _write(self, run_id: str | None = None, *, synced: bool = True) -> Iterator[Transaction]:
        """Give one write transaction, fenced when it is about a run.

        What need not outlive a power cut need not be `synced`. The events recorded are told after the commit and outside the lock, in the thread that
        wrote; with several threads their ids give the order.
        """
        block = self._own_block()
        if block is not None:
            yield self._fenced(block, run_id)
            return
        with self._db.write(synced=synced) as connection:
            tx = self._fenced(Transaction(connection, iso(self._clock())), run_id)
            yield tx
        self._tell(tx)

    def _own_block(self) -> Transaction | None:
        # another thread may open or close a block of its own meanwhile, but never one of ours
        shared = self._shared
        return shared[1] if shared is not None and shared[0] == threading.get_ident() else None

    def _fenced(self, tx: Transaction, run_id: str | None) -> Transaction:
        if run_id is not None:
            self._fence(tx, run_id)
        return tx

    def _tell(self, tx: Transaction) -> None:
        if self._on_event is not None:
            for event in tx.events:
                self._on_event(event)

    def _fence(self, tx: Transaction, run_id: str) -> None:
        """Refuse a write to a run that another journal object holds, or that does not exist."""
        row = tx.row("runs.fence", run_id=run_id)
        if row is None:
            raise missing_run(run_id)
        held = row["owner_json"] is not None
        token = self._claims.get(run_id)
        if (token is None and not held) or (held and token == row["claim_token"]):
            return
        raise ClaimLostError(
            f"run {run_id} is being worked on by {_owner_words(row['owner_json'])}"
            if held
            else f"run {run_id} was taken over by another process meanwhile",
            hint=f"see `penstock status {run_id}`; if nobody works on it, `penstock resume {run_id}`",
        )

    def _require_run(self, tx: Transaction, run_id: str) -> Run:
        """Return a run as it is within the transaction. Raises NotFoundError."""
        row = tx.row("runs.get", run_id=run_id)
        if row is None:
            raise missing_run(run_id)
        return from_row(Run, row)

    def _require_workstream(self, tx: Transaction, run_id: str, ws_id: str) -> Workstream:
        """Return a workstream as it is within the transaction. Raises NotFoundError."""
        row = tx.row("workstreams.get", run_id=run_id, ws_id=ws_id)
        if row is None:
            raise missing_workstream(run_id, ws_id)
        return from_row(Workstream, row)


def _owner_words(owner_json: str) -> str:
    """Say in a few words who holds a run."""
    owner = read_owner(owner_json)
    return ", ".join(f"{key} {value}" for key, value in owner.items()) or "another process"


def read_owner(owner_json: str) -> dict[str, Any]:
    """Read what a holder said of itself. Raises JournalError when the row is damaged."""
    try:
        return typed(from_json(owner_json), dict[str, Any])
    except msgspec.MsgspecError as error:
        raise JournalError(f"the journal holds a damaged owner: {error}", hint=HINT_DAMAGED) from (
            error
        )


def missing_run(run_id: str) -> NotFoundError:
    """Say that a run does not exist."""
    return NotFoundError(f"there is no run {run_id!r}", hint="list the runs with `penstock status`")


def missing_workstream(run_id: str, ws_id: str) -> NotFoundError:
    """Say that a workstream does not exist in a run."""
    return NotFoundError(
        f"there is no workstream {ws_id!r} in run {run_id!r}",
        hint=f"list its workstreams with `penstock status {run_id}`",
    )
