"""The strategies: they truly differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.model.capability import Strategy
from penstock.routing.api import RoutePolicy, ToolState
from penstock.routing.decide import strategy_of
from penstock.routing.order import load, rotated, success_rate
from tests.support.routes import decide, rule, tool

AUTO, ROUND = Strategy.AUTO, Strategy.ROUND_ROBIN


def auto(*tools: ToolState) -> tuple[str, ...]:
    """The order that `auto` comes to."""
    return decide(*tools, rule=rule(strategy=AUTO)).order


def test_round_robin_goes_on_after_the_last_used() -> None:
    """Each in its turn, and round again."""
    turns = [decide(rule=rule(strategy=ROUND), last_used=last).order for last in (None, *"abc")]
    assert [order[0] for order in turns] == ["a", "b", "c", "a"]
    assert turns[2] == ("c", "a", "b")


def test_round_robin_goes_on_after_one_that_does_not_fit() -> None:
    """The place of a tool in the round is kept while it is cooling down."""
    cold = tool("b", unavailable="not installed")
    assert decide(cold, rule=rule(strategy=ROUND), last_used="b").order == ("c", "a")


def test_a_last_used_tool_that_left_the_rule_starts_the_round_again() -> None:
    """Rules change between two runs."""
    assert rotated(("a", "b"), "z") == ("a", "b")


def test_load_balance_prefers_the_least_loaded_and_rotates_among_equals() -> None:
    """Round robin alone would take b."""
    spread = rule(load_balance=True)
    assert strategy_of(spread) is ROUND
    busy = tool("b", busy=1, max_parallel=2)
    assert decide(busy, rule=spread, last_used="a").order == ("c", "a", "b")
    assert decide(rule=spread, last_used="a").order == ("b", "c", "a")


def test_fixed_and_round_robin_do_not_look_at_the_load() -> None:
    """A busy tool queues its turns."""
    busy = tool("a", busy=1)
    assert decide(busy).tool_id == "a"
    assert decide(busy, rule=rule(strategy=ROUND)).tool_id == "a"


def test_auto_learns_from_what_succeeded() -> None:
    """The best record comes first, whatever the rule's order."""
    good, bad = tool("c", successes=9.0), tool("a", successes=2.0, failures=8.0)
    assert auto(good, bad) == ("c", "b", "a")


def test_auto_prefers_a_free_slot_to_a_better_record() -> None:
    """Waiting for the best costs more than taking the second best."""
    assert auto(tool("a", busy=1, successes=50.0)) == ("b", "c", "a")


def test_auto_breaks_ties_by_load_time_cost_and_order() -> None:
    """Each counts only among equals before it; the known comes before the unknown."""
    assert auto(tool("a", busy=1, max_parallel=2)) == ("b", "c", "a")
    assert auto(tool("b", median_s=9.0), tool("c", median_s=5.0)) == ("c", "b", "a")
    assert auto(tool("c", cost_per_success=0.1), tool("b", cost_per_success=0.2)) == (
        "c", "b", "a",
    )  # fmt: skip
    assert auto() == ("a", "b", "c")


def test_auto_is_not_swayed_by_a_hair() -> None:
    """Rates that differ by less than a step count as equal, and the faster one wins."""
    slow = tool("a", successes=50.2, median_s=60.0)
    assert auto(slow, tool("b", successes=50.0, median_s=6.0))[0] == "b"


def test_one_lucky_turn_does_not_beat_a_long_record() -> None:
    """The prior keeps a tool with one success behind one with many."""
    policy = RoutePolicy()
    lucky, proven = tool("a", successes=1.0), tool("b", successes=40.0, failures=1.0)
    assert success_rate(lucky, policy) < success_rate(proven, policy)


def test_auto_says_what_it_rests_on() -> None:
    """The reason names the record, or that there is none."""
    used = rule(strategy=AUTO)
    assert "no record yet" in decide(rule=used).reason
    known = tool("a", successes=9.0, failures=1.0)
    assert "9.0 of 10.0 turns succeeded" in decide(known, rule=used).reason


def test_the_other_reasons_name_the_strategy() -> None:
    """Fixed says how many were passed over, round robin whose turn it is."""
    assert decide(rule=rule(strategy=ROUND)).reason == "it is a's turn"
    cold = tool("a", unavailable="not installed")
    assert decide(cold).reason == "b is the first of its rule that fits, after 1 passed over"


def test_a_tool_without_a_slot_of_its_own_is_full_when_it_works() -> None:
    """A limit of 0 is read as 1."""
    assert load(tool("a", busy=1, max_parallel=0)) == 1.0


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_success_rate_is_a_rate(successes: float, failures: float) -> None:
    """Between 0 and 1, whatever the sums."""
    rate = success_rate(tool("a", successes=successes, failures=failures), RoutePolicy())
    assert 0.0 <= rate <= 1.0
