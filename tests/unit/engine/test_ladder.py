"""Who takes FIX n: the tier of that number, or the nearest that can be started."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.ladder import choose
from penstock.model.agents import AgentProfile, AgentProfiles, AgentTable, EscalationRules, Rung

RUNGS = AgentProfiles().ladder()


def tools(rungs: tuple[Rung, ...]) -> list[str | None]:
    """Return the tools of rungs."""
    return [rung.tool_id for rung in rungs]


def missing(*names: str) -> Callable[[Rung], str | None]:
    """Return a judge that has these tools missing."""
    return lambda rung: f"{rung.tool_id} is missing" if rung.tool_id in names else None


@pytest.mark.parametrize(
    ("number", "tool"),
    [(1, "aider"), (2, "codex"), (3, "claude-cli"), (4, "claude-cli"), (99, "claude-cli")],
)
def test_fix_n_goes_to_tier_n(number: int, tool: str) -> None:
    """And beyond the last tier to the last."""
    choice = choose(RUNGS, number, missing())
    assert choice.rung is not None
    assert (choice.rung.tool_id, choice.passed_over) == (tool, ())


def test_a_tier_that_cannot_be_started_is_passed_over_with_its_reason() -> None:
    """The next one up takes the turn."""
    choice = choose(RUNGS, 1, missing("aider", "codex"))
    assert choice.rung is not None
    assert choice.rung.tool_id == "claude-cli"
    assert choice.passed_over == (("aider", "aider is missing"), ("codex", "codex is missing"))


def test_without_any_further_up_the_nearest_below_takes_it() -> None:
    """A ladder that has lost its top goes on with what it has."""
    choice = choose(RUNGS, 3, missing("claude-cli"))
    assert choice.rung is not None
    assert choice.rung.tool_id == "codex"


def test_nobody_is_a_choice_too() -> None:
    """With no tier that can be started, and with no tier at all."""
    assert choose(RUNGS, 1, missing("aider", "codex", "claude-cli")).rung is None
    assert choose((), 1, missing()).rung is None


@given(st.integers(1, 9), st.sets(st.sampled_from(["aider", "codex", "claude-cli"])))
def test_whoever_is_chosen_can_be_started(number: int, gone: set[str]) -> None:
    """And nobody is chosen only when none can be."""
    choice = choose(RUNGS, number, missing(*gone))
    assert (choice.rung is None) == (len(gone) == len(RUNGS))
    assert choice.rung is None or choice.rung.tool_id not in gone


def test_an_agent_stands_on_the_ladder_as_often_as_it_may_be_asked() -> None:
    """max_attempts of its own, else max_attempts_per_agent; not at all when it is disabled."""
    profiles = AgentProfiles(
        agents=AgentTable(aider=AgentProfile(max_attempts=1), codex=AgentProfile(enabled=False)),
        escalation=EscalationRules(max_attempts_per_agent=2),
    )
    assert tools(profiles.ladder()) == ["aider", "claude-cli", "claude-cli"]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (AgentProfile(), ("aider", "code_generation", True)),
        (AgentProfile(tool="mine"), ("mine", "code_generation", True)),
        (AgentProfile(tool="mine", capability="refactoring"), ("mine", "refactoring", False)),
        (AgentProfile(capability="refactoring"), (None, "refactoring", False)),
    ],
)
def test_a_profile_names_a_tool_a_capability_or_both(
    profile: AgentProfile, expected: tuple[str | None, str, bool]
) -> None:
    """A tool alone has no others after it; a capability alone leaves the choice to its rule."""
    rung = AgentProfiles(agents=AgentTable(aider=profile)).ladder()[0]
    assert (rung.tool_id, rung.capability, rung.alone) == expected
