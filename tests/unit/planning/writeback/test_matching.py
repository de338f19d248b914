"""Finding items again in plans that have changed."""

from __future__ import annotations

import pytest

from penstock.planning.sources.api import TracedItem
from penstock.planning.writeback.matching import Finder, NotThere, Spot, plain, split_label
from tests.support.plandesks import item


def found(wanted: TracedItem, *texts: str) -> int | str:
    """The line on which an item is found among lines, or why it is not."""
    labels = {wanted.label} if wanted.label else set[str]()
    spots = [Spot(line, text, line) for line, text in enumerate(texts, 1)]
    answer = Finder(spots, labels).find(wanted)
    return answer.why if isinstance(answer, NotThere) else answer.line


@pytest.mark.parametrize(
    ("label", "text", "line"),
    [
        ("1.2", "Write it", "1.2 Write it"),
        ("1.2", "Write it", "1.2. Write  it"),
        ("1.2", "Write it", "**1.2** Write it"),
        ("1.2", "Write it", "**1.2: Write it**"),
        ("T012", "Add a model in src/a.py", "T012 [P] [US1] Add a model in src/a.py"),
        ("T012", "Add a model", "**T012** [P][US1, US2] Add a model"),
        ("ABC-7", "Fix it", "ABC-7: Fix it"),
        ("#7", "Fix it", "#7 Fix it"),
        ("1.1", "编写 代码", "1.1 编写  代码"),
        (None, "Cafe\u0301", "Caf\u00e9"),
        (None, "Write it", "Write it"),
        ("1.3", "1.3", "1.3"),
    ],
)
def test_an_item_is_known_by_id_and_text(label: str | None, text: str, line: str) -> None:
    """However the id is set off, whatever tags and spaces there are."""
    assert found(item(text, 9, label=label), "1.9 Sing", line, "2.9 Dance") == 2


def test_text_goes_before_an_id_that_another_one_has_now() -> None:
    """As when a task was put in before it, and all that follow were renumbered."""
    assert found(item("Write it", label="1.2"), "1.2 Think first", "1.3 Write it") == 2


def test_id_goes_before_text_among_equal_texts() -> None:
    """Two tasks may say the same."""
    assert found(item("Write tests", 1, label="2.2"), "1.2 Write tests", "2.2 Write tests") == 2


def test_a_reworded_item_is_known_by_its_id() -> None:
    """When most of its words are still there."""
    wanted = item("Write the reader of plans", label="1.2")
    assert found(wanted, "1.2 Write the quick reader of plans", "1.3 Sing") == 1


def test_an_id_alone_is_not_enough() -> None:
    """A line that says something else would be ticked though nobody did it."""
    why = found(item("Write the reader", label="1.2"), "1.2 Paint the house")
    assert why == "1.2 says something else now: 1.2 Paint the house"


def test_equal_texts_without_ids_stay_on_their_line() -> None:
    """Else it cannot be told which of them is meant."""
    assert found(item("Test", 2), "Test", "Test") == 2
    assert found(item("Test", 7), "Test", "Test") == "its text is there more than once, on the lines 1, 2"  # fmt: skip


def test_what_is_gone_is_not_found() -> None:
    """Neither by id nor by text."""
    for wanted in (item("Write it", label="1.2"), item("Write it"), item("")):
        assert found(wanted, "1.3 Sing", "") == "neither its id nor its text is there any more"


@pytest.mark.parametrize(
    ("text", "label", "rest"),
    [
        ("T012 Do", "T012", "Do"), ("1.2 Do", "1.2", "Do"), ("Do 1.2", None, "Do 1.2"),
        ("", None, ""), ("x y", "x", "y"), ("**1.2**", "1.2", ""),
    ],
)  # fmt: skip
def test_ids_hold_a_digit_or_are_known(text: str, label: str | None, rest: str) -> None:
    """Here `x` is one that an item has."""
    assert split_label(text, {"x"}) == (label, rest)


def test_tags_are_taken_off_the_beginning_only() -> None:
    """In the middle of a text they are text."""
    assert plain("[P] [Story 1] a [P] b") == "a [P] b"


def test_a_long_run_of_signs_is_no_work() -> None:
    """Ids are short, so that a line of nothing but dots is soon looked through."""
    assert split_label("." * 1_000_000 + "x" + "." * 1_000_000 + "y z", ()) == (None, "." * 1_000_000 + "x" + "." * 1_000_000 + "y z")  # fmt: skip
