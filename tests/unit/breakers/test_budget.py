"""What is reserved for a turn, and how a budget is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.breakers.budget import (
    OUTLIER,
    UNKNOWN_OUTPUT,
    BudgetVerdict,
    History,
    Level,
    budget_verdict,
    context_problem,
    estimate_tokens,
    reservation_of,
)
from penstock.model.settings import BudgetMode, Price

PRICE = Price(input=0.5, output=2.0)
STEADY = History(input_median=900, input_p90=1000, output_median=400, output_p90=500)


@pytest.mark.parametrize(
    ("chars", "tokens"), [(-5, 0), (0, 0), (1, 1), (4, 1), (5, 2), (512_000, 128_000)]
)
def test_tokens_are_a_quarter_of_the_characters(chars: int, tokens: int) -> None:
    """A part of a token counts as a whole one, and less than nothing as nothing."""
    assert estimate_tokens(chars) == tokens


@pytest.mark.parametrize(
    ("chars", "bundle", "words"),
    [
        (400, None, None),
        (400, 100, None),
        (401, None, "the prompt has about 101 tokens, the tool takes 100"),
        (401, 200, "the prompt has about 101 tokens, the tool takes 100"),
        (4, 101, "the bundle estimates 101 tokens of context, the tool takes 100"),
    ],
)
def test_a_window_is_kept(chars: int, bundle: int | None, words: str | None) -> None:
    """A prompt, or what its bundle says of it, that is longer than the window is a problem."""
    assert context_problem(chars, bundle, 100) == words


def test_without_any_knowledge_the_prompt_and_a_usual_reply_are_reserved() -> None:
    """A tool that nothing is known of gets its prompt and a fixed output, at no known price."""
    expected = reservation_of(4000)
    assert (expected.tokens, expected.cost_usd) == (1000 + UNKNOWN_OUTPUT, None)


@pytest.mark.parametrize(("turn_tokens", "tokens"), [(5000, 5000), (1000, 1000), (10, 1000)])
def test_the_configured_guess_is_for_the_whole_turn(turn_tokens: int, tokens: int) -> None:
    """limits.turn_tokens counts prompt and reply, and is never less than the prompt."""
    assert reservation_of(4000, turn_tokens=turn_tokens).tokens == tokens


def test_history_goes_before_the_guess() -> None:
    """What the tool used before is reserved by its ninth decile, whatever is configured."""
    assert reservation_of(400, history=STEADY, turn_tokens=99_999).tokens == 1500


def test_a_prompt_longer_than_any_before_counts_itself() -> None:
    """The prompt at hand is no guess: it counts where it is more than the history tells."""
    assert reservation_of(40_000, history=STEADY).tokens == 10_500


def test_an_outlier_does_not_stop_a_run() -> None:
    """A ninth decile far above the median counts for some medians only."""
    wild = History(output_median=100, output_p90=1_000_000)
    assert reservation_of(0, history=wild).tokens == 100 * OUTLIER


@pytest.mark.parametrize(
    ("history", "tokens"),
    [
        (History(output_median=7), 7),
        (History(output_p90=9), 9),
        (History(output_median=0, output_p90=9), 9),
    ],
)
def test_half_a_history_serves_as_well(history: History, tokens: int) -> None:
    """One of the two figures is enough, and a median of nothing bounds nothing."""
    assert reservation_of(0, history=history).tokens == tokens


def test_the_price_is_per_thousand_tokens() -> None:
    """Input and output have a price each."""
    assert reservation_of(4000, price=PRICE, history=STEADY).cost_usd == pytest.approx(0.5 + 1.0)


def test_a_reported_cost_goes_before_a_computed_one() -> None:
    """A tool that tells its own cost is believed."""
    told = History(output_median=1, output_p90=1, cost_median=0.2, cost_p90=0.3)
    assert reservation_of(4000, price=PRICE, history=told).cost_usd == pytest.approx(0.3)


@pytest.mark.parametrize("cap", [None, 10.0])
def test_below_four_fifths_all_is_well(cap: float | None) -> None:
    """Without a limit, or well below it, there is nothing to say."""
    assert budget_verdict(7.99, cap) == BudgetVerdict(level=Level.OK)


def test_at_four_fifths_a_warning_is_due() -> None:
    """The warning names the budget, both amounts and the share; nothing stops."""
    verdict = budget_verdict(8.0, 10.0, name="ws-a")
    assert (verdict.level, verdict.stops) == (Level.WARN, False)
    assert verdict.message == "ws-a has used 8.00 USD of 10.00 USD (80%)"


@pytest.mark.parametrize(
    ("mode", "stops", "words"),
    [
        (BudgetMode.HALT, True, "nothing more is started"),
        (BudgetMode.WARN, False, "it goes on, by limits.budget_mode"),
    ],
)
def test_at_the_cap_the_mode_decides(mode: BudgetMode, stops: bool, words: str) -> None:
    """Halting stops the run; warning says so and goes on."""
    verdict = budget_verdict(1000, 1000, mode, unit="tokens")
    assert (verdict.level, verdict.stops) == (Level.OVER, stops)
    assert verdict.message == f"the run has used 1000 tokens of 1000 tokens: {words}"


@pytest.mark.parametrize(("spent", "level"), [(8.0, Level.WARN), (11.0, Level.OVER)])
def test_continue_says_nothing(spent: float, level: Level) -> None:
    """The level is still told, for reports."""
    assert budget_verdict(spent, 10.0, BudgetMode.CONTINUE) == BudgetVerdict(level=level)


def test_a_budget_of_nothing_is_used_up() -> None:
    """With a cap of 0 nothing may start."""
    assert budget_verdict(0, 0).stops


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.sampled_from(BudgetMode))
def test_only_halting_at_the_cap_stops(spent: float, cap: float, mode: BudgetMode) -> None:
    """Whatever the amounts: it stops if and only if the mode halts and the cap is reached."""
    assert budget_verdict(spent, cap, mode).stops == (mode is BudgetMode.HALT and spent >= cap)


@given(st.integers(0, 10**7), st.one_of(st.none(), st.integers(1, 10**7)))
def test_a_reservation_covers_its_prompt(chars: int, turn_tokens: int | None) -> None:
    """Never is less reserved than the prompt itself has."""
    assert reservation_of(chars, turn_tokens=turn_tokens).tokens >= estimate_tokens(chars)
