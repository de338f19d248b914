"""Reading epics of CCPM."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import UsageError
from penstock.model.bundle import Priority
from penstock.planning.sources.api import Dialect, ItemState, PlanSource
from penstock.planning.sources.ccpm import read_ccpm
from penstock.planning.sources.recognise import Located
from tests.support.plan_readers import (
    codes,
    epic,
    fixture,
    item,
    keys,
    laid,
    notice,
    paths,
    sound,
    states,
    task_text,
    unit,
)

OPEN, DONE, SKIPPED = ItemState.OPEN, ItemState.DONE, ItemState.SKIPPED
BUG = "bug-13-wrong-sums"
EPIC = {"epic.md": "---\nname: books\nstatus: backlog\n---\n# Epic\n"}


def ledger() -> PlanSource:
    """The kept plan."""
    return fixture(Dialect.CCPM, "epics/ledger")


def books(folder: Path, **files: str | bytes) -> PlanSource:
    """An epic; `files` by their stem, `_12` for 12 and with `__` for `-`."""
    named = {f"{stem.lstrip('_').replace('__', '-')}.md": text for stem, text in files.items()}
    return epic(folder, EPIC | named)


def stream(letter: str, files: str = "src/a.py", after: str = "none", **more: str) -> str:
    """A stream of an analysis."""
    fields = {"Files": files, "Dependencies": after, **more}
    lines = (f"**{name.replace('_', ' ')}**: {value}" for name, value in fields.items())
    return f"### Stream {letter}: Part {letter}\n" + "\n".join(lines) + "\n\n"


def analysed(folder: Path, *streams: str, **files: str | bytes) -> PlanSource:
    """An epic with the task 12 and its analysis."""
    text = "---\nissue: 12\n---\n# Parallel Work Analysis\n" + "".join(streams)
    return books(folder, **{"_12": task_text("Twelve"), "_12__analysis": text, **files})


# -- the kept plan ---------------------------------------------------------------------------------
def test_task_files_and_streams_are_items() -> None:
    """Criteria are none; what other files hold is none either."""
    assert states(ledger()) == {
        "11": DONE, "12": OPEN, "13-a": OPEN, "13-b": OPEN, "13-c": DONE, "14": OPEN, BUG: OPEN,
    }  # fmt: skip
    assert [unit.kind for unit in ledger().units] == [
        "task", "task", "stream", "stream", "stream", "task", "bug",
    ]  # fmt: skip
    sound(ledger())


def test_a_plan_is_called_after_its_epic() -> None:
    """What the epic says is kept; every file that was read is there."""
    made = ledger()
    assert (made.id, made.plan_id, made.title) == ("ledger", "epic/ledger", "ledger")
    assert made.metadata["epic"]["progress"] == "25%"
    assert {"epics/ledger/epic.md", "epics/ledger/updates/13/stream-C.md"} <= set(made.files)
    assert made.passages[0].place.file == "epics/ledger/epic.md"
    assert "src/ledger/" in made.passages[0].text
    assert "001.md" not in made.passages[0].text


def test_a_task_says_what_it_is() -> None:
    """Its name, issue, criteria, key files, and its body without these."""
    twelve = unit(ledger(), "12")
    assert (twelve.title, twelve.issue, twelve.priority) == (
        "金額を丸める",
        12,
        Priority.BACKGROUND,
    )
    assert twelve.acceptance == (
        "`pytest tests/test_rounding.py` is green", "Half a cent goes to the even side", "Code reviewed",
    )  # fmt: skip
    assert paths(twelve.items[0]) == [
        ("src/ledger/rounding.py", "modify"), ("src/ledger/amounts.py", "modify"),
        ("tests/test_rounding.py", "create"),
    ]  # fmt: skip
    assert "Round half to even." in twelve.items[0].details
    assert "Code reviewed" not in twelve.items[0].details


def test_what_is_not_known_is_kept() -> None:
    """With the raw status, and the file that it is written back to."""
    made = unit(ledger(), "12").metadata
    assert (made["status"], made["fields"]["effort"]) == ("open", "M")
    assert made["task_file"] == "epics/ledger/12.md"


def test_only_what_the_author_says_may_not_run_beside_others() -> None:
    """`parallel: false` is meant; true is a claim; a word that is neither is told."""
    made = ledger()
    assert [unit(made, key).parallel_ok for key in ("11", "12", BUG)] == [True, False, True]
    assert [item(made, key).parallel for key in ("11", "12", BUG)] == [True, False, None]
    assert "maybe" in notice(made, "unknown-value").text


def test_streams_state_their_files_and_order() -> None:
    """They wait for what their task waits for, and for each other as they say."""
    made = ledger()
    assert paths(item(made, "13-a")) == [
        ("src/ledger/queries.py", "modify"), ("src/ledger/sums/*.py", "create"),
    ]  # fmt: skip
    assert unit(made, "13-a").depends_on == ("11", "12")
    assert unit(made, "13-b").depends_on == ("11", "12", "13-a")
    assert unit(made, "13-a").metadata["stream_fields"]["Agent Type"] == "backend-specialist"


def test_the_criteria_of_a_task_hold_after_its_last_streams() -> None:
    """A stream that others wait for cannot meet them yet."""
    assert [unit(ledger(), f"13-{letter}").acceptance for letter in "abc"] == [
        (), ("Balances are shown",), ("Balances are shown",),
    ]  # fmt: skip


def test_a_stream_is_done_when_its_update_says_so() -> None:
    """Though its task is open."""
    assert notice(ledger(), "completed-stream").place == item(ledger(), "13-c").place


def test_old_ids_are_followed_and_told() -> None:
    """Counted off in github-mapping.md."""
    made = ledger()
    assert unit(made, "12").depends_on == ("11",)
    assert unit(made, "12").conflicts_with == ("13-a", "13-b", "13-c")
    told = [n.text for n in made.notices if n.code == "stale-id"]
    assert told == [
        "001 is read as 11: it is counted off in github-mapping.md",
        "003 is read as 13: it is counted off in github-mapping.md",
    ]


def test_ids_that_yaml_takes_for_comments_are_read() -> None:
    """As in `[#12, #99]`, which is no YAML at all."""
    made = ledger()
    assert unit(made, BUG).depends_on == ("12",)
    assert unit(made, BUG).metadata["fields"] == {"bug_for": "13"}


def test_what_is_odd_is_told() -> None:
    """With the line of each."""
    odd = [(n.code, n.place and n.place.line) for n in ledger().notices if n.severity != "info"]
    assert odd == [
        ("missing-frontmatter", 1), ("broken-frontmatter", 7), ("unknown-status", 3),
        ("stale-id", 7), ("stale-id", 9), ("unknown-dependency", 5), ("unknown-value", 6),
        ("missing-file", 18),
    ]  # fmt: skip


def test_an_archived_epic_is_skipped_and_counted() -> None:
    """What was done in it stays done."""
    made = fixture(Dialect.CCPM, "epics/archived/books")
    assert states(made) == {"001": SKIPPED, "002": DONE}
    assert "archived" in notice(made, "closed-epic").text


def test_tasks_of_other_epics_are_told() -> None:
    """They are no unknown ones, and a circle stays as it is written, for the check to find."""
    made = fixture(Dialect.CCPM, "epics/mail")
    assert "epic ledger" in notice(made, "other-epic").text
    assert [each.depends_on for each in made.units] == [("22",), ("21",)]


# -- statuses --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("written", "state", "odd"),
    [("open", OPEN, None), ("in-progress", OPEN, None), ("In Progress", OPEN, None), ("backlog", OPEN, None),
     ("closed", DONE, None), ("completed", DONE, None), ('"closed"', DONE, None), ("closed # yes", DONE, None),
     ("done", DONE, "unusual-status"), ("deferred", SKIPPED, "unusual-status"),
     ("blocked", OPEN, "unknown-status"), ("", OPEN, "unknown-status"), ("[a]", OPEN, "unknown-status")],
)  # fmt: skip
def test_statuses(tmp_path: Path, written: str, state: ItemState, odd: str | None) -> None:
    """Those on the list, those that are meant, and the rest, which is open and told."""
    made = books(tmp_path, _1=f"---\nname: x\nstatus: {written}\n---\n")
    assert states(made) == {"1": state}
    assert [n.code for n in made.notices] == ([odd] if odd else [])


@pytest.mark.parametrize("status", ["completed", "closed", "Done"])
def test_an_epic_that_is_over_is_skipped(tmp_path: Path, status: str) -> None:
    """Its open tasks are nobody's work any more."""
    head = f"---\nname: books\nstatus: {status}\n---\n"
    assert states(books(tmp_path, epic=head, _1=task_text("x"))) == {"1": SKIPPED}


# -- files -----------------------------------------------------------------------------------------
def test_tasks_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Then bugs; padded names keep their zeros as keys."""
    made = books(tmp_path, _10=task_text("a"), _002=task_text("b"), bug__1__x=task_text("c"))
    assert keys(made) == ["002", "10", "bug-1-x"]
    assert [each.issue for each in made.units] == ["002", "10", "bug-1-x"]


def test_a_file_of_another_name_may_be_a_task(tmp_path: Path) -> None:
    """By its frontmatter; what is none is told and left alone."""
    made = books(
        tmp_path, _1=task_text("a"), setup__db=task_text("b", "parallel: true\n"), notes="# N"
    )
    assert keys(made) == ["1", "setup-db"]
    assert [n.code for n in made.notices] == ["unread-file", "unusual-name"]


def test_a_task_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    """As skipped, with an error; others may wait for it."""
    made = books(tmp_path, _1=task_text("a", "depends_on: [2]\n"), _2=b"\x00\x01\x02")
    assert (states(made), codes(made)) == ({"1": OPEN, "2": SKIPPED}, ["unreadable-file"])
    assert unit(made, "1").depends_on == ("2",)


def test_links_out_of_the_repository_are_not_followed(tmp_path: Path) -> None:
    """Nobody sees in it what lies elsewhere."""
    outside = laid(tmp_path / "out", {"secret.md": task_text("secret")})
    inside = laid(tmp_path / "in" / "epics" / "books", EPIC)
    (inside / "1.md").symlink_to(outside / "secret.md")
    made = read_ccpm(Located(dialect=Dialect.CCPM, path=inside, name="books"), tmp_path / "in")
    assert (states(made), codes(made)) == ({"1": SKIPPED}, ["unreadable-file"])


def test_an_epic_without_epic_file_or_tasks_is_told(tmp_path: Path) -> None:
    """There is nothing to do, which is no error."""
    laid(tmp_path / "epics" / "books", {"notes.txt": ""})
    assert codes(epic(tmp_path, {})) == ["missing-epic", "no-tasks"]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A user's mistake, not a crash."""
    with pytest.raises(UsageError, match="cannot be listed"):
        read_ccpm(Located(dialect=Dialect.CCPM, path=tmp_path / "a" / "b", name="a/b"), tmp_path)


def test_a_task_file_stands_for_its_epic(tmp_path: Path) -> None:
    """As does its folder."""
    folder = laid(tmp_path / "books", {"1.md": task_text("x")})
    located = Located(dialect=Dialect.CCPM, path=folder / "1.md", name="books/1.md")
    made = read_ccpm(located, tmp_path)
    assert (made.id, made.path) == ("books", "books")


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_and_byte_order_mark_change_nothing(tmp_path: Path, end: str) -> None:
    """What is read is the same."""
    text = task_text("x", "depends_on: [2]\n", "## Acceptance Criteria\n- [ ] a\n")
    plain = books(tmp_path / "a", _1=text, _2=task_text("y"))
    dirty = books(
        tmp_path / "b", _1=b"\xef\xbb\xbf" + text.replace("\n", end).encode(), _2=task_text("y")
    )
    assert dirty.units == plain.units


def test_a_name_is_found_where_there_is_none(tmp_path: Path) -> None:
    """In the first heading, else in the file's name."""
    made = books(
        tmp_path, _1="---\nstatus: open\n---\n# Task: Named below\n", _2="---\nstatus: open\n---\n"
    )
    assert [each.text for each in made.items] == ["Named below", "2"]


# -- references ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "written",
    ["[11]", "11", '"11"', "['11']", "011", "#11", "[#11]", "\n  - 11", "\n  - #11", "\n- 11.md", "Task 11",
     "issue #11", "[11.md]", "https://github.com/o/r/issues/11", "11 # see 10", "[11], [11]", "11 and 11",
     '"[11]"', "[Task-11]"],
)  # fmt: skip
def test_an_id_is_the_same_however_it_is_written(tmp_path: Path, written: str) -> None:
    """A number, text, a file, an issue, a link, a comment to YAML."""
    head = f"depends_on: {written}\nparallel: true\n"
    made = books(tmp_path, _10=task_text("t"), _11=task_text("e"), _12=task_text("x", head))
    assert (unit(made, "12").depends_on, codes_but_yaml(made)) == (("11",), [])


def codes_but_yaml(source: PlanSource) -> list[str]:
    """The codes of what is odd, but for YAML that is none, and ids that are padded."""
    return [code for code in codes(source) if code not in ("broken-frontmatter", "stale-id")]


@pytest.mark.parametrize(
    "written", ["[]", "", "none", "~", "null", "N/A", "-", "[none]", "无", '""']
)
def test_nothing_is_nothing_however_it_is_written(tmp_path: Path, written: str) -> None:
    """No notice for it."""
    made = books(tmp_path, _1=task_text("x", f"depends_on: {written}\n"))
    assert (unit(made, "1").depends_on, codes_but_yaml(made)) == ((), [])


@pytest.mark.parametrize(
    ("written", "code"),
    [("[99]", "unknown-dependency"), ("[1]", "circular-dependency"), ("[soon]", "unknown-dependency"),
     ("when ready", "unknown-dependency")],
)  # fmt: skip
def test_what_leads_nowhere_is_an_error(tmp_path: Path, written: str, code: str) -> None:
    """At the line that says so."""
    made = books(tmp_path, _1=task_text("x", f"depends_on: {written}\n"))
    told = notice(made, code)
    assert told.severity == "error"
    assert told.place is not None
    assert told.place.line == 4


def test_a_conflict_that_leads_nowhere_is_a_warning(tmp_path: Path) -> None:
    """Nothing waits for it; one with itself says nothing."""
    made = books(tmp_path, _1=task_text("x", "conflicts_with: [99, 1]\n"))
    assert [(n.code, n.severity.value) for n in made.notices] == [("unknown-conflict", "warning")]


def test_a_bug_is_named_by_its_file(tmp_path: Path) -> None:
    """Dashes are part of its name."""
    head = "depends_on: [bug-1-x, setup-db.md]\n"
    odd = task_text("s", "parallel: true\n")
    made = books(tmp_path, _2=task_text("x", head), bug__1__x=task_text("b"), setup__db=odd)
    assert unit(made, "2").depends_on == ("bug-1-x", "setup-db")


def test_the_issue_of_a_file_is_an_id_too(tmp_path: Path) -> None:
    """A file that kept its old name is told."""
    link = "github: https://github.com/o/r/issues/57\n"
    made = books(tmp_path, _001=task_text("a", link), _2=task_text("b", "depends_on: [57]\n"))
    assert (unit(made, "001").issue, unit(made, "2").depends_on) == (57, ("001",))
    wrong = books(tmp_path / "b", _56=task_text("a", link))
    assert (unit(wrong, "56").issue, codes(wrong)) == (57, ["stale-id"])


@pytest.mark.parametrize(
    "mapping",
    ["- 001 -> #20\n- 002 -> #21\n", "| old | new |\n|---|---|\n| 001.md | #20 | a |\n| 002.md | #21 | b |\n",
     "001.md: #20\n002.md: #21\n", "`002.md` → `21.md`\n* 001 => 20", "| #21 | 002 | title |\n"],
)  # fmt: skip
def test_a_mapping_that_names_both_ids_is_sure(tmp_path: Path, mapping: str) -> None:
    """It only informs; an old id may look like the number of an issue."""
    made = books(
        tmp_path, github__mapping=mapping, _20=task_text("a"), _21=task_text("b"),
        _22=task_text("c", "depends_on: [002]\n"),
    )  # fmt: skip
    assert unit(made, "22").depends_on == ("21",)
    assert (notice(made, "stale-id").severity, codes(made)) == ("info", [])


def test_an_old_id_beyond_the_mapping_is_unknown(tmp_path: Path) -> None:
    """No other task is guessed."""
    made = books(tmp_path, github__mapping="- #20: a", _20=task_text("a", "depends_on: [007]\n"))
    assert codes(made) == ["unknown-dependency"]


# -- streams ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("after", "waits"),
    [("none", ()), ("Stream A", ("12-a",)), ("Streams A and B", ("12-a", "12-b")), ("A", ("12-a",)),
     ("A, B", ("12-a", "12-b")), ("Stream A, Stream B", ("12-a", "12-b")), ("stream A completes", ("12-a",)),
     ("None (a quick win)", ()), ("流 A", ("12-a",)), ("#11", ("11",)), ("Task 11, Stream B", ("12-b", "11"))],
)  # fmt: skip
def test_what_a_stream_waits_for(tmp_path: Path, after: str, waits: tuple[str, ...]) -> None:
    """Letters with and without words, and tasks."""
    made = analysed(
        tmp_path, stream("A"), stream("B"), stream("C", after=after), _11=task_text("e")
    )
    assert (unit(made, "12-c").depends_on, codes(made)) == (waits, [])


def test_when_a_stream_can_start_is_an_order_too(tmp_path: Path) -> None:
    """Though its dependencies say nothing."""
    made = analysed(tmp_path, stream("A"), stream("B", Can_Start="after Stream A"))
    assert unit(made, "12-b").depends_on == ("12-a",)


@pytest.mark.parametrize(
    ("after", "code"),
    [("Stream Z", "unknown-dependency"), ("Stream A", "circular-dependency"), ("#99", "unknown-dependency")],
)  # fmt: skip
def test_what_a_stream_waits_for_in_vain(tmp_path: Path, after: str, code: str) -> None:
    """An unknown letter, itself, an unknown task."""
    assert codes(analysed(tmp_path, stream("A", after=after))) == [code]


def test_a_stream_may_name_the_task_it_is_part_of(tmp_path: Path) -> None:
    """That says nothing."""
    assert codes(analysed(tmp_path, stream("A", after="#12"))) == []


def test_two_streams_of_one_letter_are_told(tmp_path: Path) -> None:
    """Both are kept."""
    made = analysed(tmp_path, stream("A"), stream("A"), stream("B", after="A"))
    assert (keys(made), codes(made)) == (["12-a", "12-a-2", "12-b"], ["duplicate-id"])
    assert unit(made, "12-b").depends_on == ("12-a",)


def test_who_waits_for_a_task_waits_for_all_its_streams(tmp_path: Path) -> None:
    """As does who conflicts with it."""
    head = "depends_on: [12]\nconflicts_with: [12]\n"
    made = analysed(tmp_path, stream("A"), stream("B"), _13=task_text("x", head))
    assert unit(made, "13").depends_on == unit(made, "13").conflicts_with == ("12-a", "12-b")


def test_a_stream_without_files_has_those_of_its_task(tmp_path: Path) -> None:
    """And a label within the field says what is new."""
    text = task_text("T", body="## Technical Details\n- src/key.py\n- talk about src/no.py\n")
    files = "\nNew files:\n- src/new.py\nExisting:\n- src/old.py"
    made = analysed(tmp_path, stream("A", files=files), stream("B", files="to be seen"), _12=text)
    assert paths(item(made, "12-a")) == [("src/new.py", "create"), ("src/old.py", "modify")]
    assert paths(item(made, "12-b")) == [("src/key.py", "modify")]


def test_an_analysis_without_streams_is_a_passage(tmp_path: Path) -> None:
    """Of a task that stays one item; one without a task is told."""
    made = analysed(tmp_path, "See src/a.py\n", _13__analysis="# x")
    assert (keys(made), codes(made)) == (["12"], ["orphan-analysis"])
    assert "src/a.py" in unit(made, "12").passages[0].text


def test_an_analysis_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Its task is one item."""
    made = books(tmp_path, _12=task_text("x"), _12__analysis=b"\x00\x01")
    assert (keys(made), codes(made)) == (["12"], ["unreadable-file"])


def test_what_is_below_a_stream_is_not_its_own(tmp_path: Path) -> None:
    """A heading ends its last field; a field it does not know is kept, an empty one is not."""
    made = analysed(tmp_path, stream("A", Owner="me", Empty=""), "#### Notes\n- src/no.py\n")
    assert paths(item(made, "12-a")) == [("src/a.py", "modify")]
    assert unit(made, "12-a").metadata["stream_fields"] == {"Owner": "me"}


def test_key_files_end_where_their_list_ends(tmp_path: Path) -> None:
    """Words between do not name files; a path that is an item by itself does."""
    body = "## Technical Details\nKey files:\n- src/a.py\n\n- src/b.py\nProse on src/c.py\n- about src/d.py\n"
    made = books(tmp_path, _1=task_text("x", body=body + "- `src/e.py`\n- src/f.py (new)\n"))
    assert paths(made.items[0]) == [
        ("src/a.py", "modify"), ("src/b.py", "modify"), ("src/e.py", "modify"), ("src/f.py", "create"),
    ]  # fmt: skip


def test_criteria_may_be_bullets(tmp_path: Path) -> None:
    """Where there is no box; of both sections, each once."""
    body = "## Acceptance Criteria\n- one\n- two\n## 完成定义\n- [ ] two\n- [x] three\n"
    made = books(tmp_path, _1=task_text("x", body=body))
    assert made.units[0].acceptance == ("one", "two", "three")


def test_an_analysis_of_an_old_name_finds_its_task(tmp_path: Path) -> None:
    """Padded as it may be."""
    made = books(tmp_path, _012=task_text("x"), _12__analysis=stream("A"))
    assert keys(made) == ["012-a"]
