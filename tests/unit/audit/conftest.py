"""A trail for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.trails import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A trail that stands at noon of a day."""
    made = Scene(tmp_path, secrets=("hunter2-the-vault-value",))
    yield made
    made.trail.close()
