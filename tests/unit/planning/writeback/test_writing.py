"""Writing back as a whole: archived changes, diffs."""

from __future__ import annotations

import pytest

from penstock.planning.sources.api import Dialect
from penstock.planning.writeback.api import Batch, Report, Standing
from penstock.planning.writeback.writing import unified, write_back
from tests.support.plandesks import MOMENT, Files, back, item

TASKS = "openspec/changes/add-x/tasks.md"


@pytest.mark.parametrize("base", ["", "sub/"])
def test_an_archived_change_is_found(base: str) -> None:
    """Under the date on which it was archived; the latest where there are two."""
    there = f"{base}openspec/changes/archive/{{}}-add-x/tasks.md"
    files = {
        there.format("2026-01-02"): "- [ ] 1.1 Do\n",
        there.format("2026-02-02"): "- [ ] 1.1 Do\n",
        f"{base}openspec/changes/archive/2026-03-03-other-add-x/tasks.md": "- [ ] 1.1 Do\n",
    }
    wanted = item("Do", label="1.1", file=f"{base}{TASKS}")
    assert list(back(Dialect.OPENSPEC, files, wanted).files) == [there.format("2026-02-02")]


def test_a_change_that_is_nowhere_is_lost() -> None:
    """With its file's name."""
    made = back(Dialect.OPENSPEC, {}, item("Do", file=TASKS))
    assert made.lost[0].why == f"{TASKS} is not in the repository (any more)"


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (b"a\nb\n", b"a\nc\n", ["--- n", "+++ n", "@@ -1,2 +1,2 @@", " a", "-b", "+c", ""]),
        (b"a", b"b", ["--- n", "+++ n", "@@ -1 +1 @@", "-a", "\\ No newline at end of file", "+b", "\\ No newline at end of file", ""]),
        (b"a\r\n", b"b\r\n", ["--- n", "+++ n", "@@ -1 +1 @@", "-a\r", "+b\r", ""]),
        (b"a\x0cb\n", None, ["--- n", "+++ /dev/null", "@@ -1 +0,0 @@", "-a\x0cb", ""]),
        (None, b"a\n", ["--- /dev/null", "+++ n", "@@ -0,0 +1 @@", "+a", ""]),
        (b"a", b"a", [""]),
    ],
)  # fmt: skip
def test_diffs_are_unified(before: bytes | None, after: bytes | None, lines: list[str]) -> None:
    """As git prints them: lines end at line feeds only."""
    assert unified("n", before, after).split("\n") == lines


def test_standard_input_has_no_marks() -> None:
    """There is no file to write to; nothing is lost either."""
    done = Report(item=item("Do", file="-"), standing=Standing.DONE, moment=MOMENT)
    begun = Report(item=item("Wait", file="-"), standing=Standing.STARTED, moment=MOMENT)
    batch = Batch(dialect=Dialect.CHECKLIST, id="text", path="-", reports=(done, begun))
    made = write_back(batch, Files({}))
    assert ([one.text for one in made.unmarked], made.lost) == (["Do"], ())
