"""How far a run has come, and how long it still takes, is told by the journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.engine.history import EARLIER_RUNS
from penstock.engine.metrics import run_metrics
from penstock.engine.progress import ProgressReader, snapshot
from penstock.engine.report_figures import run_figures
from penstock.errors import NotFoundError
from penstock.model.events import EventType
from penstock.model.progress import ProgressSnapshot, RunNow
from penstock.model.settings import DayLimits, Limits, PipelineSettings
from penstock.model.states import AttemptState, IntegrationState, RunState, WorkstreamState
from penstock.model.times import iso, seconds
from tests.support.cli import bundle
from tests.support.stories import SETTINGS, START, Story, told


@pytest.fixture
def story() -> Iterator[Story]:
    """A run of three workstreams that has just begun."""
    with told("ws-a", "ws-b", "ws-c") as one:
        yield one


def snap(story: Story) -> ProgressSnapshot:
    """Return the snapshot of the story now."""
    return snapshot(story.journal, story.run_id, story.now, SETTINGS)


def look(story: Story, settings: PipelineSettings = SETTINGS) -> RunNow:
    """Return the run of the story now."""
    return ProgressReader(story.journal, story.run_id, settings).look(story.now)


def earlier(story: Story, *, runtime: float = 8.0) -> None:
    """Put a finished run of one workstream before the story: edit 10, static 2."""
    old = story.another("run-0")
    old.begin(bundle("ws-old"))
    old.finish("ws-old", runtime=runtime)
    old.journal.move_run("run-0", RunState.SUCCEEDED)


# -- counting --------------------------------------------------------------------------------
def test_a_run_without_tasks_is_complete() -> None:
    """No tasks are 100 percent."""
    with told() as story:
        found = snap(story)
    assert (found.total_tasks, found.completion_percent) == (0, 100.0)


def test_tasks_are_counted_by_how_they_ended(story: Story) -> None:
    """Done ones are completed, failed ones failed, the others pending; members add up."""
    story.finish("ws-a")
    story.move("ws-b", WorkstreamState.EDITING)
    story.move("ws-b", WorkstreamState.FAILED)
    found = snap(story)
    assert (found.completed_tasks, found.failed_tasks, found.pending_tasks) == (1, 1, 1)
    assert (found.completion_percent, found.total_tasks) == (33.3, 3)
    assert (found.elapsed_seconds, found.started_at) == (20.0, iso(START))


def test_a_run_that_nobody_began_has_not_elapsed(story: Story) -> None:
    """A pending run has no start and no elapsed time."""
    story.journal.create_run("run-2")
    found = snapshot(story.journal, "run-2", story.now + 50, SETTINGS)
    assert (found.started_at, found.elapsed_seconds) == (None, 0.0)
    with pytest.raises(NotFoundError):
        snapshot(story.journal, "run-3", story.now, SETTINGS)


# -- estimates -------------------------------------------------------------------------------
def test_without_history_nothing_is_estimated(story: Story) -> None:
    """Null, not a constant, also when only some of the steps to come are known."""
    assert snap(story).estimated_remaining_seconds is None
    story.move("ws-a", WorkstreamState.EDITING)
    story.attempt("ws-a", "edit", 10)
    story.move("ws-a", WorkstreamState.STATIC_CHECK)
    found = snap(story)
    assert (found.estimated_remaining_seconds, found.estimated_completion) == (None, None)
    assert found.current_task_progress is None


def test_the_first_finished_workstream_tells_of_the_others(story: Story) -> None:
    """Two that take 20 s each, side by side on two slots, are done in 20 s."""
    story.finish("ws-a")
    found = snap(story)
    assert found.estimated_remaining_seconds == 20.0
    assert found.estimated_completion == iso(story.now + 20)


def test_slots_and_dependencies_count(story: Story) -> None:
    """With one slot the two take their time one after the other; so they do in a chain."""
    story.finish("ws-a")
    one = PipelineSettings(limits=SETTINGS.limits.__class__(max_parallel=1))
    assert look(story, one).snapshot.estimated_remaining_seconds == 40.0
    chain = story.another("run-2")
    chain.begin(bundle("ws-x"), bundle("ws-y", depends_on=["ws-x"]))
    found = look(chain)
    assert found.snapshot.estimated_remaining_seconds == 40.0
    assert (found.critical_path, found.critical_path_s) == (("ws-x", "ws-y"), 40.0)


def test_the_width_that_a_run_was_started_with_counts() -> None:
    """`max_parallel` in the metadata of the run beats the settings."""
    with told("ws-a", "ws-b", "ws-c", "ws-d", max_parallel=3) as story:
        story.finish("ws-a")
        assert snap(story).estimated_remaining_seconds == 20.0


@settings(max_examples=25, deadline=None)
@given(
    parents=st.lists(st.integers(0, 11), min_size=1, max_size=12),
    slots=st.integers(1, 5),
    begun=st.integers(0, 3),
)
def test_estimates_keep_within_bounds(parents: list[int], slots: int, begun: int) -> None:
    """No run is shorter than its critical path or than its work over its slots, and none longer
    than all of its work."""
    names = [f"ws-{number:02}" for number in range(len(parents))]
    chosen = list(zip(names, (p % len(parents) for p in parents), strict=True))
    with told("ws-first") as story:
        story.finish("ws-first")
        run = story.another("run-2")
        graph = {n: [names[p]] if names[p] < n else [] for n, p in chosen}
        run.begin(*(bundle(n, depends_on=deps) for n, deps in graph.items()), max_parallel=slots)
        roots = [name for name, deps in graph.items() if not deps]
        for name in roots[: min(begun, slots)]:
            run.move(name, WorkstreamState.EDITING)
            run.open_attempt(name, "edit")
        run.now += 3
        found = look(run)
    work = 20.0 * len(names) - 3.0 * found.working
    left = found.snapshot.estimated_remaining_seconds
    assert left is not None
    assert found.critical_path_s is not None
    assert max(found.critical_path_s, work / slots) - 0.1 <= left <= work + 0.1


def test_limits_of_tools_count(story: Story) -> None:
    """A tool that serves one workstream at a time makes two take their time one after the other."""
    story.finish("ws-a")
    limits = SETTINGS.limits.__class__(max_parallel=4, tools={"scripted": 1})
    found = look(story, PipelineSettings(limits=limits))
    assert found.snapshot.estimated_remaining_seconds == 40.0


def test_earlier_runs_tell_when_this_one_cannot(story: Story) -> None:
    """Durations of earlier runs serve until this one has its own."""
    earlier(story)
    assert snap(story).estimated_remaining_seconds == 40.0
    story.finish("ws-a", edit=20)
    assert snap(story).estimated_remaining_seconds == 30.0


def test_the_same_tool_is_believed_first(story: Story) -> None:
    """Of earlier workstreams those of the same tool count, others only when there are none."""
    old = story.another("run-0")
    old.begin(bundle("ws-old"), bundle("ws-slow", tool="aider"))
    old.finish("ws-old")
    old.move("ws-slow", WorkstreamState.EDITING)
    old.attempt("ws-slow", "edit", 25, tool_id="aider")
    old.move("ws-slow", WorkstreamState.DONE)
    assert snap(story).estimated_remaining_seconds == 40.0


def test_what_has_been_done_of_a_step_is_not_to_come(story: Story) -> None:
    """A workstream 4 s into an edit of 10 s has 16 s of 20 s left, however long checks were."""
    earlier(story)
    for name in ("ws-b", "ws-c"):
        story.finish(name)
    story.move("ws-a", WorkstreamState.EDITING)
    story.open_attempt("ws-a", "edit")
    story.now += 4
    found = snap(story)
    assert found.estimated_remaining_seconds == 16.0
    assert (found.current_task, found.current_task_progress) == ("ws-a", 20.0)


def test_a_step_that_takes_too_long_is_not_negative(story: Story) -> None:
    """An edit that has taken longer than ever still has its checks to come, and no less."""
    earlier(story)
    for name in ("ws-b", "ws-c"):
        story.finish(name)
    story.move("ws-a", WorkstreamState.EDITING)
    story.open_attempt("ws-a", "edit")
    story.now += 500
    assert snap(story).estimated_remaining_seconds == 10.0


def test_fix_turns_belong_to_their_step(story: Story) -> None:
    """What mending usually takes is part of how long a step takes."""
    story.move("ws-a", WorkstreamState.EDITING)
    story.attempt("ws-a", "edit", 10)
    story.move("ws-a", WorkstreamState.STATIC_CHECK)
    story.attempt("ws-a", "static", 2, status=AttemptState.FAILED)
    story.attempt("ws-a", "fix", 6, for_step="static")
    story.attempt("ws-a", "static", 2)
    story.move("ws-a", WorkstreamState.RUNTIME_TESTS)
    story.attempt("ws-a", "runtime", 5)
    story.move("ws-a", WorkstreamState.DONE)
    assert snap(story).estimated_remaining_seconds == 25.0


def test_merging_counts_where_it_is_recorded(story: Story) -> None:
    """Checks of merged trees belong to what is to come; a queued merge is still open."""
    story.finish("ws-a")
    story.attempt("ws-a", "integrate", 30)
    found = look(story)
    assert found.critical_path_s == 50.0
    story.move("ws-b", WorkstreamState.DONE)
    story.merge("ws-b", IntegrationState.QUEUED)
    assert look(story).critical_path_s == 50.0


def test_a_batch_shares_the_time_of_its_merge(story: Story) -> None:
    """Where one of two that were merged together bears the checks, each is expected to take half."""
    story.finish("ws-a")
    story.finish("ws-b")
    story.attempt("ws-a", "integrate", 30)
    assert look(story).critical_path_s == 35.0


def test_what_waits_for_a_failed_one_is_not_waited_for(story: Story) -> None:
    """The estimate is for what can still end."""
    run = story.another("run-2")
    run.begin(bundle("ws-x"), bundle("ws-y", depends_on=["ws-x"]), bundle("ws-z"))
    run.finish("ws-z")
    run.move("ws-x", WorkstreamState.EDITING)
    run.move("ws-x", WorkstreamState.FAILED)
    assert snap(run).estimated_remaining_seconds == 0.0


def test_a_run_that_is_over_has_nothing_left(story: Story) -> None:
    """The estimate of an ended run is its end."""
    story.finish("ws-a")
    story.journal.move_run(story.run_id, RunState.FAILED)
    end = story.now
    story.now += 1000
    found = snap(story)
    assert (found.estimated_remaining_seconds, found.elapsed_seconds) == (0.0, 20.0)
    assert found.estimated_completion == iso(end)
    assert look(story).waiting == {}


def test_only_the_newest_runs_are_believed(story: Story) -> None:
    """What is older than twenty runs is not read."""
    earlier(story, runtime=25)
    for number in range(EARLIER_RUNS + 1):
        story.now += 1
        story.journal.create_run(f"run-between-{number:02}")
    assert snap(story).estimated_remaining_seconds is None


# -- who waits for what ----------------------------------------------------------------------
def test_why_each_waits() -> None:
    """By the rules of the schedule: dependencies, slots, gates; and by what the journal says."""
    with told("ws-a", "ws-b") as story:
        run = story.another("run-2")
        run.begin(*(bundle(f"ws-{n}") for n in range(3)), bundle("ws-late", depends_on=["ws-0"]))
        run.move("ws-0", WorkstreamState.EDITING)
        run.open_attempt("ws-0", "edit")
        run.move("ws-1", WorkstreamState.EDITING)
        run.journal.set_workstream_reason("run-2", "ws-1", "rate_limit", until=iso(run.now + 9))
        found = look(run)
    kinds = {view.ws_id: view.waiting for view in found.workstreams}
    assert kinds == {
        "ws-0": None, "ws-1": "rate_limit", "ws-2": "slots", "ws-late": "dependency",
    }  # fmt: skip
    assert (found.working, found.waiting["slots"]) == (1, 1)
    assert found.workstreams[1].reason == "rate limit until 22:13Z"
    assert "ws-0" in (found.workstreams[-1].reason or "")


def test_an_approval_is_waited_for_until_it_is_given() -> None:
    """A gate that needs a word says so, and no longer when the word was given."""
    settings = PipelineSettings(approvals=(1,))
    with told("ws-a") as story:
        reader = ProgressReader(story.journal, story.run_id, settings)
        assert reader.look(story.now).workstreams[0].waiting == "approval"
        story.journal.approve(story.run_id, 1, by="me")
        assert reader.look(story.now).workstreams[0].waiting != "approval"


def test_one_reader_follows_the_run(story: Story) -> None:
    """The same reader sees work begin, go on and end."""
    reader = ProgressReader(story.journal, story.run_id, SETTINGS)
    assert reader.look(story.now).working == 0
    story.move("ws-a", WorkstreamState.EDITING)
    story.open_attempt("ws-a", "edit")
    assert reader.look(story.now).working == 1
    attempt = story.journal.list_attempts(story.run_id)[0]
    story.journal.finish_attempt(attempt.id, AttemptState.SUCCEEDED)
    found = reader.look(story.now).workstreams[0]
    assert (found.step, found.tool_id, found.working) == ("", "scripted", True)
    story.journal.add_workstream(story.run_id, "ws-new", metadata={"bundle": bundle("ws-new")})
    assert len(reader.look(story.now).workstreams) == 4


def test_rows_of_a_script_are_shown_without_estimate(story: Story) -> None:
    """A workstream without a bundle, entered through the documented functions, is no obstacle."""
    earlier(story)
    story.journal.add_workstream(story.run_id, "ws-script")
    found = look(story)
    assert found.snapshot.total_tasks == 4
    assert found.snapshot.estimated_remaining_seconds is None


RUBBISH: list[dict[str, Any]] = [
    {"bundle": "no bundle"},
    {"bundle": {"id": "ws-script"}},
    {"bundle": bundle("ws-another")},
    {"bundle": bundle("ws-script", depends_on=["ws-script"])},
    {"bundle": bundle("ws-script", files_scope=["../out"])},
]


@pytest.mark.parametrize("metadata", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_in_a_row_is_no_obstacle(story: Story, metadata: dict[str, Any]) -> None:
    """Whatever a script enters as a bundle, the run is shown, and nothing is made up."""
    earlier(story)
    story.journal.add_workstream(story.run_id, "ws-script", metadata=metadata)
    found = look(story)
    assert found.snapshot.total_tasks == 4
    assert found.snapshot.estimated_remaining_seconds is None
    figures = run_figures(story.journal, story.run_id, story.now, SETTINGS, lambda *_: None)
    assert [w.max_cost_usd for w in figures.workstreams] == [None] * 4


def test_money_is_held_against_the_caps(story: Story) -> None:
    """The view has what was spent and what may be."""
    story.move("ws-a", WorkstreamState.EDITING)
    story.attempt("ws-a", "edit", 1, usd=0.5, tokens=(10, 5))
    found = look(story)
    assert (found.usage.cost_usd, found.max_cost_usd, found.max_tokens) == (0.5, 5.0, 10_000)
    assert found.workstreams[0].usage.tokens == 15


def test_a_day_with_a_cap_is_held_against_it(story: Story) -> None:
    """All runs since midnight count; where a day has no cap nothing is said of it."""
    assert look(story).today is None
    story.move("ws-a", WorkstreamState.EDITING)
    story.attempt("ws-a", "edit", 1, usd=0.5, tokens=(10, 5))
    caps = PipelineSettings(limits=Limits(per_day=DayLimits(max_tokens=100)))
    days = []
    for text in ("2026-01-01T23:59:59Z", "2026-01-02T00:00:01Z"):
        story.now = seconds(text)
        found = look(story, caps).today
        assert found is not None
        days.append((found.day, found.tokens, found.cost_usd, found.max_tokens))
    assert days == [("2026-01-01", 15, 0.5, 100), ("2026-01-02", 0, 0.0, 100)]


# -- metrics ---------------------------------------------------------------------------------
def test_metrics_count_steps_and_events(story: Story) -> None:
    """Lost attempts are steps that are neither completed nor failed; errors are events too."""
    story.move("ws-a", WorkstreamState.EDITING)
    story.attempt("ws-a", "edit", 1, status=AttemptState.FAILED)
    story.attempt("ws-a", "edit", 2, status=AttemptState.UNKNOWN)
    story.attempt("ws-a", "edit", 3)
    story.event(EventType.BREAKER_TRIP, "ws-a", step="edit")
    found = run_metrics(story.journal, story.run_id, story.now)
    assert (found.total_steps, found.completed_steps, found.failed_steps) == (3, 1, 1)
    assert found.error_events == 1
    assert found.total_events == len(story.journal.list_events(run_id=story.run_id, limit=-1))
    assert (found.duration_seconds, found.ended_at, found.status) == (6.0, None, "running")


def test_metrics_of_a_run_that_was_not_begun(story: Story) -> None:
    """A pending run has no duration; an ended one keeps it."""
    story.journal.create_run("run-2")
    assert run_metrics(story.journal, "run-2", story.now).duration_seconds is None
    story.now += 5
    story.journal.move_run(story.run_id, RunState.CANCELED)
    assert run_metrics(story.journal, story.run_id, story.now + 100).duration_seconds == 5.0
