"""One AI attempt: intent, files kept, the agent at work in a tree of its own, what it may bring over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from penstock.engine.calls import CallResult
from penstock.engine.escalation.cabinet import Cabinet, content, put
from penstock.engine.escalation.ports import Edges, FixOrder
from penstock.engine.escalation.prompt import attempt_prompt
from penstock.engine.escalation.record import FIX, begin, event, finish, save
from penstock.engine.escalation.workplace import (
    Workplace,
    agents_tree,
    branch_of,
    refusals,
    undo_pending,
)
from penstock.engine.pricing import cost_row
from penstock.errors import Interrupted
from penstock.model.escalation import (
    AGENT_AT,
    AiAttempt,
    EscalationContext,
    PendingAttempt,
    next_label,
)
from penstock.model.events import EventType
from penstock.model.outcome import OutcomeKind, Usage
from penstock.model.records import Attempt, Cost
from penstock.model.settings import CheckoutPolicy
from penstock.model.states import AttemptState
from penstock.model.times import iso
from penstock.worktrees.api import ChangeKind, Changes, Worktree

LOST, UNAVAILABLE = "lost", "unavailable"
NOTES_KEPT = 1000
_SHOWN = 5
WORKED = frozenset(
    {
        OutcomeKind.EDITED,
        OutcomeKind.NO_CHANGE,
        OutcomeKind.REFUSED,
        OutcomeKind.CONTEXT_OVERFLOW,
    }
)
"""Outcomes of an agent that could work: with any other its attempt says nothing of the files."""


@dataclass(frozen=True, slots=True)
class _Work:
    """An attempt under way."""

    edges: Edges
    cabinet: Cabinet
    workplace: Workplace
    context: EscalationContext
    pending: PendingAttempt

    @property
    def folder(self) -> Path:
        """Where the attempt's own files are kept."""
        return self.cabinet.attempt(self.pending.label)


class AttemptEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended; `infra` says why the agent could not work, None when it could."""

    attempt: AiAttempt
    infra: str | None = None
    usage: Usage = Usage()


def run_attempt(
    edges: Edges, cabinet: Cabinet, workplace: Workplace, context: EscalationContext
) -> tuple[EscalationContext, str | None]:
    """Make the attempt of the present state and settle it; the second value is why it could not
    work, None when it did.

    The intent is saved before anything is done. Raises Interrupted when the user stops it, which
    undoes it and does not count; EnvironmentProblem when a worktree cannot be laid.
    """
    pending = _intent(edges, context)
    start = edges.repository().snapshot(workplace.tree, include=context.files)
    pending = msgspec.structs.replace(pending, start=start)
    cabinet.save(cabinet.attempt(pending.label), workplace.tree, context.files)
    rung = edges.profiles.rung(pending.agent)
    row = begin(edges, workplace, FIX, tool_id=rung.tool_id, marker=pending.marker)
    pending = msgspec.structs.replace(pending, step_attempt_id=row.id if row else None)
    context = save(edges, cabinet, msgspec.structs.replace(context, pending=pending))
    end = _ask(_Work(edges, cabinet, workplace, context, pending), row)
    status = AttemptState.SUCCEEDED if end.attempt.kept else AttemptState.FAILED
    cost = _cost(edges, row, end)
    finish(edges, pending.step_attempt_id, status, _result(end), cost=cost)
    return _settled(edges, context, end.attempt), end.infra


def _intent(edges: Edges, context: EscalationContext) -> PendingAttempt:
    """Return what the present state is to do. Raises ConfigError for an agent that cannot be."""
    agent = AGENT_AT[context.current_state]
    edges.ask.require(edges.profiles.rung(agent))
    run_id, ws_id, last = context.run_id, context.workstream_id, context.last_error_report
    return PendingAttempt(
        agent=agent,
        label=next_label(context, agent),
        attempt_number=context.attempt_number,
        marker=edges.new_marker(run_id, ws_id, FIX, len(context.ai_attempts) + 1),
        started_at=iso(edges.clock()),
        input_error_report_id=last.report_id if last is not None else None,
        branch=branch_of(run_id, ws_id),
    )


def _ask(work: _Work, row: Attempt | None) -> AttemptEnd:
    edges, context, pending = work.edges, work.context, work.pending
    run_id, ws_id, start = context.run_id, context.workstream_id, pending.start or ""
    with agents_tree(edges, run_id, ws_id, start) as tree:
        if left_out := [f for f in context.files if not (tree.path / f).is_file()]:
            return _out_of_reach(work, left_out)
        prompt = attempt_prompt(context, work.workplace, tree.path)
        order = FixOrder(
            run_id=run_id,
            ws_id=ws_id,
            rung=edges.profiles.rung(pending.agent),
            tree=tree.path,
            scratch=work.folder,
            files=context.files,
            prompt=edges.masks.prose(prompt),
            marker=pending.marker,
            log=edges.log_of(row) if row else None,
            undo=lambda: tree.reset(tree.head),
            metadata=work.workplace.bundle.metadata if work.workplace.bundle else {},
        )
        before = edges.repository().fingerprint()
        result = edges.ask(order, edges.stop)
        touched = before.differences(edges.repository().fingerprint())
        if result.outcome.kind is OutcomeKind.CANCELED or edges.stop.asked:
            _withdraw(work)
            raise Interrupted(f"{run_id}/{ws_id}: the attempt of {pending.agent} was interrupted")
        return _judged(work, tree, result, touched)


def _judged(
    work: _Work, tree: Worktree, result: CallResult, touched: tuple[str, ...]
) -> AttemptEnd:
    kind = _kind_of(result)
    if kind not in WORKED:
        return _ended(work, result, notes=result.message, infra=result.message or kind.value)
    why = _checkout_touched(work, touched)
    if kind is not OutcomeKind.EDITED:
        return _ended(work, result, notes="; ".join((_said(kind, result), *why)))
    changes = tree.changes()
    why += refusals(work.workplace, changes, work.context.files, work.edges.protected)
    why += _hollow(work.context, changes, tree.path)
    why += _meanwhile(work)
    if why:
        shown = "; ".join(why[:_SHOWN])
        more = f" and {len(why) - _SHOWN} more" if len(why) > _SHOWN else ""
        return _ended(work, result, notes=f"undone: {shown}{more}")
    return _ended(work, result, notes=_said(kind, result), changed=_bring_over(work, tree, changes))


def _kind_of(result: CallResult) -> OutcomeKind:
    """Return what the agent came to: of several tools of a capability, the one that could work."""
    if result.success:
        return result.outcome.kind
    kinds = [failed.kind for failed in result.attempts if failed.kind is not None]
    worked = [kind for kind in kinds if kind in WORKED]
    return (worked or kinds or [result.outcome.kind])[-1]


def _was_not_asked(result: CallResult) -> bool:
    """Tell whether no tool was started: none is there, or each is cooling down."""
    return result.tool_id == "aim" and not result.attempts and not result.content.get("refused")


def _said(kind: OutcomeKind, result: CallResult) -> str:
    word = kind.value.replace("_", " ")
    return word if kind is OutcomeKind.EDITED or not result.message else f"{word}: {result.message}"


# -- what an attempt must not do -----------------------------------------------------------------
def _checkout_touched(work: _Work, touched: tuple[str, ...]) -> tuple[str, ...]:
    """Tell that the user's own checkout changed meanwhile, which unattended undoes the attempt:
    the agent has a tree of its own."""
    if not touched:
        return ()
    policy = work.edges.checkout_policy
    told = {"paths": list(touched[:200]), "count": len(touched), "policy": policy.value}
    turn = {"ws_id": work.context.workstream_id, "step": FIX, "tool": work.pending.agent.value}
    event(work.edges, work.context, EventType.MAIN_CHECKOUT_TOUCHED, told | {"turns": [turn]})
    if policy is not CheckoutPolicy.STOP:
        return ()
    return (f"the checkout itself changed meanwhile: {', '.join(touched[:_SHOWN])}",)


def _hollow(context: EscalationContext, changes: Changes, tree: Path) -> tuple[str, ...]:
    """Return which of the files were taken away or emptied: that mends nothing."""
    gone = {change.old_path for change in changes.changes}
    gone |= {c.path for c in changes.changes if c.kind is ChangeKind.DELETED}
    changed = {change.path for change in changes.changes}
    return tuple(
        f"{path}: {'taken away' if path in gone else 'emptied'}"
        for path in context.files
        if path in gone or (path in changed and not (content(tree / path) or b"").strip())
    )


def _meanwhile(work: _Work) -> tuple[str, ...]:
    """Return which of the files somebody else changed while the agent was at work."""
    saved, tree = work.cabinet.saved_content, work.workplace.tree
    return tuple(
        f"{path}: changed by somebody else meanwhile"
        for path in work.context.files
        if saved(work.folder, path) != content(tree / path)
    )


def _bring_over(work: _Work, tree: Worktree, changes: Changes) -> tuple[str, ...]:
    """Bring an agent's changes to the place, one whole file after the other; return the paths.

    All that will be touched, and what it will be, is kept before, so that a death in between can be
    undone.
    """
    place = work.workplace.tree
    paths = sorted({path for change in changes.changes for path in change.paths})
    work.cabinet.save(work.folder, place, paths)
    made = {p: _as_before(content(place / p), content(tree.path / p)) for p in paths}
    work.cabinet.announce(work.folder, made)
    for path, data in made.items():
        if data is None:
            (place / path).unlink(missing_ok=True)
        else:
            put(place / path, data, None)
    return tuple(paths)


def _as_before(before: bytes | None, after: bytes | None) -> bytes | None:
    """Return a file with the line ends that it had, where those were all of one kind: git may have
    laid it with others in the agent's tree."""
    if not before or not after or b"\r" in before.replace(b"\r\n", b""):
        return after
    plain = after.replace(b"\r\n", b"\n")
    if b"\r\n" not in before:
        return plain if b"\n" in before else after
    return plain.replace(b"\n", b"\r\n") if before.count(b"\n") == before.count(b"\r\n") else after


# -- its end -------------------------------------------------------------------------------------
def _ended(
    work: _Work,
    result: CallResult,
    *,
    notes: str,
    changed: Sequence[str] = (),
    infra: str | None = None,
) -> AttemptEnd:
    text, agent = work.edges.masks.text, work.pending.agent
    attempt = msgspec.structs.replace(
        _attempt(work.edges, work.pending, notes),
        changed_files=tuple(changed),
        tool_id=_tool_of(work, result),
        outcome=UNAVAILABLE if _was_not_asked(result) else _kind_of(result).value,
        kept=bool(changed),
        input_tokens=result.usage.input_tokens,
        output_tokens=result.usage.output,
        cost_usd=result.usage.cost_usd,
    )
    words = None if infra is None else f"{agent.value} could not work: {text(infra)}"
    return AttemptEnd(attempt=attempt, infra=words, usage=result.usage)


def _out_of_reach(work: _Work, paths: Sequence[str]) -> AttemptEnd:
    """Return the end of an attempt that no agent can make: its tree cannot hold the files."""
    words = f"{', '.join(paths)}: cannot be laid into a worktree (of a submodule?)"
    return AttemptEnd(attempt=_attempt(work.edges, work.pending, words), infra=words)


def _cost(edges: Edges, row: Attempt | None, end: AttemptEnd) -> Cost | None:
    """Return what an attempt cost, for a workstream of the journal; None where nothing is known."""
    usage, attempt = end.usage, end.attempt
    if row is None or usage == Usage():
        return None
    model = usage.model or edges.profiles.rung(attempt.agent).model
    price = edges.prices.get(model or "") or edges.prices.get(attempt.tool_id or "")
    told = msgspec.structs.replace(usage, model=model)
    return cost_row((row.run_id, row.ws_id, row.id), told, price, iso(edges.clock()))


def _attempt(edges: Edges, pending: PendingAttempt, notes: str) -> AiAttempt:
    return AiAttempt(
        attempt_number=pending.attempt_number,
        agent=pending.agent,
        label=pending.label,
        input_error_report_id=pending.input_error_report_id,
        notes=edges.masks.text(" ".join(notes.split()))[:NOTES_KEPT],
        started_at=pending.started_at,
        ended_at=iso(edges.clock()),
    )


def _tool_of(work: _Work, result: CallResult) -> str | None:
    """Return the tool that had the last word; `aim` is nobody."""
    if result.tool_id != "aim":
        return result.tool_id
    tried = [failed.tool_id for failed in result.attempts]
    return tried[-1] if tried else work.edges.profiles.rung(work.pending.agent).tool_id


def _result(end: AttemptEnd) -> dict[str, object]:
    attempt = end.attempt
    told = {
        "outcome": attempt.outcome,
        "agent": attempt.agent.value,
        "label": attempt.label,
        "error": end.infra or (None if attempt.kept else attempt.notes),
        "files": [{"path": path, "kind": "modified"} for path in attempt.changed_files],
    }
    return {key: value for key, value in told.items() if value is not None}


def _settled(edges: Edges, context: EscalationContext, attempt: AiAttempt) -> EscalationContext:
    """Return the context with an attempt that is over; it is not saved yet."""
    kind = EventType.ERROR_PIPELINE_LOST if attempt.lost else EventType.ERROR_PIPELINE_FIX
    told = {
        "attempt": attempt.label,
        "agent": attempt.agent.value,
        "tool_id": attempt.tool_id,
        "outcome": attempt.outcome,
        "changed_files": list(attempt.changed_files),
        "notes": attempt.notes,
    }
    event(edges, context, kind, told)
    return msgspec.structs.replace(
        context, pending=None, ai_attempts=(*context.ai_attempts, attempt)
    )


def recover_attempt(
    edges: Edges,
    cabinet: Cabinet,
    workplace: Workplace,
    context: EscalationContext,
    pending: PendingAttempt,
) -> EscalationContext:
    """Undo an attempt that was begun and never settled, and count it as lost; not saved yet.

    Its processes are ended first, its worktree is cleared, the files are as they were before it.
    """
    undo_pending(edges, context.run_id, context.workstream_id, pending)
    restored = cabinet.restore(cabinet.attempt(pending.label), workplace.tree)
    undone = f"; undone: {', '.join(restored)}" if restored else ""
    attempt = msgspec.structs.replace(
        _attempt(edges, pending, f"lost with the process that made it{undone}"),
        tool_id=edges.profiles.rung(pending.agent).tool_id,
        outcome=LOST,
        lost=True,
    )
    finish(edges, pending.step_attempt_id, AttemptState.UNKNOWN, {"outcome": "unknown"})
    return _settled(edges, context, attempt)


def _withdraw(work: _Work) -> None:
    """Undo an attempt that the user interrupted; it does not count."""
    canceled = {"outcome": OutcomeKind.CANCELED.value}
    finish(work.edges, work.pending.step_attempt_id, AttemptState.CANCELED, canceled)
    save(work.edges, work.cabinet, msgspec.structs.replace(work.context, pending=None))
    work.cabinet.forget(work.folder)
