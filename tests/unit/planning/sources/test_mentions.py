"""Task ids in running text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.sources.mentions import between, leading_id, said_order, waits_for


def said(text: str) -> list[str]:
    """What a text waits for; a range with two dots."""
    return [f"{m.first}..{m.last}" if m.last else m.first for m in waits_for(text)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("(depends on T012, T013)", ["T012", "T013"]),
        ("Depends upon: `T012` and **T013**", ["T012", "T013"]),
        ("(depends on T012-T014, T020)", ["T012..T014", "T020"]),
        ("depends on T001 \u2013 T003", ["T001..T003"]),
        ("depends on T001 through T003 & T005", ["T001..T003", "T005"]),
        ("dependencies: T1; T2/T3", ["T1", "T2", "T3"]),
        ("requires T004a", ["T004a"]),
        ("after T004, blocked by T005", ["T004", "T005"]),
        ("depends on tasks T004 and task T005", ["T004", "T005"]),
        ("依赖于 T012、T013", ["T012", "T013"]),
        ("依赖任务 T012 和 T013", ["T012", "T013"]),
        ("依存: T012、T013", ["T012", "T013"]),
        ("T012 に依存", ["T012"]),
        ("T012、T013完了後", ["T012", "T013"]),
        ("T012 完成之后", ["T012"]),
        ("depends on T012; it blocks T020", ["T012"]),
        ("see T012, unlike T013", []),
        ("depends on the setup", []),
        ("independent of T012", []),
        ("depends on T012x5", []),
        ("", []),
    ],
)
def test_what_a_text_waits_for(text: str, ids: list[str]) -> None:
    """Lists, ranges and words of several languages; other mentions bind nobody."""
    assert said(text) == ids


@pytest.mark.parametrize(
    ("line", "waiting", "targets"),
    [
        ("T003 blocks T005, T006-T008", ["T005", "T006"], ["T003"]),
        ("**T003** must block T005", ["T005"], ["T003"]),
        ("T005 depends on T003 and T004", ["T005"], ["T003", "T004"]),
        ("T005 requires T003", ["T005"], ["T003"]),
    ],
)
def test_lines_that_say_an_order(line: str, waiting: list[str], targets: list[str]) -> None:
    """They begin with an id and one such word."""
    order = said_order(line)
    assert order is not None
    assert [m.first for m in order[0]] == waiting
    assert [m.first for m in order[1]] == targets


@pytest.mark.parametrize("line", ["Tests (T002) before T003", "Setup first", "T003 is nice", ""])
def test_other_lines_say_none(line: str) -> None:
    """Prose stays prose."""
    assert said_order(line) is None


@pytest.mark.parametrize(
    ("text", "label", "rest"),
    [("T012 Do it", "T012", "Do it"), ("**T012**: Do it", "T012", "Do it"), ("`T012` x", "T012", "x"),
     ("T012: Do", "T012", "Do"), ("T012. Do", "T012", "Do"), ("T-12 Do", "T-12", "Do"), ("T1.2a Do", "T1.2a", "Do"),
     ("T012", "T012", ""), ("Test it", None, "Test it"), ("T012abc x", None, "T012abc x"), ("", None, "")],
)  # fmt: skip
def test_the_id_that_a_text_begins_with(text: str, label: str | None, rest: str) -> None:
    """With the signs that people put around it."""
    assert leading_id(text) == (label, rest)


def test_a_range_is_what_stands_between_in_the_plan() -> None:
    """Either way round."""
    order = ["T001", "T005", "T002", "T009"]
    assert between(order, "T005", "T009") == between(order, "T009", "T005") == order[1:]


@pytest.mark.parametrize("before", ["", "depends on ", "T001 blocks "])
@pytest.mark.parametrize("between_", [", ", " and ", " - ", ",  & ", "-", " "])
def test_a_long_list_takes_no_long_time(before: str, between_: str) -> None:
    """Twenty ids in a row were enough to stand still for minutes."""
    text = before + between_.join(["T001"] * 20_000) + " x"
    began = time.process_time()
    waits_for(text)
    said_order(text)
    assert time.process_time() - began < 60


@given(st.text(alphabet="T0123- ,;()dependsonaftr依赖から&/", max_size=200))
def test_any_text_is_taken(text: str) -> None:
    """What is found stands in the text."""
    for mention in waits_for(text):
        assert all(word is None or word in text.replace("_", "") for word in mention)


@given(st.lists(st.integers(1, 999), min_size=1, max_size=12))
def test_every_id_of_a_list_is_found(numbers: list[int]) -> None:
    """Each once, in order."""
    ids = list(dict.fromkeys(f"T{number:03}" for number in numbers))
    assert said(f"x (depends on {', '.join(ids)})") == ids
