"""What the source states of the order is kept, and never a circle."""

from __future__ import annotations

from penstock.planning.sources.api import Unit
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


def chain(*pairs: str) -> list[Unit]:
    """Units of one item each; `b<a` depends on `a` by its item, `b<<a` by its unit."""
    made = []
    for line, pair in enumerate(pairs, 1):
        key, _, other = pair.replace("<<", "<:").partition("<")
        by_unit = (other[1:],) if other.startswith(":") else ()
        by_item = (f"{other}1",) if other and not by_unit else ()
        one = item(f"{key}1", line=line, depends_on=by_item)
        made.append(unit(key, one, line=line, depends_on=by_unit))
    return made


def waits(*units: Unit, **options: object) -> dict[str, tuple[str, ...]]:
    """Which workstream waits for which, by the ends of their ids."""
    found = bundles(drafted(source(*units), **options)).values()  # type: ignore[arg-type]
    return {
        one.id.removeprefix("ws-add-login-"): tuple(
            ws.removeprefix("ws-add-login-") for ws in one.depends_on
        )
        for one in found
    }


def test_stated_dependencies_are_kept() -> None:
    """Items and units make their workstreams wait."""
    assert waits(*chain("a", "b<a", "c<<b")) == {"a": (), "b": ("a",), "c": ("b",)}


def test_what_is_done_counts_as_met() -> None:
    """Nothing waits for an item that is done, or a unit without open items."""
    units = [
        unit("a", done("a1")),
        unit("b", item("b1", depends_on=("a1",)), depends_on=("a",)),
    ]
    plan = drafted(source(*units))
    assert bundles(plan)["ws-add-login-b"].depends_on == ()
    assert codes(plan) == []


def test_unknown_dependencies_are_told() -> None:
    """A key that there is not is an error, of items as of units."""
    plan = drafted(source(unit("a", item("a1", depends_on=("x",)), depends_on=("y",))))
    assert codes(plan) == ["unknown-dependency"] * 2
    assert plan.contradicts


def test_a_circle_is_cut_where_it_goes_back() -> None:
    """Of items that wait for each other, the one written first goes first, and it is told."""
    plan = drafted(source(*chain("a<b", "b<a")))
    assert bundles(plan)["ws-add-login-a"].depends_on == ()
    assert bundles(plan)["ws-add-login-b"].depends_on == ("ws-add-login-a",)
    assert codes(plan) == ["circular-dependency"]
    assert "a1 (plan.md:1) -> b1 (plan.md:2)" in plan.notices[0].text


def test_a_circle_of_units_is_told_by_their_titles() -> None:
    """Units that wait for each other are named."""
    plan = drafted(source(*chain("a<<b", "b<<a")))
    assert "'Unit a' (plan.md:1) -> 'Unit b' (plan.md:2)" in plan.notices[0].text
    assert judged(plan).ok


def test_an_item_that_waits_for_itself_is_told() -> None:
    """A circle of one is a circle."""
    plan = drafted(source(*chain("a<a", "b<<b")))
    assert codes(plan) == ["circular-dependency"] * 2
    assert waits(*chain("a<a", "b<<b")) == {"a": (), "b": ()}


def test_units_may_wait_for_each_other_crosswise() -> None:
    """Where items of two units alternate, a unit is cut instead of going in a circle."""
    units = [
        unit("a", item("a1"), item("a2", depends_on=("b1",))),
        unit("b", item("b1", depends_on=("a1",))),
    ]
    assert waits(*units) == {"a-p1": (), "a-p2": ("a-p1", "b"), "b": ("a-p1",)}


def test_units_may_wait_crosswise_through_others() -> None:
    """The circle that a unit would go in may be long, and lead two ways to the same unit."""
    units = [
        unit("a", item("a1"), item("a2", depends_on=("d1",))),
        unit("b", item("b1", depends_on=("a1",))),
        unit("c", item("c1", depends_on=("b1",))),
        unit("d", item("d1", depends_on=("b1", "c1"))),
    ]
    assert waits(*units)["a-p2"] == ("a-p1", "d")
    assert waits(*units)["d"] == ("b", "c")


def test_a_unit_that_waits_for_others_stays_whole() -> None:
    """What a unit waits for may have much before it, as long as the unit is not among that."""
    units = [
        unit("a", item("a1"), item("a2", depends_on=("d1",))),
        unit("b", item("b1")),
        unit("c", item("c1", depends_on=("b1",))),
        unit("d", item("d1", depends_on=("b1", "c1"))),
    ]
    assert waits(*units)["a"] == ("d",)


def test_a_gate_is_raised_to_what_is_waited_for() -> None:
    """Who depends on a later gate belongs to it, and that is told."""
    units = [
        unit("a", item("a1", depends_on=("b1",)), gate=1),
        unit("b", item("b1"), gate=2),
        unit("c", item("c1"), gate=1, depends_on=("b",)),
    ]
    plan = drafted(source(*units))
    assert {one.id[-1]: one.gate for one in bundles(plan).values()} == {"a": 2, "b": 2, "c": 2}
    assert codes(plan) == ["depends-on-later"] * 2


def test_order_passes_through_what_is_not_planned() -> None:
    """Who depends on a task without scope waits for what that depends on, as derived."""
    units = chain("a", "b<a", "c<b")
    plan = drafted(source(*units), scopes(a1="a.py", c1="c.py"))
    bundle = bundles(plan)["ws-add-login-c"]
    assert bundle.depends_on == ("ws-add-login-a",)
    assert bundle.metadata["derived"] == [
        {"id": "ws-add-login-a", "why": "through b1, which is not planned"}
    ]
    assert bundle.metadata["unmet"] == ["b1 (plan.md:2)"]
    assert "depends-on-unplanned" in codes(plan)


def test_units_without_scope_are_unmet_too() -> None:
    """A unit that another one depends on is unmet with all its items without a scope."""
    units = [unit("a", item("a1"), item("a2")), unit("b", item("b1"), depends_on=("a",))]
    plan = drafted(source(*units), scopes(a1="a.py", b1="b.py"))
    bundle = bundles(plan)["ws-add-login-b"]
    assert bundle.depends_on == ("ws-add-login-a",)
    assert "derived" not in bundle.metadata
    assert bundle.metadata["unmet"] == ["a2 (plan.md:1)"]


def test_stated_wins_over_passing_through() -> None:
    """What is stated and also passes through another task is stated."""
    units = [
        unit("a", item("a1")),
        unit("b", item("b1", depends_on=("a1",))),
        unit("c", item("c1", depends_on=("b1", "a1"))),
    ]
    plan = drafted(source(*units), scopes(a1="a.py", c1="c.py"))
    assert "derived" not in bundles(plan)["ws-add-login-c"].metadata
