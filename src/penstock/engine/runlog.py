"""logs/orchestrator.log: one line per event, each with run and workstream ids.

2026-01-31T10:20:30.123456Z INFO run=run-1 ws=ws-a step_started step=edit attempt=1
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from penstock.engine.evidence import private_folder
from penstock.errors import EnvironmentProblem
from penstock.model.events import EventType
from penstock.model.records import Event

VALUE_LIMIT = 400
_ERRORS = frozenset({EventType.BREAKER_TRIP, EventType.SCOPE_VIOLATION, EventType.MERGE_CONFLICT})
_WARNINGS = frozenset(
    {
        EventType.FIX_ATTEMPT_ERROR,
        EventType.MAIN_CHECKOUT_TOUCHED,
        EventType.PROCESSES_SWEPT,
        EventType.WORKSTREAM_WAITING,
        EventType.WORK_SAVED,
        EventType.RUN_INTERRUPTED,
        EventType.BUDGET_EXCEEDED,
        EventType.AIM_UNAVAILABLE,
        EventType.FLAKY_CHECK,
    }
)


class RunLog:
    """Appends events to a log file; several processes may share it.

    A log that cannot be written raises EnvironmentProblem: a run that cannot be followed in the
    morning is not worth its night.
    """

    def __init__(self, path: Path, mask: Callable[[str], str]) -> None:
        self._path = path
        self._mask = mask

    def event(self, event: Event) -> None:
        """Append one event."""
        line = self._mask(render(event)) + "\n"
        try:
            private_folder(self._path.parent)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, line.encode("utf-8", "replace"))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise EnvironmentProblem(
                f"cannot write {self._path}: {error.strerror}",
                hint="free disk space, then resume the run",
            ) from error


def render(event: Event) -> str:
    """Return an event as one line without its newline."""
    head = f"{event.timestamp} {_level(event)} run={event.run_id or '-'} ws={event.ws_id or '-'}"
    return " ".join((head, event.event_type, *_fields(event.payload))).rstrip()


def _level(event: Event) -> str:
    if event.event_type in _ERRORS:
        return "ERROR"
    return "WARNING" if event.event_type in _WARNINGS else "INFO"


def _fields(payload: Mapping[str, Any]) -> list[str]:
    return [f"{key}={_value(value)}" for key, value in payload.items() if value not in (None, "")]


def _value(value: Any) -> str:
    """Return a value without line breaks; text with spaces is quoted as in JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text if len(text) <= VALUE_LIMIT else text[:VALUE_LIMIT] + "..."
    plain = isinstance(value, str) and text.isprintable() and not set(text) & {" ", '"', "="}
    return text if plain or not isinstance(value, str) else json.dumps(text, ensure_ascii=False)
