"""Decide among 50 tools, for each strategy, with everybody healthy and with most cooling down.

Prints a table: median, best and worst of several runs (microseconds per decision), and the ratio to
sorting the same 50 states by one attribute, which decides nothing.

    python -m bench.bench_routing [--runs 7] [--decisions 2000]
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable

import msgspec

from penstock.model.capability import CapabilityRule, Strategy
from penstock.model.outcome import OutcomeKind
from penstock.routing.api import ToolState, Try
from penstock.routing.decide import route

TOOLS, TARGET_US, NOW = 50, 100.0, 1_000.0


def make_states(rng: random.Random) -> dict[str, ToolState]:
    """Tools with records of their own."""
    return {
        f"tool-{n}": ToolState(
            tool_id=f"tool-{n}",
            capabilities=("code_generation", "refactoring"),
            busy=rng.randrange(3),
            max_parallel=2,
            successes=rng.random() * 50,
            failures=rng.random() * 10,
            median_s=rng.random() * 100,
            cost_per_success=rng.random(),
        )
        for n in range(TOOLS)
    }


def most_cooling(states: dict[str, ToolState]) -> dict[str, ToolState]:
    """The same with all but the last two cooling down."""
    last = sorted(states)[-2:]
    return {
        name: state
        if name in last
        else msgspec.structs.replace(state, cooling_until=NOW + 60, cooling_reason="rate_limited")
        for name, state in states.items()
    }


def measure(action: Callable[[], object], runs: int, decisions: int) -> list[float]:
    """Return microseconds per call, one per run."""
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        for _ in range(decisions):
            action()
        found.append((time.perf_counter() - began) / decisions * 1e6)
    return found


def decision(strategy: Strategy, states: dict[str, ToolState]) -> Callable[[], object]:
    """A decision over all tools in the middle of a turn."""
    first, *rest = states
    used = CapabilityRule(primary=first, fallback=tuple(rest), strategy=strategy)
    tries = [Try(tool_id=first, kind=OutcomeKind.TIMEOUT)]
    return lambda: route(
        "code_generation", used, states, tries,
        now=NOW, jitter=1.0, max_retries=1, last_used=rest[10],
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--decisions", type=int, default=2000)
    options = parser.parse_args()
    states = make_states(random.Random(7))  # noqa: S311 - a fixed sample, not a secret
    plain = statistics.median(
        measure(
            lambda: sorted(states.values(), key=lambda s: s.successes),
            options.runs,
            options.decisions,
        )
    )
    print(f"{'decision among 50 tools':<34}{'median':>9}{'best':>9}{'worst':>9}{'x sort':>9}   us")
    for situation, known in (("all healthy", states), ("48 cooling", most_cooling(states))):
        for strategy in Strategy:
            us = measure(decision(strategy, known), options.runs, options.decisions)
            middle = statistics.median(us)
            name = f"{strategy.value}, {situation}"
            print(f"{name:<34}{middle:9.1f}{min(us):9.1f}{max(us):9.1f}{middle / plain:9.1f}")
    print(f"target: {TARGET_US:.0f} us")


if __name__ == "__main__":
    main()
