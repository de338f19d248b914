"""Ticking boxes."""

from __future__ import annotations

import pytest

from penstock.planning.sources.api import Dialect
from penstock.planning.writeback.api import Standing
from tests.support.plandesks import back, item

CHECKLIST = Dialect.CHECKLIST
PLAN = "# Plan\n\n- [ ] 1.1 Read the file\n- [x] 1.2 Write it\n  - [ ] 1.3 Tell of it\n"


def test_one_mark_is_all_that_changes() -> None:
    """A box that is done gets its mark, every other byte stays."""
    made = back(CHECKLIST, {"tasks.md": PLAN}, item("Read the file", 3, label="1.1"))
    assert made.files == {"tasks.md": PLAN.replace("[ ] 1.1", "[x] 1.1").encode()}
    (edit,) = made.edits
    assert (edit.line, edit.before, edit.after) == (
        3, "- [ ] 1.1 Read the file", "- [x] 1.1 Read the file",
    )  # fmt: skip


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_line_ends_and_byte_order_mark_stay(ends: str, mark: str) -> None:
    """Whatever ends the lines, and with or without a byte order mark."""
    plan = mark + PLAN.replace("\n", ends)
    made = back(CHECKLIST, {"tasks.md": plan}, item("Tell of it", 5, label="1.3"))
    assert made.files["tasks.md"] == plan.replace("[ ] 1.3", "[x] 1.3").encode()


@pytest.mark.parametrize("mark", ["[ ]", "[]", "[~]", "[-]", "[  ]", "[✗]"])
def test_any_mark_becomes_a_tick(mark: str) -> None:
    """Marks of all kinds, none and wide ones too, are replaced whole."""
    plan = f"* {mark} Ship it\n"
    made = back(CHECKLIST, {"tasks.md": plan}, item("Ship it"))
    assert made.files["tasks.md"] == b"* [x] Ship it\n"


def test_a_tick_never_makes_a_link() -> None:
    """`[ ](a)` is a box, and `[x](a)` would be none."""
    made = back(CHECKLIST, {"tasks.md": "- [ ](a) b\n"}, item("(a) b"), unchanged=True)
    assert ([one.text for one in made.unmarked], made.files) == (["(a) b"], {})


def test_what_is_ticked_is_left_alone() -> None:
    """A box that has its tick already is no edit."""
    made = back(CHECKLIST, {"tasks.md": PLAN}, item("Write it", 4, label="1.2"))
    assert (made.files, made.edits) == ({}, ())
    assert [one.label for one in made.already] == ["1.2"]


@pytest.mark.parametrize("standing", [Standing.STARTED, Standing.REVIEW, Standing.BLOCKED])
def test_only_done_work_is_ticked(standing: Standing) -> None:
    """Nothing else that became of an item touches its box."""
    wanted = item("Read the file", 3, label="1.1"), item("Write it", 4, label="1.2")
    made = back(CHECKLIST, {"tasks.md": PLAN}, *wanted, standing=standing)
    assert (made.files, made.already) == ({}, ())


def test_found_on_its_line_in_an_unchanged_file() -> None:
    """Where several boxes say the same, the line tells them apart."""
    plan = "- [ ] Test\n- [ ] Test\n- [ ] Test\n"
    made = back(CHECKLIST, {"tasks.md": plan}, item("Test", 2), unchanged=True)
    assert made.files["tasks.md"] == b"- [ ] Test\n- [x] Test\n- [ ] Test\n"


def test_a_bullet_has_no_box() -> None:
    """What is planned from a plain bullet has no mark, which is said; nothing is lost."""
    plan = "- Build\n- [ ] Test\n"
    for unchanged in (True, False):
        made = back(CHECKLIST, {"tasks.md": plan}, item("Build"), unchanged=unchanged)
        assert [one.text for one in made.unmarked] == ["Build"]
        assert (made.files, made.lost) == ({}, ())


def test_a_file_that_is_gone_or_no_text() -> None:
    """All its items are lost, with the reason."""
    gone = back(CHECKLIST, {}, item("Build"))
    assert [lost.why for lost in gone.lost] == ["tasks.md is not in the repository (any more)"]
    binary = back(CHECKLIST, {"tasks.md": b"\0\1"}, item("Build"))
    assert "cannot be read" in binary.lost[0].why
