"""Setting statuses in task-master files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.planning.sources.api import Dialect
from penstock.planning.writeback.api import Standing, Written
from tests.support.plandesks import back, item

NAME = ".taskmaster/tasks/tasks.json"
PLAN: dict[str, Any] = {
    "master": {
        "tasks": [
            {"id": 1, "title": "Read", "status": "pending", "subtasks": []},
            {"id": "2", "title": "Write", "status": "pending", "dependencies": [1], "subtasks": [
                {"id": 1, "title": "Open", "status": "pending"},
                {"id": "2.2", "title": "Close", "status": "pending", "dependencies": [1]},
            ]},
            {"id": 3, "title": "Ship", "status": "deferred"},
        ],
        "metadata": {"completedCount": 0, "taskCount": 3},
    },
    "other": {"tasks": [{"id": 1, "title": "Read", "status": "pending"}]},
}  # fmt: skip
TEXT = json.dumps(PLAN, indent=4, ensure_ascii=False)


def done(label: str, title: str, text: str = TEXT, **more: Any) -> Written:
    """Report one task or subtask of the tag `master`."""
    wanted = item(title, label=label, file=NAME)
    return back(Dialect.TASK_MASTER, {NAME: text}, wanted, **{"tag": "master", **more})


def read(made: Written) -> Any:
    """The changed file as JSON."""
    return json.loads(made.files[NAME])["master"]


def test_a_status_and_the_counter_are_all_that_changes() -> None:
    """The rest stays to the byte, ids and indentation too."""
    wanted = TEXT.replace('"pending"', '"done"', 1).replace('Count": 0', 'Count": 1')
    made = done("1", "Read")
    assert made.files[NAME].decode() == wanted
    assert [(edit.before, edit.after) for edit in made.edits] == [
        ('status: "pending"', 'status: "done"'), ("completedCount: 0", "completedCount: 1"),
    ]  # fmt: skip
    assert made.edits[0].line == TEXT[: TEXT.index('"pending"')].count("\n") + 1


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_line_ends_and_byte_order_mark_stay(ends: str, mark: str) -> None:
    """As does what is no ASCII."""
    text = mark + TEXT.replace("Ship", "出货").replace("\n", ends)
    made = done("1", "Read", text)
    wanted = text.replace('"pending"', '"done"', 1).replace('Count": 0', 'Count": 1')
    assert made.files[NAME].decode() == wanted


@pytest.mark.parametrize(("label", "title"), [("2.1", "Open"), ("2.2", "Close")])
def test_a_task_with_a_subtask_done_is_in_progress(label: str, title: str) -> None:
    """Local ids and whole ones find the subtask; its task has begun, and counts as no more."""
    found = read(done(label, title))
    task = found["tasks"][1]
    assert task["status"] == "in-progress"
    assert sorted(one["status"] for one in task["subtasks"]) == ["done", "pending"]
    assert found["metadata"]["completedCount"] == 0


def test_a_task_is_done_when_all_its_subtasks_are() -> None:
    """And counted."""
    both = item("Open", label="2.1", file=NAME), item("Close", label="2.2", file=NAME)
    found = read(back(Dialect.TASK_MASTER, {NAME: TEXT}, *both, tag="master"))
    assert (found["tasks"][1]["status"], found["metadata"]["completedCount"]) == ("done", 1)


@pytest.mark.parametrize(
    ("standing", "status"),
    [
        (Standing.STARTED, "in-progress"), (Standing.REVIEW, "review"),
        (Standing.BLOCKED, "blocked"), (Standing.DONE, "done"),
    ],
)  # fmt: skip
def test_each_standing_has_its_status(standing: Standing, status: str) -> None:
    """task-master can say more than done."""
    assert read(done("1", "Read", standing=standing))["tasks"][0]["status"] == status


@pytest.mark.parametrize("status", ["done", "completed", "cancelled", "Done"])
@pytest.mark.parametrize("standing", list(Standing))
def test_what_has_ended_stays(status: str, standing: Standing) -> None:
    """No failure takes a status back."""
    text = TEXT.replace("pending", status, 1)
    made = done("1", "Read", text, standing=standing)
    assert (made.files, [one.label for one in made.already]) == ({}, ["1"])


def test_only_done_work_replaces_deferred() -> None:
    """What was put off and is done all the same is done."""
    assert done("3", "Ship", standing=Standing.STARTED).files == {}
    assert read(done("3", "Ship"))["tasks"][2]["status"] == "done"


def test_a_task_without_a_status_gets_one() -> None:
    """It is added as the file is written."""
    text = TEXT.replace('            "title": "Read",\n', "").replace('"status": "pending",', "", 1)
    text = text.replace('"id": 1,', '"id": 1, "title": "Read",', 1)
    assert read(done("1", "Read", text))["tasks"][0]["status"] == "done"


def test_the_legacy_shape_has_no_tag() -> None:
    """One list of tasks at the top."""
    text = json.dumps({"tasks": [{"id": "07", "title": "Read", "status": "todo"}]})
    made = done("07", "Read", text)
    assert made.files[NAME].decode() == text.replace("todo", "done")


@pytest.mark.parametrize(
    ("text", "tag", "why"),
    [
        ("7", "master", "it has no tag master any more"),
        ("[1, 2]", "master", "neither its id nor its text"),
        ("{", "master", "cannot be read"),
        (TEXT, "gone", "it has no tag gone any more"),
        ('{"master": {"tasks": 7}}', "master", "it has no tag master any more"),
        ('{"master": {"tasks": [7, {"id": 1, "title": "Sing"}]}}', "master", "something else now"),
    ],
)
def test_what_is_no_such_plan_any_more(text: str, tag: str, why: str) -> None:
    """The item is lost, and the reason said."""
    (lost,) = done("1", "Read", text, tag=tag).lost
    assert why in lost.why


def test_a_file_that_is_gone() -> None:
    """All its items are lost."""
    made = back(Dialect.TASK_MASTER, {}, item("Read", label="1", file=NAME))
    assert [lost.why for lost in made.lost] == [f"{NAME} is not in the repository (any more)"]
