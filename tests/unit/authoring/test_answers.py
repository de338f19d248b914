"""Answers of people become stated paths of the items they are for."""

from __future__ import annotations

import pytest

from penstock.authoring.answers import with_paths
from penstock.planning.sources.api import Use
from tests.support.plan_files import item, source

FILES = ("README.md", "src/app/main.py")


@pytest.mark.parametrize(
    ("said", "path", "use"),
    [
        ("README.md", "README.md", Use.MODIFY),
        ("./README.md", "README.md", Use.MODIFY),
        ("src", "src", Use.MODIFY),
        ("src/app/", "src/app/", Use.MODIFY),
        ("src\\app\\main.py", "src/app/main.py", Use.MODIFY),
        ("src/**/*.py", "src/**/*.py", Use.MODIFY),
        ("src/other.py", "src/other.py", Use.CREATE),
    ],
)
def test_an_answer_is_taken_as_it_is_meant(said: str, path: str, use: Use) -> None:
    """What is not there is to be made; folders and globs are there."""
    (filled,) = with_paths([source(item("i1"))], {("todo", "i1"): [said]}, FILES)
    (stated,) = filled.items[0].paths
    assert (stated.path, stated.use, stated.field) == (path, use, "answer")


def test_items_that_nobody_was_asked_about_stay() -> None:
    """An answer is for one item of one source."""
    read = [source(item("i1"), item("i2")), source(item("i1"), path="b.md", name="b")]
    answers = {("todo", "i2"): ["README.md"], ("gone", "i1"): ["README.md"]}
    first, second = with_paths(read, answers, FILES)
    assert [bool(one.paths) for one in (*first.items, *second.items)] == [False, True, False]
