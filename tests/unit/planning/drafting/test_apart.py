"""Workstreams that claim the same paths never run side by side."""

from __future__ import annotations

import pytest

from penstock.model.bundle import Bundle
from penstock.planning.sources.api import Dialect, Place
from tests.support.bundles import bundle
from tests.support.drafting import (
    bundles,
    codes,
    drafted,
    guess,
    item,
    judged,
    scope,
    scopes,
    source,
    unit,
)


def after(found: dict[str, Bundle]) -> list[tuple[str, ...]]:
    """What each workstream waits for, by the last letter of ids."""
    return [tuple(ws[-1] for ws in one.depends_on) for one in found.values()]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("x.py", "x.py", "x.py"),
        ("src/", "src/x.py", "src/x.py"),
        ("src/x.py", "src/", "src/x.py"),
        ("docs/**/*.md", "docs/a.md", "docs/a.md"),
    ],
)
def test_the_first_written_goes_first(first: str, second: str, told: str) -> None:
    """Between units of a source an overlap becomes an order, and both lines are told."""
    plan = drafted(source(unit("a", "a1"), unit("b", "b1", line=5)), scopes(a1=first, b1=second))
    assert after(bundles(plan)) == [(), ("a",)]
    (notice,) = plan.notices
    assert notice.code == "overlap"
    assert "plan.md:2 and at plan.md:6" in notice.text
    assert notice.text.startswith(told)


def test_the_line_of_the_evidence_is_told() -> None:
    """A guess with a place of its own names that line."""
    known = {"a1": scope("x.py"), "b1": scope(guess("x.py", place=Place("design.md", 40)))}
    plan = drafted(source(unit("a", "a1"), unit("b", "b1")), known)
    assert "at design.md:40" in plan.notices[0].text


def test_what_is_ordered_needs_no_more() -> None:
    """Gates, stated dependencies and running alone keep apart already."""
    units = [
        unit("a", "a1"),
        unit("b", item("b1", depends_on=("a1",))),
        unit("c", "c1", gate=2),
        unit("d", "d1", parallel_ok=False),
    ]
    plan = drafted(source(*units), scopes(a1="x.py", b1="x.py", c1="x.py", d1="x.py"))
    assert codes(plan) == []
    assert judged(plan).ok


def test_many_users_of_a_file_stand_in_a_row() -> None:
    """Each waits for the one before it only."""
    plan = drafted(
        source(*(unit(key, f"{key}1") for key in "abcd")),
        scopes(**{f"{key}1": "x.py" for key in "abcd"}),
    )
    assert after(bundles(plan)) == [(), ("a",), ("b",), ("c",)]


def test_a_folder_waits_for_its_files() -> None:
    """A folder waits for the files before it, and the files behind wait for the folder."""
    known = scopes(a1="src/x.py", b1="src/y.py", c1="src/", d1="src/x.py", e1="src/z.py")
    plan = drafted(source(*(unit(key, f"{key}1") for key in "abcde")), known)
    assert after(bundles(plan)) == [(), (), ("a", "b"), ("c",), ("c",)]


def test_two_sources_share_a_group() -> None:
    """Nothing says which of two plans goes first."""
    plan = drafted(
        [source(unit("a", "a1"), ident="one"), source(unit("b", "b1"), ident="two")],
        [scopes(a1="src/"), scopes(b1="src/x.py")],
    )
    assert [one.conflict_group for one in bundles(plan).values()] == ["cg-one", "cg-one"]
    assert codes(plan) == ["overlap"]
    assert "share a conflict group" in plan.notices[0].text


def test_a_group_and_an_order_go_together() -> None:
    """What overlaps within a source is ordered, what overlaps with another source shares a group."""
    sources = [source(unit("a", "a1"), unit("b", "b1"), ident=name) for name in ("one", "two")]
    known = [scopes(a1="x.py", b1="x.py y.py"), scopes(a1="y.py", b1="z.py")]
    plan = drafted(sources, known)
    groups = [one.conflict_group for one in bundles(plan).values()]
    assert groups == [None, "cg-one-b", "cg-one-b", None]
    assert judged(plan).ok


def test_what_conflicts_by_its_author_shares_a_group() -> None:
    """Units that are called conflicting are one group for each connected set."""
    units = [
        unit("a", "a1", conflicts_with=("b", "none")),
        unit("b", "b1"),
        unit("c", "c1", conflicts_with=("b",)),
        unit("d", "d1"),
    ]
    plan = drafted(source(*units, dialect=Dialect.CCPM))
    assert [one.conflict_group for one in bundles(plan).values()] == [
        *["cg-add-login-a"] * 3,
        None,
    ]


def test_a_group_of_all_users_needs_no_order() -> None:
    """Who is in one group with all others of a file waits for nobody."""
    units = [unit("a", "a1", conflicts_with=("b",)), unit("b", "b1")]
    plan = drafted(source(*units), scopes(a1="x.py", b1="x.py"))
    assert after(bundles(plan)) == [(), ()]
    assert codes(plan) == []


def test_who_meets_a_group_waits_for_all_of_it() -> None:
    """Users of a folder behind a group of its files wait for each of them, and the other way."""
    units = [
        unit("a", "a1", conflicts_with=("b",)),
        unit("b", "b1"),
        unit("c", "c1"),
        unit("d", "d1"),
    ]
    plan = drafted(source(*units), scopes(a1="src/x.py", b1="src/x.py", c1="src/", d1="src/x.py"))
    assert judged(plan).ok
    grouped = drafted(source(*units), scopes(a1="src/", b1="src/", c1="src/x.py", d1="src/y.py"))
    assert after(bundles(grouped)) == [(), (), ("a", "b"), ("a", "b")]


# -- beside what is there --------------------------------------------------------------------
def beside(*around: Bundle, claim: str = "x.py") -> Bundle:
    """The workstream of a plan that is made beside others."""
    made = source(unit("a", "a1"))
    plan = drafted(made, scopes(a1=claim), around=around)
    assert judged(plan, around).ok
    assert set(codes(plan)) <= {"overlap-existing"}
    return bundles(plan)["ws-add-login"]


def test_one_waits_for_what_is_there() -> None:
    """A bundle of the folder with the same claim goes first."""
    made = beside(bundle("ws-x", files_scope=["x.py"]), bundle("ws-y"))
    assert made.depends_on == ("ws-x",)
    assert made.metadata["derived"][0]["why"] == "both touch x.py, and it was there before"


def test_one_joins_a_group_that_is_there() -> None:
    """A group needs no order; one waits for members of a second group."""
    first = bundle("ws-x", files_scope=["x.py"], conflict_group="db", gate=1)
    second = bundle("ws-y", files_scope=["y.py"], conflict_group="ui")
    third = bundle("ws-z", files_scope=["z.py"], conflict_group="db")
    made = source(unit("a", "a1"))
    plan = drafted(made, scopes(a1="x.py y.py z.py"), around=[first, second, third])
    (one,) = bundles(plan).values()
    assert (one.conflict_group, one.depends_on) == ("db", ("ws-y",))
    assert judged(plan, [first, second, third]).ok


@pytest.mark.parametrize(
    "fields",
    [{"gate": 2}, {"parallel_ok": False}, {"depends_on": ["ws-add-login"]}, {"files_scope": ["y"]}],
)
def test_what_cannot_meet_is_left_alone(fields: dict[str, object]) -> None:
    """Other gates, running alone, waiting for it already, or other files need nothing."""
    other = bundle("ws-x", **{"files_scope": ["x.py"], **fields})
    plan = drafted(source(unit("a", "a1")), scopes(a1="x.py"))
    beside_it = drafted(source(unit("a", "a1")), scopes(a1="x.py"), around=[other])
    assert bundles(beside_it) == bundles(plan)


def test_one_waits_for_each_that_is_there() -> None:
    """Bundles that wait for each other are both waited for, as long as no circle comes of it."""
    there = [
        bundle("ws-x", files_scope=["x.py"]),
        bundle("ws-y", files_scope=["x.py", "y.py"], depends_on=["ws-x"]),
    ]
    assert beside(*there).depends_on == ("ws-x", "ws-y")
    assert beside(*there, claim="y.py").depends_on == ("ws-y",)


def test_a_waiting_one_is_met_through_others() -> None:
    """Who waits for one that waits for what is there waits for it already."""
    there = [bundle("ws-x", files_scope=["x.py", "y.py"])]
    made = source(unit("a", "a1"), unit("b", item("b1", depends_on=("a1",))))
    plan = drafted(made, scopes(a1="x.py", b1="y.py"), around=there)
    assert after(bundles(plan)) == [("x",), ("a",)]


def test_what_lost_its_dependency_is_told() -> None:
    """When work is done and gone, bundles of other plans that waited for it are made again."""
    planned = bundle("ws-x", depends_on=["ws-add-login"], metadata={"plan": {"path": "other.md"}})
    own = bundle("ws-y", depends_on=["ws-gone", "ws-x"])
    plan = drafted(source(), around=[planned, own])
    assert [notice.hint for notice in plan.notices] == [
        "Plan other.md again.",
        "Take the entry out of its depends_on.",
    ]
    assert codes(drafted(source(unit("a", "a1")), around=[planned])) == []
