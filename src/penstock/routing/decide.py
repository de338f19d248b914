"""Which tool takes a turn, and what its outcome calls for. Pure: the moment and the jitter are given.

The order of a rule is narrowed by what is known of each tool (installed, cooling down, tried in this
turn already) and then put into the order of the strategy. Every tool that is passed over is told with
its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from penstock.model.capability import MUST_CHANGE, CapabilityRule, Strategy
from penstock.model.outcome import OutcomeKind
from penstock.routing.api import (
    Action,
    FailedTry,
    Rejected,
    RouteDecision,
    RoutePolicy,
    ToolState,
    Try,
)
from penstock.routing.order import in_order

K = OutcomeKind
RETRIED = frozenset({K.OVERLOADED, K.CRASHED, K.BAD_OUTPUT})
"""Outcomes after which the same tool may succeed at once."""
STOPPING = frozenset({K.DENIED, K.REFUSED, K.CONTEXT_OVERFLOW, K.BUDGET, K.CANCELED})
"""Outcomes that another tool would meet as well, or that are the user's own word."""
_LIMIT = K.RATE_LIMITED.value
DEFAULT_POLICY = RoutePolicy()
ADVICE: Mapping[OutcomeKind, str] = {
    K.NOT_INSTALLED: "install it, or take it out of the coordination rules",
    K.AUTH: "sign in to it, or set its key",
    K.QUOTA: "raise its quota, or wait until it is renewed",
    K.RATE_LIMITED: "wait until the limit ends",
    K.OVERLOADED: "try again later",
    K.CRASHED: "read its log",
    K.BAD_OUTPUT: "check its version with `aim tools contract`",
    K.TIMEOUT: "raise timeout_ms, or make the task smaller",
    K.IDLE: "see in its log what it waited for",
    K.NO_CHANGE: "say more precisely what is to change",
    K.DENIED: "allow it what it was denied",
    K.CONTEXT_OVERFLOW: "name fewer files, or make the task smaller",
    K.BUDGET: "raise max_cost_usd",
}
"""What the user can do about an outcome."""


def candidates(
    capability: str, rule: CapabilityRule, override: str | None = None
) -> tuple[str, ...]:
    """Return the tools of a capability in the order of its rule, each once.

    `override`, the wish of one workstream, comes first; the rule's tools stay its fallbacks.
    Raises ValueError when the rule of the capability names no tool.
    """
    first = (override,) if override else ()
    named = tuple(tool for tool in dict.fromkeys((*first, *rule.tools)) if tool)
    if not named:
        raise ValueError(f"the rule of capability {capability} names no tool")
    return named


def action_for(attempt: Try, *, failures_in_row: int, max_retries: int, capability: str) -> Action:
    """Return what the outcome of a try calls for.

    `failures_in_row` counts the tries of this tool, this one included, that ended in a row with
    an outcome of RETRIED; up to `max_retries` of them are repeated.
    """
    kind = attempt.kind
    if attempt.violation:
        return Action.NEXT
    if kind in STOPPING:
        return Action.STOP
    if kind is K.EDITED or (kind is K.NO_CHANGE and capability not in MUST_CHANGE):
        return Action.DONE
    if kind in RETRIED and failures_in_row <= max_retries:
        return Action.RETRY
    return Action.NEXT


def backoff(policy: RoutePolicy, failures: int, jitter: float) -> float:
    """Return the delay (s) after a number of failures: min(base * 2^n, max) * jitter."""
    return float(min(policy.base_s * 2 ** min(max(failures - 1, 0), 32), policy.max_s) * jitter)


def failures_in_row(tries: Sequence[Try]) -> int:
    """Return how many tries at the end are of one tool and ended with an outcome of RETRIED."""
    count = 0
    for attempt in reversed(tries):
        if attempt.tool_id != tries[-1].tool_id or attempt.kind not in RETRIED:
            break
        count += 1
    return count


def last_action(tries: Sequence[Try], *, max_retries: int, capability: str) -> Action:
    """Return what the tries of a turn so far call for; NEXT when there is none."""
    if not tries:
        return Action.NEXT
    return action_for(
        tries[-1],
        failures_in_row=failures_in_row(tries),
        max_retries=max_retries,
        capability=capability,
    )


def route(
    capability: str,
    rule: CapabilityRule,
    states: Mapping[str, ToolState],
    tries: Sequence[Try] = (),
    *,
    now: float,
    jitter: float,
    max_retries: int,
    payload_missing: Sequence[str] = (),
    last_used: str | None = None,
    override: str | None = None,
    policy: RoutePolicy = DEFAULT_POLICY,
) -> RouteDecision:
    """Decide which tool takes the turn, until when to wait, or that none is left.

    `now` is seconds since the epoch, `jitter` is drawn by the caller from 0.5..1.5. `tries` are
    those of this turn, oldest first; `payload_missing` names required payload fields that lack;
    `last_used` is the tool that this capability was last given to.
    """
    strategy = strategy_of(rule)
    if payload_missing:
        reason = f"the payload lacks what {capability} requires: {', '.join(payload_missing)}"
        return _nobody(capability, strategy, reason)
    action = last_action(tries, max_retries=max_retries, capability=capability)
    if action in (Action.DONE, Action.STOP):
        word = "has done it" if action is Action.DONE else f"ended with {tries[-1].kind.value}"
        return _nobody(
            capability, strategy, f"{tries[-1].tool_id} {word}: no tool is tried after it"
        )
    named = candidates(capability, rule, override)
    again = tries[-1].tool_id if action is Action.RETRY else None
    standing = _Standing(capability, states, tries, now=now, again=again, policy=policy)
    for tool_id in named:
        standing.judge(tool_id)
    ordered = in_order(named, standing.fit, rule, last_used=last_used, policy=policy)
    order = _override_first(ordered, override)
    return _decide(standing, order, strategy, jitter=jitter)


def strategy_of(rule: CapabilityRule) -> Strategy:
    """Return the strategy of a rule; `load_balance` makes a fixed order a rotation."""
    if rule.load_balance and rule.strategy is Strategy.FIXED:
        return Strategy.ROUND_ROBIN
    return rule.strategy


class _Standing:
    """The candidates of one decision, sorted into those that fit and those that do not."""

    def __init__(
        self,
        capability: str,
        states: Mapping[str, ToolState],
        tries: Sequence[Try],
        *,
        now: float,
        again: str | None,
        policy: RoutePolicy,
    ) -> None:
        self.capability, self.states, self.tries = capability, states, tries
        self.now, self.again, self.policy = now, again, policy
        self.tried = {attempt.tool_id: attempt for attempt in tries}
        self.fit: list[ToolState] = []
        self.rejected: list[Rejected] = []
        self.waits: list[tuple[float, str]] = []
        self.limited: list[str] = []

    def judge(self, tool_id: str) -> None:
        """Put one candidate where it belongs."""
        state = self.states.get(tool_id)
        if state is None:
            self.rejected.append(Rejected(tool_id=tool_id, reason="not in the registry"))
            return
        last = self.tried.get(tool_id)
        reason = self._never(state, last)
        if reason is None and (last is not None or state.cooling_until is not None):
            reason = self._not_now(state, last)
        if reason is None:
            self.fit.append(state)
        else:
            self.rejected.append(Rejected(tool_id=tool_id, reason=reason))

    def _never(self, state: ToolState, last: Try | None) -> str | None:
        """Return why waiting would not help, or None."""
        if state.unavailable is not None:
            return state.unavailable or "unavailable"
        if state.capabilities and self.capability not in state.capabilities:
            return f"its registry entry does not list {self.capability}"
        if last is None or last.tool_id == self.again:
            return None
        if last.violation:
            return "tried: edited outside the scope"
        if last.kind is not K.RATE_LIMITED:
            return f"tried: {last.kind.value}"
        return self._spent(last.tool_id)

    def _spent(self, tool_id: str) -> str | None:
        """Say that a rate-limited tool has used up its tries of this turn, or None."""
        mine = [t for t in self.tries if t.tool_id == tool_id and t.kind is K.RATE_LIMITED]
        unstated = sum(t.reset_at is None for t in mine)
        if unstated < self.policy.tries and len(mine) < self.policy.stated_tries:
            return None
        return f"tried: rate limited {len(mine)} times"

    def _not_now(self, state: ToolState, last: Try | None) -> str | None:
        """Return why it does not fit at this moment, noting when it will; None when it does."""
        limited = last is not None and last.kind is K.RATE_LIMITED
        until = _latest(state.cooling_until, last.reset_at if limited and last else None)
        if until is None:
            if limited:
                self.limited.append(state.tool_id)
            return "rate limited, it did not say until when" if limited else None
        if until <= self.now:
            return None
        because = _LIMIT if limited else state.cooling_reason or "failures"
        if because == _LIMIT:
            self.waits.append((until, state.tool_id))
        return f"cooling down for another {round(until - self.now)} s ({because})"


def _latest(cooling_until: float | None, reset_at: float | None) -> float | None:
    """Return the later of the moments that are one, or None."""
    if reset_at is None:
        return cooling_until if cooling_until is not None and isfinite(cooling_until) else None
    known = [t for t in (cooling_until, reset_at) if t is not None and isfinite(t)]
    return max(known, default=None)


def _override_first(order: tuple[str, ...], override: str | None) -> tuple[str, ...]:
    if override not in order:
        return order
    return (override, *(tool for tool in order if tool != override))


def _decide(
    standing: _Standing, order: tuple[str, ...], strategy: Strategy, *, jitter: float
) -> RouteDecision:
    capability, policy, delay = standing.capability, standing.policy, 0.0
    rejected, until, chosen = tuple(standing.rejected), None, None
    if standing.again in order:
        chosen, delay = standing.again, backoff(policy, failures_in_row(standing.tries), jitter)
        order = _override_first(order, chosen)
        reason = f"{chosen} once more after {standing.tried[chosen].kind.value}"
    elif order:
        chosen, reason = order[0], _why(order[0], standing, strategy)
    elif standing.waits:
        until, tool = min(standing.waits)
        reason = f"every tool left is rate limited; {tool} is the first to be free again"
    elif standing.limited:
        chosen = standing.limited[0]
        count = sum(t.tool_id == chosen and t.kind is K.RATE_LIMITED for t in standing.tries)
        delay, order = backoff(policy, count, jitter), tuple(standing.limited)
        rejected = tuple(r for r in rejected if r.tool_id not in order)
        reason = f"no other tool is left, so {chosen} once more after its rate limit"
    else:
        reason = f"no tool is left for {capability}"
    return RouteDecision(
        capability=capability,
        tool_id=chosen,
        reason=reason,
        strategy=strategy,
        order=order,
        rejected=rejected,
        wait_until=until,
        delay_s=delay,
    )


def _why(chosen: str, standing: _Standing, strategy: Strategy) -> str:
    """Say in one line why a tool comes first."""
    if strategy is Strategy.FIXED:
        passed = f", after {len(standing.rejected)} passed over" if standing.rejected else ""
        return f"{chosen} is the first of its rule that fits{passed}"
    if strategy is Strategy.ROUND_ROBIN:
        return f"it is {chosen}'s turn"
    state = standing.states[chosen]
    seen = state.successes + state.failures
    record = f"{state.successes:.1f} of {seen:.1f} turns succeeded" if seen else "no record yet"
    return f"{chosen} has the best prospects ({record})"


def _nobody(capability: str, strategy: Strategy, reason: str) -> RouteDecision:
    return RouteDecision(capability=capability, tool_id=None, reason=reason, strategy=strategy)


def explain(decision: RouteDecision) -> list[str]:
    """Return a decision as lines for people: the choice, what follows it, what was passed over."""
    return list(_lines(decision))


def _lines(decision: RouteDecision) -> Iterator[str]:
    yield f"{decision.capability}: {decision.tool_id or 'no tool'} ({decision.strategy.value})"
    yield f"  because {decision.reason}"
    if decision.delay_s > 0:
        yield f"  after {decision.delay_s:.1f} s"
    for place, tool in enumerate(decision.order, 1):
        yield f"  {place}. {tool}"
    for passed in decision.rejected:
        yield f"  -  {passed.tool_id}: {passed.reason}"


def message_for_all_failed(capability: str, failures: Sequence[FailedTry]) -> str:
    """Return the documented message over all tries: `All tools failed for capability C: ...`.

    Each try is told with its cause, and with what to do when its kind is known.
    """
    head = f"All tools failed for capability {capability}"
    told = "; ".join(_failure(failure) for failure in failures)
    return f"{head}: {told}" if told else f"{head}: no tool could be tried"


def _failure(failure: FailedTry) -> str:
    kind = failure.kind
    cause = failure.message.strip() or (kind.value if kind is not None else "failed")
    hint = ADVICE.get(kind) if kind is not None else None
    return f"{failure.tool_id}: {cause}" + (f" ({hint})" if hint else "")
