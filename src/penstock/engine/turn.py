"""One EDIT or FIX turn: prompt, tool, diff, judgement, scope, commit; one recorded attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from penstock.engine.auditing import audit_turn
from penstock.engine.budget import begin_turn, warn
from penstock.engine.facts import latest_hash, next_number, spend, turns_taken
from penstock.engine.job import Job, relative
from penstock.engine.leakgate import note_commit
from penstock.engine.masked import masked
from penstock.engine.pricing import turn_cost
from penstock.engine.scope import Violation, existing_files, violations
from penstock.engine.toolslots import tool_slot
from penstock.errors import EnvironmentProblem, Interrupted
from penstock.model.bundle import Bundle
from penstock.model.capability import MUST_CHANGE
from penstock.model.events import EventType
from penstock.model.outcome import Outcome, OutcomeKind
from penstock.model.records import Attempt, NewAttempt
from penstock.model.settings import CheckoutPolicy, ScopePolicy
from penstock.model.states import AttemptState
from penstock.model.times import iso
from penstock.tools.api import TurnReport, TurnRequest, judge
from penstock.worktrees.api import Changes, Worktree

TAIL_KEPT = 4_000


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A turn after judgement: what is to be committed, if anything, and what it came to."""

    outcome: Outcome
    changes: Changes
    report: TurnReport
    violations: tuple[Violation, ...] = ()
    patch: str | None = None
    error: str | None = None
    touched: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether the turn is to be kept."""
        return self.error is None and self.outcome.ok


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn to be taken: `step` is edit or fix, `for_step` the step that a fix serves.

    `before` is the hash of the diff that it begins with, None for what the last turn left.
    """

    step: str
    prompt: str
    for_step: str | None = None
    before: str | None = None


def run_turn(job: Job, tree: Worktree, turn: Turn) -> Attempt:
    """Run one turn in `tree`, which is clean at its recorded head, and record it.

    Raises Interrupted when the user stops it, Waiting when it may not begin yet,
    EnvironmentProblem when this machine cannot go on (disk full, the user's own checkout touched
    under the policy `stop`).
    """
    job.check_stop()
    _require_disk(job)
    with tool_slot(job), job.signals.turn(job.ws_id, turn.step, job.tool_id):
        return _run(job, tree, turn)


def _run(job: Job, tree: Worktree, turn: Turn) -> Attempt:
    attempts, step = job.attempts(), turn.step
    number = next_number(attempts, step)
    prompt = job.services.masks.prose(turn.prompt)
    prompt_file = job.services.evidence.prompt(job.run_id, job.ws_id, step, number, prompt)
    marker = job.services.new_marker(job.run_id, job.ws_id, step, number)
    intent = NewAttempt(
        run_id=job.run_id,
        ws_id=job.ws_id,
        step_name=step,
        attempt=number,
        tool_id=job.tool_id,
        for_step=turn.for_step,
        marker=marker,
        base_commit=tree.head,
        result={
            "prompt_file": relative(prompt_file, job.services.root),
            "turn": turns_taken(attempts),
        },
    )
    before = latest_hash(attempts) if turn.before is None else turn.before
    attempt = begin_turn(job, intent, prompt)
    request = _request(job, tree, attempt, prompt, prompt_file, turns_taken(attempts))
    judged = _act(job, tree, request, intent)
    return _record(job, tree, attempt, judged, before)


def _require_disk(job: Job) -> None:
    free, needed = job.services.free_mb(), job.services.settings.limits.min_free_mb
    if free < needed:
        raise EnvironmentProblem(
            f"only {free} MB are free on the disk, {needed} MB are needed to go on",
            hint="free space (penstock clean), or lower limits.min_free_mb, then resume the run",
        )


def _request(
    job: Job, tree: Worktree, intent: Attempt, prompt: str, prompt_file: Path, turn: int
) -> TurnRequest:
    services, limits, rung = job.services, job.services.settings.limits, job.tier
    return TurnRequest(
        run_id=job.run_id,
        ws_id=job.ws_id,
        step=intent.step_name,
        turn=turn,
        worktree=tree.path,
        repo_root=services.root,
        prompt=prompt,
        prompt_file=prompt_file,
        files=existing_files(tree.path, _named_files(job.bundle)),
        home=services.evidence.home(job.run_id, job.ws_id, job.tool_id),
        log=services.evidence.log(job.run_id, job.ws_id, intent.step_name, intent.attempt),
        marker=intent.marker or "",
        model=job.turn_model,
        wall_s=(rung.timeout_s if rung else None) or _wall_limit(job) or limits.wall_s,
        idle_s=limits.idle_s,
        max_cost_usd=_money_left(job),
        metadata=job.bundle.metadata,
        on_log=services.watch_output(job.ws_id, intent.step_name),
        env={**services.isolation.take(job.run_id, job.ws_id), **(rung.env if rung else {})},
        flags=rung.flags if rung else (),
        on_start=lambda pid, start: services.journal.note_process(intent.id, pid, start),
        **_asked(job, intent.step_name),
    )


def _asked(job: Job, step: str) -> dict[str, Any]:
    """Return what a tool is told that is asked for a capability; nothing for a direct turn.

    The payload is the bundle's own; a tool that edits is told the files of the scope, too. A FIX
    has a prompt of its own.
    """
    bundle = job.bundle
    if job.route is None or bundle.capability is None:
        return {}
    payload = masked(dict(bundle.capability_payload or {}), job.services.masks.prose)
    if bundle.capability in MUST_CHANGE:
        payload["files"] = list(_named_files(bundle))
    if step == "fix":
        payload.pop("prompt", None)
    retries = payload.get("max_retries", 0)
    return {"capability": bundle.capability, "payload": payload, "max_retries": retries}


def _named_files(bundle: Bundle) -> tuple[str, ...]:
    """Return the paths that a tool is told of: those of the capability's payload, else the scope."""
    named = (bundle.capability_payload or {}).get("files")
    return tuple(named) if named else bundle.claims


def _wall_limit(job: Job) -> float | None:
    """Return the limit (s) that a capability's payload or rule sets, None for a direct turn."""
    router = job.services.router
    return router.timeout_s(job.bundle) if router is not None and job.route is not None else None


def _money_left(job: Job) -> float | None:
    """Return what the workstream may still spend (USD), for tools that can be told; None = no cap."""
    cap = job.bundle.max_cost_usd
    if cap is None:
        return None
    costs = job.services.journal.list_costs(job.run_id, job.ws_id)
    return max(0.0, cap - (spend((), costs).cost_usd or 0.0))


def _act(job: Job, tree: Worktree, request: TurnRequest, intent: NewAttempt) -> Judged:
    services = job.services
    tool = services.toolbox.get(job.tool_id)
    before = services.repository.fingerprint()
    report = tool.run(request, services.stop, services.make_filter)
    touched = before.differences(services.repository.fingerprint())
    if touched:
        job.event(
            EventType.MAIN_CHECKOUT_TOUCHED,
            {
                "paths": list(touched[:200]),
                "count": len(touched),
                "turns": job.signals.turns(),
                "policy": services.checkout_policy.value,
            },
        )
    changes = tree.changes()
    outcome = judge(report.signal, changed=not changes.empty)
    judged = Judged(outcome=outcome, changes=changes, report=report, touched=touched)
    return _settle(job, tree, _scoped(job, tree, judged, intent), intent)


def _scoped(job: Job, tree: Worktree, judged: Judged, intent: NewAttempt) -> Judged:
    """Hold the diff against the scope; revert what offends when the policy says so."""
    found = violations(job.bundle, judged.changes, job.services.settings.protected_paths)
    if not found:
        return judged
    policy = job.services.settings.scope_policy
    staged = {path for change in judged.changes.changes for path in change.paths}
    offending = sorted({v.path for v in found} & staged)
    name = f"{intent.step_name}_{intent.attempt}_out_of_scope"
    patch = job.keep_patch(name, tree.patch(offending)) if offending else None
    job.event(
        EventType.SCOPE_VIOLATION,
        {
            "out_of_scope_files": [msgspec.to_builtins(v) for v in found],
            "policy": policy.value,
            "step": intent.step_name,
            "patch": patch,
        },
    )
    judged = msgspec.structs.replace(judged, violations=found, patch=patch)
    beyond_repair = bool(judged.changes.tampering)
    if policy is ScopePolicy.REVERT and not beyond_repair:
        left = tree.revert(offending)
        outcome = judge(judged.report.signal, changed=not left.empty)
        return msgspec.structs.replace(judged, changes=left, outcome=outcome)
    shown = "; ".join(f"{v.path} ({v.why})" for v in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return msgspec.structs.replace(judged, error=f"outside the scope: {shown}{more}")


def _settle(job: Job, tree: Worktree, judged: Judged, intent: NewAttempt) -> Judged:
    """Keep the diff of a turn that failed as a patch, so that nothing a tool did is lost."""
    if _must_stop(job, judged):
        shown = ", ".join(judged.touched[:5])
        words = f"your own checkout changed while {_at_work(job)}: {shown}"
        judged = msgspec.structs.replace(judged, error=words)
    elif judged.error is None and not judged.outcome.ok:
        judged = msgspec.structs.replace(judged, error=_words(judged.outcome, job.tool_id))
    elif judged.error is None and judged.report.content.get("passed") is False:
        judged = msgspec.structs.replace(judged, error=_found(judged.report))
    elif judged.error is None and _lacks_change(job, judged):
        judged = msgspec.structs.replace(judged, error=f"{job.tool_id} changed nothing")
    if judged.ok or judged.changes.empty:
        return judged
    paths = sorted({path for change in judged.changes.changes for path in change.paths})
    name = f"{intent.step_name}_{intent.attempt}_not_kept"
    return msgspec.structs.replace(judged, patch=job.keep_patch(name, tree.patch(paths)))


def _at_work(job: Job) -> str:
    """Say which turns were under way: which of them it was cannot be told."""
    turns = job.signals.turns() or [{"tool": job.tool_id, "ws_id": job.ws_id}]
    return ", ".join(f"{turn['tool']} worked on {turn['ws_id']}" for turn in turns)


def _found(report: TurnReport) -> str:
    """Return the words for a linter or test runner that did its work and was not content."""
    said = str(report.content.get("summary") or report.message or "")
    return f"{report.tool_id} did not pass{f': {said}' if said else ''}"


def _lacks_change(job: Job, judged: Judged) -> bool:
    """Tell whether a turn without a change has failed: a linter's may well find nothing to do."""
    capability = job.bundle.capability if job.route is not None else None
    return judged.outcome.kind is OutcomeKind.NO_CHANGE and (
        capability is None or capability in MUST_CHANGE
    )


def _words(outcome: Outcome, tool_id: str) -> str:
    text = f"{tool_id}: {outcome.kind.value}"
    return f"{text}: {outcome.message}" if outcome.message else text


def _record(job: Job, tree: Worktree, attempt: Attempt, judged: Judged, before: str) -> Attempt:
    """Commit or undo, then write the outcome."""
    interrupted = judged.outcome.kind is OutcomeKind.CANCELED
    stopped = interrupted or _must_stop(job, judged)
    commit = None
    if judged.ok and not judged.changes.empty:
        parent = tree.head
        commit = tree.commit(_subject(job, attempt), _trailers(job, attempt))
        note_commit(job, commit, parent, judged.changes)
    elif not judged.changes.empty:
        tree.reset(tree.head)
    report, result = judged.report, _result(job, attempt, judged, commit, before)
    status = AttemptState.SUCCEEDED if judged.ok else AttemptState.FAILED
    done = job.services.journal.finish_attempt(
        attempt.id,
        AttemptState.CANCELED if stopped else status,
        exit_code=report.exit_code,
        diff_hash=judged.changes.diff_hash if judged.ok else before or None,
        result=result,
        head_commit=commit,
        cost=turn_cost(
            job, attempt.id, report.usage, judged.outcome.kind, iso(job.services.clock())
        ),
    )
    audit_turn(job, done)
    warn(job)
    _tell(job, attempt, judged)
    if interrupted:
        raise Interrupted(f"{job.ws_id}: the {attempt.step_name} turn was interrupted")
    if stopped:
        raise EnvironmentProblem(
            judged.error,
            hint="look at these files, then resume the run; or set checkout_policy: warn",
        )
    return done


def _tell(job: Job, attempt: Attempt, judged: Judged) -> None:
    told = _tool_run(attempt, judged)
    job.event(EventType.TOOL_RUN, told)
    if attempt.step_name != "fix":
        return
    job.event(EventType.FIX_ATTEMPT, {"step": attempt.for_step, "tool_result": told["tool_result"]})
    if judged.error:
        error = job.services.masks.text(judged.error)[:400]
        job.event(EventType.FIX_ATTEMPT_ERROR, {"step": attempt.for_step, "error": error})


def _must_stop(job: Job, judged: Judged) -> bool:
    return bool(judged.touched) and job.services.checkout_policy is CheckoutPolicy.STOP


def _subject(job: Job, attempt: Attempt) -> str:
    what = next((t.strip().splitlines()[0] for t in job.bundle.tasks if t.strip()), job.ws_id)
    verb = "fix" if attempt.step_name == "fix" else "edit"
    subject = f"{job.ws_id}: {verb} {attempt.attempt}: {job.services.masks.prose(what)}"
    return subject if len(subject) <= 100 else subject[:97] + "..."


def _trailers(job: Job, attempt: Attempt) -> dict[str, str]:
    step = f"{attempt.step_name} {attempt.attempt}"
    return {
        "Penstock-Run": job.run_id,
        "Penstock-Workstream": job.ws_id,
        "Penstock-Step": f"{step} ({attempt.for_step})" if attempt.for_step else step,
        "Penstock-Tool": job.tool_id,
    }


def _result(
    job: Job, attempt: Attempt, judged: Judged, commit: str | None, before: str
) -> dict[str, Any]:
    report, masks = judged.report, job.services.masks
    changes = judged.changes
    kept: dict[str, Any] = {
        **attempt.result,
        "outcome": judged.outcome.kind.value,
        "message": masks.text(judged.outcome.message),
        "evidence": masks.text(judged.outcome.evidence)[:TAIL_KEPT],
        "reset_at": judged.outcome.reset_at,
        "partial": judged.outcome.partial,
        "error": masks.text(judged.error) if judged.error else None,
        "argv": list(report.argv),
        "tool_sec": round(report.duration_s, 4),
        "usage": msgspec.to_builtins(report.usage),
        "tail": report.tail[-TAIL_KEPT:],
        "swept": report.swept,
        "unknown_events": report.unknown_events,
        "files": [
            {"path": c.path, "kind": c.kind.value, "old_path": c.old_path}
            for c in changes.changes[:500]
        ],
        "files_changed": len(changes.changes),
        "ignored_files": list(changes.ignored[:100]),
        "hidden_files": list(changes.hidden[:100]),
        "diff_changed": judged.ok and changes.diff_hash != before,
        "violation": bool(judged.violations) and not judged.ok,
        "violations": [msgspec.to_builtins(v) for v in judged.violations[:100]],
        "patch": judged.patch,
        "commit": commit,
        "main_checkout_touched": list(judged.touched[:100]),
        "route": job.route,
        "passed": judged.report.content.get("passed"),
    }
    return {key: value for key, value in kept.items() if value not in (None, [], {}, "")}


def _tool_run(attempt: Attempt, judged: Judged) -> dict[str, Any]:
    report = judged.report
    return {
        "step": attempt.step_name,
        "attempt": attempt.attempt,
        "tool_result": {
            "tool_id": report.tool_id,
            "exit_code": report.exit_code,
            "success": judged.ok,
            "outcome": judged.outcome.kind.value,
            "duration_sec": round(report.duration_s, 3),
        },
        "prompt_file": attempt.result.get("prompt_file"),
    }
