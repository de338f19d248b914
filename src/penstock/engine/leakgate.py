"""The gate for secrets: what a workstream's commits bring that its base does not have.

What is still there at the head is a finding of the checks, which a FIX turn may take out. What was
taken out again is still in the commits, so these become one commit before the branch is merged.
A branch that holds a secret all the same is not merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from penstock.checks.api import Check, CheckRun
from penstock.engine.facts import last_check
from penstock.engine.job import Job
from penstock.leaks.found import FoundSecret, LeakVerdict
from penstock.model.events import EventType
from penstock.model.finding import Category, Finding
from penstock.model.settings import SecretsPolicy
from penstock.worktrees.api import Changes, Worktree

CHECK_ID = "secrets"
ADVICE = "revoke what is a real key, for its branch keeps it"
SHOWN = 50


def judge(job: Job, base: str, head: str, step: str) -> LeakVerdict:
    """Return what the commits from `base` to `head` bring that must not be merged, after telling of it.

    Nothing under the policy `warn`, which only tells. Raises GitError, ConfigError,
    EnvironmentProblem: what cannot be looked through is not passed.
    """
    gate = job.services.leaks
    if gate is None:
        return LeakVerdict()
    verdict = gate.judge(base, head)
    if not verdict.ok:
        _tell(job, verdict, step)
    stops = job.services.settings.secrets.policy is SecretsPolicy.STOP
    return verdict if stops else LeakVerdict()


def note_commit(job: Job, commit: str, parent: str, changes: Changes) -> None:
    """Tell the gate what a turn's commit brought."""
    if job.services.leaks is not None:
        oids = [change.oid for change in changes.changes if change.oid and not change.submodule]
        job.services.leaks.note(commit, parent, oids)


def leak_run(job: Job, tree: Worktree, step: str) -> CheckRun | None:
    """Return the failed check of a workstream whose head holds secrets of its own, else None."""
    found = judge(job, tree.base, tree.head, step).present
    if not found:
        return None
    check = Check(check_id=CHECK_ID, step=step, argv=("aim", "scan", CHECK_ID), parser=CHECK_ID)
    return CheckRun(
        check=check, passed=False, exit_code=1, duration_s=0.0, findings=findings_of(found)
    )


def findings_of(found: Sequence[FoundSecret]) -> tuple[Finding, ...]:
    """Return secrets as findings that tell whoever mends them what to do."""
    return tuple(
        Finding(
            tool=CHECK_ID,
            message=f"{one.title} {one.masked} stands in the file: take it out, and read it from the "
            "environment where it is needed",
            path=one.path,
            line=one.line,
            column=one.column,
            code=one.rule,
            category=Category.SECURITY,
        )
        for one in found
    )


def refusal(verdict: LeakVerdict) -> dict[str, Any] | None:
    """Return what is recorded of a merge that is refused, None where there is nothing to refuse it for.

    What is in an earlier commit only is out of reach of any FIX turn: a problem, not a finding.
    """
    if verdict.ok:
        return None
    words = f"it brings {words_of(verdict.present or verdict.past)}: {ADVICE}"
    if not verdict.present:
        return {"error": words, "problem": words}
    return {"error": words, "findings": msgspec.to_builtins(findings_of(verdict.present))}


def still_held(job: Job, step: str) -> str:
    """Return what is added to the reason of a workstream that failed with secrets in it, else nothing."""
    found = last_check(job.history(), step).get("findings", ())
    held = [f"{f['path']}:{f['line']} {f['code']}" for f in found if f["tool"] == CHECK_ID]
    if not held:
        return ""
    more = f" and {len(held) - 3} more" if len(held) > 3 else ""
    return f"; it brings secrets ({', '.join(held[:3])}{more}): {ADVICE}"


def words_of(found: Sequence[FoundSecret]) -> str:
    """Return secrets in a few words for people: what, where, in which commit."""
    told = [
        f"{one.title} {one.masked} in {one.path}:{one.line}"
        + (f" (commit {one.commit[:10]})" if one.commit else "")
        for one in found[:3]
    ]
    more = [f"{len(found) - 3} more"] if len(found) > 3 else []
    return "; ".join((*told, *more))


def make_one_commit(job: Job, tree: Worktree) -> bool:
    """Make one commit of all that a workstream did, where a secret was taken out again, for its earlier
    commits still hold it; return whether that was done.

    They are then reachable from no branch. Raises what `judge` raises.
    """
    verdict = judge(job, tree.base, tree.head, "history")
    if verdict.present or not verdict.past:
        return False
    services, base = job.services, tree.base
    task = next((t.strip().splitlines()[0] for t in job.bundle.tasks if t.strip()), job.ws_id)
    merged = services.repository.commit_tree(
        services.repository.tree_of(tree.head),
        (base,),
        message=services.masks.text(f"{job.ws_id}: {task}"[:100]),
        trailers={"Penstock-Run": job.run_id, "Penstock-Workstream": job.ws_id},
    )
    tree.lay(merged, base=base)
    services.journal.update_workstream(job.run_id, job.ws_id, base_commit=base, head_commit=merged)
    return True


def _tell(job: Job, verdict: LeakVerdict, step: str) -> None:
    """Record what was found, once for the same."""
    payload: dict[str, Any] = {
        "policy": job.services.settings.secrets.policy.value,
        "secrets": [_told(one) for one in verdict.present[:SHOWN]],
        "in_history": [_told(one) for one in verdict.past[:SHOWN]],
        "count": len(verdict.present) + len(verdict.past),
    }
    kind = EventType.SECRET_FOUND
    told = job.services.journal.list_events(
        run_id=job.run_id, event_type=kind, newest_first=True, limit=100
    )
    before = ({**e.payload, "step": None} for e in told if e.ws_id == job.ws_id)
    if {**payload, "step": None} not in before:
        job.event(kind, {"step": step, **payload})


def _told(found: FoundSecret) -> dict[str, Any]:
    kept = {k: v for k, v in msgspec.to_builtins(found).items() if v is not None}
    for name in ("source", "fingerprint", "times"):
        kept.pop(name)
    return kept
