"""What the threads of one run tell each other: a pause, and which turns are under way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Signals:
    """Shared by the coordinator and its workers. Thread-safe."""

    def __init__(self) -> None:
        self._pause: str | None = None
        self._turns: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        self.telling = threading.Lock()
        """Held by who records what is to be recorded once."""

    @property
    def pause(self) -> str | None:
        """Why no further step may begin, None when it may."""
        return self._pause

    def ask_pause(self, reason: str) -> None:
        """Let nothing begin any more; what is under way comes to the end of its step."""
        self._pause = self._pause or reason

    def turns(self) -> list[dict[str, str]]:
        """Return the turns under way: ws_id, step and tool of each."""
        with self._lock:
            return [self._turns[ws_id] for ws_id in sorted(self._turns)]

    @contextmanager
    def turn(self, ws_id: str, step: str, tool: str) -> Iterator[None]:
        """Count a turn as under way while the block runs."""
        with self._lock:
            self._turns[ws_id] = {"ws_id": ws_id, "step": step, "tool": tool}
        try:
            yield
        finally:
            with self._lock:
                del self._turns[ws_id]
