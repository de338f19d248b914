"""A workstream that cannot be merged as it is: a FIX turn on top of the new head.

The turn works in the workstream's own worktree, laid on a merge of its commits with the head of the
integration branch. Of a textual conflict it sees the markers in the files; of a red merge, what the
checks found. From then on the workstream's base is that head, so its diff is its own work again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from penstock.breakers.decide import Decision, Next
from penstock.engine.checking import announce, fix_input
from penstock.engine.desk import Desk, commit_gone
from penstock.engine.facts import last_check
from penstock.engine.job import Job
from penstock.engine.leakgate import make_one_commit
from penstock.engine.prompt import merge_prompt
from penstock.engine.queue import STEP, is_queued
from penstock.engine.tries import take_turn
from penstock.errors import EnvironmentProblem
from penstock.model.records import Attempt
from penstock.model.states import AttemptState, IntegrationState
from penstock.worktrees.api import Worktree


def repair(job: Job, desk: Desk, decision: Decision) -> None:
    """Run the FIX turn that a queued workstream was granted; what follows is decided anew.

    A turn that cannot be had (no budget, no tool, a prompt too long) ends the merging. Raises Interrupted, Waiting and EnvironmentProblem; the turn is then taken again later.
    """
    job.check_stop()
    announce(job, STEP, decision)
    failed = last_check(job.history(), STEP)
    head = _head(job)
    tree = desk.worktree(job)
    conflicts = _lay(job, tree, str(failed["head"]), head)
    prompt = merge_prompt(job.bundle, job.run_id, tree.path, fix_input(job, STEP), conflicts)
    before = tree.diff_hash()
    taken = _with_scope(job, conflicts)
    end = take_turn(taken, tree, step="fix", for_step=STEP, prompt=prompt, before=before)
    if end.fatal:
        give_up(job, desk, Decision(next=Next.FAIL, reason=str(end.error)))
    elif end.error is None and conflicts:
        _as_one_merge(job, tree, str(failed["head"]), head)
    if end.error is None:
        make_one_commit(job, tree)
    desk.release(job)
    job.services.isolation.give_back(job.run_id, job.ws_id)


def settle(job: Job, desk: Desk) -> None:
    """Make the one merge commit of a conflict whose FIX turn was kept right before a death."""
    row, history = job.row(), job.history()
    last = history[-1] if history else None
    if row.integration is not IntegrationState.QUEUED or last is None or row.base_commit is None:
        return
    failed = last_check(history, STEP)
    is_fix = last.for_step == STEP and last.status is AttemptState.SUCCEEDED
    is_recorded = last.result.get("commit") == row.head_commit and commit_gone(job) is None
    if is_fix and failed.get("conflicts") and is_recorded:
        _as_one_merge(job, desk.worktree(job), str(failed["head"]), row.base_commit)
        desk.release(job)


def _with_scope(job: Job, conflicts: tuple[str, ...]) -> Job:
    """Let the turn edit the files in conflict, wherever the others have moved them to."""
    scope = tuple(dict.fromkeys((*job.bundle.files_scope, *conflicts)))
    return replace(job, bundle=msgspec.structs.replace(job.bundle, files_scope=scope))


def give_up(job: Job, desk: Desk, decision: Decision) -> None:
    """Record that a workstream does not get into the integration branch by itself.

    Its branch goes back to what its own checks have passed; those that depend on it wait.
    """
    if not is_queued(job):
        return  # set aside by the user meanwhile
    announce(job, STEP, decision)
    failed = last_check(job.history(), STEP)
    own = _own_work(job) or failed
    is_there = job.services.repository.resolve(str(own.get("head") or "")) is not None
    if is_there and job.row().head_commit != own["head"]:
        tree = desk.worktree(job)
        tree.lay(own["head"], base=own["base"])
        _record(job, base=own["base"], head=own["head"])
        desk.release(job)
    why = str(failed.get("error") or decision.reason)
    if decision.next is Next.FAIL and decision.reason not in why:
        why = f"{why}; {decision.reason}"
    payload: dict[str, Any] = {
        "branch": job.branch,
        "into": job.integration_branch,
        "conflicts": list(failed.get("conflicts", ())),
        "reason": why,
    }
    words = job.services.masks.text(f"not merged: {why}")
    journal = job.services.journal
    with journal.together():  # a conflict without its reason would tell nobody what to do
        journal.move_integration(job.run_id, job.ws_id, IntegrationState.CONFLICT, payload=payload)
        journal.set_workstream_reason(job.run_id, job.ws_id, words[:400])


def _own_work(job: Job) -> dict[str, Any] | None:
    """Return what the workstream brought to its first merge: its head and base."""
    for attempt in job.history():
        if attempt.step_name == STEP and "head" in attempt.result:
            return attempt.result
    return None


def _head(job: Job) -> str:
    head = job.services.repository.resolve(job.integration_branch)
    if head is None:
        raise EnvironmentProblem(
            f"the branch {job.integration_branch} is gone",
            hint=f"put it back: git branch {job.integration_branch} <commit>",
        )
    return head


def _lay(job: Job, tree: Worktree, own: str, head: str) -> tuple[str, ...]:
    """Lay the workstream's own commits, merged with `head`, into its worktree.

    Returns the files with conflict markers in them.
    """
    repository = job.services.repository
    words, trailers = f"Merge {job.integration_branch} into {job.ws_id}", _trailers(job)
    merge = repository.try_merge(own, head, message=words, trailers=trailers)
    start = merge.commit
    if start is None:
        start = repository.commit_tree(
            merge.tree or "", (own, head), message=words, trailers=trailers
        )
    tree.lay(start, base=head)
    _record(job, base=head, head=start)
    return merge.conflicts


def _as_one_merge(job: Job, tree: Worktree, own: str, head: str) -> None:
    """Make one merge commit of a resolved conflict: none with markers in it shall be history."""
    repository = job.services.repository
    merged = repository.commit_tree(
        repository.tree_of(tree.head),
        (own, head),
        message=f"{job.ws_id}: merge {job.integration_branch}, conflicts resolved",
        trailers={**_trailers(job), "Penstock-Step": _turn(job)},
    )
    tree.lay(merged, base=head)
    _record(job, base=head, head=merged)


def _turn(job: Job) -> str:
    taken: list[Attempt] = [
        a
        for a in job.attempts()
        if a.step_name == "fix" and a.for_step == STEP and a.status is AttemptState.SUCCEEDED
    ]
    return f"fix {taken[-1].attempt} ({STEP})"


def _record(job: Job, *, base: str, head: str) -> None:
    job.services.journal.update_workstream(
        job.run_id, job.ws_id, base_commit=base, head_commit=head
    )


def _trailers(job: Job) -> dict[str, str]:
    return {"Penstock-Run": job.run_id, "Penstock-Workstream": job.ws_id}
