"""Money and tokens: reserved before a turn, settled after it, and what happens at a limit."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from penstock.engine.ports import ResumeOptions
from penstock.errors import Interrupted
from penstock.model.events import EventType
from penstock.model.results import RunResult
from penstock.model.states import AttemptState
from tests.acceptance.test_resume import HANG, asked_when, hanging, running, wait_for
from tests.support.pipeline import Project, says
from tests.support.spans import widest

DOLLAR = {"input": 1.0, "output": 1.0}
"""A price that makes a turn of 500 reserved tokens one of half a dollar."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a linter and tests."""
    return Project(tmp_path / "project")


def used(usd: float | None = None, tokens: int = 1) -> dict[str, Any]:
    """What a scripted turn reports."""
    amounts = {"input_tokens": tokens, "output_tokens": 0, "cost_usd": usd}
    return {key: amount for key, amount in amounts.items() if amount is not None}


def turns_of(project: Project, *ids: str, usd: float | None = None, **more: Any) -> None:
    """Write bundles of one turn each, which reports its cost."""
    for ws_id in ids:
        project.bundle(ws_id, says("good\n", f"{ws_id}.txt", usage=used(usd), **more))


def resume(project: Project, run_id: str = "run-1", **options: Any) -> RunResult:
    """Resume a run with other choices than it began with."""
    with project.workspace() as workspace:
        return workspace.resume(run_id, options=ResumeOptions(**options))


def done(project: Project, run_id: str = "run-1") -> list[str]:
    """The workstreams of a run that are done."""
    with project.workspace() as workspace:
        rows = workspace.reader.list_workstreams(run_id)
    return [row.ws_id for row in rows if row.status.value == "done"]


def run_reason(project: Project, run_id: str = "run-1") -> str:
    """Why a run waits."""
    with project.workspace() as workspace:
        return str(workspace.reader.get_run(run_id).reason)


# -- caps --------------------------------------------------------------------------------------
def test_at_the_cap_of_a_run_it_waits_for_the_users_word(project: Project) -> None:
    """What is left would not pay for another turn; the run goes on with more, where it was."""
    project.configure(limits={"max_parallel": 1, "max_cost_usd": 1.0})
    turns_of(project, "ws-a", "ws-b", "ws-c", usd=0.4)
    assert project.run().status == "running"
    assert done(project) == ["ws-a", "ws-b"]
    assert "the budget of the run is used up" in run_reason(project)
    assert project.row("ws-c").reason == "budget"
    assert resume(project, max_cost_usd=1.3).status == "succeeded"


def test_tokens_of_a_run_are_limited_as_money_is(project: Project) -> None:
    """In and out, as the tool reports them."""
    project.configure(limits={"max_parallel": 1, "max_tokens": 10_000})
    for ws_id in ("ws-a", "ws-b", "ws-c"):
        project.bundle(ws_id, says("good\n", f"{ws_id}.txt", usage=used(tokens=4_000)))
    assert project.run().status == "running"
    assert done(project) == ["ws-a", "ws-b"]
    project.configure(limits={"max_tokens": 20_000})
    assert project.resume().status == "succeeded"


@pytest.mark.parametrize(
    ("day", "more"),
    [
        ({"max_cost_usd": 0.5}, {"max_cost_usd": 5.0}),
        ({"max_tokens": 8_000}, {"max_tokens": 99_000}),
    ],
)
def test_a_day_counts_all_runs(
    project: Project, day: Mapping[str, float], more: Mapping[str, float]
) -> None:
    """The second run finds what the first one has left of the day."""
    project.configure(limits={"per_day": day})
    project.bundle("ws-a", says("bad\n", usage=used(0.5, 8_000)), says("good\n", usage=used(0.0)))
    assert project.run().status == "running"
    project.bundle("ws-a", says("good\n", usage=used(0.4, 1)))
    assert project.run(run_id="run-2").status == "running"
    assert "budget of the day" in run_reason(project, "run-2")
    project.configure(limits={"per_day": more})
    assert project.resume("run-2").status == "succeeded"


def test_at_its_own_cap_a_workstream_ends_and_the_others_go_on(project: Project) -> None:
    """The bundle's max_cost_usd is a breaker, not a wish to be asked."""
    project.bundle("ws-a", says("bad\n", usage=used(0.6)), says("good\n"), max_cost_usd=0.5)
    turns_of(project, "ws-b", usd=0.6)
    assert project.run().status == "failed"
    assert done(project) == ["ws-b"]
    assert "0.6000 USD used of 0.50 USD" in str(project.row("ws-a").reason)


def test_turns_that_would_pass_a_cap_together_wait_for_each_other(project: Project) -> None:
    """Each reserves half a dollar of one and costs a tenth: all come through, two at a time."""
    limits = {"max_parallel": 4, "max_cost_usd": 1.0, "turn_tokens": 500}
    project.configure(limits=limits, prices={"scripted": DOLLAR})
    turns_of(project, "ws-a", "ws-b", "ws-c", "ws-d", usd=0.1, delay_s=0.5)
    assert project.run().status == "succeeded"
    assert widest(project, "edit") <= 2
    assert project.events(EventType.BUDGET_EXCEEDED) == []
    waited = project.events(EventType.WORKSTREAM_WAITING)
    assert "budget" in {event.payload["reason"] for event in waited}
    assert [project.row(ws_id).reason for ws_id in ("ws-a", "ws-b", "ws-c", "ws-d")] == [None] * 4


# -- modes and warnings ------------------------------------------------------------------------
def test_a_warning_is_recorded_once(project: Project) -> None:
    """At four fifths of a cap, however many turns follow."""
    project.configure(limits={"max_parallel": 1, "max_cost_usd": 1.0})
    turns_of(project, "ws-a", "ws-b", usd=0.08)
    project.bundle("ws-0", says("good\n", "ws-0.txt", usage=used(0.82)))
    project.bundle("ws-c", says("good\n", "ws-c.txt", usage=used(0.01)))
    project.run()
    (event,) = project.events(EventType.BUDGET_WARNING)
    assert event.payload["reason"] == "the run has used 0.82 USD of 1.00 USD (82%)"


def test_the_last_turn_warns_too(project: Project) -> None:
    """What it has used is looked at when it ends, not when another one begins."""
    project.configure(limits={"max_cost_usd": 1.0})
    turns_of(project, "ws-a", usd=0.9)
    assert project.run().status == "succeeded"
    assert len(project.events(EventType.BUDGET_WARNING)) == 1


@pytest.mark.parametrize(("mode", "warnings"), [("warn", 1), ("continue", 0)])
def test_other_modes_go_on_beyond_every_cap(project: Project, mode: str, warnings: int) -> None:
    """`warn` says so for each cap, `continue` nothing; the bundle's own cap is no other."""
    limits = {"max_cost_usd": 1.0, "max_tokens": 1, "budget_mode": mode, "max_parallel": 1}
    project.configure(limits=limits)
    turn = says("bad\n", usage=used(3.0, 50))
    project.bundle("ws-a", turn, says("good\n", usage=used(3.0, 50)), max_cost_usd=0.5)
    assert project.run().status == "succeeded"
    told = [e.payload["reason"] for e in project.events(EventType.BUDGET_WARNING)]
    assert len(told) == 3 * warnings
    assert all("it goes on, by limits.budget_mode" in reason for reason in told)


# -- prices ------------------------------------------------------------------------------------
AGENT = "import pathlib; pathlib.Path('ws-a.txt').write_text('good\\n')"


def test_a_tool_of_unknown_price_does_not_run_under_a_cap(project: Project) -> None:
    """The message says what would let it; with leave it runs."""
    project.agent(AGENT)
    project.configure(limits={"max_cost_usd": 1.0})
    project.bundle("ws-a", tool="agent")
    assert project.run().status == "running"
    assert "agent has no known price" in run_reason(project)
    assert project.attempts("ws-a") == []
    project.configure(limits={"max_cost_usd": 1.0, "allow_unpriced": True})
    assert project.resume().status == "succeeded"


def test_a_price_lets_it_run(project: Project) -> None:
    """By the tool's name, where the model is not known; the estimate is what it has cost."""
    project.agent(AGENT)
    project.configure(limits={"max_cost_usd": 1.0, "turn_tokens": 500}, prices={"agent": DOLLAR})
    project.bundle("ws-a", tool="agent")
    assert project.run().status == "succeeded"
    with project.workspace() as workspace:
        assert workspace.reader.spent(run_id="run-1").cost_usd == pytest.approx(0.5)


def test_tools_that_report_their_cost_need_no_price(project: Project) -> None:
    """The first turn needs some room, and the next what the first one cost."""
    project.configure(limits={"max_cost_usd": 1.0})
    turns_of(project, "ws-a", usd=0.4)
    assert project.run().status == "succeeded"


def test_one_that_does_not_report_it_after_all_needs_a_price(project: Project) -> None:
    """After a turn with tokens and without a cost the limit could not be watched any more."""
    project.configure(limits={"max_cost_usd": 1.0, "max_parallel": 1})
    turns_of(project, "ws-a", "ws-b")
    assert project.run().status == "running"
    assert done(project) == ["ws-a"]
    assert "scripted has no known price" in run_reason(project)


def test_being_turned_away_costs_nothing(project: Project) -> None:
    """A rate limit before the turn is no turn of unknown cost: the cap still holds."""
    limited = {"claim": "rate_limited", "reset_in_s": 0.1}
    project.bundle("ws-a", limited, says("good\n", usage=used(0.2)), max_cost_usd=1.0)
    assert project.run().status == "succeeded"


# -- turns that were cut short -----------------------------------------------------------------
@pytest.fixture
def priced(project: Project) -> Project:
    """A project whose turns reserve half a dollar each, of two."""
    limits = {"max_cost_usd": 2.0, "turn_tokens": 500, "max_lost_attempts": 9}
    project.configure(limits=limits, prices={"scripted": DOLLAR})
    project.bundle("ws-a", HANG, max_cost_usd=2.0)
    return project


def spent_by(project: Project) -> tuple[float, int, float]:
    """What the run has spent, how many turns have no known cost, and what is reserved."""
    with project.workspace() as workspace:
        spent = workspace.reader.spent(run_id="run-1")
    return round(spent.cost_usd, 6), spent.unpriced, spent.reserved_cost_usd


def replace_turns(project: Project, *turns: Mapping[str, Any]) -> None:
    """Give the workstream of a run other turns to play."""
    statement = """
        UPDATE workstreams
        SET metadata_json = json_set(metadata_json, '$.bundle.metadata.scripted', json(?))
    """
    with project.workspace() as workspace, closing(workspace.connection()) as database:
        database.execute(statement, (json.dumps(turns),))
        database.commit()


def test_a_turn_canceled_by_the_user_is_settled_at_what_it_reserved(priced: Project) -> None:
    """It counts, and does not stand in the way of the next one."""
    with pytest.raises(Interrupted):
        priced.run(stop=asked_when(hanging(priced)))
    assert spent_by(priced) == (0.5, 0, 0.0)
    replace_turns(priced, says("good\n", usage=used(0.1)))
    assert priced.resume().status == "succeeded"
    assert spent_by(priced) == (0.6, 0, 0.0)


def test_a_turn_lost_in_a_crash_is_settled_at_what_it_reserved(priced: Project) -> None:
    """Nobody knows what it has come to, so the cap is kept."""
    with running(priced) as child:
        wait_for(hanging(priced))
        child.send_signal(signal.SIGKILL)
        child.wait()
    replace_turns(priced, says("good\n", usage=used(0.1)))
    assert priced.resume().status == "succeeded"
    assert spent_by(priced) == (0.6, 0, 0.0)
    assert priced.attempts("ws-a")[0].status is AttemptState.UNKNOWN


def test_a_canceled_turn_of_no_known_price_holds_nobody_up(project: Project) -> None:
    """No price that the user could give would make it known: the later turns are what counts."""
    project.bundle("ws-a", HANG, max_cost_usd=2.0)
    with pytest.raises(Interrupted):
        project.run(stop=asked_when(hanging(project)))
    replace_turns(project, says("bad\n", usage=used(0.1)), says("good\n", usage=used(0.1)))
    assert project.resume().status == "succeeded"


# -- context -----------------------------------------------------------------------------------
def test_a_prompt_that_fits_no_model_is_not_sent(project: Project) -> None:
    """The turn fails before the call, by the text or by the bundle's own estimate."""
    project.configure(limits={"context_tokens": 1_000})
    project.bundle("ws-a", says("good\n"), tasks=["word " * 2_000])
    project.bundle("ws-b", says("good\n", "ws-b.txt"), estimated_context_tokens=5_000)
    project.run()
    assert "the prompt has about" in str(project.row("ws-a").reason)
    assert "estimates 5000 tokens of context" in str(project.row("ws-b").reason)
    assert project.attempts("ws-a") + project.attempts("ws-b") == []
