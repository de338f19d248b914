"""What a bundle says: its fields, its trace, and where everything comes from."""

from __future__ import annotations

from datetime import date

import pytest

from penstock.errors import UsageError
from penstock.model.bundle import Bundle, Priority
from penstock.planning.drafting.api import GroupBy
from penstock.planning.drafting.compose import acceptance, plain
from penstock.planning.scoping.api import Rung
from penstock.planning.sources.api import Dialect, Place, PlanSource, Trace, Use
from penstock.typed import typed
from tests.support.drafting import (
    bundles,
    done,
    drafted,
    guess,
    item,
    scope,
    scopes,
    source,
    unit,
)


def only(made: PlanSource, known: object = None, **options: object) -> Bundle:
    """The only bundle of a source."""
    (found,) = bundles(drafted(made, known, **options)).values()  # type: ignore[arg-type]
    return found


def test_fields_come_from_the_source() -> None:
    """Plan, issue, gate, tool, tasks with their labels and details are in the bundle."""
    one = item("1.2", details="use bcrypt\n\nnot md5\n")
    made = source(unit("g1", one, issue=42, gate=3), plan_id="epic/auth")
    found = only(made, default_tool="aider")
    assert (found.openspec_change, found.ccpm_issue, found.gate) == ("epic/auth", 42, 3)
    assert (found.tool, found.capability) == ("aider", None)
    assert found.tasks == ("1.2 Do 1.2\n  use bcrypt\n\n  not md5",)


def test_options_choose_tool_and_capability() -> None:
    """What is asked for beats the default."""
    found = only(source(unit("g", "a")), tool="codex", capability="refactoring")
    assert (found.tool, found.capability) == ("codex", "refactoring")


def test_somebody_must_name_a_tool() -> None:
    """Without a tool nothing can be run; without work none is needed."""
    with pytest.raises(UsageError) as caught:
        drafted(source(unit("g", "a")), default_tool=None)
    assert "--tool" in str(caught.value.hint)
    assert "default_tool" in str(caught.value.hint)
    assert drafted(source(unit("g", done("a"))), default_tool=None).bundles == ()


def test_new_files_are_created() -> None:
    """What is only made is claimed as well; what is made and changed is made."""
    assert only(source(unit("g", "a")), scopes(a="+x.py")).files_scope == ("x.py",)
    found = only(source(unit("g", "a", "b")), scopes(a="+x.py", b="x.py y.py"))
    assert (found.files_scope, found.files_create) == (("y.py",), ("x.py",))


def test_several_issues_give_the_plan_id() -> None:
    """A workstream of several issues is called by its plan's id."""
    made = source(unit("a", "a1", issue=1), unit("b", "b1", issue=2), ident="auth")
    assert only(made, group_by=GroupBy.ALL).ccpm_issue == "auth"


def test_background_is_only_what_is_all_background() -> None:
    """One unit in the foreground is enough."""
    low = unit("a", "a1", priority=Priority.BACKGROUND)
    assert only(source(low)).priority is Priority.BACKGROUND
    assert only(source(low, unit("b", "b1")), group_by=GroupBy.ALL).priority is Priority.FOREGROUND


def test_who_runs_alone_says_so() -> None:
    """One unit that is not to run beside others is enough."""
    assert not only(source(unit("a", "a1", parallel_ok=False))).parallel_ok


def test_the_trace_finds_every_item_again() -> None:
    """Items stand in the order of the tasks, with those that were done before."""
    made = source(
        unit("g", item("a", line=3), done("b", line=4)),
        dialect=Dialect.TASK_MASTER,
        metadata={"tag": "main"},
    )
    trace = typed(only(made).metadata["plan"], Trace)
    assert (trace.dialect, trace.id, trace.path) == (Dialect.TASK_MASTER, "add-login", "plan.md")
    assert (trace.tag, trace.units) == ("main", ("g",))
    assert [(one.key, one.place) for one in trace.items] == [("a", Place("plan.md", 3))]
    assert [one.key for one in trace.done] == ["b"]


def test_what_is_done_is_told_once() -> None:
    """Of the parts of a unit, the first has what was done before, the last the acceptance."""
    made = source(unit("g", "a", "b", done("c"), acceptance=("It works",)))
    first, last = bundles(drafted(made, max_tasks=1)).values()
    assert [len(typed(one.metadata["plan"], Trace).done) for one in (first, last)] == [1, 0]
    assert [one.acceptance_tests for one in (first, last)] == [(), ("It works",)]


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("`pytest -q`", "pytest -q"),
        ("Run: ``npm test``.", "npm test"),
        ("run `make check`", "make check"),
        ("`pytest` passes", "`pytest` passes"),
        ("go to the settings page", "Go to the settings page"),
        ("make(x) returns", "Make(x) returns"),
        ("$ rm -rf x", "Rm -rf x"),
        ("iPhone shows it", "iPhone shows it"),
        ("WHEN a\nTHEN b", "WHEN a\nTHEN b"),
        ("用户可以登录", "用户可以登录"),
    ],
)
def test_prose_never_becomes_a_command(text: str, entry: str) -> None:
    """Only a line that is a command in backticks may be run."""
    assert acceptance([unit("g", acceptance=(f" {text} ",))]) == (entry,)


def test_criteria_are_told_once() -> None:
    """Empty ones and those of another unit again are left out."""
    units = [unit("a", acceptance=("It works", " ")), unit("b", acceptance=("It works",))]
    assert acceptance(units) == ("It works",)


def test_evidence_is_the_surest_of_each_path() -> None:
    """Of several guesses for one path the surest is told, with its place."""
    low = guess("x.py", rung=Rung.SYMBOL, confidence=0.612)
    high = guess("x.py", place=Place("plan.md", 7), confidence=0.9)
    read = guess("doc.md", Use.READ, confidence=0.5)
    made = source(unit("g", "a", "b", "c"))
    found = only(made, {"a": scope(low), "b": scope(high, read), "c": scope(low)}).metadata
    assert [(one["path"], one["confidence"], one.get("place")) for one in found["evidence"]] == [
        ("x.py", 0.9, "plan.md:7"),
        ("doc.md", 0.5, None),
    ]
    assert found["read"] == ["doc.md"]


def test_what_no_field_takes_is_metadata() -> None:
    """Prose on the order, keys of units and sources, and claims to be parallel are kept."""
    made = source(
        unit("g", item("a", parallel=True), item("b"), metadata={"effort": {"days": 3}}),
        metadata={"order_notes": "first", "goal": "x", "tag": 5},
    )
    found = only(made).metadata
    assert found["order_notes"] == "first"
    assert found["source"] == {"goal": "x"}
    assert found["units"] == {"g": {"effort": {"days": 3}}}
    assert found["parallel"] == ["a"]
    assert found["plan"]["tag"] is None


def test_metadata_is_plain() -> None:
    """Whatever a YAML reader makes of a value becomes JSON, sets in order."""
    odd = {
        1: {"b", "a"},
        "d": date(2026, 1, 2),
        "n": float("nan"),
        "i": float("inf"),
        "t": (1, 1.5),
    }
    assert plain(odd) == {"1": ["a", "b"], "d": "2026-01-02", "n": None, "i": None, "t": [1, 1.5]}


def test_an_estimate_of_context_is_given() -> None:
    """Four bytes of the files and of the texts make a token."""
    found = only(source(unit("g", "a")), scopes(a="x.py"), sizes={"x.py": 4000})
    assert found.estimated_context_tokens == 1001


def test_ids_of_others_are_not_given() -> None:
    """Taken ids, and sources of one name, get numbers."""
    plan = drafted(
        [source(unit("g", "a")), source(unit("g", "a"), path="b.md")], taken=["ws-add-login"]
    )
    assert list(bundles(plan)) == ["ws-add-login-2", "ws-add-login-3"]
    assert [planned.file for planned in plan.bundles] == [
        "ws-generated-add-login-1.json",
        "ws-generated-add-login-2-1.json",
    ]


def test_reasons_say_why() -> None:
    """Unit, part, what is waited for and the group are told in words."""
    units = [
        unit("a", "a1", "a2", conflicts_with=("b",)),
        unit("b", item("b1", depends_on=("a1",))),
    ]
    plan = drafted(source(*units), max_tasks=1)
    told = ["\n".join(planned.reasons) for planned in plan.bundles]
    assert "part 2 of" in told[1]
    assert "after ws-add-login-a-p1: stated by the plan" in told[2]
    assert "one at a time in cg-add-login-a-p1" in told[0]
