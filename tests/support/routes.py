"""Rules, tools and tries to route with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock.model.capability import CapabilityRule, Strategy
from penstock.model.outcome import OutcomeKind
from penstock.routing.api import RouteDecision, ToolState, Try
from penstock.routing.decide import route

NOW = 1_000.0
CODE = "code_generation"


def rule(
    *tools: str, strategy: Strategy = Strategy.FIXED, load_balance: bool = False
) -> CapabilityRule:
    """A rule over tools (by default a, b, c)."""
    first, *rest = tools or ("a", "b", "c")
    return CapabilityRule(
        primary=first, fallback=tuple(rest), strategy=strategy, load_balance=load_balance
    )


def tool(tool_id: str, **known: Any) -> ToolState:
    """A tool of which only some is known."""
    return ToolState(tool_id=tool_id, **known)


def states(*tools: ToolState) -> dict[str, ToolState]:
    """Tools by id; a, b and c are healthy unless given."""
    return {name: tool(name) for name in "abc"} | {given.tool_id: given for given in tools}


def tried(*outcomes: tuple[str, OutcomeKind]) -> tuple[Try, ...]:
    """Tries of a turn, oldest first."""
    return tuple(Try(tool_id=name, kind=kind) for name, kind in outcomes)


def decide(*tools: ToolState, tries: Sequence[Try] = (), **given: Any) -> RouteDecision:
    """Route code_generation over a, b, c at NOW with a jitter of 1 and one retry."""
    given = {"now": NOW, "jitter": 1.0, "max_retries": 1} | given
    capability = given.pop("capability", CODE)
    used = given.pop("rule", rule())
    return route(capability, used, states(*tools), tries, **given)


def reasons(decision: RouteDecision) -> dict[str, str]:
    """Why each tool was passed over."""
    return {passed.tool_id: passed.reason for passed in decision.rejected}
