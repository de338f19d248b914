"""STATIC and RUNTIME: run the checks, and decide over FIX turns until they pass or stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from penstock.breakers.decide import Decision, Next, decide
from penstock.breakers.signature import combined, signature
from penstock.checks.api import Check, CheckContext, CheckRun
from penstock.engine.budget import spend_of
from penstock.engine.changes import changes_between, findings_of
from penstock.engine.desk import is_linked
from penstock.engine.facts import (
    checks_around_fix,
    latest_hash,
    next_number,
    step_history,
)
from penstock.engine.job import Job, relative
from penstock.engine.leakgate import leak_run
from penstock.engine.masked import masked
from penstock.engine.prompt import FixInput, fix_prompt, summary
from penstock.errors import Interrupted, RepositoryError
from penstock.model.bundle import Bundle
from penstock.model.events import EventType
from penstock.model.finding import Finding
from penstock.model.records import Attempt, NewAttempt
from penstock.model.states import AttemptState
from penstock.process.api import Stop
from penstock.schedule.scope import ScopeMatcher
from penstock.worktrees.api import Worktree

FINDINGS_KEPT = 50
ERRORS_KEPT = 20
TAIL_KEPT = 6_000

FixTurn = Callable[[str, str], str | None]
"""Runs a FIX turn (for_step, prompt); the error after which no other turn makes sense, or None."""


def checking_step(job: Job, tree: Worktree, step: str, fix_turn: FixTurn) -> Decision:
    """Drive `step` (static or runtime) to its end: the decision is PROCEED, TRIP or FAIL."""
    while True:
        job.check_stop()
        decision = next_decision(job, step)
        if decision.next is Next.CHECK:
            run_checks(job, tree, step)
        elif decision.next is Next.FIX:
            announce(job, step, decision)
            prompt = fix_prompt(job.bundle, job.run_id, tree.path, fix_input(job, step))
            if (fatal := fix_turn(step, prompt)) is not None:
                return Decision(next=Next.FAIL, reason=fatal)
        else:
            announce(job, step, decision)
            return decision


def next_decision(job: Job, step: str) -> Decision:
    """Decide from the journal what comes next in `step`."""
    attempts = job.history()
    limits = job.services.limits_for(step, job.bundle)
    start = latest_hash(attempts, before_step=step)
    return decide(step, step_history(attempts, step), start, limits, spend_of(job))


def announce(job: Job, step: str, decision: Decision) -> None:
    """Record a decision, and the breaker that tripped, if one did."""
    payload: dict[str, Any] = {
        "step": step,
        "decision": decision.next.value,
        "reason": decision.reason,
    }
    job.event(EventType.FIX_DECISION, payload)
    if decision.next is Next.TRIP and decision.breaker is not None:
        trip = {"step": step, "reason": decision.breaker.value, "message": decision.reason}
        job.event(EventType.BREAKER_TRIP, {**trip, "advice": decision.advice})


def run_checks(job: Job, tree: Worktree, step: str) -> Attempt:
    """Run the checks of `step` once and record the attempt.

    After a runtime fix the static checks run again first: what is done must pass both. Raises
    RepositoryError when the worktree vanishes meanwhile; the attempt is not recorded then.
    """
    services, attempts = job.services, job.attempts()
    number = next_number(attempts, step)
    marker = services.new_marker(job.run_id, job.ws_id, step, number)
    checks, notes = _plan(job, tree, step, attempts)
    intent = NewAttempt(
        run_id=job.run_id,
        ws_id=job.ws_id,
        step_name=step,
        attempt=number,
        tool_id=services.masks.text(",".join(c.check_id for c in checks))[:200] or None,
        marker=marker,
        base_commit=tree.head,
    )
    attempt = services.journal.begin_attempt(intent)
    runs = _with_leaks(job, tree, step, checks, attempt)
    if not is_linked(tree.path):  # what they said of it then is nobody's failure
        raise RepositoryError(f"the worktree {tree.path} vanished during its checks")
    return _record(job, attempt, runs, notes, latest_hash(attempts))


def _with_leaks(
    job: Job, tree: Worktree, step: str, checks: Sequence[Check], attempt: Attempt
) -> tuple[CheckRun, ...]:
    """Run the checks; secrets in what was committed are a finding before theirs, and with them no
    runtime check starts."""
    leak = leak_run(job, tree, step)
    if leak is None:
        return run_all(job, tree, checks, attempt)
    return (leak, *(run_all(job, tree, checks, attempt) if step == "static" else ()))


def _plan(
    job: Job, tree: Worktree, step: str, attempts: Sequence[Attempt]
) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    plan = job.services.checks.plan
    checks, notes = plan(step, tree.path, job.bundle.acceptance_tests)
    if step == "runtime" and any(a.for_step == "runtime" for a in attempts):
        static, _ = plan("static", tree.path, job.bundle.acceptance_tests)
        checks = (*static, *checks)
    return checks, notes


def run_all(
    job: Job,
    tree: Worktree,
    checks: Sequence[Check],
    attempt: Attempt,
    *,
    as_ws: str | None = None,
    stop: Stop | None = None,
) -> tuple[CheckRun, ...]:
    """Run the checks of an attempt in order; after a failing static one no runtime check starts.

    `as_ws` names whose ports and temporary folder they use, when that is not the workstream; `stop`
    takes the place of the run's own.
    """
    services, token = job.services, stop or job.services.stop
    context = CheckContext(
        worktree=tree.path,
        repo_root=services.root,
        log=services.evidence.log(job.run_id, job.ws_id, attempt.step_name, attempt.attempt),
        marker=attempt.marker or "",
        run_id=job.run_id,
        ws_id=job.ws_id,
        on_log=services.watch_output(job.ws_id, attempt.step_name),
        env=services.isolation.take(job.run_id, as_ws or job.ws_id),
        on_start=lambda pid, start: services.journal.note_process(attempt.id, pid, start),
    )
    runs: list[CheckRun] = []
    for check in checks:
        if check.step == "runtime" and any(r.check.step == "static" and not r.passed for r in runs):
            break
        runs.append(services.checks.run(check, context, token, services.make_filter))
        if runs[-1].interrupted or runs[-1].problem:
            break
    return tuple(runs)


def planned_problem(job: Job, tree: Worktree) -> str | None:
    """Return what is wrong with a check before anything is paid for, None when all can be run."""
    plan = job.services.checks.plan
    for step in ("static", "runtime"):
        for check in plan(step, tree.path, job.bundle.acceptance_tests)[0]:
            if check.problem is not None:
                return f"{step}: {check.problem}"
    return None


def _record(
    job: Job,
    attempt: Attempt,
    runs: tuple[CheckRun, ...],
    notes: tuple[str, ...],
    diff_hash: str,
) -> Attempt:
    interrupted = any(run.interrupted for run in runs)
    failed = [run for run in runs if not run.passed]
    problem = next((run.problem for run in failed if run.problem), None)
    problem = problem or gate_problem(job.bundle, attempt.step_name, ran=bool(runs))
    problem = problem or reach_problem(job.bundle, attempt.step_name, failed)
    passed = not interrupted and not failed and problem is None
    status = AttemptState.SUCCEEDED if passed else AttemptState.FAILED
    done = job.services.journal.finish_attempt(
        attempt.id,
        AttemptState.CANCELED if interrupted else status,
        exit_code=failed[-1].exit_code if failed else 0,
        error_signature=signature_of(attempt.step_name, failed) if not passed else None,
        diff_hash=diff_hash or None,
        result=check_result(job, attempt, runs, notes, problem),
    )
    if interrupted:
        raise Interrupted(f"{job.ws_id}: the {attempt.step_name} checks were interrupted")
    _record_errors(job, attempt, failed)
    _tell(job, attempt, runs, problem, passed=passed)
    return done


GATES = {
    "static": frozenset({"GATE_LINT", "GATE_SECURITY"}),
    "runtime": frozenset({"GATE_UNIT", "GATE_INTEGRATION"}),
}


def gate_problem(bundle: Bundle, step: str, *, ran: bool) -> str | None:
    """Return why a required, blocking test gate cannot be passed: nothing was there to run."""
    if ran:
        return None
    wanted = [g.type for g in bundle.test_gates if g.type in GATES[step] and g.required]
    blocking = [g.type for g in bundle.test_gates if g.blocking and g.type in wanted]
    if not blocking:
        return None
    return f"{', '.join(blocking)} required, but there is no {step} check to run"


def reach_problem(bundle: Bundle, step: str, failed: Sequence[CheckRun]) -> str | None:
    """Return why no fix turn can mend a static check: every finding lies outside the scope.

    Such findings were there before the workstream began. A failing test is another matter: it
    may well be mended from elsewhere.
    """
    if step != "static" or not failed or any(not run.findings for run in failed):
        return None
    matcher = ScopeMatcher(bundle.claims)
    paths = {finding.path for run in failed for finding in run.findings}
    if None in paths or any(matcher.allows(path) for path in paths if path is not None):
        return None
    names = sorted(path for path in paths if path is not None)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    tools = ", ".join(run.check.check_id for run in failed)
    return (
        f"{tools} fails in files that {bundle.id} may not change ({', '.join(names[:3])}{more}): "
        "mend them first and commit, or take the check out of static_tools"
    )


def _tell(
    job: Job, attempt: Attempt, runs: Sequence[CheckRun], problem: str | None, *, passed: bool
) -> None:
    """Record the events beside the outcome: flaky checks and test gates."""
    step = attempt.step_name
    for run in runs:
        if run.flaky:
            job.event(EventType.FLAKY_CHECK, {"step": step, "check": run.check.check_id})
    for gate in job.bundle.test_gates:
        if gate.type in GATES[step]:
            kind = EventType.TEST_GATE_ERROR if problem else EventType.TEST_GATE_EXECUTED
            job.event(kind, {"type": gate.type, "success": passed, "error": problem})


def check_result(
    job: Job,
    attempt: Attempt,
    runs: tuple[CheckRun, ...],
    notes: tuple[str, ...],
    problem: str | None,
) -> dict[str, Any]:
    """Return what is kept of the checks of an attempt."""
    text = job.services.masks.text
    failed = [run for run in runs if not run.passed]
    findings = [finding for run in failed for finding in run.findings]
    counts = [run.tests for run in runs if run.tests is not None]
    kept: dict[str, Any] = {
        "outcome": "failed" if failed or problem else "passed" if runs else "skipped",
        "skipped": not runs,
        "problem": text(problem) if problem else None,
        "error": text(problem or _headline(failed)) if failed or problem else None,
        "notes": list(notes),
        "tests": sum(counts) if counts else None,
        "flaky": [text(run.check.check_id) for run in runs if run.flaky],
        "swept": sum(run.swept for run in runs),
        "checks": [masked(_check_json(run), text) for run in runs],
        "findings": [_finding_json(f, text) for f in findings[:FINDINGS_KEPT]],
        "findings_count": len(findings),
        "failed_commands": [text(" ".join(run.check.argv)) for run in failed],
        "tail": text("\n".join(run.tail for run in failed if run.tail))[-TAIL_KEPT:],
        "log": relative(
            job.services.evidence.log(job.run_id, job.ws_id, attempt.step_name, attempt.attempt),
            job.services.root,
        ),
    }
    # 0 equals False, and no test at all is what the falling test count must see
    unset: tuple[Any, ...] = (None, [], "")
    return {k: v for k, v in kept.items() if v is not False and v not in unset}


def _check_json(run: CheckRun) -> dict[str, Any]:
    return {
        "check_id": run.check.check_id,
        "step": run.check.step,
        "argv": list(run.check.argv),
        "passed": run.passed,
        "exit_code": run.exit_code,
        "duration_sec": round(run.duration_s, 4),
        "timed_out": run.timed_out,
        "flaky": run.flaky,
        "findings": len(run.findings),
        "tests": run.tests,
    }


def _finding_json(finding: Finding, text: Callable[[str], str]) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(finding)
    return {**fields, "message": text(finding.message)[:2000]}


def _headline(failed: Sequence[CheckRun]) -> str:
    names = ", ".join(
        f"{run.check.check_id} ({'timed out' if run.timed_out else f'exit {run.exit_code}'})"
        for run in failed
    )
    first = next((summary(f) for run in failed for f in run.findings), "")
    return f"{names}: {first}" if first else names


def signature_of(step: str, failed: Sequence[CheckRun]) -> str:
    """Return the signature of what the failed checks said."""
    marks = [
        signature(step, finding.code or finding.tool, finding.message)
        for run in failed
        for finding in run.findings
    ] or [signature(step, run.check.check_id, run.tail[-400:]) for run in failed]
    return combined(marks)


def _record_errors(job: Job, attempt: Attempt, failed: Sequence[CheckRun]) -> None:
    step, text = attempt.step_name, job.services.masks.text
    for run in failed:
        code = "tool_missing" if run.problem else "timeout" if run.timed_out else f"{step}_failure"
        found = [(f.code or f.tool, text(summary(f))) for f in run.findings]
        words = found or [(text(run.check.check_id), text(run.problem or _headline([run])))]
        for mark, message in words[:ERRORS_KEPT]:
            job.services.journal.record_error(
                error_code=code,
                signature=signature(step, mark, message),
                message=message,
                run_id=job.run_id,
                ws_id=job.ws_id,
                step_name=step,
                context={"attempt": attempt.attempt, "check": text(run.check.check_id)},
            )


def fix_input(job: Job, step: str) -> FixInput:
    """Return what a FIX turn is told of the last check of a step, beside what the turn before it was
    told."""
    before, result = checks_around_fix(job.history(), step)
    return FixInput(
        for_step=step,
        findings=findings_of(result),
        tail=str(result.get("tail", "")),
        commands=tuple(result.get("failed_commands", ())),
        changes=changes_between(before, result) if before is not None else None,
    )
