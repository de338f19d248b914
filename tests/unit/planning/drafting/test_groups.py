"""What makes a workstream: units, issues, folders, languages, items, and how large it may be."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.planning.drafting.api import GroupBy
from penstock.planning.drafting.keys import directory_of, language_of
from penstock.planning.sources.api import Dialect, PlanSource
from tests.support.drafting import (
    bundles,
    codes,
    done,
    drafted,
    item,
    judged,
    scopes,
    source,
    unit,
)


def ids(made: PlanSource, **options: object) -> list[str]:
    """The ids of the workstreams of a source, without what all of them begin with."""
    found = bundles(drafted(made, **options))  # type: ignore[arg-type]
    return [ws.removeprefix("ws-add-login").removeprefix("-") for ws in found]


@pytest.mark.parametrize("by", [GroupBy.AUTO, GroupBy.STORY, GroupBy.GROUP])
def test_a_unit_is_a_workstream(by: GroupBy) -> None:
    """Items of one unit go together."""
    assert ids(source(unit("g1", "a", "b"), unit("g2", "c")), group_by=by) == ["g1", "g2"]


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [(Dialect.OPENSPEC, [""]), (Dialect.CHECKLIST, [""]), (Dialect.TASK_MASTER, ["g1"])],
)
def test_the_only_unit_is_called_like_the_plan(dialect: Dialect, expected: list[str]) -> None:
    """A change of one group needs no ending; a tag of one task keeps the task's id."""
    assert ids(source(unit("g1", "a"), dialect=dialect)) == expected


def test_an_id_stays_when_others_are_done() -> None:
    """What is left of a plan is called as before."""
    made = source(unit("g1", done("a")), unit("g2", "b"))
    assert ids(made) == ["g2"]


def test_all_of_a_source_may_be_one() -> None:
    """With `all` a source is one workstream of the first gate, in the order of its gates."""
    made = source(unit("g2", "b", gate=2), unit("g1", "a", gate=1))
    (bundle,) = bundles(drafted(made, group_by=GroupBy.ALL)).values()
    assert (bundle.id, bundle.gate) == ("ws-add-login", 1)
    assert bundle.tasks == ("a Do a", "b Do b")


def test_units_of_one_issue_may_go_together() -> None:
    """With `issue` it is the issue that counts."""
    made = source(unit("x", "a", issue=7), unit("y", "b", issue="7"), unit("z", "c", issue=8))
    assert ids(made, group_by=GroupBy.ISSUE) == ["7", "8"]


def test_folders_make_workstreams() -> None:
    """With `directory` it is where most of an item's paths lie."""
    made = source(unit("g", "a", "b", "c"))
    known = scopes(a="src/api/v1/x.py src/api/y.py top.md", b="src/api/z.py", c="top.txt")
    assert list(bundles(drafted(made, known, group_by=GroupBy.DIRECTORY))) == [
        "ws-add-login-src-api",
        "ws-add-login-root",
    ]


def test_folders_are_kept_apart_by_gates() -> None:
    """Where a source has gates, a folder is a workstream for each of them."""
    made = source(unit("g1", "a"), unit("g2", "b", gate=2))
    assert ids(made, group_by=GroupBy.LANGUAGE) == ["g1-python", "g2-python"]


@pytest.mark.parametrize(
    ("claim", "folder", "language"),
    [
        ("a/b/c/d.PY", "a/b", "python"),
        ("Makefile", "root", "other"),
        ("src/**/*.ts", "src", "typescript"),
        ("docs/", "docs", "other"),
        ("**/x.go", "root", "go"),
    ],
)
def test_folder_and_language_of_a_claim(claim: str, folder: str, language: str) -> None:
    """Globs have the folders before them; endings are looked at without capitals."""
    assert (directory_of(claim), language_of(claim)) == (folder, language)


def test_each_item_may_be_one() -> None:
    """With `item` only items of a unit that claim the same go together, whatever lies between."""
    made = source(unit("g1", "a", "b", "c"), unit("g2", "d"))
    known = scopes(a="x.py", b="y.py", c="x.py z.py", d="x.py")
    plan = drafted(made, known, group_by=GroupBy.ITEM)
    assert {ws: one.tasks for ws, one in bundles(plan).items()} == {
        "ws-add-login-a": ("a Do a", "c Do c"),
        "ws-add-login-b": ("b Do b",),
        "ws-add-login-d": ("d Do d",),
    }


def epic(*letters: str, task: str = "12") -> PlanSource:
    """An epic with a task of streams."""
    units = [
        unit(f"{task}-{letter}", item(f"{task}-{letter}", line=at), issue=12, kind="stream")
        for at, letter in enumerate(letters, 1)
    ]
    return source(*units, dialect=Dialect.CCPM, ident="auth", plan_id="epic/auth")


def test_streams_that_collide_are_one() -> None:
    """Streams of one task that claim the same become one workstream of the task's name."""
    plan = drafted(epic("a", "b"), scopes(**{"12-a": "src/", "12-b": "src/x.py"}))
    (bundle,) = bundles(plan).values()
    assert (bundle.id, bundle.ccpm_issue, bundle.files_scope) == (
        "ws-auth-12",
        12,
        ("src/", "src/x.py"),
    )


def test_some_streams_that_collide_are_named() -> None:
    """When other streams go on their own, the letters tell which are together."""
    known = scopes(**{"12-a": "x.py", "12-b": "y.py", "12-c": "x.py"})
    assert list(bundles(drafted(epic("a", "b", "c"), known))) == ["ws-auth-12-a-c", "ws-auth-12-b"]


def test_streams_of_one_key_part_are_named_by_it() -> None:
    """Units of an epic without letters that collide are called after the first."""
    units = [unit(key, item(key), issue=1) for key in ("x", "y")]
    made = source(*units, dialect=Dialect.CCPM, ident="auth")
    assert list(bundles(drafted(made, scopes(x="a.py", y="a.py")))) == ["ws-auth-x-y"]


# -- limits --------------------------------------------------------------------------------
def test_a_large_unit_is_cut() -> None:
    """More tasks than the limit make parts that wait for each other."""
    plan = drafted(source(unit("g1", *"abcde")), max_tasks=2)
    assert [(one.id, len(one.tasks), one.depends_on) for one in bundles(plan).values()] == [
        ("ws-add-login-p1", 2, ()),
        ("ws-add-login-p2", 2, ("ws-add-login-p1",)),
        ("ws-add-login-p3", 1, ("ws-add-login-p2",)),
    ]
    assert bundles(plan)["ws-add-login-p2"].metadata["derived"][0]["id"] == "ws-add-login-p1"


def test_parallel_parts_run_side_by_side() -> None:
    """Parts whose tasks are all called parallel wait only for what is not."""
    items = [item(key, parallel=key in "bc") for key in "abcd"]
    plan = drafted(source(unit("g1", *items)), max_tasks=1)
    assert [sorted(ws[-1] for ws in one.depends_on) for one in bundles(plan).values()] == [
        [],
        ["1"],
        ["1"],
        ["2", "3"],
    ]


def test_what_claims_the_same_is_not_cut() -> None:
    """Tasks of one unit that share a file stay together, and that they are too many is told."""
    plan = drafted(source(unit("g1", *"abc")), scopes(a="x.py", b="y.py", c="x.py"), max_tasks=1)
    assert [one.tasks for one in bundles(plan).values()] == [
        ("a Do a", "c Do c"),
        ("b Do b",),
    ]
    assert codes(plan) == ["over-limit"]
    assert judged(plan).ok


def test_what_waits_crosswise_is_not_cut() -> None:
    """Chunks that wait for each other are one: a and c share a file, and b stands between."""
    items = [item("a"), item("b", depends_on=("a",)), item("c", depends_on=("b",))]
    known = scopes(a="x.py", b="y.py", c="x.py")
    plan = drafted(source(unit("g1", *items)), known, max_tasks=1)
    assert [one.tasks for one in bundles(plan).values()] == [("a Do a", "b Do b", "c Do c")]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"max_files": 1}, "2 files"),
        ({"max_lines": 50}, "80 lines"),
        ({"max_context_tokens": 1000}, "1501 context tokens"),
    ],
)
def test_a_task_may_be_too_large(options: dict[str, int], word: str) -> None:
    """A single task beyond a limit is planned and told."""
    plan = drafted(
        source(unit("g1", "a")),
        scopes(a="x.py y.py"),
        sizes={"x.py": 4000, "y.py": 2000},
        **dict[str, Any](options),
    )
    assert codes(plan) == ["over-large-task"]
    assert word in plan.notices[0].text


def test_a_new_file_counts_its_lines() -> None:
    """What is to be made counts with lines of its own, whatever is changed of it later."""
    plan = drafted(source(unit("g1", "a", "b")), scopes(a="+x.py", b="x.py"), max_lines=119)
    assert "120 lines" in plan.notices[0].text


def test_parts_of_one_directory_across_units() -> None:
    """With `all`, tasks of different units may be cut although they share a file: an order helps."""
    made = source(unit("g1", "a"), unit("g2", "b"))
    plan = drafted(made, scopes(a="x.py", b="x.py"), group_by=GroupBy.ALL, max_tasks=1)
    assert [one.depends_on for one in bundles(plan).values()] == [(), ("ws-add-login-p1",)]
    assert judged(plan).ok
