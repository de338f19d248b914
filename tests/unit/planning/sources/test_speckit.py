"""Reading features of spec-kit."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import UsageError
from penstock.planning.sources.api import Dialect, ItemState, PlanSource
from penstock.planning.sources.labels import item_key
from tests.support.plan_readers import (
    codes,
    feature,
    fixture,
    item,
    keys,
    laid,
    notice,
    sound,
    states,
    unit,
)


def ledger() -> PlanSource:
    """The kept plan."""
    return fixture(Dialect.SPEC_KIT, "specs/001-ledger")


def gates(source: PlanSource) -> dict[str, int]:
    """The gate of each unit."""
    return {unit.key: unit.gate for unit in source.units}


def phased(*titles: str) -> str:
    """A tasks.md of phases with one task each."""
    parts = (f"## {title}\n\n- [ ] T{n:03} Do it\n" for n, title in enumerate(titles, 1))
    return "# Tasks: x\n\n" + "\n".join(parts)


# -- the kept plans --------------------------------------------------------------------------------
def test_phases_and_stories_are_units_with_gates() -> None:
    """All stories share one."""
    assert gates(ledger()) == {"setup": 1, "foundational": 2, "us1": 3, "us2": 3, "polish": 4}
    assert [unit.kind for unit in ledger().units] == [
        "setup", "foundational", "story", "story", "polish",
    ]  # fmt: skip
    sound(ledger())


def test_every_box_is_an_item_in_order() -> None:
    """Nested ones, one with an id that is taken, one without; samples in fences are skipped."""
    made = ledger()
    assert keys(made) == [
        *(f"T{n:03}" for n in range(1, 15)), "T014-2", item_without_id(made), "T050",
    ]  # fmt: skip
    assert states(made)["T001"] is ItemState.DONE
    assert states(made)["T050"] is ItemState.SKIPPED
    assert list(states(made).values()).count(ItemState.OPEN) == 15


def item_without_id(source: PlanSource) -> str:
    """The key of the only item without a label."""
    (found,) = [item.key for item in source.items if item.label is None]
    return found


def test_a_line_is_taken_apart() -> None:
    """Id, [P] and [USn] are no text; what is below a box are its details."""
    made = ledger()
    assert item(made, "T006").text == "Test of the page in tests/test_page.py"
    assert [item(made, key).parallel for key in ("T006", "T009")] == [True, None]
    assert item(made, "T009").details == "Use the theme of web/theme.css."
    assert item(made, "T009").place.line == 45


def test_dependencies_are_followed() -> None:
    """Lists, ranges, words of other languages, and lines of the section on order."""
    made = ledger()
    assert item(made, "T009").depends_on == ("T005", "T006", "T007")
    assert item(made, "T008").depends_on == ("T007",)
    assert item(made, "T012").depends_on == ("T011",)
    assert item(made, "T011").depends_on == ("T007", "T004")
    assert [each.depends_on for each in made.units] == [()] * 5


def test_what_is_odd_is_told() -> None:
    """With the line of each."""
    assert [(n.code, n.place and n.place.line) for n in ledger().notices] == [
        ("fenced-box", 76), ("unknown-mark", 56), ("duplicate-id", 62), ("missing-id", 63),
        ("unknown-dependency", 56), ("unboxed-task", 64), ("story-mismatch", 57),
    ]  # fmt: skip


def test_tests_checkpoints_and_scenarios_are_acceptance() -> None:
    """Of the story they belong to; wrapped lines are one."""
    assert unit(ledger(), "us1").acceptance == (
        "Independent Test: Open `/balance` and look at the sum",
        "Checkpoint: Story 1 works alone",
        "Given an account, When it is opened, Then its balance is shown",
        "Given no account, When one is opened, Then an error is shown",
    )
    assert unit(ledger(), "polish").acceptance == ()


def test_what_the_author_says_besides_is_kept() -> None:
    """Goal, priority, story; prose on order is a note, never a dependency."""
    made = ledger()
    assert unit(made, "us1").metadata == {
        "goal": "Somebody sees a balance.", "priority": "P1", "stories": ["US1"],
    }  # fmt: skip
    assert made.metadata["order_notes"][1] == "Spec 004 MUST be implemented first."
    assert "T004 blocks T011" in made.metadata["order_notes"][0]


def test_texts_around_are_passages() -> None:
    """The story's section of spec.md for its unit, plan.md for all."""
    made = ledger()
    (told,) = unit(made, "us1").passages
    assert (told.role, told.place.line) == ("spec", 3)
    assert "src/ledger/queries.py" in told.text
    assert [(p.role, p.place.file) for p in made.passages] == [("plan", "specs/001-ledger/plan.md")]
    assert [name.rpartition("/")[2] for name in made.files] == ["tasks.md", "spec.md", "plan.md"]


def test_a_plan_is_called_after_its_folder() -> None:
    """And its title is that of the tasks."""
    made = ledger()
    assert (made.id, made.plan_id) == ("001-ledger", "specs/001-ledger")
    assert (made.title, made.path) == ("Ledger", "specs/001-ledger")


def test_phases_of_the_older_template_are_done_one_after_the_other() -> None:
    """Tests before code; what waits for a later phase is left to those who make workstreams."""
    made = fixture(Dialect.SPEC_KIT, "specs/002-older-template")
    assert list(gates(made).values()) == [1, 2, 3, 4, 5]
    assert item(made, "T004").depends_on == ("T003",)
    assert (codes(made), item(made, "T005").depends_on) == ([], ("T006",))


def test_phases_in_other_languages_are_known() -> None:
    """Chinese and Japanese."""
    made = fixture(Dialect.SPEC_KIT, "specs/003-books")
    assert gates(made) == {"setup": 1, "foundational": 2, "us1": 3, "phase-4": 4, "polish": 5}
    assert unit(made, "us1").acceptance == ("独立测试: 打开页面",)
    assert [item(made, key).depends_on for key in ("T003", "T005")] == [("T002",), ("T004",)]


# -- phases ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("titles", "wanted"),
    [
        (["Phase 1: Foundational", "Phase 2: User Story 1 - x"], {"foundational": 2, "us1": 3}),
        (["Phase 1: User Story 2", "Phase 2: User Story 1"], {"us2": 3, "us1": 3}),
        (["Phase 1: Polish", "Phase 2: US1 - x"], {"polish": 4, "us1": 5}),
        (["Phase 1: US1", "Phase 2: Glue", "Phase 3: US2"], {"us1": 3, "glue": 3, "us2": 3}),
        (["Phase 1: US1", "Phase 2: Glue", "Phase N: Polish"], {"us1": 3, "glue": 4, "polish": 5}),
        (["Phase 1: Login (US4)"], {"us4": 3}),
        (["Phase 1", "Phase 2:", "Phase A: 文"], {"phase-1": 1, "phase-2": 2, "phase-a": 3}),
        (["Phase 1: Setup", "Phase 2: Setup again"], {"setup": 1, "setup-2": 2}),
        (["Implementation", "Cleaning"], {"implementation": 1, "cleaning": 2}),
        (["第1阶段: 准备", "第二階段 基礎"], {"setup": 1, "foundational": 2}),
        (["文"], {item_key(None, "文"): 1}),
    ],
)
def test_gates_follow_the_order_that_is_written(
    tmp_path: Path, titles: list[str], wanted: dict[str, int]
) -> None:
    """A known phase has its own gate at least; stories and what is among them share one."""
    assert gates(feature(tmp_path, phased(*titles))) == wanted


def test_tasks_before_any_phase_are_a_unit(tmp_path: Path) -> None:
    """Or all of them, in a file without headings."""
    assert gates(feature(tmp_path, "- [ ] T001 a\n" + phased("Phase 1: Setup"))) == {
        "tasks": 1, "setup": 2,
    }  # fmt: skip
    assert gates(feature(tmp_path, "- [ ] T001 a")) == {"tasks": 1}


def test_phases_of_one_story_are_one_unit(tmp_path: Path) -> None:
    """Wherever they stand."""
    text = phased("Phase 1: US1 tests", "Phase 2: US2", "Phase 3: US1 code")
    made = feature(tmp_path, text)
    assert [item.key for item in unit(made, "us1").items] == ["T001", "T003"]


def test_stories_below_a_phase_are_units(tmp_path: Path) -> None:
    """While its other headings are not; a phase whose tasks all name one story is that story."""
    text = "## Phase 3: Stories\n### User Story 1 - a\n- [ ] T001 x\n### Tests\n- [ ] T002 y\n"
    text += (
        "### User Story 2\n- [ ] T003 z\n## Phase 4: Cart\n- [ ] T004 [US3] a\n- [ ] T005 [US3] b\n"
    )
    made = feature(tmp_path, text)
    assert [(u.key, len(u.items)) for u in made.units] == [("us1", 2), ("us2", 1), ("us3", 2)]


def test_a_task_of_several_stories_stands_where_it_stands(tmp_path: Path) -> None:
    """It names them all."""
    made = feature(tmp_path, "## Phase 1: US1\n- [ ] T001 [P] [US1, US2] x\n- [ ] T002 [X] y\n")
    assert unit(made, "us1").metadata["stories"] == ["US1", "US2"]
    assert (codes(made), item(made, "T002").text) == ([], "[X] y")


# -- dirt ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_and_byte_order_mark_change_nothing(tmp_path: Path, end: str) -> None:
    """What is read is the same."""
    text = (
        Path(__file__).parents[3] / "fixtures/plans/spec-kit/specs/001-ledger/tasks.md"
    ).read_text()
    plain = feature(tmp_path / "a", text)
    dirty = feature(tmp_path / "b", b"\xef\xbb\xbf" + text.replace("\n", end).encode())
    assert dirty.units == plain.units
    assert dirty.notices == plain.notices


@pytest.mark.parametrize(
    ("line", "label", "text"),
    [
        ("* [ ] T001 x", "T001", "x"),
        ("+ [ ] T001 x", "T001", "x"),
        ("1. [ ] T001 x", "T001", "x"),
        ("2) [-] T001a x", "T001a", "x"),
        ("- [ ] **T001**: x", "T001", "x"),
        ("- [ ] T001 [US1][P] x", "T001", "x"),
        ("- [ ] T001 **[P]** x", "T001", "x"),
        ("- [ ] T001", "T001", "T001"),
        ("- [ ]", None, "(no text)"),
        ("- [ ] [P] x", None, "x"),
        ("- [ ] TASK x", None, "TASK x"),
        ("\t- [ ] T001 x   ", "T001", "x"),
    ],
)
def test_lines_off_the_pattern_are_tasks_too(
    tmp_path: Path, line: str, label: str | None, text: str
) -> None:
    """Any marker, any mark, signs around the id, no id."""
    made = feature(tmp_path, f"## Phase 1: Core\n\n{line}\n")
    assert [(each.label, each.text) for each in made.items] == [(label, text)]


def test_a_file_that_is_one_fence_is_read(tmp_path: Path) -> None:
    """Some assistants wrap all they write."""
    made = feature(tmp_path, "```markdown\n## Phase 1: Setup\n- [ ] T001 x\n- [x] T002 y\n```\n")
    assert list(states(made).values()) == [ItemState.OPEN, ItemState.DONE]
    assert "no others" in notice(made, "fenced-box").text


@pytest.mark.parametrize("head", ["- [ ] T001 x", "  - [ ] T001 x", "note: y\n- [ ] T001 x"])
def test_tasks_between_two_rulers_are_no_frontmatter(tmp_path: Path, head: str) -> None:
    """They would be lost; a head with keys is one, boxes in a text of it too."""
    assert keys(feature(tmp_path, f"---\n{head}\n---\n- [ ] T002 y\n")) == ["T001", "T002"]
    assert keys(feature(tmp_path, "---\na: |\n  - [ ] T001 x\n---\n- [ ] T002 y\n")) == ["T002"]


def test_samples_before_the_first_phase_are_counted_in_it(tmp_path: Path) -> None:
    """With keys of their own, and nobody depends on them."""
    made = feature(tmp_path, "<!--\n- [ ] T001 sample\n-->\n" + phased("Phase 1: Setup"))
    assert states(made) == {"T001": ItemState.OPEN, "T001-2": ItemState.SKIPPED}


def test_ids_with_other_zeros_are_the_same(tmp_path: Path) -> None:
    """T12 is T012 where only one is there; a task cannot wait for itself."""
    made = feature(tmp_path, "- [ ] T012 x\n- [ ] T013 y (depends on T12)\n- [ ] T014 after T014\n")
    assert item(made, "T013").depends_on == ("T012",)
    assert codes(made) == ["circular-dependency"]


def test_a_range_with_an_unknown_end_is_told(tmp_path: Path) -> None:
    """What is there of it is waited for."""
    made = feature(tmp_path, "- [ ] T001 x\n- [ ] T002 (depends on T001-T009)\n")
    assert (codes(made), item(made, "T002").depends_on) == (["unknown-dependency"], ("T001",))


def test_many_tasks_without_ids_are_one_notice(tmp_path: Path) -> None:
    """In a plan without ids each would be one."""
    made = feature(tmp_path, "\n".join(f"- [ ] do {n}" for n in range(30)))
    assert "30 boxes" in notice(made, "missing-id").text
    assert "and 20 more" in notice(made, "missing-id").text
    sound(made)


# -- files -----------------------------------------------------------------------------------------
def test_a_feature_without_tasks_is_refused_or_told(tmp_path: Path) -> None:
    """A file that is missing, and one without boxes."""
    (tmp_path / "specs" / "001-books").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"tasks\.md"):
        fixture_at(tmp_path / "specs" / "001-books")
    assert codes(feature(tmp_path, "# Tasks: nothing\n")) == ["no-tasks"]


def fixture_at(path: Path) -> PlanSource:
    """Read a feature where it lies."""
    from penstock.planning.sources.recognise import Located
    from penstock.planning.sources.speckit import read_speckit

    return read_speckit(Located(dialect=Dialect.SPEC_KIT, path=path, name=path.name), path.parent)


def test_a_tasks_file_stands_for_its_feature(tmp_path: Path) -> None:
    """As does its folder."""
    folder = laid(tmp_path / "001-x", {"tasks.md": "- [ ] T001 x"})
    assert fixture_at(folder / "tasks.md").id == fixture_at(folder).id == "001-x"


def test_files_around_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """The tasks are read all the same; the title is that of the spec, else the folder's name."""
    made = feature(
        tmp_path, "- [ ] T001 x", spec="# Feature Specification: Books", plan=b"\x00\x01"
    )
    assert (codes(made), made.title) == (["unreadable-file"], "Books")
    assert feature(tmp_path / "b", "- [ ] T001 x").title == "001-books"


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    """The box they stand in is read."""
    made = feature(tmp_path, b"- [ ] T001 caf\xe9 (depends on T002)\n- [x] T002 x\n")
    assert (codes(made), item(made, "T001").depends_on) == (["bad-encoding"], ("T002",))


def test_numbers_without_end_are_no_stories(tmp_path: Path) -> None:
    """Nor does anything break at them."""
    nines = "9" * 5000
    text = f"## User Story {nines}\n- [ ] T001 [US{nines}] x\n## Cart (US{nines})\n- [ ] T002 y\n"
    made = feature(tmp_path, text, spec=f"### User Story {nines}\n")
    assert [each.kind for each in made.units] == ["phase", "phase"]


def test_scenarios_end_where_their_list_ends(tmp_path: Path) -> None:
    """And of two stories with one number the first counts."""
    spec = "### User Story 1\n**Acceptance Criteria**:\n- one\n\n- **two**\n\nProse.\n- three\n"
    spec += "### User Story 1\n**验收场景**\n- four\n### 用户故事 2\n**验收场景**\uff1a\n1. five\n"
    made = feature(tmp_path, phased("Phase 1: US1", "Phase 2: US2"), spec=spec)
    assert [u.acceptance for u in made.units] == [("one", "two"), ("five",)]
