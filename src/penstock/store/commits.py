"""The turns of the threads at one connection: writers that come together are committed together.

What a commit costs is mostly the wait for the disk. So whoever is done with its transaction while
others wait leaves it open, the next one goes on in it behind a savepoint of its own, and the last
one commits for all. Nobody returns before what it wrote is committed, and a transaction that fails
takes back only itself. (Group commit as databases do it: DeWitt et al., Implementation Techniques
for Main Memory Database Systems, 1984.)
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# So many transactions at most wait for one commit.
GROUP_LIMIT = 64
# Who waited so long (s) for others to commit looks whether they still mean to.
PATIENCE_S = 0.1
# A wait (s) for other threads that is not worth counting.
_SOON_S = 0.1

_UNDONE = sqlite3.OperationalError("the transaction was undone")
_UNDONE.sqlite_errorcode = sqlite3.SQLITE_ABORT


class Group:
    """Transactions that are committed together: how many, and what became of them."""

    __slots__ = ("error", "over", "size")

    def __init__(self) -> None:
        self.size = 0
        self.error: sqlite3.Error | None = None
        self.over = threading.Event()

    def end(self, error: sqlite3.Error | None) -> None:
        """Wake all that wait; with an error, nothing of theirs was kept."""
        self.error = error
        self.over.set()

    def check(self) -> None:
        """Raise the error that lost the group, as one of the caller's own."""
        if self.error is None:
            return
        again = type(self.error)(*self.error.args)
        code = getattr(self.error, "sqlite_errorcode", None)  # the driver's own errors have none
        if code is not None:
            again.sqlite_errorcode = code
        raise again from self.error


class Turns:
    """A connection in autocommit mode that the threads of this process use in turns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        self._waiting: set[object] = set()
        self._group: Group | None = None
        self._writing = False
        self._busy_ms = int(connection.execute("PRAGMA busy_timeout").fetchone()[0])

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for a block that reads what is committed, or one's own writes."""
        with self._lock:
            if not self._writing:
                self._commit()
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection within a write transaction of one's own, committed at the end.

        Raises sqlite3.Error; nothing of the block is kept then. Within another such block of the
        same thread it is refused.
        """
        ticket, came = object(), time.monotonic()
        try:
            self._waiting.add(ticket)
            with self._lock:
                self._waiting.discard(ticket)
                group = self._join(came)
                try:
                    self._set_out(group)
                    yield self._connection
                    self._keep(group)
                except BaseException as error:
                    self._take_back(group, error)
                    raise
                finally:
                    self._leave(group)
        finally:
            self._waiting.discard(ticket)
        self._wait(group)

    @contextmanager
    def patience(self, came: float) -> Iterator[None]:
        """Take the time since `came` (as time.monotonic) off what a block waits for the database.

        While another process keeps it locked, each thread would else wait all of it anew, one after
        the other.
        """
        waited_s = time.monotonic() - came
        if waited_s < _SOON_S or self._busy_ms == 0:
            yield
            return
        left = max(0, self._busy_ms - int(waited_s * 1000))
        self._connection.execute(f"PRAGMA busy_timeout={left}")
        try:
            yield
        finally:
            self._connection.execute(f"PRAGMA busy_timeout={self._busy_ms}")

    def _join(self, came: float) -> Group:
        """Return the group that is open; else begin one, which takes the database's write lock."""
        if self._writing:
            raise sqlite3.OperationalError("cannot start a transaction within a transaction")
        if self._group is not None and not self._connection.in_transaction:
            self._commit()  # fails: an interrupt kept its writers from hearing of the end
        return self._group or self._begin(came)

    def _begin(self, came: float) -> Group:
        """Begin a group; its transaction holds the write lock of the database."""
        self._group = made = Group()
        try:
            with self.patience(came):
                self._connection.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._end(error if isinstance(error, sqlite3.Error) else _UNDONE)
            raise
        return made

    def _set_out(self, group: Group) -> None:
        """Let a block fail without the rest of its group; the first one is the whole group."""
        self._writing = True
        if group.size:
            self._connection.execute("SAVEPOINT own")

    def _keep(self, group: Group) -> None:
        """Make what a block wrote a part of its group."""
        if group.size:
            self._connection.execute("RELEASE own")
        group.size += 1
        self._writing = False

    def _take_back(self, group: Group, error: BaseException) -> None:
        """Undo what a block wrote; the whole group when there is no more to it, or no other way."""
        try:
            if group.size and self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO own")
                self._connection.execute("RELEASE own")
                self._writing = False
                return
        except sqlite3.Error as fault:
            error = fault
        self._end(error if isinstance(error, sqlite3.Error) else _UNDONE)

    def _leave(self, group: Group) -> None:
        """Commit unless another one will; never what is neither kept nor taken back."""
        if self._writing:
            self._end(_UNDONE)
        elif not self._waiting or group.size >= GROUP_LIMIT:
            self._commit()

    def _commit(self) -> None:
        """Commit the group that is open, if any; its writers hear of an error."""
        if self._group is None:
            return
        failed = None
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            failed = error
        finally:
            self._end(failed)

    def _end(self, error: sqlite3.Error | None) -> None:
        """Tell the writers of the group how it ended; what is still open now is undone."""
        group = self._group
        try:
            if self._connection.in_transaction:
                error = error or _UNDONE
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as fault:
            error = error or fault
        finally:
            self._group, self._writing = None, False
            if group is not None:
                group.end(error)

    def _wait(self, group: Group) -> None:
        """Wait until the group is committed. Raises the error that lost it.

        The one that was to commit it may have been interrupted before it got its turn.
        """
        while not group.over.wait(PATIENCE_S):
            with self._lock:
                if self._group is group:
                    self._commit()
        group.check()
