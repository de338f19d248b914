"""What is noted before packages are changed, also where nothing can be written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.environment.api import Manager
from penstock.environment.installers.record import Before, Record
from penstock.errors import EnvironmentProblem
from tests.support.packages import no_larger_than

BEFORE: Before = {Manager.NPM: {"a": "1.0.0", "b": None}, Manager.PIPX: {"c": "2"}}


def test_what_was_noted_is_read_back(tmp_path: Path) -> None:
    """By another process too, until it is ended; ending twice is harmless."""
    Record(tmp_path).begin(BEFORE)
    assert Record(tmp_path).left() == BEFORE
    assert (tmp_path / "installing.json").stat().st_mode & 0o777 == 0o600
    Record(tmp_path).end()
    Record(tmp_path).end()
    assert Record(tmp_path).left() == {}


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With the words that nothing was changed."""
    with pytest.raises(EnvironmentProblem) as caught:
        Record(tmp_path / "gone").begin(BEFORE)
    assert "Nothing was changed" in str(caught.value.hint)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """Half a record would be worse than none: the one from before stays."""
    Record(tmp_path).begin(BEFORE)
    many: dict[str, str | None] = {f"package-{n}": "1.0" for n in range(5000)}
    with no_larger_than(4096), pytest.raises(EnvironmentProblem):
        Record(tmp_path).begin({Manager.NPM: many})
    assert Record(tmp_path).left() == BEFORE
    assert len(list(tmp_path.iterdir())) == 1
    assert json.loads((tmp_path / "installing.json").read_text())["before"]["npm"]["b"] is None
