"""The journal's knowledge of tools: circuit breakers, records, and whose turn it was last."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

import msgspec

from penstock.breakers.circuit import DEFAULT_CIRCUIT, CircuitPolicy, admit, record
from penstock.errors import JournalError, UsageError
from penstock.model.outcome import OutcomeKind
from penstock.model.states import AttemptState
from penstock.model.times import iso, seconds
from penstock.model.toolhealth import ToolBreaker, ToolStatistics, ToolTurn
from penstock.routing.learn import statistics_of
from penstock.store.base import Base
from penstock.store.faults import HINT_DAMAGED
from penstock.typed import typed

TURNS_READ = 500
"""How many of a tool's newest turns its record is made of."""
_HALF_LIVES = 10  # what is older counts less than a thousandth
# outcomes that say nothing about the tool: the user's word, and limits of ours
_NOT_COUNTED = frozenset({OutcomeKind.CANCELED.value, OutcomeKind.BUDGET.value})


class ToolHealthStore(Base):
    """The part of the journal about tools, whatever run they worked for. Nothing here is fenced."""

    def tool_breaker(self, tool_id: str) -> ToolBreaker:
        """Return the circuit breaker of a tool; one that is not in the journal is closed."""
        return _breaker(tool_id, self._db.row("toolhealth.breaker", tool_id=tool_id))

    def list_tool_breakers(self) -> list[ToolBreaker]:
        """Return all circuit breakers in the journal, by tool id."""
        return [_breaker(row["tool_id"], row) for row in self._db.rows("toolhealth.breakers")]

    def admit_tool_call(
        self, tool_id: str, *, policy: CircuitPolicy = DEFAULT_CIRCUIT
    ) -> ToolBreaker:
        """Let one call of a tool through, holding back others while it is a trial.

        Raises CircuitBreakerOpen.
        """
        return self._change(tool_id, lambda breaker, now: admit(breaker, policy, now))

    def record_tool_result(
        self,
        tool_id: str,
        kind: OutcomeKind,
        reset_at: float | None = None,
        *,
        policy: CircuitPolicy = DEFAULT_CIRCUIT,
    ) -> ToolBreaker:
        """Count the outcome of one call; return what the circuit breaker came to."""
        return self._change(
            tool_id, lambda breaker, now: record(breaker, kind, policy, now, reset_at)
        )

    def reset_tool_breaker(self, tool_id: str) -> ToolBreaker:
        """Close a circuit breaker, because somebody mended the cause."""
        return self._change(tool_id, lambda _, now: ToolBreaker(tool_id=tool_id, updated_at=now))

    def _change(
        self, tool_id: str, change: Callable[[ToolBreaker, float], ToolBreaker]
    ) -> ToolBreaker:
        """Read, change and write a breaker in one transaction."""
        if not tool_id:
            raise UsageError("a tool needs an id")
        with self._write() as tx:
            before = _breaker(tool_id, tx.row("toolhealth.breaker", tool_id=tool_id))
            after = change(before, seconds(tx.now))
            if after != before:
                tx.run("toolhealth.save_breaker", **_row(after))
            return after

    def tool_statistics(self, now: float, half_life_s: float) -> Mapping[str, ToolStatistics]:
        """Return the record of each tool over its EDIT and FIX turns, older ones counting less.

        `now` is seconds since the epoch. Canceled turns and those that a budget of ours ended are
        left out. Raises ValueError when the half-life (s) is not positive.
        """
        since = iso(max(now - _HALF_LIVES * half_life_s, 0.0))
        turns: list[ToolTurn] = []
        for tool in self._db.rows("toolhealth.tools_seen"):
            rows = self._db.rows(
                "toolhealth.turns", tool_id=tool["tool_id"], since=since, limit=TURNS_READ
            )
            turns += [_turn(row) for row in rows if row["outcome"] not in _NOT_COUNTED]
        return statistics_of(turns, now=now, half_life_s=half_life_s)

    def busy_tools(self) -> Mapping[str, int]:
        """Return how many turns each tool that works at this moment has under way."""
        rows = self._db.rows("toolhealth.busy")
        return {row["tool_id"]: row["turns"] for row in rows}

    def last_routed(self, key: str) -> str | None:
        """Return the tool that a rotation was last given to, or None. `key` names the rotation."""
        row = self._db.row("toolhealth.last_routed", key=key)
        return None if row is None else str(row["tool_id"])

    def set_last_routed(self, key: str, tool_id: str) -> None:
        """Keep whose turn it was, for this and every other process."""
        with self._write() as tx:
            tx.run("toolhealth.set_last_routed", key=key, tool_id=tool_id)


def _breaker(tool_id: str, row: sqlite3.Row | None) -> ToolBreaker:
    """Turn a row into a breaker. Raises JournalError when it is damaged."""
    if row is None:
        return ToolBreaker(tool_id=tool_id)
    try:
        values = dict(row) | {
            name: _moment(row[name]) for name in ("opened_at", "until", "updated_at")
        }
        return typed(values, ToolBreaker)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise JournalError(
            f"the journal holds a damaged circuit breaker of {tool_id}: {error}", hint=HINT_DAMAGED
        ) from error


def _row(breaker: ToolBreaker) -> dict[str, object]:
    values = msgspec.structs.asdict(breaker)
    del values["updated_at"]
    return values | {
        "state": breaker.state.value,
        "opened_at": None if breaker.opened_at is None else iso(breaker.opened_at),
        "until": None if breaker.until is None else iso(breaker.until),
    }


def _moment(text: str | None) -> float | None:
    return None if text is None else seconds(text)


def _turn(row: sqlite3.Row) -> ToolTurn:
    ended = seconds(row["completed_at"])
    began = _moment(row["started_at"])
    return ToolTurn(
        tool_id=row["tool_id"],
        success=row["status"] == AttemptState.SUCCEEDED.value,
        ended_at=ended,
        seconds=None if began is None else max(ended - began, 0.0),
        cost_usd=row["cost_usd"],
    )
