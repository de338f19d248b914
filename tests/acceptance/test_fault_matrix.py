"""Every fault of one real client, and every real client after it: the work lands all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fault_matrix import Matrix, matrix, pairs

pytestmark = pytest.mark.real_cli


@pytest.fixture(params=pairs(), ids="-".join)
def pair(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Matrix]:
    """A fault, the client that meets it, and the one that comes after it."""
    trouble, first, second = request.param
    with matrix(trouble, first, second, tmp_path, monkeypatch) as found:
        yield found


def test_the_fallback_lands_the_edit(pair: Matrix) -> None:
    """Its edit alone is merged, the trail has every attempt, and nothing of the first one is left."""
    assert pair.run() == "done"
    assert bool(pair.failing.asks) is pair.trouble.installed
    assert pair.merged() == {"ws-a.txt": "good"}
    assert pair.left_of_the_first() == []
    assert pair.kept_as_a_patch()
    assert pair.calls() == pair.expected_calls()
    assert pair.first_is_passed_over()
    assert pair.cooling() == pair.expected_cooling()
    assert pair.trail_is_whole()
