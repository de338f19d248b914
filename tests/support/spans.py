"""When attempts ran, side by side or one after the other, as the journal has it."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.model.records import Attempt
from penstock.model.times import seconds
from tests.support.pipeline import Project

Span = tuple[float, float]


def spans(project: Project, *steps: str, run_id: str = "run-1") -> list[Span]:
    """Return from when until when (seconds since the epoch) the attempts of some steps ran."""
    with project.workspace() as workspace:
        attempts = workspace.reader.list_attempts(run_id)
    return [span(attempt) for attempt in attempts if attempt.step_name in steps]


def span(attempt: Attempt) -> Span:
    """Return from when until when (seconds since the epoch) an attempt ran."""
    return seconds(attempt.started_at or ""), seconds(attempt.completed_at or "")


def most_at_once(found: Sequence[Span]) -> int:
    """Return how many of the spans there were at the fullest moment."""
    moments = sorted([(end, -1) for _, end in found] + [(start, 1) for start, _ in found])
    most = now = 0
    for _, change in moments:
        now += change
        most = max(most, now)
    return most


def widest(project: Project, *steps: str, run_id: str = "run-1") -> int:
    """Return how many attempts of some steps ran at the same time."""
    return most_at_once(spans(project, *steps, run_id=run_id))
