"""Whatever a plan looks like, writing back touches only the bytes that it owns."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.planning.sources.api import Dialect, ItemState, PlanSource, TracedItem
from penstock.planning.sources.checklist import read_checklist
from penstock.planning.sources.markdown import boxes
from penstock.planning.sources.text import from_bytes
from penstock.planning.writeback.api import Written
from penstock.planning.writeback.headvalues import head_value, set_values
from tests.support.plandesks import back, item

NAME = "plan.md"
WORDS = st.sampled_from(["Read it", "Write", "测试", "cafe\u0301", "`a/b.py`", "**bold**", "1.2 x", "T003 y", "~", "[a](b)"])  # fmt: skip
MARKERS = st.sampled_from(["- ", "* ", "+ ", "1. ", "2) ", "  - ", "\t* ", "> - ", "-", ""])
MARKS = st.sampled_from(["[ ]", "[x]", "[X]", "[~]", "[]", "[-]", "[ x ]", "[✓]", "[  ]", "[xx]"])
BOXES = st.tuples(MARKERS, MARKS, st.sampled_from([" ", "", "  "]), WORDS).map("".join)
OTHERS = st.sampled_from(["", "# Top", "## 1. Part", "```", "~~~", "<!--", "-->", "---", "prose", "\f", "\u2028", "====", "- bullet", "| - [ ] t |"])  # fmt: skip
ENDS = st.sampled_from(["\n", "\r\n", "\r", ""])
LINES = st.lists(st.tuples(st.one_of(BOXES, OTHERS), ENDS).map("".join), max_size=30)
PLANS = st.tuples(st.sampled_from(["", "\ufeff"]), LINES.map("".join)).map("".join)


def open_items(source: PlanSource) -> list[TracedItem]:
    """The open items of a plan, as bundles remember them."""
    return [
        TracedItem(key=i.key, label=i.label, text=i.text, place=i.place, raw_state=i.raw_state)
        for i in source.items
        if i.state is ItemState.OPEN
    ]


def outside_marks(raw: bytes) -> list[bytes]:
    """What lies around the marks of a plan."""
    parts, at = [], 0
    for box in boxes(from_bytes(raw, NAME)):
        parts.append(raw[at : box.mark_offset])
        at = box.mark_offset + box.mark_length
    return [*parts, raw[at:]]


def ticked(raw: bytes, wanted: list[TracedItem], *, unchanged: bool) -> tuple[Written, bytes]:
    """Tick items of a plan; return what is said of it, and what it has become."""
    made = back(Dialect.CHECKLIST, {NAME: raw}, *wanted, unchanged=unchanged)
    return made, made.files.get(NAME, raw)


@settings(max_examples=300)
@given(PLANS, st.randoms(use_true_random=False))
def test_only_the_marks_of_chosen_boxes_change(text: str, choice: Any) -> None:
    """In a plan as it was read, those are done then, and all others are as before."""
    source = read_checklist(from_bytes(text.encode(), NAME))
    chosen = [one for one in open_items(source) if choice.random() < 0.5]
    made, raw = ticked(text.encode(), chosen, unchanged=True)
    assert outside_marks(raw) == outside_marks(text.encode())
    keys = {one.key for one in chosen} - {one.key for one in made.unmarked}
    states = {one.key: one.state for one in read_checklist(from_bytes(raw, NAME)).items}
    wanted = {i.key: ItemState.DONE if i.key in keys else i.state for i in source.items}
    assert (states, made.lost) == (wanted, ())


@settings(max_examples=200)
@given(PLANS)
def test_a_plan_that_changed_gets_no_mark_that_is_not_its_own(text: str) -> None:
    """Each box that is ticked then has the text of an item, or its id; the others stay open."""
    source = read_checklist(from_bytes(text.encode(), NAME))
    wanted = open_items(source)
    made, raw = ticked(text.encode(), wanted, unchanged=False)
    assert outside_marks(raw) == outside_marks(text.encode())
    told = len(made.edits) + len(made.already) + len(made.unmarked) + len(made.lost)
    assert told <= len(wanted)
    assert {edit.line for edit in made.edits} <= {one.place.line for one in wanted}


@given(PLANS)
def test_nothing_done_changes_nothing(text: str) -> None:
    """Reading a plan and writing nothing back leaves every byte."""
    for dialect in Dialect:
        assert back(dialect, {NAME: text}).files == {}


STATUSES = st.sampled_from(["pending", "done", "in-progress", "cancelled", "odd", ""])
TITLES = st.text(min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
TASKS = st.lists(
    st.fixed_dictionaries(
        {"id": st.just(0), "title": TITLES, "status": STATUSES},
        optional={"details": st.text(max_size=9), "x": st.none() | st.floats(allow_nan=False)},
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200)
@given(TASKS, st.sampled_from([None, 0, 2, "\t"]), st.booleans(), st.randoms(use_true_random=False))
def test_only_statuses_change_in_json(
    tasks: list[dict[str, Any]], indent: Any, ascii_only: bool, choice: Any
) -> None:
    """However the file is laid out: its text with the old statuses put back is the old text."""
    for number, task in enumerate(tasks, 1):
        task["id"] = number if choice.random() < 0.5 else f"{number}"
    text = json.dumps({"master": {"tasks": tasks}}, indent=indent, ensure_ascii=ascii_only)
    raw = text.encode(errors="surrogatepass")
    wanted = [item(" ".join(t["title"].split()), label=str(t["id"]), file=NAME) for t in tasks]
    made = back(Dialect.TASK_MASTER, {NAME: raw}, *wanted, tag="master")
    after = json.loads(made.files.get(NAME, raw))["master"]["tasks"]
    for old, new in zip(tasks, after, strict=True):
        ended = old["status"] in ("done", "cancelled")
        assert new == {**old, "status": old["status"] if ended else "done"}
    assert len(made.files.get(NAME, raw)) - len(raw) == sum(
        len(edit.after.encode()) - len(edit.before.encode()) for edit in made.edits
    )


VALUES = st.sampled_from(["open", '"open"', "'open'", "", " in  review", "1", "[a, b]", "a#b", "# c", '"a # b" # c'])  # fmt: skip
HEADS = st.lists(st.tuples(st.sampled_from(["status:", "status: ", "name: ", "x:", "# "]), VALUES).map("".join), max_size=6)  # fmt: skip


@given(HEADS, st.sampled_from(["\n", "\r\n"]), st.text(max_size=20))
def test_only_the_value_changes_in_frontmatter(head: list[str], end: str, body: str) -> None:
    """All other lines stay, and the value is read back."""
    raw = end.join(["---", *head, "---", body]).encode(errors="surrogatepass")
    file = from_bytes(raw.replace(b"\0", b"0"), NAME)
    after = from_bytes(set_values(file, {"status": "closed"}), NAME)
    found, now = head_value(file, "status"), head_value(after, "status")
    changed = [a.text for a, b in zip(file.lines, after.lines, strict=True) if a.text != b.text]
    if found is None:
        assert (now, changed) == (None, [])
    else:
        assert now is not None
        assert (now.text, changed) == ("closed", [found.line.text])
