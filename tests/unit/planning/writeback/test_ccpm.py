"""Closing tasks of CCPM epics."""

from __future__ import annotations

import pytest

from penstock.planning.sources.api import Dialect, TracedItem
from penstock.planning.writeback.api import Standing, Written
from tests.support.plandesks import MOMENT, back, item

EPIC = ".claude/epics/login"
TASK = """\
---
name: Add a form
status: open  # see the board
created: 2026-01-01T00:00:00Z
updated: "2026-01-01T00:00:00Z"
---

# Task: Add a form

- [ ] it shows
status: open
"""
OTHER = TASK.replace("Add a form", "Add a check")
HEAD = "---\nname: login\nstatus: backlog\nprogress: 0%\nupdated: x\n---\n# Epic\n"
ANALYSIS = "# Parallel Work\n\n### Stream A: Form\n**Files**: a\n\n### Stream B: Check\n"


def files(**more: str) -> dict[str, bytes | str]:
    """An epic with two tasks; `more` by the stem of the file, dashes as underscores."""
    named = {"epic": HEAD, "12": TASK, "13": OTHER, **more}
    return {f"{EPIC}/{stem.replace('_', '-')}.md": text for stem, text in named.items()}


def updates(**statuses: str) -> dict[str, bytes | str]:
    """The update files of streams of task 12."""
    text = "---\nissue: 12\nstatus: {}\n---\n"
    return {
        f"{EPIC}/updates/12/stream-{letter}.md": text.format(status)
        for letter, status in statuses.items()
    }


def task(number: str = "12", text: str = "Add a form") -> TracedItem:
    """A task as an item."""
    return item(text, key=number, label=number, file=f"{EPIC}/{number}.md")


def stream(letter: str, line: int = 3) -> TracedItem:
    """A stream of task 12 as an item."""
    file = f"{EPIC}/12-analysis.md"
    return item(f"Stream {letter}", line, key=f"12-{letter}", label=f"12-{letter}", file=file)


def close(held: dict[str, bytes | str], *items: TracedItem, elsewhere: str = "") -> Written:
    """Report items as done."""
    others = frozenset(elsewhere.split())
    return back(Dialect.CCPM, held, *items, elsewhere=others)


def text_of(made: Written, stem: str) -> str:
    """What a file has become."""
    return made.files[f"{EPIC}/{stem}.md"].decode()


def test_status_and_time_of_the_task_and_progress_of_the_epic() -> None:
    """Quotes and comments stay, and so does all that is not frontmatter."""
    made = close(files(), task())
    wanted = TASK.replace("open  #", "closed  #").replace('"2026-01-01T00:00:00Z"', f'"{MOMENT}"')
    assert text_of(made, "12") == wanted
    assert text_of(made, "epic") == HEAD.replace("0%", "50%").replace("updated: x", f"updated: {MOMENT}")  # fmt: skip
    assert sorted(made.files) == [f"{EPIC}/12.md", f"{EPIC}/epic.md"]


def test_both_tasks_make_it_whole() -> None:
    """Progress counts the task files that are closed, those of other people too."""
    assert "progress: 100%" in text_of(close(files(), task(), task("13", "Add a check")), "epic")
    closed = files(**{"13": OTHER.replace("open", "completed", 1)})
    assert "progress: 100%" in text_of(close(closed, task()), "epic")


@pytest.mark.parametrize("status", ["closed", "completed", "Done"])
def test_what_is_closed_is_left_alone(status: str) -> None:
    """The task stays as it is; the progress of the epic is mended."""
    made = close(files(**{"12": TASK.replace("open", status, 1)}), task())
    assert [one.label for one in made.already] == ["12"]
    assert sorted(made.files) == [f"{EPIC}/epic.md"]


def test_a_stream_begins_its_task() -> None:
    """The task is in progress until all streams are done, and then closed."""
    held = files(**{"12_analysis": ANALYSIS})
    assert "status: in-progress  # see" in text_of(close(held, stream("a")), "12")
    assert "status: closed  # see" in text_of(close(held, stream("a"), stream("b", 6)), "12")


def test_streams_that_other_runs_have_done_count() -> None:
    """What the journal has of them is enough."""
    held = files(**{"12_analysis": ANALYSIS})
    assert "status: closed  # see" in text_of(close(held, stream("a"), elsewhere="12-b"), "12")


def test_a_stream_with_an_update_of_its_own_is_completed_there() -> None:
    """Which counts for the task from then on, whatever the journal remembers."""
    held = {**files(**{"12_analysis": ANALYSIS}), **updates(A="in_progress", B="completed")}
    made = close(held, stream("a"))
    assert "status: completed" in text_of(made, "updates/12/stream-A")
    assert "status: closed  # see" in text_of(made, "12")
    begun = {**held, **updates(a="in_progress", B="open")}
    del begun[f"{EPIC}/updates/12/stream-A.md"]
    assert sorted(close(begun, stream("a")).files) == [
        f"{EPIC}/12.md", f"{EPIC}/updates/12/stream-a.md",
    ]  # fmt: skip


def test_a_stream_of_a_renamed_task_is_found_by_its_name() -> None:
    """The name of the task stands before that of the stream."""
    wanted = item("Add a form: Form", 3, key="1-a", label="1-a", file=f"{EPIC}/1-analysis.md")
    assert "status: closed" in text_of(close(files(), wanted), "12")


def test_a_task_in_progress_stays_so() -> None:
    """A stream changes nothing then, nor a status that nobody knows."""
    for status in ("In_Progress", "review"):
        held = files(**{"12_analysis": ANALYSIS, "12": TASK.replace("open", status, 1)})
        made = close(held, stream("a"))
        assert (made.files, [one.key for one in made.already]) == ({}, ["12-a"])


def test_a_file_with_a_later_number_is_found_by_its_name() -> None:
    """As after the sync with GitHub, which renames 001.md to the number of the issue."""
    made = close(files(), item("Add a form", key="001", label="001", file=f"{EPIC}/001.md"))
    assert "status: closed" in text_of(made, "12")


def test_what_is_gone_is_lost() -> None:
    """Neither the file nor another of that name is there."""
    made = close(files(), item("Add a door", key="14", label="14", file=f"{EPIC}/14.md"))
    why = f"{EPIC}/14.md is not in the repository (any more), nor one other task of that name"
    assert [lost.why for lost in made.lost] == [why]
    assert made.files == {}


def test_without_frontmatter_there_is_no_mark() -> None:
    """Which is said; nothing is invented."""
    made = close(files(**{"12": "# Task: Add a form\n"}), task())
    assert ([one.label for one in made.unmarked], made.files) == (["12"], {})


def test_an_epic_without_progress_is_left_alone() -> None:
    """As is one that is not there, or that is no text."""
    for head in (HEAD.replace("progress: 0%\n", ""), "\0"):
        made = close(files(epic=head), task())
        assert sorted(made.files) == [f"{EPIC}/12.md"]
    held = files()
    del held[f"{EPIC}/epic.md"]
    assert sorted(close(held, task()).files) == [f"{EPIC}/12.md"]


def test_only_done_work_is_told() -> None:
    """CCPM has no word for anything else that we know."""
    for standing in (Standing.STARTED, Standing.BLOCKED, Standing.REVIEW):
        assert back(Dialect.CCPM, files(), task(), standing=standing).files == {}
