"""The strategies: in which order the tools that fit are tried."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from penstock.model.capability import CapabilityRule, Strategy
from penstock.routing.api import RoutePolicy, ToolState

RATE_STEP = 0.05
"""Success rates are told apart in steps of this size; within one, load, time and cost decide."""


def in_order(
    named: Sequence[str],
    fit: Sequence[ToolState],
    rule: CapabilityRule,
    *,
    last_used: str | None,
    policy: RoutePolicy,
) -> tuple[str, ...]:
    """Return the ids of the tools that fit, in the order of the rule's strategy.

    `named` are all candidates: a rotation goes on after the last used one, whether it fits or not.
    """
    if rule.strategy is Strategy.AUTO:
        return tuple(s.tool_id for s in sorted(fit, key=lambda state: prospects(state, policy)))
    by_id = {state.tool_id: state for state in fit}
    if rule.strategy is Strategy.FIXED and not rule.load_balance:
        return tuple(by_id)
    turn = [tool for tool in rotated(named, last_used) if tool in by_id]
    if rule.load_balance:
        turn.sort(key=lambda tool: load(by_id[tool]))
    return tuple(turn)


def rotated(named: Sequence[str], last_used: str | None) -> tuple[str, ...]:
    """Return the candidates beginning with the one after `last_used`."""
    if last_used not in named:
        return tuple(named)
    start = named.index(last_used) + 1
    return (*named[start:], *named[:start])


def load(state: ToolState) -> float:
    """Return which share of a tool's slots is taken (1.0: all of them)."""
    return state.busy / max(state.max_parallel, 1) if state.busy else 0.0


def success_rate(state: ToolState, policy: RoutePolicy) -> float:
    """Return the success rate to expect, the prior counted in (a Beta prior's mean)."""
    seen = state.successes + state.failures
    return (state.successes + policy.prior_successes) / (seen + policy.prior_tries)


def prospects(state: ToolState, policy: RoutePolicy) -> tuple[bool, int, float, float, float]:
    """Return the sort key of `auto`, best first.

    A free slot, success rate, load, median time (s), cost per success (USD); what is unknown comes
    after what is known. The order of the rule breaks ties, for sorting keeps it.
    """
    taken = load(state)
    median, cost = state.median_s, state.cost_per_success
    return (
        taken >= 1.0,
        -int(success_rate(state, policy) / RATE_STEP + 0.5),
        taken,
        inf if median is None else median,
        inf if cost is None else cost,
    )
