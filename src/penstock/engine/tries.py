"""A turn with all its tries: again after a rate limit, or with the next tool of its capability.

What comes after a try is decided from the journal, so a wait or a fallback that was cut short goes
on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from penstock.breakers.decide import cost_tripped
from penstock.breakers.retry import TRANSIENT, RetryDecision, RetryPolicy, retry_turn
from penstock.engine.budget import context_problem_of, spend_of
from penstock.engine.facts import edit_tries, turn_attempts
from penstock.engine.job import Job
from penstock.engine.ladder import on_rung
from penstock.engine.router import Router
from penstock.engine.turn import Turn, run_turn
from penstock.engine.waiting import wait_until
from penstock.errors import BudgetExceeded
from penstock.model.events import EventType
from penstock.model.outcome import OutcomeKind
from penstock.model.records import Attempt
from penstock.routing.api import FailedTry, RouteDecision, Try
from penstock.routing.decide import STOPPING, message_for_all_failed
from penstock.worktrees.api import Worktree


class TurnEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a turn ended: `error` None when it was kept; `fatal` when no other may follow."""

    error: str | None = None
    fatal: bool = False


def take_turn(
    job: Job,
    tree: Worktree,
    *,
    step: str,
    for_step: str | None,
    prompt: str,
    before: str | None = None,
) -> TurnEnd:
    """Run a turn until it is kept or nothing is left to try.

    `before` is the hash of the diff that it begins with, where that is not what the last turn left.
    """
    turn = Turn(step=step, for_step=for_step, prompt=prompt, before=before)
    if for_step is not None:
        job = on_rung(job, for_step)
    router = job.services.router
    if job.bundle.capability is None or router is None or job.forced_tool:
        return _direct(job, tree, turn)
    return _routed(job, router, tree, turn)


def _direct(job: Job, tree: Worktree, turn: Turn) -> TurnEnd:
    """Run a turn with one tool, again after a rate limit or an overload."""
    for_step = turn.for_step
    while True:
        if (again := _retry(job, for_step)) is not None:
            if again.at is None:
                return TurnEnd(error=again.reason, fatal=True)
            wait_until(job, again.at, again.reason)
        if (over := _over_budget(job, turn)) is not None:
            return over
        attempt = _taken(job, tree, turn)
        if isinstance(attempt, TurnEnd):
            return attempt
        error = attempt.result.get("error")
        if error is None:
            return TurnEnd()
        if (after := _retry(job, for_step)) is None:
            return TurnEnd(error=str(error))
        if after.at is None:
            return TurnEnd(error=f"{error} ({after.reason})", fatal=True)


def _taken(job: Job, tree: Worktree, turn: Turn) -> Attempt | TurnEnd:
    """Run a turn; return its end instead when the workstream's own budget has no room for it."""
    try:
        return run_turn(job, tree, turn)
    except BudgetExceeded as over:
        return TurnEnd(error=str(over), fatal=True)


def _retry(job: Job, for_step: str | None) -> RetryDecision | None:
    """Return when a turn that was kept from working is tried again; None when the last was not."""
    tries = edit_tries(job.history(), for_step=for_step)
    if not tries or tries[-1].kind not in TRANSIENT:
        return None
    services = job.services
    return retry_turn(tries, RetryPolicy(), now=services.clock(), jitter=services.jitter())


def _over_budget(job: Job, turn: Turn) -> TurnEnd | None:
    """Return the end of a turn that may not be bought. Raises Waiting for the run's own budget."""
    if (problem := context_problem_of(job, turn.prompt)) is not None:
        return TurnEnd(error=problem, fatal=True)
    limits = job.services.limits_for(turn.for_step or turn.step, job.bundle)
    decision = cost_tripped(limits, spend_of(job))
    if decision is not None:
        return TurnEnd(error=decision.reason, fatal=True)
    return None


# -- by capability -------------------------------------------------------------------------
def _routed(job: Job, router: Router, tree: Worktree, turn: Turn) -> TurnEnd:
    """Run a turn with the tools of its capability, one after the other, then the direct tool."""
    refusal = router.refusal(job.bundle, tree.path)
    if refusal is not None:
        job.event(EventType.CAPABILITY_REFUSED, _refused(job, refusal))
        return TurnEnd(error=f"refused: {refusal}", fatal=True)
    return _one_after_the_other(job, router, tree, turn)


def _one_after_the_other(job: Job, router: Router, tree: Worktree, turn: Turn) -> TurnEnd:
    while True:
        attempts = turn_attempts(job.history(), for_step=turn.for_step)
        if (ended := _stopped(attempts)) is not None:
            return ended
        decision = router.route(job.bundle, tries_of(attempts), prefer=_last_kept(job))
        if decision.tool_id is None and decision.wait_until is not None:
            wait_until(job, decision.wait_until, decision.reason)
            continue
        tool_id = decision.tool_id or _direct_tool(job, attempts)
        if tool_id is None:
            return TurnEnd(error=_all_failed(job, attempts, decision), fatal=True)
        if decision.delay_s:
            wait_until(job, job.services.clock() + decision.delay_s, decision.reason)
        if (over := _over_budget(job, turn)) is not None:
            return over
        if decision.tool_id is not None and router.admit(tool_id) is not None:
            continue  # another process has the trial call; the next decision knows of it
        _announce(job, decision, tool_id, turn.step)
        taken = replace(job, tool_id=tool_id, route=_route_json(decision, tool_id, attempts))
        attempt = _taken(taken, tree, turn)
        if isinstance(attempt, TurnEnd):
            return attempt
        router.settle(tool_id, _try_of(attempt))
        if attempt.result.get("error") is None:
            return TurnEnd()
        tree.reset(tree.head)


def tries_of(attempts: Sequence[Attempt]) -> tuple[Try, ...]:
    """Return the tries that routing decides from."""
    return tuple(_try_of(attempt) for attempt in attempts)


def _try_of(attempt: Attempt) -> Try:
    return Try(
        tool_id=attempt.tool_id or "",
        kind=OutcomeKind(attempt.result["outcome"]),
        reset_at=attempt.result.get("reset_at"),
        violation=bool(attempt.result.get("violation")),
    )


def _stopped(attempts: Sequence[Attempt]) -> TurnEnd | None:
    """Return the end that the last try's outcome is, whatever other tools there are."""
    if not attempts:
        return None
    last = _try_of(attempts[-1])
    # what a linter or a test runner found is its result: another one would not unsay it
    is_result = attempts[-1].result.get("passed") is False
    if not is_result and (last.violation or last.kind not in STOPPING):
        return None
    return TurnEnd(error=str(attempts[-1].result.get("error") or last.kind.value), fatal=True)


def _direct_tool(job: Job, attempts: Sequence[Attempt]) -> str | None:
    """Return the bundle's own tool when no tool of the capability is left and it was not tried."""
    tried = {attempt.tool_id for attempt in attempts}
    return job.tool_id if job.tool_id not in tried else None


def _last_kept(job: Job) -> str | None:
    """Return the tool whose turn was kept last: it knows the work that is to be mended."""
    kept = [a.tool_id for a in job.history() if a.result.get("commit")]
    return kept[-1] if kept else None


def _all_failed(job: Job, attempts: Sequence[Attempt], decision: RouteDecision) -> str:
    failed = [
        FailedTry(
            tool_id=attempt.tool_id or "?",
            message=str(attempt.result.get("error") or "failed"),
            kind=OutcomeKind(attempt.result["outcome"]),
        )
        for attempt in attempts
    ]
    failed += [FailedTry(tool_id=r.tool_id, message=r.reason) for r in decision.rejected]
    seen: dict[tuple[str, str], FailedTry] = {(f.tool_id, f.message): f for f in failed}
    return message_for_all_failed(job.bundle.capability or "", tuple(seen.values()))


def _announce(job: Job, decision: RouteDecision, tool_id: str, step: str) -> None:
    payload = {
        "step": step,
        "capability": job.bundle.capability,
        "tool_id": tool_id,
        "reason": decision.reason,
        "message": _routing_message(job, decision, tool_id),
        "rejected": [msgspec.to_builtins(r) for r in decision.rejected],
        "order": list(decision.order),
        "strategy": decision.strategy.value,
    }
    job.event(EventType.CAPABILITY_ROUTED, payload)


def _routing_message(job: Job, decision: RouteDecision, tool_id: str) -> str:
    """Return the documented words for a routing."""
    if decision.tool_id is None:
        return f"Falling back to direct tool invocation: {tool_id}"
    passed_over = bool(decision.rejected)
    what = "AIM routing to fallback tool" if passed_over else "AIM routing to primary tool"
    return f"Executing capability '{job.bundle.capability}' via AIM: {what}: {tool_id}"


def _route_json(
    decision: RouteDecision, tool_id: str, attempts: Sequence[Attempt]
) -> dict[str, object]:
    return {
        "fallback": bool(attempts) or bool(decision.rejected) or decision.tool_id is None,
        "order": list(decision.order),
        "capability": decision.capability,
        "reason": decision.reason if decision.tool_id else f"the bundle's own tool: {tool_id}",
        "rejected": [msgspec.to_builtins(r) for r in decision.rejected],
        "strategy": decision.strategy.value,
    }


def _refused(job: Job, refusal: str) -> dict[str, object]:
    return {"capability": job.bundle.capability, "reason": refusal}
