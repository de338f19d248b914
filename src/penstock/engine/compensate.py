"""compensation_actions: what undoes the effects of a workstream outside of git, each run once."""

from __future__ import annotations

import shlex

from penstock.checks.api import Check, CheckRun
from penstock.engine.checking import check_result, run_all
from penstock.engine.desk import Desk
from penstock.engine.facts import next_number
from penstock.engine.job import Job
from penstock.errors import RepositoryError
from penstock.model.events import EventType
from penstock.model.records import Attempt, NewAttempt
from penstock.model.states import AttemptState
from penstock.process.api import Stop
from penstock.worktrees.api import Worktree

STEP = "compensate"
TIMEOUT_S = 600.0


def compensate(job: Job, desk: Desk) -> list[Attempt]:
    """Run the workstream's compensation_actions, the last first, and return their attempts.

    An action that was begun before is not begun again, whatever became of it: its attempt tells. A
    failure does not keep the others from running. Nothing is run for a workstream that never began.
    """
    tried = {a.result.get("action") for a in job.attempts() if a.step_name == STEP}
    actions = tuple(enumerate(job.bundle.compensation_actions))
    if not actions or not any(a.step_name == "edit" for a in job.attempts()):
        return []
    todo = [(number, action) for number, action in reversed(actions) if number not in tried]
    tree = _tree(job, desk)
    done = [_run(job, tree, number, action) for number, action in todo]
    desk.release(job)
    job.services.isolation.give_back(job.run_id, job.ws_id)
    return done


def _tree(job: Job, desk: Desk) -> Worktree | str:
    """Return the worktree that actions run in, or why there is none: its commit may be gone."""
    try:
        return desk.worktree(job)
    except RepositoryError as error:
        return str(error)


def _run(job: Job, tree: Worktree | str, number: int, action: str) -> Attempt:
    services = job.services
    count = next_number(job.attempts(), STEP)
    attempt = services.journal.begin_attempt(
        NewAttempt(
            run_id=job.run_id,
            ws_id=job.ws_id,
            step_name=STEP,
            attempt=count,
            marker=services.new_marker(job.run_id, job.ws_id, STEP, count),
            base_commit=None if isinstance(tree, str) else tree.head,
            result={"action": number, "command": services.masks.text(action)},
        )
    )
    if isinstance(tree, str):
        return _finish(job, attempt, (), tree)
    runs = run_all(job, tree, [_check(action)], attempt, stop=Stop())
    ended = _finish(job, attempt, runs)
    tree.reset(tree.head)
    return ended


def _finish(
    job: Job, attempt: Attempt, runs: tuple[CheckRun, ...], problem: str | None = None
) -> Attempt:
    good = problem is None and all(run.passed for run in runs)
    payload = {"action": attempt.result["action"], "command": attempt.result["command"]}
    job.event(EventType.COMPENSATED, {**payload, "success": good})
    problem = problem or next((run.problem for run in runs if run.problem), None)
    return job.services.journal.finish_attempt(
        attempt.id,
        AttemptState.SUCCEEDED if good else AttemptState.FAILED,
        exit_code=runs[-1].exit_code if runs else None,
        result={**attempt.result, **check_result(job, attempt, runs, (), problem)},
    )


def _check(action: str) -> Check:
    """Return an action as a command without a shell; one that cannot be split has a problem."""
    try:
        argv, problem = tuple(shlex.split(action)), None
    except ValueError as error:
        argv, problem = (), f"{action!r} is no command: {error}"
    if not argv and problem is None:
        problem = "the action is empty"
    return Check(check_id=action, step=STEP, argv=argv, timeout_s=TIMEOUT_S, problem=problem)
