"""Events in words: one line for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penstock.model.events import EventType
from penstock.model.records import Event

Payload = Mapping[str, Any]
SHOWN_PATHS = 5
SHOWN_NAME = 50


def narrate(event: Event) -> str:
    """Return what happened in one line, without time and ids. Unknown events show their payload."""
    tell = TELLERS.get(event.event_type)
    text = tell(event.payload) if tell else _plain(event.event_type, event.payload)
    return " ".join(text.split())


def _plain(name: str, payload: Payload) -> str:
    details = ", ".join(f"{k}={v}" for k, v in payload.items() if v not in (None, "", [], {}))
    return f"{name.replace('_', ' ')}: {details}" if details else name.replace("_", " ")


def _because(payload: Payload) -> str:
    reason = payload.get("reason")
    return f" ({reason})" if reason else ""


def _waits(payload: Payload) -> str:
    until = str(payload.get("until") or "")
    return f"waits{_because(payload)}" + (f" until {until[11:19]}Z" if until else "")


def _moved(what: str) -> Callable[[Payload], str]:
    def tell(payload: Payload) -> str:
        return f"{what} {payload.get('to', '?')}{_because(payload)}"

    return tell


def _step_started(payload: Payload) -> str:
    step = payload.get("step") or payload.get("step_name") or "step"
    attempt = payload.get("attempt")
    tool = _cut(str(payload.get("tool_id") or ""))
    number = f" {attempt}" if attempt else ""
    return f"{step}{number} started{f' with {tool}' if tool else ''}"


def _cut(text: str) -> str:
    """Return the names of checks, which may be whole commands, in bearable length."""
    return text if len(text) <= SHOWN_NAME else f"{text[: SHOWN_NAME - 3]}..."


def _step_ended(payload: Payload) -> str:
    step = payload.get("step") or payload.get("step_name") or "step"
    success = payload.get("success")
    word = "ended" if success is None else "passed" if success else "failed"
    return f"{step} {word}"


def _step_completed(payload: Payload) -> str:
    code = payload.get("exit_code")
    shown = f", exit code {code}" if code is not None else ""
    return f"attempt {payload.get('step_attempt_id', '?')} {payload.get('status', 'ended')}{shown}"


def _tool_run(payload: Payload) -> str:
    result = payload.get("tool_result") or {}
    name, outcome = result.get("tool_id", "the tool"), result.get("outcome")
    took = result.get("duration_sec")
    shown = f" in {took:.1f}s" if isinstance(took, (int, float)) else ""
    return f"{payload.get('step', 'turn')}: {name} {outcome or 'ended'}{shown}"


def _fix_attempt(payload: Payload) -> str:
    result = payload.get("tool_result") or {}
    outcome = result.get("outcome")
    return f"fix for {payload.get('step', '?')}{f': {outcome}' if outcome else ''}"


def _fix_decision(payload: Payload) -> str:
    return f"{payload.get('step', '?')}: {payload.get('decision', '?')}{_because(payload)}"


def _escalated(payload: Payload) -> str:
    step, turn, tool = (payload.get(key, "?") for key in ("step", "turn", "tool_id"))
    return f"{step}: fix {turn} goes to {tool}"


def _pipeline_moved(payload: Payload) -> str:
    agent = payload.get("agent")
    by = f" with {agent}" if agent not in (None, "none") else ""
    return f"error pipeline: {payload.get('to', '?')}{by}{_because(payload)}"


def _pipeline_fix(payload: Payload) -> str:
    label, agent = payload.get("attempt", "?"), payload.get("agent", "?")
    return f"error pipeline: attempt {label} of {agent}: {payload.get('notes') or 'ended'}"


def _merged(payload: Payload) -> str:
    commit = str(payload.get("commit") or "")[:12]
    return f"merged into {payload.get('into', '?')}{f' as {commit}' if commit else ''}"


def _conflict(payload: Payload) -> str:
    paths = _paths(payload.get("conflicts") or payload.get("paths"))
    branch = payload.get("into", "the integration branch")
    if paths:
        return f"conflicts with {branch}: {paths}"
    return f"cannot be merged into {branch}{_because(payload)}"


def _saved(payload: Payload) -> str:
    return f"uncommitted work was kept in {payload.get('patch', '?')}"


def _ended(payload: Payload) -> str:
    return f"run {payload.get('status', 'ended')}{_because(payload)}"


def _breaker(payload: Payload) -> str:
    advice = payload.get("advice") or payload.get("hint")
    detail = payload.get("detail") or payload.get("message")
    parts = [f"breaker {payload.get('reason', '?')} stopped {payload.get('step', 'it')}"]
    parts += [str(part) for part in (detail, advice) if part]
    return ": ".join(parts[:2]) + (f". {parts[2]}" if len(parts) > 2 else "")


def _paths(items: Any) -> str:
    """Return the first few paths of a list of paths or of mappings with a path."""
    names = [str(i.get("path", i)) if isinstance(i, Mapping) else str(i) for i in items or ()]
    more = f" and {len(names) - SHOWN_PATHS} more" if len(names) > SHOWN_PATHS else ""
    return ", ".join(names[:SHOWN_PATHS]) + more


def _scope(payload: Payload) -> str:
    paths = _paths(payload.get("out_of_scope_files"))
    kept = f", kept in {payload['patch']}" if payload.get("patch") else ""
    return f"edited outside its scope: {paths} (policy {payload.get('policy', '?')}{kept})"


def _touched(payload: Payload) -> str:
    return (
        f"your own checkout changed during a turn: {_paths(payload.get('paths'))}"
        f" (policy {payload.get('policy', '?')})"
    )


def _swept(payload: Payload) -> str:
    count = payload.get("count", "?")
    return f"{count} {'process' if count == 1 else 'processes'} of the dead run ended"


def _flaky(payload: Payload) -> str:
    check, step = payload.get("check", "a check"), payload.get("step", "?")
    return f"{step}: {check} failed, and passed when it was run again"


def _routed(payload: Payload) -> str:
    passed = [f"{r.get('tool_id')}: {r.get('reason')}" for r in payload.get("rejected") or ()]
    return str(payload.get("message", "routed")) + (f" ({'; '.join(passed)})" if passed else "")


def _gate_waits(payload: Payload) -> str:
    held = _paths(payload.get("workstreams"))
    return f"gate {payload.get('gate', '?')} waits to be approved{f': {held}' if held else ''}"


def _gate_approved(payload: Payload) -> str:
    return f"gate {payload.get('gate', '?')} approved by {payload.get('approved_by', '?')}"


def _test_gate(payload: Payload) -> str:
    word = "passed" if payload.get("success") else "failed"
    error = payload.get("error")
    return f"{payload.get('type', 'test gate')} {word}{f': {error}' if error else ''}"


def _request(payload: Payload) -> str:
    by = payload.get("requested_by")
    return f"asked to {payload.get('kind', '?')}{f' by {by}' if by else ''}"


def _parallel_start(payload: Payload) -> str:
    named = payload.get("workstreams")
    shown = _paths(named) if isinstance(named, (list, tuple)) else named or "?"
    return f"begins side by side: {shown}"


def _parallel_end(payload: Payload) -> str:
    took = payload.get("total_duration")
    shown = f" in {took:.1f}s" if isinstance(took, (int, float)) else ""
    return f"{payload.get('completed', '?')} completed, {payload.get('failed', '?')} failed{shown}"


def _retried(payload: Payload) -> str:
    return f"tried again from {payload.get('from', '?')} (retry {payload.get('number', '?')})"


def _quarantined(payload: Payload) -> str:
    folder = payload.get("folder")
    return f"set aside{f' in {folder}' if folder else ''}{_because(payload)}"


def _compensated(payload: Payload) -> str:
    word = "done" if payload.get("success") else "failed"
    return f"compensation {word}: {payload.get('command', '?')}"


def _budget_warning(payload: Payload) -> str:
    return f"budget: {payload.get('reason', 'nearly used up')}"


def _lost(payload: Payload) -> str:
    step, attempt = payload.get("step", "an attempt"), payload.get("attempt")
    how = "with its worktree" if payload.get("cause") else "in a crash"
    return f"{step}{f' {attempt}' if attempt else ''} was lost {how}"


def _handed_over(payload: Payload) -> str:
    commit = str(payload.get("commit") or "")[:12]
    strategy = payload.get("strategy")
    return (
        f"handed over to {payload.get('into', '?')}{f' as {commit}' if commit else ''}"
        f"{f' by {strategy}' if strategy else ''}"
    )


def _written_back(payload: Payload) -> str:
    names = [*(payload.get("committed") or ()), *(payload.get("in_place") or ())]
    files = ", ".join(map(str, names[:3])) + (f" and {len(names) - 3} more" if names[3:] else "")
    return f"results written back to {files or 'the plan'}"


def _issue_told(payload: Payload) -> str:
    where = f"{payload.get('repository') or ''}#{payload.get('issue', '?')}"
    if payload.get("success"):
        return f"issue {where} was told: {payload.get('stage', '?')}"
    return f"issue {where} could not be told: {payload.get('reason', '?')}"


def _disk_low(payload: Payload) -> str:
    return f"nothing more starts: {payload.get('reason', 'the disk is full')}"


def _secret_found(payload: Payload) -> str:
    lists = [payload.get(name) for name in ("secrets", "in_history")]
    held = [s for one in lists if isinstance(one, list) for s in one if isinstance(s, dict)]
    shown = ", ".join(
        f"{s.get('title', 'one')} in {s.get('path')}:{s.get('line')}" for s in held[:3]
    )
    more = f" and {len(held) - 3} more" if len(held) > 3 else ""
    allowed = "" if payload.get("policy") == "stop" else ", which is only told"
    return f"secrets in its commits: {shown}{more}{allowed}"


TELLERS: Mapping[str, Callable[[Payload], str]] = {
    EventType.FIX_ESCALATED: _escalated,
    EventType.ERROR_PIPELINE_MOVED: _pipeline_moved,
    EventType.ERROR_PIPELINE_FIX: _pipeline_fix,
    EventType.ERROR_PIPELINE_LOST: _pipeline_fix,
    EventType.RUN_STATUS_CHANGED: _moved("run is"),
    EventType.WORKSTREAM_STATUS_CHANGED: _moved("is"),
    EventType.WORKSTREAM_START: lambda _: "workstream started",
    EventType.WORKSTREAM_END: lambda p: f"workstream ended: {p.get('final_status', '?')}",
    EventType.WORKSTREAM_WAITING: _waits,
    EventType.STEP_START: _step_started,
    EventType.STEP_STARTED: _step_started,
    EventType.STEP_END: _step_ended,
    EventType.STEP_COMPLETED: _step_completed,
    EventType.TOOL_RUN: _tool_run,
    EventType.RUN_CREATED: lambda _: "run created",
    EventType.RUN_STARTED: lambda _: "run started",
    EventType.RUN_RESUMED: lambda _: "run resumed",
    EventType.RUN_INTERRUPTED: lambda _: "run interrupted; penstock resume goes on",
    EventType.RUN_COMPLETED: _ended,
    EventType.RUN_QUARANTINED: _ended,
    EventType.RUN_CANCELED: _ended,
    EventType.MERGE_QUEUED: lambda p: f"queued for {p.get('into', '?')}",
    EventType.MERGED: _merged,
    EventType.MERGE_CONFLICT: _conflict,
    EventType.WORK_SAVED: _saved,
    EventType.FIX_ATTEMPT: _fix_attempt,
    EventType.FIX_DECISION: _fix_decision,
    EventType.FIX_ATTEMPT_ERROR: lambda p: f"fix failed: {p.get('error', '?')}",
    EventType.BREAKER_TRIP: _breaker,
    EventType.SCOPE_VIOLATION: _scope,
    EventType.MAIN_CHECKOUT_TOUCHED: _touched,
    EventType.PROCESSES_SWEPT: _swept,
    EventType.FLAKY_CHECK: _flaky,
    EventType.BUDGET_EXCEEDED: lambda p: f"out of budget{_because(p)}",
    EventType.AIM_UNAVAILABLE: lambda p: str(p.get("message") or "AIM unavailable"),
    EventType.CAPABILITY_ROUTED: _routed,
    EventType.CAPABILITY_REFUSED: lambda p: f"capability refused{_because(p)}",
    EventType.GATE_WAITING: _gate_waits,
    EventType.GATE_APPROVED: _gate_approved,
    EventType.TEST_GATE_EXECUTED: _test_gate,
    EventType.TEST_GATE_ERROR: _test_gate,
    EventType.MERGE_REJECTED: lambda p: f"not merged into {p.get('into', '?')}",
    EventType.REQUEST_MADE: _request,
    EventType.RUN_PAUSED: lambda p: f"run paused{_because(p)}; penstock resume goes on",
    EventType.WORKSTREAM_RETRIED: _retried,
    EventType.WORKSTREAM_QUARANTINED: _quarantined,
    EventType.COMPENSATED: _compensated,
    EventType.BUDGET_WARNING: _budget_warning,
    EventType.PARALLEL_EXECUTION_START: _parallel_start,
    EventType.PARALLEL_EXECUTION_END: _parallel_end,
    EventType.ATTEMPT_LOST: _lost,
    EventType.HANDED_OVER: _handed_over,
    EventType.PLAN_WRITTEN_BACK: _written_back,
    EventType.ISSUE_TOLD: _issue_told,
    EventType.DISK_LOW: _disk_low,
    EventType.SECRET_FOUND: _secret_found,
}
