"""What the tests of migrations stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.migrations import Ground
from tests.support.oldtrees import write_tree


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A folder with an old tree, and a user's folder that is not there yet."""
    root = tmp_path / "repo"
    write_tree(root)
    return Ground(root, tmp_path / "home" / ".aim")
