"""Audit trails in tests: a clock one can turn, short ways to record, and to hurt what was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from penstock.audit.trail import FileTrail
from penstock.redact.redactor import Redactor

NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""
DAY = 86_400.0


class Clock:
    """Seconds since the epoch that move only when told."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass; a negative number turns it back."""
        self.now += seconds


class Scene:
    """A trail in a folder of its own, with its key and anchors beside it."""

    def __init__(self, base: Path, secrets: tuple[str, ...] = ()) -> None:
        self.base = base
        self.clock = Clock()
        self.folder = base / "AIM_audit"
        self.anchors = base / "state" / "audit_anchor.jsonl"
        self.key = base / "keys" / "audit_ed25519"
        self._redactor = Redactor(secrets)
        self.trail = self.open()

    def open(self) -> FileTrail:
        """Return the trail as another process would open it."""
        return FileTrail(
            self.folder,
            redactor=self._redactor,
            anchors=self.anchors,
            key=self.key,
            clock=self.clock,
        )

    def call(self, tool_id: str = "aider", **given: Any) -> str:
        """Record an invocation."""
        fields: dict[str, Any] = {
            "capability": "code_generation",
            "payload": {"prompt": "Add a function", "files": ["src/a.py"]},
            "success": True,
            "message": "done",
            "run_id": "run-1",
            "ws_id": "ws-a",
            **given,
        }
        return self.trail.invocation(tool_id=tool_id, **fields)

    def calls(self, number: int) -> list[str]:
        """Record invocations a second apart and return their hashes."""
        hashes = []
        for _ in range(number):
            hashes.append(self.call())
            self.clock.forward(1)
        return hashes

    def three_days(self) -> None:
        """Record three lines on each of three days, the last one anchored."""
        for _ in range(3):
            self.calls(3)
            self.clock.forward(DAY)
        self.clock.forward(-DAY)
        self.trail.anchor()

    def file(self, day: str = "2026-01-01") -> Path:
        """Return the file of a day's lines."""
        return self.folder / day / "audit.jsonl"

    def entries(self, day: str = "2026-01-01") -> list[dict[str, Any]]:
        """Read a day's lines."""
        return [json.loads(text) for text in self.file(day).read_bytes().splitlines()]

    def edit(self, change: Callable[[list[bytes]], None], day: str = "2026-01-01") -> None:
        """Change a day's lines as somebody who may write the file would."""
        lines = self.file(day).read_bytes().splitlines(keepends=True)
        change(lines)
        self.file(day).write_bytes(b"".join(lines))
