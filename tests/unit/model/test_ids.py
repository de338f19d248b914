"""What a run may be called."""

from __future__ import annotations

import pytest

from penstock.errors import UsageError
from penstock.model.ids import require_run_id
from penstock.model.times import run_id_at


@pytest.mark.parametrize("text", ["run-1", "nightly_2026.01", "A", run_id_at(0.0), "9" * 100])
def test_plain_ids_are_taken(text: str) -> None:
    """Letters, digits, dots, dashes and underscores make an id."""
    assert require_run_id(text) == text


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a b", "-a", "a..b", "a.", "a.lock", "é"])
def test_others_are_refused(text: str) -> None:
    """What git or a file system would take amiss is refused with the rule."""
    with pytest.raises(UsageError, match="cannot be the id") as caught:
        require_run_id(text)
    assert "letters" in str(caught.value.hint)
