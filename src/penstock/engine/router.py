"""What the engine asks of AIM: which tool takes a capability, and what it must refuse."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from penstock.model.bundle import Bundle
from penstock.routing.api import RouteDecision, Try


class Router(Protocol):
    """Routes capabilities by the effective coordination rules and what is known of the tools."""

    def refusal(self, bundle: Bundle, tree: Path) -> str | None:
        """Return why a bundle's capability is refused before anything starts, None when it is not.

        Security limits over the payload's size, its files and their paths.
        """
        ...

    def route(self, bundle: Bundle, tries: Sequence[Try], *, prefer: str | None) -> RouteDecision:
        """Decide over the tries of a turn so far; `prefer` is tried first where it can be."""
        ...

    def admit(self, tool_id: str) -> str | None:
        """Let one call of a tool through its circuit breaker; return why not when it is open."""
        ...

    def settle(self, tool_id: str, attempt: Try) -> None:
        """Take a try's outcome into the tool's circuit breaker."""
        ...

    def max_concurrent(self) -> int:
        """Return how many turns the coordination rules let one tool have at a time."""
        ...

    def timeout_s(self, bundle: Bundle) -> float | None:
        """Return the wall limit (s) of a turn: payload, then rule, then default; None = the tool's."""
        ...
