"""The figures of a run are those of its journal, nothing rounded to nothing."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from penstock.engine.report_figures import run_figures
from penstock.model.events import EventType
from penstock.model.figures import Again, DiffStat, Flaky, NotChecked, RunFigures, Wait
from penstock.model.states import AttemptState, IntegrationState, RunState, WorkstreamState
from penstock.model.times import iso
from tests.support.stories import BASE, HEAD, SETTINGS, Story, told

FAILED, LOST = AttemptState.FAILED, AttemptState.UNKNOWN


@pytest.fixture
def story() -> Iterator[Story]:
    """A run of two workstreams that has just begun."""
    with told("ws-a", "ws-b") as one:
        yield one


def figures(story: Story) -> RunFigures:
    """Return the figures now; every diff between two commits that are known has one file."""
    measure = {(BASE, HEAD): DiffStat(files=1, insertions=3, deletions=1)}.get
    return run_figures(
        story.journal,
        story.run_id,
        story.now,
        SETTINGS,
        lambda base, head: measure((base or "", head or "")),
        integrated=HEAD,
    )


def test_a_run_that_did_nothing_has_no_figures(story: Story) -> None:
    """Amounts are unknown rather than 0, and no list has an entry but what was not checked."""
    found = figures(story)
    assert (found.usage.cost_usd, found.usage.tokens, found.usage.turns) == (None, None, 0)
    assert [*found.tools, *found.steps, *found.breaker_trips, *found.waits] == []
    assert [(n.ws_id, n.step) for n in found.not_checked][:2] == [
        ("ws-a", "static"), ("ws-a", "runtime"),
    ]  # fmt: skip
    assert found.not_checked[0].why == "not come to (pending)"


def test_money_and_tokens_by_workstream_and_tool(story: Story) -> None:
    """Costs add up; a turn of unknown cost is counted, never taken for free."""
    story.move("ws-a", WorkstreamState.EDITING)
    story.attempt("ws-a", "edit", 4, usd=0.5, tokens=(100, 10))
    story.move("ws-b", WorkstreamState.EDITING)
    story.attempt("ws-b", "edit", 6, tokens=(50, 5), tool_id="aider", status=FAILED)
    found = figures(story)
    assert (found.usage.cost_usd, found.usage.tokens, found.usage.unpriced) == (0.5, 165, 1)
    assert (found.max_cost_usd, found.max_tokens) == (5.0, 10_000)
    assert [(w.ws_id, w.usage.cost_usd) for w in found.workstreams] == [
        ("ws-a", 0.5), ("ws-b", None),
    ]  # fmt: skip
    assert [(t.tool_id, t.success_rate, t.duration_sec) for t in found.tools] == [
        ("aider", 0.0, 6.0), ("scripted", 1.0, 4.0),
    ]  # fmt: skip
    assert found.tools[0].usage.unpriced == 1


def test_time_by_step_with_fixes_at_the_step_they_serve(story: Story) -> None:
    """A workstream's time in a step holds its FIX turns; the steps of the run name them apart."""
    story.move("ws-a", WorkstreamState.STATIC_CHECK)
    story.attempt("ws-a", "static", 2, status=FAILED)
    story.attempt("ws-a", "fix", 5, for_step="static")
    story.attempt("ws-a", "static", 2)
    found = figures(story)
    assert found.workstreams[0].steps == {"static": 9.0}
    rows = [(s.step_name, s.attempts, s.failed, s.duration_sec) for s in found.steps]
    assert rows == [("static", 2, 1, 4.0), ("fix", 1, 0, 5.0)]


def test_lost_and_repeated_attempts(story: Story) -> None:
    """What was lost, and what was tried again at once, is told; a check after a fix is neither."""
    story.move("ws-a", WorkstreamState.EDITING)
    story.attempt("ws-a", "edit", 1, status=FAILED, result={"outcome": "rate_limited"})
    story.attempt("ws-a", "edit", 1, status=LOST)
    story.attempt("ws-a", "edit", 1)
    story.attempt("ws-a", "static", 1, status=FAILED)
    story.attempt("ws-a", "fix", 1, for_step="static")
    story.attempt("ws-a", "static", 1)
    limited = Again(ws_id="ws-a", step="edit", attempt=1, tool_id="scripted", why="rate_limited")
    lost = msgspec.structs.replace(limited, attempt=2, why="lost")
    assert figures(story).attempts_again == (limited, lost)


def test_what_events_tell(story: Story) -> None:
    """Breakers, flaky checks and scope violations are listed with where they happened."""
    story.event(EventType.BREAKER_TRIP, "ws-a", step="static", reason="signature", message="again")
    story.event(EventType.FLAKY_CHECK, "ws-a", step="runtime", check="pytest")
    outside = [{"path": "b.py", "why": "outside"}, {"path": "c.py", "why": "outside"}]
    story.event(
        EventType.SCOPE_VIOLATION, "ws-b", out_of_scope_files=outside, policy="fail", step="edit"
    )
    found = figures(story)
    assert [(t.step, t.reason, t.message) for t in found.breaker_trips] == [
        ("static", "signature", "again")
    ]
    assert found.flaky == (Flaky(ws_id="ws-a", step="runtime", check="pytest"),)
    assert [(o.ws_id, o.paths, o.patch) for o in found.scope_violations] == [
        ("ws-b", ("b.py", "c.py"), None)
    ]


def test_odd_payloads_are_survived(story: Story) -> None:
    """Events of a script's own shape leave gaps and break nothing."""
    story.event(EventType.SCOPE_VIOLATION, "ws-a", out_of_scope_files="b.py")
    story.event(EventType.WORKSTREAM_WAITING, None, reason="budget")
    story.event(EventType.BREAKER_TRIP)
    found = figures(story)
    assert found.scope_violations[0].paths == ()
    assert found.breaker_trips[0].ws_id == ""
    assert found.waits == ()


def test_a_wait_lasts_until_the_next_step(story: Story) -> None:
    """Time in a rate limit ends when the workstream goes on, or at the stated end of the limit."""
    journal, run = story.journal, story.run_id
    journal.set_workstream_reason(run, "ws-a", "rate_limit", until=iso(story.now + 60))
    journal.set_workstream_reason(run, "ws-b", "rate_limit", until=iso(story.now + 1000))
    story.now += 100
    story.move("ws-b", WorkstreamState.EDITING)
    story.attempt("ws-b", "edit", 1)
    journal.set_workstream_reason(run, "ws-b", "budget")
    story.now += 7
    waits = {wait.reason: wait for wait in figures(story).waits}
    assert waits["rate_limit"] == Wait(reason="rate_limit", times=2, duration_sec=160.0)
    assert waits["budget"] == Wait(reason="budget", times=1, duration_sec=7.0)


def test_a_resumed_run_ends_its_waits(story: Story) -> None:
    """What a run waited for before it was resumed is over then."""
    story.journal.set_workstream_reason(story.run_id, "ws-a", "approval: gate 2")
    story.now += 30
    story.event(EventType.RUN_RESUMED)
    story.now += 500
    assert figures(story).waits == (Wait(reason="approval", times=1, duration_sec=30.0),)


def test_integration(story: Story) -> None:
    """Merges, checks of merged trees, turns that mend them, conflicts and rejections are counted."""
    story.finish("ws-a")
    story.finish("ws-b")
    story.attempt("ws-a", "integrate", 3, status=FAILED)
    story.attempt("ws-a", "fix", 4, for_step="integrate")
    story.attempt("ws-a", "integrate", 3)
    found = figures(story).integration
    assert (found.merged, found.open, found.checks, found.red, found.fixes) == (2, 0, 2, 1, 1)


def test_conflicts_are_named() -> None:
    """A conflict keeps the workstream open and names the files."""
    with told("ws-a", "ws-b") as story:
        story.move("ws-a", WorkstreamState.DONE)
        story.merge("ws-a", IntegrationState.CONFLICT)
        story.move("ws-b", WorkstreamState.DONE)
        story.merge("ws-b", IntegrationState.REJECTED)
        found = figures(story).integration
    assert [(c.ws_id, c.paths) for c in found.conflicts] == [("ws-a", "a.py")]
    assert (found.open, found.rejected) == (1, ("ws-b",))


def test_what_was_set_aside(story: Story) -> None:
    """Quarantined workstreams and a quarantined run are named with the reason."""
    story.move("ws-a", WorkstreamState.EDITING)
    story.move("ws-a", WorkstreamState.FAILED, reason="lost 3 times")
    story.move("ws-a", WorkstreamState.QUARANTINED, reason="lost 3 times")
    story.journal.move_run(story.run_id, RunState.QUARANTINED, reason="look at it")
    found = [(q.ws_id, q.reason) for q in figures(story).quarantines]
    assert found == [(None, "look at it"), ("ws-a", "lost 3 times")]


def test_what_was_not_checked(story: Story) -> None:
    """Steps without a check, acceptance in prose, and steps never come to are named."""
    prose = "not run, prose: it is nice"
    story.move("ws-a", WorkstreamState.STATIC_CHECK)
    story.attempt("ws-a", "static", 1, result={"skipped": True, "notes": ["nothing is configured"]})
    story.move("ws-a", WorkstreamState.RUNTIME_TESTS)
    story.attempt("ws-a", "runtime", 1, result={"notes": [prose, "from pyproject"]})
    found = [n for n in figures(story).not_checked if n.ws_id == "ws-a"]
    why = "nothing to run: nothing is configured"
    assert found == [
        NotChecked(ws_id="ws-a", step="static", why=why),
        NotChecked(ws_id="ws-a", step="runtime", why=prose),
    ]


def test_diffs_are_measured(story: Story) -> None:
    """Each workstream that committed has the size of its diff, and the run that of its branch."""
    story.journal.update_workstream(story.run_id, "ws-a", base_commit=BASE, head_commit=HEAD)
    found = figures(story)
    assert [w.diff.insertions if w.diff else None for w in found.workstreams] == [3, None]
    assert found.diff is not None
    assert found.diff.files == 1
