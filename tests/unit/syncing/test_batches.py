"""What the journal says of the items of plans."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from penstock.errors import UsageError
from penstock.model.records import Workstream
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.planning.sources.api import Dialect, Trace
from penstock.planning.writeback.api import Standing
from penstock.syncing.batches import Traced, batches, done_elsewhere, is_in, standing, traced
from tests.support.plandesks import Files, item

W, I = WorkstreamState, IntegrationState  # noqa: E741 - as in the tables of states
DESK = Files({"plan.md": "- [ ] Do\n"})
SHA = hashlib.sha256(b"- [ ] Do\n").hexdigest()


def trace(*texts: str, sha: str = SHA, path: str = "plan.md") -> Trace:
    """What a bundle remembers."""
    items = tuple(item(text, file="plan.md") for text in texts)
    files = {"plan.md": sha}
    return Trace(dialect=Dialect.CHECKLIST, id="plan", path=path, files=files, items=items)


def row(
    ws_id: str = "ws-a",
    status: WorkstreamState = W.DONE,
    integration: IntegrationState = I.MERGED,
    plan: Any = None,
    head: str | None = "c0ffee",
) -> Workstream:
    """A workstream as the journal has it."""
    moment = "2026-02-03T04:05:06.123456Z"
    return Workstream(
        run_id="r",
        ws_id=ws_id,
        status=status,
        integration=integration,
        created_at=moment,
        updated_at=moment,
        head_commit=head,
        metadata={"bundle": {"metadata": {"plan": plan}}},
    )


@pytest.mark.parametrize(
    ("status", "integration", "said"),
    [
        (W.DONE, I.MERGED, Standing.DONE), (W.DONE, I.QUEUED, None), (W.DONE, I.NONE, None),
        (W.DONE, I.CONFLICT, Standing.REVIEW), (W.DONE, I.REJECTED, Standing.REVIEW),
        (W.QUARANTINED, I.NONE, Standing.BLOCKED), (W.FAILED, I.NONE, None),
        (W.CANCELED, I.NONE, None), (W.PENDING, I.NONE, None),
        *((state, I.NONE, Standing.STARTED) for state in (W.STARTED, W.EDITING, W.READY_FOR_STATIC, W.STATIC_CHECK, W.RUNTIME_TESTS)),
    ],
)  # fmt: skip
def test_only_merged_work_is_done(
    status: WorkstreamState, integration: IntegrationState, said: Standing | None
) -> None:
    """What waits for a person is for review, what is set apart is blocked; a failure says nothing."""
    assert standing(row(status=status, integration=integration)) is said
    assert is_in(row(status=status, integration=integration)) is (said is Standing.DONE)


def test_workstreams_of_one_plan_are_put_together() -> None:
    """With the second at which each was done, and the files that are as they were read."""
    found = [Traced(row("ws-a"), trace("Do")), Traced(row("ws-b"), trace("Eat"))]
    (batch,) = batches(found, DESK)
    assert [report.item.text for report in batch.reports] == ["Do", "Eat"]
    assert {report.moment for report in batch.reports} == {"2026-02-03T04:05:06Z"}
    assert batch.unchanged == {"plan.md"}


def test_another_version_of_a_plan_is_another_batch() -> None:
    """Its lines are not those of the first."""
    found = [Traced(row("ws-a"), trace("Do")), Traced(row("ws-b"), trace("Eat", sha="0"))]
    assert [batch.unchanged for batch in batches(found, DESK)] == [{"plan.md"}, set()]


def test_what_is_not_begun_is_not_reported() -> None:
    """Nor what has failed."""
    found = [Traced(row(status=W.PENDING, integration=I.NONE), trace("Do"))]
    assert [batch.reports for batch in batches(found, DESK)] == [()]


@pytest.mark.parametrize("plan", [None, "mine", 7, [], {"mine": 1}])
def test_what_is_no_trace_is_the_users_own(plan: Any) -> None:
    """Bundles of people may have a `plan` in their metadata, or none at all."""
    bare = msgspec.structs.replace(row(), metadata={})
    assert traced([row(plan=plan), bare]) == []


def test_a_trace_is_read_back() -> None:
    """As the bundle had it."""
    wanted = trace("Do")
    (found,) = traced([row(plan=msgspec.to_builtins(wanted))])
    assert found.trace == wanted


def test_a_damaged_trace_is_named() -> None:
    """With its workstream."""
    with pytest.raises(UsageError, match=r"metadata\.plan of ws-a cannot be read"):
        traced([row(plan={"dialect": "klingon"})])


def test_what_others_have_done_counts_where_it_is() -> None:
    """Of the same plan, merged, and in what is written to."""
    (batch,) = batches([Traced(row(), trace("Do"))], DESK)
    others = [
        Traced(row("ws-1", head="here"), trace("One")),
        Traced(row("ws-2", head="there"), trace("Two")),
        Traced(row("ws-3", head=None), trace("Three")),
        Traced(row("ws-4", head="here", integration=I.QUEUED), trace("Four")),
        Traced(row("ws-5", head="here"), trace("Five", path="other.md")),
    ]
    assert done_elsewhere(batch, others, lambda commit: commit == "here") == {"One"}
