"""From the journal's attempts to the facts that decisions are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock.breakers.decide import CheckFact, Fact, FixFact, Spend
from penstock.model.outcome import Outcome, OutcomeKind
from penstock.model.records import Attempt, Cost
from penstock.model.states import AttemptState
from penstock.model.times import seconds

TURNS = frozenset({"edit", "fix"})
CHECKS = frozenset({"static", "runtime", "integrate"})
FINISHED = frozenset({AttemptState.SUCCEEDED, AttemptState.FAILED})


def outcome_of(attempt: Attempt) -> Outcome:
    """Return the typed outcome that a finished turn was judged to."""
    result = attempt.result
    return Outcome(
        kind=_kind(attempt),
        message=str(result.get("message") or ""),
        evidence=str(result.get("evidence") or ""),
        reset_at=result.get("reset_at"),
        partial=bool(result.get("partial")),
    )


def _kind(attempt: Attempt) -> OutcomeKind:
    """Return what a turn was judged to be; one that a script recorded may say no more than its
    status."""
    if "outcome" in attempt.result:
        return OutcomeKind(attempt.result["outcome"])
    went_well = attempt.status is AttemptState.SUCCEEDED
    return OutcomeKind.EDITED if went_well else OutcomeKind.CRASHED


def next_number(attempts: Iterable[Attempt], step_name: str) -> int:
    """Return the number of the next attempt of a step, counted from 1."""
    return max((a.attempt for a in attempts if a.step_name == step_name), default=0) + 1


def turns_taken(attempts: Iterable[Attempt]) -> int:
    """Return how many EDIT and FIX turns came to an end; lost and canceled ones are repeated."""
    return sum(a.step_name in TURNS and a.status in FINISHED for a in attempts)


def step_history(attempts: Iterable[Attempt], step: str) -> tuple[Fact, ...]:
    """Return the facts of a checking step, oldest first."""
    facts: list[Fact] = []
    for attempt in attempts:
        if attempt.status not in FINISHED:
            continue
        if attempt.step_name == step:
            facts.append(_check_fact(attempt, step))
        elif attempt.step_name == "fix" and attempt.for_step == step:
            facts.append(_fix_fact(attempt))
    return tuple(facts)


def _check_fact(attempt: Attempt, step: str) -> CheckFact:
    # how many tests a merge brings together says nothing about this workstream
    counts = step != "integrate"
    return CheckFact(
        passed=attempt.status is AttemptState.SUCCEEDED,
        diff_hash=attempt.diff_hash or "",
        signature=attempt.error_signature,
        tests=attempt.result.get("tests") if counts else None,
        problem=attempt.result.get("problem"),
    )


def _fix_fact(attempt: Attempt) -> FixFact:
    return FixFact(
        outcome=_kind(attempt),
        diff_hash=attempt.diff_hash or "",
        changed=bool(attempt.result.get("diff_changed")),
        violation=bool(attempt.result.get("violation")),
        message=str(attempt.result.get("error") or ""),
    )


def latest_hash(attempts: Iterable[Attempt], before_step: str | None = None) -> str:
    """Return the diff hash that the last turn left, or of the last one before a step began."""
    last = ""
    for attempt in attempts:
        if before_step is not None and before_step in (attempt.step_name, attempt.for_step):
            break
        if attempt.step_name in TURNS and attempt.status in FINISHED and attempt.diff_hash:
            last = attempt.diff_hash
    return last


def turn_attempts(attempts: Iterable[Attempt], *, for_step: str | None) -> list[Attempt]:
    """Return the finished attempts of the latest turn, oldest first.

    For an edit these are all edit attempts; for a fix those since the last check of its step.
    """
    tries: list[Attempt] = []
    for attempt in attempts:
        if attempt.status not in FINISHED:
            continue
        if attempt.step_name in CHECKS:
            tries.clear()
        elif attempt.step_name == ("fix" if for_step else "edit"):
            tries.append(attempt)
    return tries


def edit_tries(attempts: Iterable[Attempt], *, for_step: str | None) -> tuple[Outcome, ...]:
    """Return the outcomes of the latest turn's tries, oldest first."""
    return tuple(outcome_of(attempt) for attempt in turn_attempts(attempts, for_step=for_step))


def settled(costs: Iterable[Cost], attempts: Iterable[Attempt]) -> list[Cost]:
    """Return costs without those that are unknown because their turn was lost or canceled.

    No price that the user could give would make them known.
    """
    cut_short = {a.id for a in attempts if a.status not in FINISHED}
    return [
        c
        for c in costs
        if c.step_attempt_id not in cut_short
        or c.actual_cost_usd is not None
        or c.estimated_cost_usd is not None
    ]


def spend(attempts: Iterable[Attempt], costs: Iterable[Cost]) -> Spend:
    """Return what a workstream has used so far; time between attempts is not charged."""
    amounts = [
        c.actual_cost_usd if c.actual_cost_usd is not None else c.estimated_cost_usd for c in costs
    ]
    known = [amount for amount in amounts if amount is not None]
    return Spend(
        cost_usd=sum(known) if known else None,
        unpriced=len(amounts) - len(known),
        wall_s=worked_time(attempts),
    )


def worked_time(attempts: Iterable[Attempt]) -> float:
    """Return the seconds that finished attempts took in all, none less than nothing: a clock may
    go back."""
    return sum(
        max(0.0, seconds(a.completed_at) - seconds(a.started_at))
        for a in attempts
        if a.started_at and a.completed_at
    )


def last_check(attempts: Iterable[Attempt], step: str) -> dict[str, Any]:
    """Return the result of the last finished check of a step, or an empty one."""
    return checks_around_fix(attempts, step)[1]


def checks_around_fix(
    attempts: Iterable[Attempt], step: str
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return the result of the check that the last FIX turn with a check after it was about, None
    without such a turn, and that of the last finished check, or an empty one.

    They need not follow each other: the queue checks a stack before it checks its members alone.
    """
    before: dict[str, Any] | None = None
    mended: dict[str, Any] | None = None
    last: dict[str, Any] = {}
    for attempt in attempts:
        if attempt.status not in FINISHED:
            continue
        if attempt.step_name == step:
            before, mended = (before if mended is None else mended), None
            last = attempt.result
        elif attempt.step_name == "fix" and attempt.for_step == step:
            mended = last
    return before, last
