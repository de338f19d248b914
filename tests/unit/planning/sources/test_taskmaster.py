"""Reading the tasks.json of task-master."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import NotFoundError, UsageError
from penstock.model.bundle import Priority
from penstock.planning.sources.api import Dialect, ItemState, PlanSource
from penstock.planning.sources.taskmaster import tag_names
from tests.support.plan_readers import (
    codes,
    document,
    fixture,
    item,
    keys,
    laid,
    notice,
    paths,
    sound,
    states,
    tag,
    unit,
)

OPEN, DONE, SKIPPED = ItemState.OPEN, ItemState.DONE, ItemState.SKIPPED


def ledger(**more: Any) -> PlanSource:
    """The kept plan."""
    return fixture(Dialect.TASK_MASTER, "tasks/tasks.json", **more)


def task(number: Any, status: str = "pending", **more: Any) -> dict[str, Any]:
    """A task."""
    return {"id": number, "title": f"Task {number}", "status": status, **more}


def waits(source: PlanSource, key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a unit waits for, and what its last item does."""
    found = unit(source, key)
    return found.depends_on, found.items[-1].depends_on


# -- the kept plan ---------------------------------------------------------------------------------
def test_a_task_without_subtasks_is_an_item_and_each_subtask_is_one() -> None:
    """A task with subtasks is none itself."""
    assert states(ledger()) == {
        "1": DONE, "2": OPEN, "3.1": DONE, "3.2": OPEN, "3.3": SKIPPED, "3.4": OPEN,
        "4.1": SKIPPED, "5.1": SKIPPED,
    }  # fmt: skip
    sound(ledger())


def test_a_plan_is_called_after_its_tag() -> None:
    """And says where it was read, the file of the current tag included."""
    made = ledger()
    assert (made.id, made.plan_id, made.title) == ("master", "tag/master", "The ledger")
    assert sorted(made.files) == ["state.json", "tasks/tasks.json"]


def test_items_stand_where_their_titles_are() -> None:
    """The place leads to the line that holds the title."""
    text = Path(__file__).parents[3] / "fixtures/plans/task-master/tasks/tasks.json"
    lines = text.read_text().splitlines()
    for each in ledger().items:
        assert each.text in lines[each.place.line - 1]


def test_ids_stay_as_they_are_written() -> None:
    """A number for ccpm_issue stays a number, a string a string."""
    assert [each.issue for each in ledger().units] == [1, "2", 3, 4, 5]


def test_files_and_criteria_are_taken() -> None:
    """Relevant files by their action, and what tells that the work is right, line by line."""
    two = unit(ledger(), "2")
    assert paths(two.items[0]) == [
        ("src/ledger/rounding.py", "modify"),
        ("tests/test_rounding.py", "create"),
        ("docs/rounding.md", "read"),
    ]
    assert two.acceptance == (
        "Run `pytest tests/test_rounding.py`",
        "Look at a half cent",
        "Half a cent goes to the even side",
    )


def test_boundaries_forbid_paths_and_are_kept() -> None:
    """Only paths are forbidden; the words stay in the metadata."""
    two = unit(ledger(), "2")
    assert [stated.path for stated in two.forbidden] == ["src/legacy/", "web/App.tsx"]
    assert two.metadata["scopeBoundaries"]["included"] == "Rounding only"
    assert two.metadata["fields"] == {"complexity": "4.5", "team": "books"}


def test_low_work_goes_into_the_background() -> None:
    """Every other priority, an unknown one too, is foreground."""
    made = ledger()
    assert unit(made, "2").priority is Priority.BACKGROUND
    assert unit(made, "3").priority is Priority.FOREGROUND
    assert "urgent" in notice(made, "unknown-priority").text


def test_dependencies_of_tasks_are_of_units_and_those_of_subtasks_of_items() -> None:
    """What was cancelled holds nobody up; a subtask's reference to another task is its own."""
    made = ledger()
    assert unit(made, "3").depends_on == ("2",)
    assert unit(made, "3").metadata["met"] == ["4"]
    assert item(made, "3.2").depends_on == ("3.1", "5.1")
    assert item(made, "3.4").depends_on == ("5.1",)


def test_what_leads_nowhere_is_an_error_with_its_line() -> None:
    """Unknown ids are told, and what was read instead of a sibling."""
    made = ledger()
    unknown = [n for n in made.notices if n.code == "unknown-dependency"]
    assert [(n.severity.value, n.place and n.place.line) for n in unknown] == [
        ("error", 20), ("error", 49),
    ]  # fmt: skip
    assert "3.5" in notice(made, "loose-dependency").text


def test_what_is_skipped_is_listed_with_its_reason() -> None:
    """Deferred and cancelled ones, and what stands below those."""
    told = [n.text for n in ledger().notices if n.code == "skipped"]
    assert told == [
        "3.3 is skipped (deferred): Style them",
        "4.1 is skipped (its task is cancelled): Find them",
        "5.1 is skipped (its task is review): By mail",
    ]


# -- tags ------------------------------------------------------------------------------------------
def test_a_tag_can_be_chosen_and_must_exist() -> None:
    """An unknown tag is answered with those that there are."""
    assert keys(ledger(tag="mail")) == ["1"]
    assert "state.json" not in ledger(tag="mail").files
    with pytest.raises(NotFoundError, match="no tag nope") as told:
        ledger(tag="nope")
    assert told.value.hint == "its tags are: master, mail"


def test_other_tags_are_told_of() -> None:
    """So that nobody misses their tasks."""
    assert "mail (1)" in notice(ledger(), "other-tags").text


def test_a_file_from_before_tags_is_the_tag_master() -> None:
    """With its byte order mark."""
    made = fixture(Dialect.TASK_MASTER, "legacy/tasks.json")
    assert (made.id, keys(made), made.metadata["metadata"]) == (
        "master",
        ["7"],
        {"version": "1.0.0"},
    )


def test_a_bare_list_is_read_too(tmp_path: Path) -> None:
    """As some programs export it."""
    assert keys(document(tmp_path, json.dumps([task(1), task(2)]))) == ["1", "2"]


def test_the_current_tag_is_that_of_the_state(tmp_path: Path) -> None:
    """A state that cannot be read is told, and the tag master is taken."""
    text = json.dumps({"master": {"tasks": [task(1)]}, "next": {"tasks": [task(2)]}})
    laid(tmp_path, {".taskmaster/state.json": '{"currentTag": "next"}'})
    laid(tmp_path, {".taskmaster/tasks/tasks.json": text})
    place = ".taskmaster/tasks"
    assert keys(_in(tmp_path, place)) == ["2"]
    laid(tmp_path, {".taskmaster/state.json": "{"})
    broken = _in(tmp_path, place)
    assert (keys(broken), codes(broken)) == (["1"], ["unreadable-file"])


def _in(root: Path, place: str) -> PlanSource:
    """Read the tasks.json of a folder in a repository."""
    from penstock.planning.sources.recognise import Located
    from penstock.planning.sources.taskmaster import read_taskmaster

    path, name = root / place / "tasks.json", f"{place}/tasks.json"
    return read_taskmaster(Located(dialect=Dialect.TASK_MASTER, path=path, name=name), root)


def test_of_several_tags_without_a_current_one_none_is_guessed(tmp_path: Path) -> None:
    """The only tag is taken whatever it is called; of two the user chooses."""
    assert document(tmp_path, json.dumps({"a": {"tasks": [task(1)]}})).id == "a"
    with pytest.raises(UsageError, match="several tags") as told:
        document(tmp_path, json.dumps({"a": {"tasks": []}, "b": {"tasks": []}}))
    assert told.value.hint == "choose one with --tag: a, b"


def test_tasks_without_a_tag_beside_the_tag_master_are_told(tmp_path: Path) -> None:
    """One of the two would be lost in silence."""
    text = json.dumps({"tasks": [task(1)], "master": {"tasks": [task(2)]}})
    made = document(tmp_path, text)
    assert (keys(made), codes(made)) == (["1"], ["duplicate-tag"])


def test_tags_are_listed_in_the_order_of_the_file() -> None:
    """For completions and messages."""
    raw = b'{"b": {"tasks": []}, "a": {"tasks": []}, "c": 1}'
    assert tag_names(raw, "tasks.json") == ("b", "a")
    with pytest.raises(UsageError, match="UTF-16"):
        tag_names("{}".encode("utf-16"), "tasks.json")


def test_a_tag_without_tasks_is_told(tmp_path: Path) -> None:
    """It is no error to have nothing to do."""
    assert codes(tag(tmp_path)) == ["no-tasks"]


# -- ids and references ----------------------------------------------------------------------------
@pytest.mark.parametrize("written", [5, "5", "05", "#5", "005", [5], {"id": 5}])
def test_an_id_is_the_same_however_it_is_written(tmp_path: Path, written: Any) -> None:
    """Numbers, text, zeros before it, signs around it."""
    value = written if isinstance(written, list) else [written]
    made = tag(tmp_path, task(5), task(6, dependencies=value))
    assert (waits(made, "6"), codes(made)) == ((("5",), ()), [])


def test_ids_that_differ_in_zeros_only_stay_apart(tmp_path: Path) -> None:
    """What is meant by another spelling of both cannot be told."""
    made = tag(tmp_path, task("05"), task(5), task(6, dependencies=["05", "005"]))
    assert waits(made, "6")[0] == ("05",)
    assert codes(made) == ["unknown-dependency"]


def test_a_fraction_is_an_id_as_it_is_written(tmp_path: Path) -> None:
    """5.10 is not 5.1."""
    subtasks = [task(n) for n in range(1, 11)]
    text = json.dumps({"tasks": [task(5, subtasks=subtasks), task(6, dependencies=["X"])]})
    made = document(tmp_path, text.replace('"X"', "5.10"))
    assert waits(made, "6") == ((), ("5.10",))


def test_a_reference_to_a_subtask_does_not_bind_its_whole_task(tmp_path: Path) -> None:
    """The other subtasks are not waited for."""
    subtasks = [task(1), task(2)]
    made = tag(tmp_path, task(5, subtasks=subtasks), task(6, dependencies=["5.1"]))
    assert waits(made, "6") == ((), ("5.1",))


def test_a_bare_number_in_a_subtask_is_a_sibling(tmp_path: Path) -> None:
    """Whether it is a number or text, and though there is a task of that id."""
    subtasks = [task(1), task(2, dependencies=["1"]), task("5.3", dependencies=[2, "5.1"])]
    made = tag(tmp_path, task(1), task(5, subtasks=subtasks))
    assert (item(made, "5.2").depends_on, item(made, "5.3").depends_on) == (
        ("5.1",),
        ("5.2", "5.1"),
    )
    assert unit(made, "5").depends_on == ()


def test_duplicate_ids_are_told_and_both_are_kept(tmp_path: Path) -> None:
    """References mean the first."""
    made = tag(tmp_path, task(5), task("5"), task(6, dependencies=[5]))
    assert (keys(made), waits(made, "6")[0]) == (["5", "5-2", "6"], ("5",))
    assert codes(made) == ["duplicate-id"]


@pytest.mark.parametrize(
    ("written", "code"),
    [(["5"], "circular-dependency"), (["5.1"], None), (["9"], "unknown-dependency"),
     ([True], "unreadable-dependency"), ([None], "unreadable-dependency"), ("4", None), ("", None),
     ("4, 9", "unknown-dependency"), ({}, "unreadable-dependency")],
)  # fmt: skip
def test_odd_dependencies_of_a_task(tmp_path: Path, written: Any, code: str | None) -> None:
    """On itself, on a part of itself, on nothing, in a form of their own."""
    made = tag(tmp_path, task(4), task(5, dependencies=written, subtasks=[task(1)]))
    assert codes(made) == ([code] if code else [])
    sound(made)


def test_a_subtask_cannot_wait_for_its_task(tmp_path: Path) -> None:
    """That would never end."""
    made = tag(tmp_path, task(5, subtasks=[task(1, dependencies=["5"])]))
    assert (codes(made), item(made, "5.1").depends_on) == (["circular-dependency"], ())


# -- states ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("written", "state", "odd"),
    [("pending", OPEN, 0), ("in-progress", OPEN, 0), ("In Progress", OPEN, 0), ("in_progress", OPEN, 0),
     ("blocked", OPEN, 0), ("done", DONE, 0), ("COMPLETED", DONE, 0), ("deferred", SKIPPED, 0),
     ("canceled", SKIPPED, 0), ("review", SKIPPED, 0), ("todo", OPEN, 1), ("", OPEN, 1), (None, OPEN, 1),
     (3, OPEN, 1)],
)  # fmt: skip
def test_statuses(tmp_path: Path, written: Any, state: ItemState, odd: int) -> None:
    """Those on the list in any case; what is not on it is open, and told."""
    made = tag(tmp_path, {**task(1), "status": written})
    assert (states(made), codes(made)) == ({"1": state}, ["unknown-status"] * odd)


def test_the_state_of_a_task_wins_over_its_subtasks(tmp_path: Path) -> None:
    """A done task has no open subtask, and the contradiction is told; done ones stay done."""
    subtasks = [task(1), task(2, "done")]
    made = tag(tmp_path, task(1, "done", subtasks=subtasks), task(2, "deferred", subtasks=subtasks))
    assert states(made) == {"1.1": DONE, "1.2": DONE, "2.1": SKIPPED, "2.2": DONE}
    assert codes(made) == ["done-parent"]


# -- what is broken --------------------------------------------------------------------------------
def test_every_entry_of_the_list_is_counted(tmp_path: Path) -> None:
    """A text is a task with that title; what cannot be one is skipped, each with its line."""
    made = tag(tmp_path, "Do it", 7, None, {}, [], task(1))
    assert list(states(made).values()) == [OPEN, SKIPPED, SKIPPED, SKIPPED, SKIPPED, OPEN]
    lines = [n.place and n.place.line for n in made.notices if n.code == "unreadable-item"]
    assert lines == [4, 5, 6, 7, 8]
    assert made.items[0].label is None


def test_a_task_without_title_takes_its_first_words(tmp_path: Path) -> None:
    """Of the description, the details, or none."""
    told = {"id": 1, "status": "pending", "description": "First\nsecond"}
    made = tag(tmp_path, told, {"id": 2, "status": "pending"})
    assert [each.text for each in made.items] == ["First", "(untitled)"]
    assert codes(made) == ["missing-title"]


def test_a_task_without_id_keeps_its_key(tmp_path: Path) -> None:
    """Whatever comes before it."""
    nameless = {"title": "处理空输入", "status": "pending"}
    one = tag(tmp_path, nameless).items[0].key
    two = tag(tmp_path, task(1), nameless).items[1].key
    assert one == two


@pytest.mark.parametrize("written", ["soon", {"1": {}}, 3])
def test_subtasks_that_are_no_list_leave_the_task_an_item(tmp_path: Path, written: Any) -> None:
    """Nothing is lost."""
    made = tag(tmp_path, task(1, subtasks=written))
    assert (keys(made), codes(made)) == (["1"], ["unreadable-subtasks"])


def test_subtasks_of_subtasks_are_items(tmp_path: Path) -> None:
    """With what their parents wait for; but not without end."""
    inner = task(2, subtasks=[task(1)], dependencies=[1])
    made = tag(tmp_path, task(5, subtasks=[task(1), inner]), task(6, dependencies=["5.2"]))
    assert keys(made) == ["5.1", "5.2.1", "6"]
    assert item(made, "5.2.1").depends_on == ("5.1",)
    assert waits(made, "6") == ((), ("5.2.1",))
    deep = task(1)
    for _ in range(20):
        deep = task(1, subtasks=[deep])
    assert codes(tag(tmp_path, deep)) == ["unreadable-subtasks"]


@pytest.mark.parametrize(
    ("written", "codes_"),
    [("src/a.py", ["unreadable-path"]), ([{}], ["unreadable-path"]), ([None], ["unreadable-path"]),
     ([{"path": 3}], ["unreadable-path"]), ([{"path": "a.py", "action": "burn"}], ["unknown-action"]),
     (["a.py"], []), ([{"path": "{file}"}], ["unreadable-path"])],
)  # fmt: skip
def test_odd_relevant_files(tmp_path: Path, written: Any, codes_: list[str]) -> None:
    """A bare path is one to modify; an unknown action too, and what is no path is told."""
    made = tag(tmp_path, task(1, relevantFiles=written))
    assert codes(made) == codes_
    assert {use for _, use in paths(made.items[0])} <= {"modify"}


def test_what_a_task_with_subtasks_says_is_kept_for_all_of_them(tmp_path: Path) -> None:
    """Its text as a passage, its files for the unit; theirs are their own."""
    made = tag(tmp_path, task(1, description="About src/a.py", relevantFiles=["src/a.py"], subtasks=[
        task(1, relevantFiles=["src/b.py"], testStrategy="run it", details="x"), task(2, "cancelled"),
    ]))  # fmt: skip
    only = unit(made, "1")
    assert (paths(only), paths(only.items[0])) == (
        [("src/a.py", "modify")],
        [("src/b.py", "modify")],
    )
    assert (only.passages[0].text, only.acceptance) == ("About src/a.py", ("run it",))


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "tasks.json:1: this is not JSON"), ("", "not JSON"), ('{"a": 1}', "no tasks"), ("7", "no tasks"),
     ('{\n"tasks": [\n<<<<<<< HEAD\n]}', "tasks.json:3: this is not JSON"), ("[" * 100_000, "nested"),
     ("{}".encode("utf-16"), "UTF-16"), (b"\x00" * 9, "NUL")],
)  # fmt: skip
def test_what_is_no_plan_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    """A user's mistake, not a crash."""
    with pytest.raises(UsageError, match=said):
        document(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """As is a folder, and a link that leads out of the repository."""
    with pytest.raises(UsageError, match=r"tasks\.json"):
        _in(tmp_path, "nowhere")
    (tmp_path / "a" / "tasks.json").mkdir(parents=True)
    with pytest.raises(UsageError, match="directory"):
        _in(tmp_path, "a")
    outside = laid(tmp_path / "out", {"tasks.json": "[]"})
    (tmp_path / "in" / "b").mkdir(parents=True)
    (tmp_path / "in" / "b" / "tasks.json").symlink_to(outside / "tasks.json")
    with pytest.raises(UsageError, match="symbolic link"):
        _in(tmp_path / "in", "b")


def test_repeated_names_are_told_with_their_line(tmp_path: Path) -> None:
    """JSON keeps the last, so the first is lost."""
    text = '{"tasks": [{"id": 1,\n"title": "a",\n"title": "b", "status": "done"}]}'
    made = document(tmp_path, text)
    assert (made.items[0].text, codes(made)) == ("b", ["repeated-key"])
    place = notice(made, "repeated-key").place
    assert place is not None
    assert place.line == 3


def test_numbers_and_texts_that_no_file_can_hold_are_mended(tmp_path: Path) -> None:
    """Half of a surrogate pair, a number without end, no number at all."""
    text = '{"tasks": [{"id": 1%s, "title": "a\\ud800", "status": "done", "x": NaN, "y": 1e999}]}'
    made = document(tmp_path, text % ("0" * 5000))
    made.items[0].text.encode()
    assert made.units[0].metadata["fields"] == {"x": "NaN", "y": "1e999"}
    assert isinstance(made.units[0].issue, str)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_lines_count_as_in_an_editor(tmp_path: Path, end: str) -> None:
    """Whatever ends them."""
    text = json.dumps({"tasks": [task(1), task(2)]}, indent=1).replace("\n", end)
    made = document(tmp_path, b"\xef\xbb\xbf" + text.encode())
    assert [each.place.line for each in made.items] == [5, 10]


def test_bytes_of_standard_input_are_read(tmp_path: Path) -> None:
    """Without a file there is no state beside it."""
    raw = json.dumps({"tasks": [task(1)]}).encode()
    assert keys(document(tmp_path, b"", raw=raw)) == ["1"]
