"""What turns say of their tools."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.toolhealth import ToolStatistics, ToolTurn
from penstock.routing.learn import statistics_of, weighted_median

NOW, DAY = 1_000_000.0, 86_400.0


def turn(
    tool: str = "a",
    *,
    success: bool = True,
    age_s: float = 0.0,
    seconds: float | None = None,
    cost_usd: float | None = None,
) -> ToolTurn:
    """A turn that ended some time ago."""
    return ToolTurn(
        tool_id=tool, success=success, ended_at=NOW - age_s, seconds=seconds, cost_usd=cost_usd
    )


def learn(*turns: ToolTurn) -> dict[str, ToolStatistics]:
    """The records at NOW with a half-life of a day."""
    return statistics_of(turns, now=NOW, half_life_s=DAY)


def test_older_turns_count_less() -> None:
    """Half after one half-life, a quarter after two; the future counts as now."""
    found = learn(turn(), turn(age_s=DAY), turn(success=False, age_s=2 * DAY), turn(age_s=-DAY))
    assert (found["a"].successes, found["a"].failures) == (2.5, 0.25)


def test_each_tool_has_a_record_of_its_own() -> None:
    """Sorted by id; no turns, no record."""
    assert list(learn(turn("b"), turn("a"))) == ["a", "b"]
    assert learn() == {}


def test_the_median_time_leans_to_what_is_recent() -> None:
    """Three slow turns of long ago do not outweigh two quick ones of today."""
    old = [turn(seconds=100.0, age_s=3 * DAY)] * 3
    assert learn(*old, turn(seconds=10.0), turn(seconds=12.0))["a"].median_s == 12.0
    assert learn(turn())["a"].median_s is None


def test_failures_cost_too() -> None:
    """Dollars per success hold what the failures cost; turns of unknown cost are left out."""
    found = learn(turn(cost_usd=1.0), turn(success=False, cost_usd=0.5), turn())
    assert found["a"].cost_per_success == 1.5


@pytest.mark.parametrize("turns", [[turn()], [turn(success=False, cost_usd=2.0)]])
def test_a_cost_per_success_may_be_unknown(turns: list[ToolTurn]) -> None:
    """No known cost, or nothing that succeeded."""
    assert learn(*turns)["a"].cost_per_success is None


@pytest.mark.parametrize("half_life", [0.0, -1.0, float("nan")])
def test_a_half_life_is_positive(half_life: float) -> None:
    """Anything else is a mistake of the caller."""
    with pytest.raises(ValueError, match="not positive"):
        statistics_of([], now=NOW, half_life_s=half_life)


@given(st.lists(st.tuples(st.floats(0.001, 10), st.floats(0, 1e6)), max_size=20))
def test_a_weighted_median_is_one_of_the_values(pairs: list[tuple[float, float]]) -> None:
    """None of nothing."""
    found = weighted_median(pairs)
    assert found in {value for _, value in pairs} if pairs else found is None
