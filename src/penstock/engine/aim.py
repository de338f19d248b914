"""AIM as the engine's router: rules and registry, the tools' circuit breakers and their records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.breakers.circuit import DEFAULT_CIRCUIT, cooling_until
from penstock.errors import CircuitBreakerOpen, NotFoundError
from penstock.model.bundle import Bundle
from penstock.model.capability import CapabilityRule, Strategy
from penstock.registry.api import AimSettings, Registry
from penstock.routing.api import RouteDecision, ToolState, Try
from penstock.routing.decide import route, strategy_of
from penstock.store.api import Journal
from penstock.tools.api import Toolbox

HALF_LIFE_S = 14 * 86_400.0
"""After how long (s) a tool's turn counts half in its record."""

PayloadCheck = Callable[[Path, Mapping[str, Any]], str | None]


class AimRouter:
    """Routes by the effective coordination rules. Reads the journal anew for each decision."""

    def __init__(
        self,
        registry: Registry,
        settings: AimSettings,
        journal: Journal,
        toolbox: Toolbox,
        *,
        check_payload: PayloadCheck,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._settings = settings
        self._journal = journal
        self._toolbox = toolbox
        self._check_payload = check_payload
        self._clock = clock
        self._jitter = jitter

    def refusal(self, bundle: Bundle, tree: Path) -> str | None:
        """Return why a bundle's capability is refused before anything starts, None when it is not."""
        return self._check_payload(tree, payload_of(bundle))

    def route(self, bundle: Bundle, tries: Sequence[Try], *, prefer: str | None) -> RouteDecision:
        """Decide over the tries of a turn so far; `prefer` is tried first where it can be."""
        capability = bundle.capability or ""
        rule = self._registry.rule(capability)
        override = prefer if prefer in rule.tools else None
        now = self._clock()
        decision = route(
            capability,
            rule,
            self.tool_states(rule, now),
            tries,
            now=now,
            jitter=self._jitter(),
            max_retries=self.max_retries(bundle, rule),
            payload_missing=missing(rule, payload_of(bundle)),
            last_used=self._journal.last_routed(capability),
            override=override,
        )
        if decision.tool_id is not None and strategy_of(rule) is Strategy.ROUND_ROBIN and not tries:
            self._journal.set_last_routed(capability, decision.tool_id)
        return decision

    def tool_states(self, rule: CapabilityRule, now: float) -> dict[str, ToolState]:
        """Return what is known of each tool of a rule at the moment `now` (s since the epoch)."""
        breakers = {b.tool_id: b for b in self._journal.list_tool_breakers()}
        records = self._journal.tool_statistics(now, HALF_LIFE_S)
        states = {}
        for tool_id in rule.tools:
            breaker, record = breakers.get(tool_id), records.get(tool_id)
            states[tool_id] = ToolState(
                tool_id=tool_id,
                unavailable=self._unavailable(tool_id),
                cooling_until=cooling_until(breaker, DEFAULT_CIRCUIT, now) if breaker else None,
                cooling_reason=breaker.reason or "" if breaker else "",
                successes=record.successes if record else 0.0,
                failures=record.failures if record else 0.0,
                median_s=record.median_s if record else None,
                cost_per_success=record.cost_per_success if record else None,
            )
        return states

    def _unavailable(self, tool_id: str) -> str | None:
        try:
            return self._toolbox.get(tool_id).available()
        except NotFoundError as error:
            return str(error)

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

    def max_retries(self, bundle: Bundle, rule: CapabilityRule) -> int:
        """Return how often a tool is tried again: payload, then rule, then one."""
        given = (bundle.capability_payload or {}).get("max_retries")
        if given is not None:
            return int(given)
        return 1 if rule.max_retries is None else rule.max_retries

    def timeout_s(self, bundle: Bundle) -> float | None:
        """Return the wall limit (s) of a turn: payload, then rule, then the configured default."""
        given = (bundle.capability_payload or {}).get("timeout_ms")
        rule = self._registry.rule(bundle.capability or "")
        chosen = given or rule.timeout_ms or self._settings.switches.default_timeout_ms
        return float(chosen) / 1000


def payload_of(bundle: Bundle) -> dict[str, Any]:
    """Return the payload of an EDIT: files and joined tasks, the bundle's own payload on top."""
    return {
        "files": list(bundle.files_scope),
        "prompt": "\n".join(bundle.tasks),
        **(bundle.capability_payload or {}),
    }


def missing(rule: CapabilityRule, payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the payload fields that the rule requires and that are missing or empty."""
    wanted = (
        name for name, need in rule.context_requirements.items() if need in (True, "required")
    )
    return tuple(name for name in wanted if not payload.get(name))
