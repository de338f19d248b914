"""Bundles that are decoded objects of no file are judged like those of files."""

from __future__ import annotations

import json
from pathlib import Path

from penstock.planning.load import judge_bundles
from tests.support.cli import bundle


def test_good_ones_are_returned_sorted() -> None:
    """Without a problem, the bundles come sorted by id, and belong to no file."""
    report = judge_bundles([bundle("ws-b"), bundle("ws-a")], None)
    assert report.ok
    assert [(one.bundle.id, one.file) for one in report.bundles] == [("ws-a", ""), ("ws-b", "")]


def test_problems_name_the_place_in_the_list() -> None:
    """A wrong field is told with the index of its object."""
    report = judge_bundles([bundle("ws-a"), {**bundle("ws-b"), "gate": 0}, 7], None)
    assert [problem.path for problem in report.errors] == ["[1].gate", "[2]"]
    assert report.bundles_checked == 3


def test_the_rules_of_a_set_hold() -> None:
    """The same id twice, a missing dependency and an overlap are found."""
    twice = [bundle("ws-a"), bundle("ws-a")]
    assert "Duplicate bundle id" in judge_bundles(twice, None).errors[0].text
    alone = judge_bundles([bundle("ws-a", depends_on=["ws-x"])], None)
    assert alone.errors[0].type == "dependency"
    overlap = judge_bundles([bundle("ws-a"), bundle("ws-b", files_scope=["ws-a.txt"])], None)
    assert overlap.errors[0].type == "overlap"


def test_the_folder_may_be_depended_on(tmp_path: Path) -> None:
    """Bundles of the folder are known, but not judged, and a given one stands for its namesake."""
    for one in (bundle("ws-x"), bundle("ws-a", gate=2)):
        (tmp_path / f"{one['id']}.json").write_text(json.dumps(one))
    report = judge_bundles([bundle("ws-a", depends_on=["ws-x"])], tmp_path)
    assert report.ok
    assert [one.bundle.gate for one in report.bundles] == [1]
    assert [one.bundle.id for one in report.available] == ["ws-x"]


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """Objects do not need a folder."""
    assert judge_bundles([bundle("ws-a")], tmp_path / "none", known_capabilities=["x"]).ok
