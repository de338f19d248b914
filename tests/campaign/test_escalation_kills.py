"""An error pipeline that is killed at every single moment that leaves a trace."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from tests.process.test_escalation_kills import go_on
from tests.support.escalation import make_long_ladder
from tests.support.escalation_worker import died


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_no_moment_of_death_matters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """From each it goes on to the same end; a quarter of the moments in each part."""
    for number in count(1 + part, 4):
        ladder = make_long_ladder(tmp_path / str(number), monkeypatch)
        if not died(ladder.root, "run", number):
            assert number > 40, "there are more moments than that"
            return
        end = go_on(ladder)
        kept = [attempt.agent for attempt in end.ai_attempts if not attempt.lost]
        assert kept == ["aider", "codex"], number
