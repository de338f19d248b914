"""The result of a run goes to a branch of the user's, and the journal tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from penstock.errors import UsageError
from penstock.model.events import EventType
from penstock.model.records import Event, Run, Workstream
from penstock.model.states import IntegrationState, RunState, WorkstreamState
from penstock.store.api import Journal
from penstock.worktrees.api import Handover, HandoverStrategy, Repository

HANDED_COMMITS = 200
"""How many commits are named in the event; their number is told in any case."""


class HandoverRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What `penstock integrate` was asked for; see `Repository.handover`.

    With `partial` a run that has not succeeded hands over what it has merged so far.
    """

    run_id: str
    into: str
    strategy: HandoverStrategy = HandoverStrategy.MERGE
    update_checkout: bool = False
    allow_moved: bool = False
    partial: bool = False
    dry_run: bool = False


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A workstream whose work is not in what was handed over, with its states."""

    ws_id: str
    status: str
    integration: str
    reason: str | None = None


class HandoverResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was handed over from a run's integration branch (`branch`) into a branch, and what is
    not in it."""

    run_id: str
    branch: str
    into: str
    handover: Handover
    missing: tuple[Missing, ...] = ()


def hand_over(
    journal: Journal,
    repository: Repository,
    request: HandoverRequest,
    *,
    hold: Callable[[str], AbstractContextManager[None]],
    owner: Mapping[str, Any],
) -> HandoverResult:
    """Hand the result of a run over, and record it (event handed_over).

    Safe to say again: what is there already is not handed over twice, and an event that a death
    kept from being written is written then. Raises UsageError for a run that has not succeeded or
    merged anything, ClaimError while another process works on it, and what `Repository.handover`
    raises.
    """
    run = journal.get_run(request.run_id)
    if request.dry_run:
        return _give(journal, repository, request, run)
    with hold(run.run_id):
        journal.claim_run(run.run_id, owner)
        try:
            result = _give(journal, repository, request, run)
            _record(journal, result)
        finally:
            journal.release_run(run.run_id)
    return result


def _give(
    journal: Journal, repository: Repository, request: HandoverRequest, run: Run
) -> HandoverResult:
    rows = journal.list_workstreams(run.run_id)
    missing = tuple(_missing(row) for row in rows if not _is_in(row))
    _require_result(run, rows, missing, partial=request.partial)
    branch = run.integration_branch or f"integration/{run.run_id}"
    base = run.base_commit or repository.head()
    handover = repository.handover(
        branch,
        request.into,
        strategy=request.strategy,
        base=base,
        allow_moved=request.allow_moved,
        update_checkout=request.update_checkout,
        message=_message(run, rows),
        trailers={"Penstock-Run": run.run_id},
        dry_run=request.dry_run,
    )
    return HandoverResult(
        run_id=run.run_id, branch=branch, into=request.into, handover=handover, missing=missing
    )


def _require_result(
    run: Run, rows: list[Workstream], missing: tuple[Missing, ...], *, partial: bool
) -> None:
    succeeded = run.status is RunState.SUCCEEDED and not missing
    if not succeeded and not partial:
        names = ", ".join(item.ws_id for item in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise UsageError(
            f"run {run.run_id} has not succeeded ({run.status.value}); not merged: {names}{more}",
            hint="--partial hands over what is merged so far",
        )
    if len(missing) == len(rows):
        raise UsageError(
            f"run {run.run_id} has merged nothing yet", hint=f"penstock status {run.run_id}"
        )


def _is_in(row: Workstream) -> bool:
    return row.status is WorkstreamState.DONE and row.integration is IntegrationState.MERGED


def _missing(row: Workstream) -> Missing:
    return Missing(
        ws_id=row.ws_id,
        status=row.status.value,
        integration=row.integration.value,
        reason=row.reason,
    )


def _message(run: Run, rows: list[Workstream]) -> str:
    """Return the message of the commit: what run it is, and a line for each workstream in it."""
    merged = [row for row in rows if _is_in(row)]
    what = merged[0].ws_id if len(merged) == 1 else f"{len(merged)} workstreams"
    lines = [f"- {row.ws_id}{_first_task(row)}" for row in merged]
    return "\n\n".join([f"Integrate {what} of run {run.run_id}", "\n".join(lines)])


def _first_task(row: Workstream) -> str:
    tasks = (row.metadata.get("bundle") or {}).get("tasks") or ()
    text = " ".join(str(tasks[0]).split()) if tasks else ""
    return f": {text if len(text) <= 90 else text[:87] + '...'}" if text else ""


def _record(journal: Journal, result: HandoverResult) -> None:
    handover = result.handover
    if handover.already and _is_recorded(journal, result):
        return
    commits = [commit.commit for commit in handover.commits]
    journal.record_event(
        EventType.HANDED_OVER,
        run_id=result.run_id,
        payload={
            "into": result.into,
            "commit": handover.commit,
            "previous": handover.previous,
            "strategy": handover.strategy.value,
            "source": handover.source,
            "commits": commits[:HANDED_COMMITS],
            "count": len(commits),
            "as_checked": handover.as_checked,
            "checkout_updated": handover.checkout_updated,
            "missing": [item.ws_id for item in result.missing],
        },
    )


def commits_with(journal: Journal, row: Workstream) -> list[str]:
    """Return the commits with which a workstream's work came to branches of the user's."""
    return [commit for commit, _ in handovers_of(journal, row)]


def handovers_of(journal: Journal, row: Workstream) -> list[tuple[str, str]]:
    """Return them with the name of the branch that each came to, the newest first."""
    return [
        (str(event.payload.get("commit")), str(event.payload.get("into")))
        for event in _handovers(journal, row.run_id)
        if row.ws_id not in event.payload.get("missing", ())
    ]


def _handovers(journal: Journal, run_id: str) -> list[Event]:
    return journal.list_events(
        run_id=run_id, event_type=EventType.HANDED_OVER, limit=1000, newest_first=True
    )


def _is_recorded(journal: Journal, result: HandoverResult) -> bool:
    """Tell whether the journal knows that the target has this state of the source."""
    events = _handovers(journal, result.run_id)
    wanted = (result.into, result.handover.source)
    return any((e.payload.get("into"), e.payload.get("source")) == wanted for e in events)
