"""A plan as files and as a document for machines."""

from __future__ import annotations

import json

from penstock.planning.drafting.documents import SKETCHES, bundle_files, plan_document
from penstock.planning.load import judge_bundles
from tests.support.drafting import drafted, guess, item, scope, scopes, source, unit


def test_a_file_is_a_bundle() -> None:
    """Files hold one bundle each, without what is as if it was not there, and nothing escaped."""
    made = source(unit("g1", item("a", text="登录")), unit("g2", "b"))
    files = bundle_files(drafted(made))
    assert list(files) == ["ws-generated-add-login-1.json", "ws-generated-add-login-2.json"]
    first = files["ws-generated-add-login-1.json"]
    assert "登录" in first
    assert first.endswith("}\n")
    assert "max_cost_usd" not in json.loads(first)
    assert judge_bundles([json.loads(text) for text in files.values()], None).ok


def test_sketches_are_written_on_request_only() -> None:
    """What needs a scope becomes a placeholder in a folder of its own, which is no bundle."""
    doubtful = scope(doubtful=(guess("x.py", confidence=0.2),))
    made = source(unit("g1", item("a", label=None), issue=3, gate=2), plan_id="epic/auth")
    assert bundle_files(drafted(made, {"a": doubtful})) == {}
    files = bundle_files(drafted(made, {"a": doubtful}, sketch=True))
    (sketch,) = map(json.loads, files.values())
    assert list(files) == [f"{SKETCHES}/ws-generated-placeholder-add-login-1.json"]
    assert (sketch["ccpm_issue"], sketch["gate"], sketch["tasks"]) == (3, 2, ["Do a"])
    assert sketch["metadata"]["needs_scope"]["doubtful"][0]["path"] == "x.py"
    assert not judge_bundles([sketch], None).ok


def test_sketches_of_plans_of_one_name_keep_apart() -> None:
    """Neither those of another plan in the folder nor those of a plan beside it are written over."""
    made = [
        source(unit("g1", item("a", file=name)), path=name, ident="todo")
        for name in ("a.md", "b.md")
    ]
    taken = ["sketches/ws-generated-placeholder-todo-1.json", "notes.json"]
    plan = drafted(made, [{}, {}], taken_files=taken, sketch=True)
    files = {name: json.loads(text) for name, text in bundle_files(plan).items()}
    assert [(name, one["metadata"]["plan"]["path"]) for name, one in files.items()] == [
        (f"{SKETCHES}/ws-generated-placeholder-todo-2-1.json", "a.md"),
        (f"{SKETCHES}/ws-generated-placeholder-todo-3-1.json", "b.md"),
    ]


def test_the_document_holds_everything() -> None:
    """Counts, bundles with reasons, what needs a scope, notices and waves are there."""
    made = source(unit("g1", "a", "b"), unit("g2", "c"))
    found = plan_document(drafted(made, scopes(a="x.py", c="y.py")))
    assert found["items"] == {"total": 3, "planned": 2, "done": 0, "needs_scope": 1, "skipped": 0}
    assert found["waves"] == [["ws-add-login-g1", "ws-add-login-g2"]]
    assert found["needs_scope"][0]["items"][0]["key"] == "b"
    assert found["sources"][0]["plan_id"] == "add-login"
    assert found["bundles"][0]["reasons"]
    assert json.dumps(found)


def test_nothing_has_no_waves() -> None:
    """A plan without bundles is a document, too."""
    found = plan_document(drafted(source()))
    assert (found["bundles"], found["waves"]) == ([], [])
