"""Checklists: any text with boxes, bullets or paragraphs, every one of them out exactly once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.sources.api import Dialect, ItemState, PlanSource, Severity
from penstock.planning.sources.checklist import read_checklist
from penstock.planning.sources.markdown import boxes, bullets, layers
from tests.support.plan_texts import at, checklist, codes, text_file

PLAN = """# Better search

Why: it is slow in `src/search/`.

## 1. Index #45

The index lives in `src/index.py`.

- [x] 1.1 Write `src/index.py`
- [ ] 1.2 Read it back (depends on 1.1)
  with care
  - [ ] in chunks

## 2. Speed

1. [~] 2.1 Measure (depends on 1.2)
"""


def units_of(source: PlanSource) -> dict[str, list[str]]:
    """The texts of the items of each unit."""
    return {unit.key: [item.text for item in unit.items] for unit in source.units}


def gates_of(text: str) -> dict[str, int]:
    """The gate of each unit by its title, for headings that each have one box."""
    return {unit.title: unit.gate for unit in checklist(text).units}


def headed(*titles: str) -> str:
    """A text with a box under each of these headings."""
    return "".join(f"{title}\n\n- [ ] do {n}\n\n" for n, title in enumerate(titles))


# -- what is read ----------------------------------------------------------------------------------
def test_headings_make_units_and_boxes_items() -> None:
    """In order, nested boxes too, without their ids."""
    source = checklist(PLAN)
    assert units_of(source) == {
        "1-index-45": ["Write `src/index.py`", "Read it back (depends on 1.1)", "in chunks"],
        "2-speed": ["Measure (depends on 1.2)"],
    }
    assert (source.dialect, source.id, source.plan_id) == (
        Dialect.CHECKLIST,
        "plan",
        "checklist/plan",
    )
    assert (source.title, source.path) == ("Better search", "plan.md")


def test_items_keep_id_state_place_and_details() -> None:
    """Only x is done; any other mark is open and kept."""
    items = checklist(PLAN).items
    assert [item.label for item in items] == ["1.1", "1.2", None, "2.1"]
    assert [item.state.value for item in items] == ["done", "open", "open", "open"]
    assert [item.raw_state for item in items] == ["x", "", "", "~"]
    assert [item.place.line for item in items] == [9, 10, 12, 16]
    assert items[1].details == "with care"


def test_stated_dependencies_link_items() -> None:
    """An item waits for the one that it names; which workstream waits follows from that."""
    source = checklist(PLAN)
    assert [item.depends_on for item in source.items] == [(), ("1.1",), (), ("1.2",)]
    assert [unit.depends_on for unit in source.units] == [(), ()]


def test_an_unknown_dependency_is_an_error_with_its_line() -> None:
    """It is never dropped in silence."""
    source = checklist("- [ ] 1.1 a (depends on 9.9, 1.1)\n")
    (notice,) = [n for n in source.notices if n.severity is Severity.ERROR]
    assert (notice.code, str(notice.place)) == ("unknown-dependency", "plan.md:1")
    assert source.items[0].depends_on == ()


def test_prose_goes_to_the_units_that_it_stands_above() -> None:
    """The introduction concerns all, a section's text its unit."""
    source = checklist(PLAN)
    assert [p.text for p in source.passages] == ["Why: it is slow in `src/search/`."]
    assert [p.text for p in source.units[0].passages] == ["The index lives in `src/index.py`."]
    assert str(source.units[0].passages[0].place) == "plan.md:7"


def test_prose_of_a_heading_above_goes_to_the_units_below_it() -> None:
    """What `## Backend` says holds for `### Login` and not for `## Frontend`."""
    source = checklist("# P\n## Backend\nIn `api/`.\n### Login\n- [ ] a\n## Frontend\n- [ ] b\n")
    assert [[p.text for p in unit.passages] for unit in source.units] == [["In `api/`."], []]


def test_an_issue_in_a_heading_is_the_units_issue() -> None:
    """A number; without one it is the unit's key."""
    assert [unit.issue for unit in checklist(PLAN).units] == [45, "2-speed"]


def test_boxes_above_all_headings_have_a_unit() -> None:
    """Named after the file."""
    assert units_of(checklist("- [ ] a\n\n# T\n\n- [ ] b\n")) == {"plan": ["a"], "t": ["b"]}


def test_units_with_the_same_title_are_kept_apart() -> None:
    """By a number; so are tasks with the same text."""
    source = checklist(headed("## Tests", "## Tests") + "- [ ] same\n- [ ] same\n")
    assert [unit.key for unit in source.units] == ["tests", "tests-2"]
    keys = [item.key for item in source.items]
    assert len(set(keys)) == len(keys)


def test_a_repeated_id_is_told() -> None:
    """And both tasks are there."""
    source = checklist("- [ ] T001 a\n- [ ] T001 b\n")
    assert [item.key for item in source.items] == ["T001", "T001-2"]
    assert at(source, "duplicate-id") == ["plan.md:2"]


def test_keys_stay_when_other_items_come_and_go() -> None:
    """They are made of id or text, never of the position."""
    before = {item.text: item.key for item in checklist("- [ ] a\n- [ ] b\n").items}
    after = {item.text: item.key for item in checklist("- [ ] new\n- [x] b\n\n- [ ] a\n").items}
    assert {text: after[text] for text in before} == before


# -- order -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("titles", "gates"),
    [
        (("## A", "## B"), [1, 1]),
        (("## 1. A", "## 2. B"), [1, 2]),
        (("## Phase 1", "### Deep", "## Phase 2", "## Polish"), [1, 1, 2, 3]),
        (("## Before", "## Step 1", "## Step 2"), [1, 1, 2]),
        (("## 第一章 A", "## 第二章 B"), [1, 2]),
        (("## 2 factors", "## 3 factors"), [1, 2]),
        (("## Phase 1: A", "## Phase 1: B"), [1, 2]),
    ],
)
def test_numbered_headings_and_phases_have_an_order(
    titles: tuple[str, ...], gates: list[int]
) -> None:
    """Others have none; what stands deeper shares the gate of its phase."""
    assert list(gates_of(headed(*titles)).values()) == gates


# -- texts without boxes ---------------------------------------------------------------------------
def test_without_a_box_the_bullets_are_items() -> None:
    """Of any list, nested ones too; said once."""
    source = checklist("# T\n\nIntro.\n\n- a\n  goes on\n- b\n  1. c\n\nEnd.\n")
    assert [(item.text, item.details) for item in source.items] == [
        ("a", "goes on"),
        ("b", ""),
        ("c", ""),
    ]
    assert at(source, "no-boxes") == ["plan.md:5"]
    assert [p.text for p in source.units[0].passages] == ["Intro.", "End."]


def test_without_a_list_the_paragraphs_are_items() -> None:
    """Two lines without a gap are one."""
    source = checklist("# T\n\nAdd a login\nto `app.py`.\n\n---\n\nTest it.\n\n```\ncode\n```\n")
    assert [(item.text, item.details) for item in source.items] == [
        ("Add a login", "to `app.py`."),
        ("Test it.", ""),
    ]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# Only a title\n", "<!-- nothing -->\n", "---\na: b\n---\n"]
)
def test_a_text_with_nothing_to_do_says_so(text: str) -> None:
    """No unit, no item, a warning."""
    source = checklist(text)
    assert (source.units, codes(source.notices)) == ((), ["no-items"])


# -- dirt ------------------------------------------------------------------------------------------
def test_boxes_in_fences_and_comments_are_skipped_and_told() -> None:
    """They are examples; they count, and never become work."""
    source = checklist("- [ ] a\n```\n- [ ] b\n```\n<!--\n- [x] c\n-->\n")
    states = {item.text: item.state for item in source.items}
    assert states == {"a": ItemState.OPEN, "b": ItemState.SKIPPED, "c": ItemState.SKIPPED}
    assert at(source, "hidden-box") == ["plan.md:3", "plan.md:6"]


def test_boxes_are_work_when_all_of_them_stand_in_a_fence() -> None:
    """A plan that was pasted as a whole between fences is a plan."""
    source = checklist("```\n- [ ] a\n- [x] b\n```\n")
    assert [item.state.value for item in source.items] == ["open", "done"]


def test_what_looks_like_a_box_and_is_none_is_told() -> None:
    """Quoted boxes and words in brackets, with their lines."""
    source = checklist("- [ ] a\n> - [ ] b\n- [WIP] c\n")
    assert at(source, "unread-box") == ["plan.md:2", "plan.md:3"]
    assert len(source.items) == 1


def test_unknown_marks_are_open_and_told() -> None:
    """`[~]` and `[-]` mean something else to everybody."""
    source = checklist("- [~] a\n- [-] b\n- [ ] c\n")
    assert at(source, "unknown-mark") == ["plan.md:1", "plan.md:2"]


def test_frontmatter_names_the_plan() -> None:
    """Its title counts, all of it is kept; broken YAML is told."""
    source = checklist("---\ntitle: Mine\nx: 1\n---\n- [ ] a\n")
    assert (source.title, source.metadata) == ("Mine", {"frontmatter": {"title": "Mine", "x": "1"}})
    assert codes(checklist("---\na: b: c\n---\n- [ ] a\n").notices) == ["broken-frontmatter"]


def test_chinese_and_japanese_texts_have_stable_keys() -> None:
    """Of letters, digits and hyphens, apart from each other."""
    source = checklist("## 认证\n\n- [ ] 登录 `a.py`\n\n## ログイン\n\n- [x] テスト\n")
    keys = [unit.key for unit in source.units]
    assert all(key.isascii() for key in keys)
    assert len(set(keys)) == 2
    assert [item.text for item in source.items] == ["登录 `a.py`", "テスト"]


def test_any_line_ends_and_a_byte_order_mark_read_the_same() -> None:
    """Windows, old Macs, editors that put a mark."""
    plain = checklist(PLAN)
    for end in ("\r\n", "\r"):
        other = checklist("\ufeff" + PLAN.replace("\n", end))
        assert other.units == plain.units


def test_standard_input_is_called_so() -> None:
    """Its plan is `text`, its path the hyphen."""
    source = read_checklist(text_file("- [ ] a\n", "-"))
    assert (source.id, source.path, source.title) == ("text", "-", "text")
    assert source.units[0].key == "text"


# -- any text --------------------------------------------------------------------------------------
LINES = st.sampled_from(
    ["- [ ] a", "- [x] 1.1 b", "  * [~] c", "[ ] d", "- plain", "1. one", "# T", "## Phase 1", "", "prose", "```", "<!--", "-->", "---", "> - [ ] q", "\tmore", "Title\n===", "任务", "- [ ] T001 e (depends on T002)"]
)  # fmt: skip


@given(st.lists(LINES, max_size=40), st.sampled_from(["\n", "\r\n"]))
def test_every_item_comes_out_exactly_once(lines: list[str], end: str) -> None:
    """Whatever a text is made of, each of its boxes, or else bullets, is one item at its line."""
    file = text_file(end.join(lines))
    source = read_checklist(file)
    wanted = [box.line for box in boxes(file)] or [bullet.line for bullet in bullets(file)]
    places = [item.place.line for item in source.items]
    assert sorted(places) == wanted or (not wanted and len(set(places)) == len(places))
    keys = [item.key for item in source.items]
    assert len(set(keys)) == len(keys)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=400))
def test_no_text_is_lost_on_the_way(text: str) -> None:
    """Any text gives a plan; each plain line of it is an item, a detail, prose, a title or empty."""
    file = text_file("x" + text)
    source = read_checklist(file)
    units = source.units
    said = [part for item in source.items for part in (item.label or "", item.text, item.details)]
    said += [p.text for p in source.passages] + [p.text for unit in units for p in unit.passages]
    said += [unit.title for unit in units]
    everything = "\n".join(said)
    for line, layer in zip(file.lines, layers(file), strict=True):
        words = line.text.strip()
        if layer.name == "PLAIN" and words.isalpha() and words.isascii():
            assert words in everything or words in source.title
