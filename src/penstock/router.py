"""AIM as the engine's router: what is known of the tools now, the rules, and the circuit breakers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.errors import CircuitBreakerOpen
from penstock.model.bundle import Bundle
from penstock.model.capability import Strategy
from penstock.registry.api import AimSettings
from penstock.routing.api import RouteDecision, Try
from penstock.routing.decide import strategy_of
from penstock.store.api import Journal
from penstock.toolside import ToolSide

PayloadCheck = Callable[[Path, Mapping[str, Any]], str | None]


class AimRouter:
    """Routes by the effective coordination rules; looks at tools and journal anew each time."""

    def __init__(
        self,
        look: Callable[[], ToolSide],
        settings: AimSettings,
        journal: Journal,
        *,
        check_payload: PayloadCheck,
        jitter: Callable[[], float],
    ) -> None:
        self._look = look
        self._settings = settings
        self._journal = journal
        self._check_payload = check_payload
        self._jitter = jitter

    def refusal(self, bundle: Bundle, tree: Path) -> str | None:
        """Return why a bundle's capability is refused before anything starts, None when it is not."""
        return self._check_payload(tree, payload_of(bundle))

    def route(self, bundle: Bundle, tries: Sequence[Try], *, prefer: str | None) -> RouteDecision:
        """Decide over the tries of a turn so far.

        The workstream's own wish, `tool` of its payload, comes first; else `prefer`, where the rule
        names it.
        """
        side, capability = self._look(), bundle.capability or ""
        rule = side.registry.rule(capability)
        decision = side.decide(
            capability,
            payload_of(bundle),
            tries,
            override=_wish(bundle) or (prefer if prefer in rule.tools else None),
            jitter=self._jitter(),
        )
        if decision.tool_id is not None and strategy_of(rule) is Strategy.ROUND_ROBIN and not tries:
            self._journal.set_last_routed(capability, decision.tool_id)
        return decision

    def admit(self, tool_id: str) -> str | None:
        """Let one call of a tool through its circuit breaker; return why not when it is open."""
        try:
            self._journal.admit_tool_call(tool_id)
        except CircuitBreakerOpen as error:
            return str(error)
        return None

    def settle(self, tool_id: str, attempt: Try) -> None:
        """Take a try's outcome into the tool's circuit breaker."""
        self._journal.record_tool_result(tool_id, attempt.kind, attempt.reset_at)

    def max_concurrent(self) -> int:
        """Return how many turns the coordination rules let one tool have at a time."""
        return self._look().registry.rules.max_concurrent

    def timeout_s(self, bundle: Bundle) -> float | None:
        """Return the wall limit (s) of a turn: payload, then rule, then the configured default."""
        given = (bundle.capability_payload or {}).get("timeout_ms")
        rule = self._look().registry.rule(bundle.capability or "")
        chosen = given or rule.timeout_ms or self._settings.switches.default_timeout_ms
        return float(chosen) / 1000


def _wish(bundle: Bundle) -> str | None:
    """Return the tool that a workstream wants first for its capability."""
    wish = (bundle.capability_payload or {}).get("tool")
    return wish if isinstance(wish, str) and wish else None


def payload_of(bundle: Bundle) -> dict[str, Any]:
    """Return the payload of an EDIT: files and joined tasks, the bundle's own payload on top."""
    return {
        "files": list(bundle.files_scope),
        "prompt": "\n".join(bundle.tasks),
        **(bundle.capability_payload or {}),
    }
