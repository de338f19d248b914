"""What comes next in a checking step: another check, a FIX turn, the next step, or the end.

The decision is a function of the recorded history, so a run that is resumed after any kind of death
decides exactly as it would have.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from penstock.model.outcome import OutcomeKind
from penstock.model.settings import BreakerLimits

# The tool was kept from working, by no fault of the work: such a turn is not charged.
UNCHARGED = frozenset({OutcomeKind.RATE_LIMITED, OutcomeKind.OVERLOADED, OutcomeKind.CANCELED})
# Another turn with the same tool would end the same way.
PERMANENT = frozenset(
    {
        OutcomeKind.AUTH,
        OutcomeKind.QUOTA,
        OutcomeKind.NOT_INSTALLED,
        OutcomeKind.CONTEXT_OVERFLOW,
        OutcomeKind.REFUSED,
        OutcomeKind.DENIED,
        OutcomeKind.BUDGET,
    }
)


class CheckFact(msgspec.Struct, frozen=True, kw_only=True):
    """A finished check of the step: `tests` is how many tests ran, None when unknown.

    `problem` is set when the check could not do its work at all.
    """

    passed: bool
    diff_hash: str
    signature: str | None = None
    tests: int | None = None
    problem: str | None = None


class FixFact(msgspec.Struct, frozen=True, kw_only=True):
    """A finished FIX turn of the step: `diff_hash` is the state that it left behind."""

    outcome: OutcomeKind
    diff_hash: str
    changed: bool
    violation: bool = False
    message: str = ""


Fact = CheckFact | FixFact


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """What the workstream has used: USD (None = no turn could be priced) and seconds.

    `unpriced` counts the turns whose cost is not known.
    """

    cost_usd: float | None = None
    unpriced: int = 0
    wall_s: float = 0.0


class Next(StrEnum):
    """What is to be done."""

    CHECK = "check"
    FIX = "fix"
    PROCEED = "proceed"
    TRIP = "trip"
    FAIL = "fail"


class Breaker(StrEnum):
    """Which breaker tripped."""

    MAX_ATTEMPTS = "max_attempts"
    FIX_ATTEMPTS = "fix_attempts"
    SIGNATURE = "signature"
    OSCILLATION = "oscillation"
    NO_PROGRESS = "no_progress"
    TEST_COUNT = "test_count"
    WALL_CLOCK = "wall_clock"
    COST = "cost"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done and why; `breaker` and `advice` are set when one tripped."""

    next: Next
    reason: str
    breaker: Breaker | None = None
    advice: str = ""


def decide(
    step: str, history: tuple[Fact, ...], start_hash: str, limits: BreakerLimits, spend: Spend
) -> Decision:
    """Decide what follows `history` (oldest first) in `step`.

    `start_hash` is the state that the step began with.
    """
    if not history:
        return Decision(next=Next.CHECK, reason="not checked yet")
    last = history[-1]
    if isinstance(last, FixFact):
        return _after_fix(step, last, history, start_hash, limits, spend)
    if last.problem is not None:
        return Decision(next=Next.FAIL, reason=last.problem)
    if (fallen := _test_count(step, history)) is not None:
        return fallen
    if last.passed:
        return Decision(next=Next.PROCEED, reason=f"{step} checks passed")
    return _may_fix(step, history, limits, spend)


def _after_fix(
    step: str,
    last: FixFact,
    history: tuple[Fact, ...],
    start_hash: str,
    limits: BreakerLimits,
    spend: Spend,
) -> Decision:
    if last.violation:
        return Decision(next=Next.FAIL, reason=last.message or "the fix left its scope")
    if last.outcome in PERMANENT:
        return Decision(next=Next.FAIL, reason=last.message or f"fix: {last.outcome.value}")
    if last.outcome is OutcomeKind.NO_CHANGE:
        return _trip(
            Breaker.NO_PROGRESS,
            f"a fix turn for {step} changed nothing",
            "look at the findings and the prompt; try another tool with --tool",
        )
    if last.outcome is not OutcomeKind.EDITED:
        return _may_fix(step, history, limits, spend)
    if not last.changed:
        return _trip(
            Breaker.NO_PROGRESS,
            f"a fix turn for {step} left the diff as it was",
            "look at the findings and the prompt; try another tool with --tool",
        )
    if _oscillates(states(history, start_hash), limits):
        return _trip(
            Breaker.OSCILLATION,
            f"fix turns for {step} go back and forth between the same states",
            "two findings contradict each other: mend the rule or the task by hand",
        )
    return Decision(next=Next.CHECK, reason="a fix turn changed the tree")


def states(history: tuple[Fact, ...], start_hash: str) -> tuple[str, ...]:
    """Return the states of the diff: the first one, and one after each fix turn that worked."""
    after = [f.diff_hash for f in history if isinstance(f, FixFact) and _charged(f)]
    return (start_hash, *after)


def _charged(fact: FixFact) -> bool:
    return fact.outcome not in UNCHARGED


def _oscillates(hashes: tuple[str, ...], limits: BreakerLimits) -> bool:
    """A-B-A: within the window one state occurs `threshold` times with another between."""
    threshold = limits.oscillation_threshold
    if threshold == 0 or limits.oscillation_window == 0:
        return False
    window = hashes[-limits.oscillation_window :]
    runs = [h for i, h in enumerate(window) if i == 0 or window[i - 1] != h]
    return max(runs.count(h) for h in runs) >= max(threshold, 2)


def _test_count(step: str, history: tuple[Fact, ...]) -> Decision | None:
    counts = [f.tests for f in history if isinstance(f, CheckFact) and f.tests is not None]
    last = history[-1]
    if not isinstance(last, CheckFact) or last.tests is None or last.tests >= max(counts):
        return None
    return _trip(
        Breaker.TEST_COUNT,
        f"{last.tests} tests ran in {step}, {max(counts)} before the fix",
        "a fix turn took tests away: look at its diff with penstock diff",
    )


def _may_fix(step: str, history: tuple[Fact, ...], limits: BreakerLimits, spend: Spend) -> Decision:
    for rule in (_enabled, _wall_clock, _cost, _same_signature, _attempts, _fixes):
        if (tripped := rule(step, history, limits, spend)) is not None:
            return tripped
    done = sum(isinstance(f, FixFact) and _charged(f) for f in history)
    budget = limits.max_fix_attempts_per_step
    return Decision(next=Next.FIX, reason=f"fix turn {done + 1} of {budget} for {step}")


def _enabled(
    step: str, _history: tuple[Fact, ...], limits: BreakerLimits, _spend: Spend
) -> Decision | None:
    if limits.fix_enabled:
        return None
    return _trip(
        Breaker.FIX_ATTEMPTS,
        f"fix turns are switched off for {step}",
        f"add {step} to enable_fix_for_steps in config/circuit_breakers.yaml",
    )


def _wall_clock(
    _step: str, _history: tuple[Fact, ...], limits: BreakerLimits, spend: Spend
) -> Decision | None:
    if not limits.max_wall_clock_s or spend.wall_s < limits.max_wall_clock_s:
        return None
    return _trip(
        Breaker.WALL_CLOCK,
        f"{spend.wall_s:.0f} s used of {limits.max_wall_clock_s:.0f} s",
        "raise max_wall_clock_s in config/circuit_breakers.yaml, or split the workstream",
    )


def _cost(
    _step: str, _history: tuple[Fact, ...], limits: BreakerLimits, spend: Spend
) -> Decision | None:
    return cost_tripped(limits, spend)


def cost_tripped(limits: BreakerLimits, spend: Spend) -> Decision | None:
    """Return the decision to stop when the cost budget is used up, or cannot be watched."""
    cap = limits.max_cost_usd
    if cap is None:
        return None
    if spend.unpriced:
        return _trip(
            Breaker.COST,
            f"{spend.unpriced} turns have no known cost, so the cap of {cap:.2f} USD cannot hold",
            "add the model to prices in config/pipeline.yaml, or take the cap away",
        )
    if (spend.cost_usd or 0.0) < cap:
        return None
    return _trip(
        Breaker.COST,
        f"{spend.cost_usd or 0.0:.4f} USD used of {cap:.2f} USD",
        "raise max_cost_usd in the bundle or limits.max_cost_usd in config/pipeline.yaml",
    )


def _same_signature(
    step: str, history: tuple[Fact, ...], limits: BreakerLimits, _spend: Spend
) -> Decision | None:
    limit = limits.max_attempts_per_error_signature
    seen = [f.signature for f in history if isinstance(f, CheckFact) and not f.passed]
    if not limit or not seen or seen[-1] is None or seen.count(seen[-1]) < limit:
        return None
    return _trip(
        Breaker.SIGNATURE,
        f"the same {step} error was seen {seen.count(seen[-1])} times",
        "the tool does not get past this error: mend it by hand or make the task clearer",
    )


def _attempts(
    step: str, history: tuple[Fact, ...], limits: BreakerLimits, _spend: Spend
) -> Decision | None:
    checks = sum(isinstance(f, CheckFact) for f in history)
    if checks < limits.max_attempts_per_step:
        return None
    return _trip(
        Breaker.MAX_ATTEMPTS,
        f"{step} failed {checks} times (limit {limits.max_attempts_per_step})",
        "raise circuit_breaker.max_attempts in the bundle, or mend it by hand",
    )


def _fixes(
    step: str, history: tuple[Fact, ...], limits: BreakerLimits, _spend: Spend
) -> Decision | None:
    fixes = sum(isinstance(f, FixFact) and _charged(f) for f in history)
    if fixes < limits.max_fix_attempts_per_step:
        return None
    return _trip(
        Breaker.FIX_ATTEMPTS,
        f"{fixes} fix turns did not mend {step} (limit {limits.max_fix_attempts_per_step})",
        "raise max_fix_attempts_per_step in config/circuit_breakers.yaml, or mend it by hand",
    )


def _trip(breaker: Breaker, reason: str, advice: str) -> Decision:
    return Decision(next=Next.TRIP, reason=reason, breaker=breaker, advice=advice)
