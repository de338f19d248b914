"""The flow of one workstream: EDIT -> STATIC -> RUNTIME -> done, with FIX turns in between.

Each state knows what has to be done in it and where it leads. All that is needed to go on is in the
journal, so the same loop starts a workstream and resumes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from penstock.breakers.decide import Next
from penstock.engine.checking import checking_step, planned_problem, run_checks
from penstock.engine.desk import Desk
from penstock.engine.job import Job
from penstock.engine.leakgate import make_one_commit, still_held
from penstock.engine.prompt import edit_prompt
from penstock.engine.scope import change_violations
from penstock.engine.tries import take_turn
from penstock.errors import UsageError
from penstock.model.events import EventType
from penstock.model.states import AttemptState, WorkstreamState
from penstock.worktrees.api import Worktree

W = WorkstreamState
ENDED = frozenset({W.DONE, W.FAILED, W.QUARANTINED, W.CANCELED})


STATES_OF: Mapping[str, frozenset[WorkstreamState]] = {
    "edit": frozenset({W.PENDING, W.STARTED, W.EDITING}),
    "static": frozenset({W.READY_FOR_STATIC, W.STATIC_CHECK}),
    "runtime": frozenset({W.RUNTIME_TESTS}),
}
"""The states in which each documented step is worked on."""


def run_step(job: Job, desk: Desk, step: str, *, fix: bool) -> WorkstreamState:
    """Work on one step only (edit, static, runtime) and return the state it led to.

    Without `fix` a checking step runs its checks once and stays where it is. Raises UsageError
    when the workstream is not at that step.
    """
    state = job.row().status
    if state not in STATES_OF[step]:
        raise UsageError(f"{job.ws_id} is {state.value}: its {step} step cannot be run now")
    while (state := job.row().status) in STATES_OF[step]:
        job.check_stop()
        if not fix and state in (W.STATIC_CHECK, W.RUNTIME_TESTS):
            run_checks(job, desk.worktree(job), step)
            return state
        _STEPS[state](job, desk)
    return state


def run_workstream(job: Job, desk: Desk) -> WorkstreamState:
    """Drive a workstream to its end and return the state it ended in.

    Raises Interrupted, EnvironmentProblem and Waiting, all of which leave it ready to be resumed.
    """
    while (state := job.row().status) not in ENDED:
        job.check_stop()
        _STEPS[state](job, desk)
    return state


def _claim(job: Job, _desk: Desk) -> None:
    _move(job, W.STARTED)


def _begin_edit(job: Job, _desk: Desk) -> None:
    if job.bundle.capability is not None and job.services.router is None:
        text = f"AIM unavailable, using direct invocation of {job.tool_id}"
        job.event(EventType.AIM_UNAVAILABLE, {"capability": job.bundle.capability, "message": text})
    _move(job, W.EDITING)


def _edit(job: Job, desk: Desk) -> None:
    tree = desk.worktree(job)
    if not _edited(job):
        if (problem := planned_problem(job, tree)) is not None:
            return _fail(job, "edit", f"not begun, because a check cannot be run: {problem}")
        prompt = edit_prompt(job.bundle, job.run_id, tree.path)
        end = take_turn(job, tree, step="edit", for_step=None, prompt=prompt)
        if end.error is not None:
            return _fail(job, "edit", end.error)
    return _move(job, W.READY_FOR_STATIC)


def _begin_static(job: Job, _desk: Desk) -> None:
    _move(job, W.STATIC_CHECK)


def _static(job: Job, desk: Desk) -> None:
    _check(job, desk, "static", W.RUNTIME_TESTS)


def _runtime(job: Job, desk: Desk) -> None:
    _check(job, desk, "runtime", W.DONE)


_STEPS: Mapping[WorkstreamState, Callable[[Job, Desk], None]] = {
    W.PENDING: _claim,
    W.STARTED: _begin_edit,
    W.EDITING: _edit,
    W.READY_FOR_STATIC: _begin_static,
    W.STATIC_CHECK: _static,
    W.RUNTIME_TESTS: _runtime,
}


def _check(job: Job, desk: Desk, step: str, onward: WorkstreamState) -> None:
    tree = desk.worktree(job)

    def fix(for_step: str, prompt: str) -> str | None:
        tree.reset(tree.head)  # checks may have left files behind; a turn begins clean
        end = take_turn(job, tree, step="fix", for_step=for_step, prompt=prompt)
        return end.error if end.fatal else None

    decision = checking_step(job, tree, step, fix)
    if decision.next is not Next.PROCEED:
        breaker = f" ({decision.breaker.value} breaker)" if decision.breaker else ""
        return _fail(job, step, f"{decision.reason}{breaker}{still_held(job, step)}")
    if onward is W.DONE and (left := _outside(job, tree)) is not None:
        return _fail(job, step, left)
    if onward is W.DONE:
        make_one_commit(job, tree)
    return _move(job, onward)


def _edited(job: Job) -> bool:
    """Tell whether an EDIT turn has already been kept."""
    attempts = job.attempts() if job.kept_edit() else job.history()
    return any(a.step_name == "edit" and a.status is AttemptState.SUCCEEDED for a in attempts)


def _outside(job: Job, tree: Worktree) -> str | None:
    """Hold everything that the branch holds against the scope once more, at the end."""
    protected = job.services.settings.protected_paths
    found = change_violations(job.bundle, tree.scope_since_base(), protected)
    if not found:
        return None
    payload = [{"path": v.path, "why": v.why} for v in found]
    job.event(EventType.SCOPE_VIOLATION, {"out_of_scope_files": payload, "policy": "final"})
    return "outside the scope at the end: " + "; ".join(f"{v.path} ({v.why})" for v in found[:5])


def _move(job: Job, to: WorkstreamState) -> None:
    job.services.journal.move_workstream(job.run_id, job.ws_id, to)


def _fail(job: Job, step: str, error: str) -> None:
    reason = job.services.masks.text(f"{step}: {error}")
    job.services.journal.move_workstream(job.run_id, job.ws_id, W.FAILED, reason=reason)
