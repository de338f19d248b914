"""What the journal's turns say of each tool: sums in which older turns count less."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penstock.model.toolhealth import ToolStatistics, ToolTurn


def statistics_of(
    turns: Iterable[ToolTurn], *, now: float, half_life_s: float
) -> dict[str, ToolStatistics]:
    """Return the record of each tool over its turns.

    A turn that ended `half_life_s` seconds before `now` counts half as much as one that ends now,
    one of twice that age a quarter. Raises ValueError when the half-life is not positive.
    """
    if not half_life_s > 0:
        raise ValueError(f"a half-life of {half_life_s} s is not positive")
    by_tool: dict[str, list[tuple[float, ToolTurn]]] = {}
    for turn in turns:
        age = max(now - turn.ended_at, 0.0)
        by_tool.setdefault(turn.tool_id, []).append((0.5 ** (age / half_life_s), turn))
    return {tool: _record(tool, weighed) for tool, weighed in sorted(by_tool.items())}


def _record(tool_id: str, weighed: Sequence[tuple[float, ToolTurn]]) -> ToolStatistics:
    successes = sum(weight for weight, turn in weighed if turn.success)
    priced = [(weight, turn) for weight, turn in weighed if turn.cost_usd is not None]
    return ToolStatistics(
        tool_id=tool_id,
        successes=successes,
        failures=sum(weight for weight, turn in weighed if not turn.success),
        median_s=weighted_median(
            [(weight, turn.seconds) for weight, turn in weighed if turn.seconds is not None]
        ),
        cost_per_success=_cost_per_success(priced),
    )


def _cost_per_success(priced: Sequence[tuple[float, ToolTurn]]) -> float | None:
    """Return what the turns of known cost cost for each of them that succeeded."""
    succeeded = sum(weight for weight, turn in priced if turn.success)
    if succeeded <= 0:
        return None
    return sum(weight * (turn.cost_usd or 0.0) for weight, turn in priced) / succeeded


def weighted_median(values: Sequence[tuple[float, float]]) -> float | None:
    """Return the least value at which half of the weight is reached, None of nothing."""
    ordered = sorted(values, key=lambda pair: pair[1])
    half, reached = sum(weight for weight, _ in ordered) / 2, 0.0
    for weight, value in ordered:
        reached += weight
        if reached >= half:
            return value
    return None
