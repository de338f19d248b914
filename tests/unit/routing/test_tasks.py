"""Which app of router_config.json a task goes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.errors import NotFoundError
from penstock.routing.api import ToolState
from penstock.routing.tasks import decide_task
from penstock.store.sqlite import open_journal
from tests.support.routers import NOW, Memory, app, edit_rule, router, router_config


def turns(folder: Path, strategy: str, count: int = 4, *states: ToolState) -> list[str | None]:
    """Who gets tasks, one after another, under a strategy."""
    config = router_config(folder, edit_rule(strategy=strategy))
    found = router(config, *states, rotation=Memory())
    return [found.route_task("edit") for _ in range(count)]


def test_the_first_rule_that_matches_decides(tmp_path: Path) -> None:
    """Later ones are not asked."""
    config = router_config(tmp_path, edit_rule("one", select="b"), edit_rule("two", select="c"))
    found = router(config).decide("edit")
    assert (found.tool_id, found.reason) == ("b", "rule one (fixed)")


@pytest.mark.parametrize(
    ("task", "tool"),
    [
        ({}, "b"),
        ({"risk_tier": "high"}, "b"),
        ({"risk_tier": "low"}, "a"),
        ({"complexity": "expert"}, "b"),
        ({"complexity": "trivial"}, "a"),
    ],
)
def test_tier_and_complexity_count_when_given(
    tmp_path: Path, task: dict[str, Any], tool: str
) -> None:
    """Where the task leaves them open the rule still matches."""
    match = {"risk_tier": ["high"], "complexity": "expert"}
    config = router_config(tmp_path, edit_rule(select="b", match=match))
    assert router(config).route_task("edit", **task) == tool


def test_complexity_may_be_a_list(tmp_path: Path) -> None:
    """Any of its values matches."""
    match = {"complexity": ["simple", "trivial"]}
    found = router(router_config(tmp_path, edit_rule(select="c", match=match)))
    assert found.route_task("edit", complexity="trivial") == "c"
    assert found.route_task("edit", complexity="expert") == "a"


def test_a_rule_without_a_kind_is_for_all(tmp_path: Path) -> None:
    """What a rule does not name it does not compare."""
    config = router_config(tmp_path, {"id": "all", "match": {}, "select_from": ["d"]})
    assert router(config).route_task("whatever") == "d"


def test_a_rule_with_nobody_to_give_is_passed_over(tmp_path: Path) -> None:
    """The next one that matches decides."""
    config = router_config(tmp_path, edit_rule("none", select=""), edit_rule("two", select="c"))
    assert router(config).route_task("edit") == "c"


def test_without_a_rule_the_first_app_of_the_kind_is_taken(tmp_path: Path) -> None:
    """In the order of the file, by domain when one is given."""
    found = router(router_config(tmp_path))
    assert found.route_task("edit") == "a"
    assert found.route_task("edit", domain="docs") == "a"
    assert found.route_task("document", domain="docs") == "d"
    assert found.route_task("document", domain="web") is None
    assert found.decide("dance").reason == "no rule and no app is for dance"


def test_fixed_takes_the_first_always(tmp_path: Path) -> None:
    """Whatever is known of it."""
    broken = ToolState(tool_id="a", cooling_until=NOW + 60)
    assert turns(tmp_path, "fixed", 3, broken) == ["a", "a", "a"]


def test_round_robin_takes_each_in_turn(tmp_path: Path) -> None:
    """And round again."""
    assert turns(tmp_path, "round_robin") == ["a", "b", "c", "a"]


def test_auto_takes_the_best_that_is_free(tmp_path: Path) -> None:
    """No open breaker and a free slot come first, then the success rate."""
    states = (
        ToolState(tool_id="a", cooling_until=NOW + 60, successes=99.0),
        ToolState(tool_id="b", failures=9.0),
    )
    assert turns(tmp_path, "auto", 1, *states) == ["c"]
    busy = ToolState(tool_id="c", busy=1)
    assert turns(tmp_path, "auto", 1, *states, busy) == ["b"]


@pytest.mark.parametrize(
    "state",
    [
        {"busy": 1},
        {"cooling_until": NOW + 1},
        {"unavailable": "not installed"},
    ],
)
def test_a_rule_of_auto_with_nobody_free_is_passed_over(
    tmp_path: Path, state: dict[str, Any]
) -> None:
    """It has no candidate, so the next rule decides."""
    rules = edit_rule("auto", select="b", strategy="auto"), edit_rule("two", select="c")
    found = router(router_config(tmp_path, *rules), ToolState(tool_id="b", **state))
    assert found.route_task("edit") == "c"


def test_the_default_strategy_serves_where_a_rule_names_none(tmp_path: Path) -> None:
    """It stands in the file's defaults."""
    config = router_config(tmp_path, edit_rule(), defaults={"strategy": "round_robin"})
    found = router(config, rotation=Memory())
    assert [found.route_task("edit") for _ in range(2)] == ["a", "b"]


def test_each_rule_rotates_on_its_own(tmp_path: Path) -> None:
    """Two rules over the same apps do not share their turns."""
    robin = {"strategy": "round_robin"}
    high = edit_rule("high", match={"risk_tier": ["high"]}, **robin)
    found = router(router_config(tmp_path, high, edit_rule("rest", **robin)), rotation=Memory())
    picks = [found.route_task("edit", tier) for tier in ("high", "low", "high", "low")]
    assert picks == ["a", "a", "b", "b"]


def test_asking_changes_nothing(tmp_path: Path) -> None:
    """Only a routed task goes on by one."""
    config = router_config(tmp_path, edit_rule(strategy="round_robin"))
    found = router(config, rotation=Memory())
    assert [found.decide("edit").tool_id for _ in range(3)] == ["a", "a", "a"]


def test_a_rotation_is_remembered_across_processes(tmp_path: Path) -> None:
    """The journal keeps it."""
    config = router_config(tmp_path, edit_rule(strategy="round_robin"))
    picks = []
    for _ in range(4):
        with open_journal(tmp_path / "p.db") as journal:
            picks.append(router(config, rotation=journal).route_task("edit"))
    assert picks == ["a", "b", "c", "a"]


def test_without_a_memory_a_rotation_begins_anew(tmp_path: Path) -> None:
    """Nothing to remember with: the first."""
    found = router(router_config(tmp_path, edit_rule(strategy="round_robin")))
    assert [found.route_task("edit") for _ in range(2)] == ["a", "a"]


def test_the_entry_of_an_app_can_be_asked_for(tmp_path: Path) -> None:
    """Its configuration, command, limits and capabilities, and the list of all."""
    own = app("lint", command="ruff check 'my file.py'", limits={"max_parallel": 3})
    listed = app("lint", command=["ruff", "check"])
    found = router(router_config(tmp_path, apps={"ruff": own, "r2": listed}))
    assert found.list_tools() == ("ruff", "r2")
    assert found.get_tool_command("ruff") == ("ruff", "check", "my file.py")
    assert found.get_tool_command("r2") == ("ruff", "check")
    assert (
        found.get_tool_limits("ruff").max_parallel,
        found.get_tool_limits("r2").max_parallel,
    ) == (3, 1)
    assert found.get_tool_limits("ruff").timeout_seconds == 600.0
    assert found.get_tool_capabilities("ruff").task_kinds == ("lint",)
    assert found.get_tool_config("ruff").safety_tier == "medium"


def test_an_app_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With those that are."""
    with pytest.raises(NotFoundError, match="no app 'z' in the router; known: a, b, c, d"):
        router(router_config(tmp_path)).get_tool_limits("z")
    with pytest.raises(NotFoundError, match="known: none"):
        router(router_config(tmp_path, apps={})).get_tool_config("z")


def test_the_decision_is_a_function_of_its_arguments(tmp_path: Path) -> None:
    """The same question has the same answer."""
    config = router_config(tmp_path, edit_rule(strategy="round_robin"))
    asked = [
        decide_task(config, "edit", states={}, last_used=lambda _: "b", now=NOW).tool_id
        for _ in range(2)
    ]
    assert asked == ["c", "c"]
