"""What a turn has cost, by its own word, by the prices, or not known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from penstock.engine.job import Job
from penstock.engine.pricing import estimate, price_of, turn_cost
from penstock.engine.toolslots import configured_limits
from penstock.model.outcome import OutcomeKind as Kind
from penstock.model.outcome import Usage
from penstock.model.settings import PipelineSettings, Price

CHEAP, DEAR = Price(input=1.0, output=2.0), Price(input=10.0, output=20.0)
NOTHING, SOME = Usage(), Usage(input_uncached=1000, output=500)


def job(tool_id: str = "claude-cli", model: str | None = None, **prices: Price) -> Job:
    """A workstream with a tool and prices; of the rest nothing is looked at."""
    settings = PipelineSettings(prices={n.replace("_", "-"): p for n, p in prices.items()})
    services = SimpleNamespace(settings=settings)
    fields = {"run_id": "run-1", "ws_id": "ws-a", "tool_id": tool_id, "turn_model": model}
    return cast("Job", SimpleNamespace(services=services, **fields))


def test_the_price_of_the_model_goes_before_that_of_the_tool() -> None:
    """Where the model has none, the tool's serves."""
    priced = job(model="opus", claude_cli=CHEAP, opus=DEAR)
    assert price_of(priced, "opus") == DEAR
    assert price_of(priced, "haiku") == CHEAP
    assert price_of(priced, None) == CHEAP
    assert price_of(job(opus=DEAR), None) is None


def test_a_tool_has_one_price_whatever_it_is_called() -> None:
    """Prices and limits may name it by its other name."""
    assert price_of(job(claude=CHEAP), None) == CHEAP
    assert configured_limits({"claude": 2, "codex": 1}) == {"claude-cli": 2, "codex": 1}


def test_tokens_are_priced_each_by_its_kind() -> None:
    """Cached input has a price of its own, or that of other input; without tokens nothing is known."""
    used = Usage(input_uncached=1000, cache_read=2000, cache_write=1000, output=500)
    assert estimate(used, CHEAP) == pytest.approx(1 + 2 + 1 + 1)
    cached = Price(input=1.0, output=2.0, cache_read=0.1, cache_write=1.5)
    assert estimate(used, cached) == pytest.approx(1 + 0.2 + 1.5 + 1)
    assert estimate(used, None) is None
    assert estimate(Usage(output=5), CHEAP) is None


@pytest.mark.parametrize("kind", [Kind.RATE_LIMITED, Kind.OVERLOADED, Kind.AUTH, Kind.CANCELED])
def test_who_was_turned_away_and_says_nothing_has_no_cost(kind: Kind) -> None:
    """With a word of its use it has one, whatever became of it."""
    assert turn_cost(job(), 7, NOTHING, kind, "now") is None
    told = turn_cost(job(claude=CHEAP), 7, SOME, kind, "now")
    assert told is not None
    assert told.estimated_cost_usd == pytest.approx(2.0)
    free = turn_cost(job(), 7, Usage(cost_usd=0.0), kind, "now")
    assert free is not None
    assert free.actual_cost_usd == 0.0


@pytest.mark.parametrize("kind", [Kind.EDITED, Kind.TIMEOUT, Kind.CRASHED, Kind.IDLE])
def test_who_has_worked_and_says_nothing_has_an_unknown_cost(kind: Kind) -> None:
    """The journal has a row for it, so that a limit does not take it for free."""
    row = turn_cost(job(model="opus"), 7, NOTHING, kind, "now")
    assert row is not None
    assert (row.actual_cost_usd, row.estimated_cost_usd, row.input_tokens) == (None, None, None)
    assert (row.step_attempt_id, row.model_name, row.timestamp) == (7, "opus", "now")
