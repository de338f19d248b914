"""A part of the kill campaign (bench/kill_campaign.py): runs that are killed until they end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest

from tests.support.campaign import (
    SHARES,
    Campaign,
    CampaignFailure,
    Plan,
    boundary_plans,
    campaign,
)
from tests.support.campaign_work import dependents_of

SEED = 20260315
PART = 0.12
"""The part of the boundaries that is enough here; the bench goes through all."""


@pytest.fixture(scope="module", params=[1, 4])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Campaign]:
    """A campaign with its undisturbed run behind it, one workstream at a time or four."""
    folder = tmp_path_factory.mktemp("campaign").resolve()
    with campaign(folder, max_parallel=request.param) as ready:
        yield ready


def a_plan(made: Campaign, number: int, **how: object) -> Plan:
    """A plan whose kills are drawn from the seed."""
    plan = Plan(number=number, seed=f"{SEED}/{number}", max_parallel=made.max_parallel)
    return msgspec.structs.replace(plan, **how)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_death_at_an_intent_or_outcome(made: Campaign, share: int) -> None:
    """Killed right before or after what it records, a run ends as it does undisturbed."""
    plan = boundary_plans(made, SEED, part=PART)[share]
    run = made.run(plan)
    assert run.kills >= len(plan.boundaries) / 2


@pytest.mark.slow
def test_no_worktree_is_forgotten(made: Campaign) -> None:
    """One that was laid but not recorded is used, one that was not given back is given back."""
    keys = tuple(
        key
        for key in made.boundaries
        if key.startswith(("after lease ws-d", "before release workstream/ws-d/"))
    )
    run = made.run(a_plan(made, 18, boundaries=keys))
    assert run.kills == len(keys) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "how"),
    [
        (11, {"kinds": ("orchestrator",), "most_kills": 12}),
        (12, {"kinds": ("group",), "most_kills": 8}),
        (13, {"kinds": ("git",), "most_kills": 10, "slow": True, "horizon_s": 0.3}),
        (14, {"kinds": ("orchestrator", "group", "git"), "most_kills": 10, "load": True}),
        (15, {"kinds": ("orchestrator, a tool at work",), "most_kills": 8}),
        (19, {"kinds": ("orchestrator, git at work",), "most_kills": 8, "slow": True}),
    ],
    ids=["alone", "with all its children", "git", "under load", "a tool lives on", "git lives on"],
)
def test_death_at_any_moment(made: Campaign, number: int, how: dict[str, object]) -> None:
    """Killed at random moments, alone, with its children or in its git, a run ends as it should."""
    run = made.run(a_plan(made, number, **how))
    assert run.kills > 0


@pytest.mark.slow
def test_a_dead_tool_has_failed(made: Campaign) -> None:
    """A tool that dies is no loss but a failure: its workstream fails, and only what needs it waits."""
    run = made.run(a_plan(made, 16, kinds=("tool",), most_kills=2))
    assert run.kills > 0


@pytest.mark.slow
def test_the_campaign_sees_what_is_left(made: Campaign) -> None:
    """A lock, a process, an edit of the checkout and a doubled commit do not go unseen."""
    run = made.run(a_plan(made, 17), keep=True)
    (run.root / ".git/refs/heads/left.lock").write_text("")
    (run.root / "notes.md").write_text("not mine\n")
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=run.root, stdin=-1) as left:
        with pytest.raises(CampaignFailure) as told:
            run.verify()
        left.communicate(b"\n")
    for words in ("lock left", "checkout was touched", f"process left: {left.pid}", "kept for"):
        assert words in str(told.value)


def test_what_a_failure_holds_back() -> None:
    """Dependents wait for a workstream that failed, and so does every higher gate."""
    assert dependents_of(frozenset({"ws-j"})) == {"ws-l"}
    assert dependents_of(frozenset({"ws-a"})) == {"ws-b", "ws-c", "ws-j", "ws-k", "ws-l"}
