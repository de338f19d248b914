"""What a proposal makes of a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from penstock.planning.refining.document import trace_of
from penstock.planning.refining.judge import judged
from tests.support.refining import SOURCE, UNITS, Proposal, ground, redraft

LOOSE = (UNITS[0], structs.replace(UNITS[1], depends_on=()))


@pytest.fixture
def proposal() -> Proposal:
    """The draft, to be changed."""
    return Proposal()


def test_an_answer_that_changes_nothing_is_the_draft(proposal: Proposal) -> None:
    """Whether byte for byte, or written down in another way."""
    same = judged(proposal.draft, proposal.shown, proposal.shown, ground(), "planner")
    assert (same.plan, same.changed, same.diff) == (proposal.plan, False, "")
    assert proposal.judged() == same


def test_a_better_scope_is_taken(proposal: Proposal) -> None:
    """With the tool as its evidence, and shown as a diff."""
    proposal.stream("ws-plan-g2")["files_scope"].append("docs/more.md")
    found = proposal.judged()
    bundle = found.plan.bundles[1].bundle
    assert (found.refused, found.changed) == ((), True)
    assert bundle.files_scope == ("docs/guide.md", "docs/more.md")
    assert bundle.metadata["evidence"][-1]["evidence"] == "proposed by planner"
    assert '+        "docs/more.md"' in found.diff


def test_workstreams_that_are_left_alone_stay_as_they_are(proposal: Proposal) -> None:
    """Not a byte of another bundle changes."""
    proposal.stream("ws-plan-g2")["files_scope"].append("docs/more.md")
    assert proposal.judged().plan.bundles[0] == proposal.plan.bundles[0]


def test_what_needed_a_scope_becomes_a_workstream(proposal: Proposal) -> None:
    """Traced to its lines, counted as planned, with the acceptance of its unit."""
    proposal.settle(["1:i9", "1:i10"], ["docs/more.md"])
    found = proposal.judged()
    bundle = found.plan.bundles[-1].bundle
    assert (found.refused, found.plan.needs_scope) == ((), ())
    assert (found.plan.items.planned, found.plan.items.needs_scope) == (5, 0)
    assert [one.place.line for one in trace_of(bundle).items] == [9, 10]
    assert (bundle.id, bundle.acceptance_tests) == ("ws-plan-g3", ("It is tidy.",))


def test_what_is_left_still_needs_a_scope(proposal: Proposal) -> None:
    """Items may be settled one by one."""
    proposal.settle(["1:i9"], ["docs/more.md"])
    found = proposal.judged().plan
    assert [gap.items[0].key for gap in found.needs_scope] == ["i10"]
    assert (found.items.planned, found.items.needs_scope) == (4, 1)


def test_a_file_may_be_made_for_what_needed_one(proposal: Proposal) -> None:
    """It goes to files_create."""
    proposal.settle(["1:i9"], [], files_create=["docs/fresh.md"])
    bundle = proposal.judged().plan.bundles[-1].bundle
    assert (bundle.files_scope, bundle.files_create) == (("docs/fresh.md",),) * 2


def test_both_kinds_of_changes_go_together(proposal: Proposal) -> None:
    """More scope for one workstream, and a new one."""
    proposal.settle(["1:i9"], ["docs/more.md"])
    proposal.stream("ws-plan-g2")["acceptance_tests"].append("It reads well.")
    found = proposal.judged()
    tests = {one.bundle.id: one.bundle.acceptance_tests for one in found.plan.bundles}
    assert found.refused == ()
    assert tests["ws-plan-g2"] == ("It reads well.",)
    assert "ws-plan-g3" in tests


def test_an_order_that_is_added_is_told_as_derived() -> None:
    """Beside the stated one."""
    proposal = Proposal(redraft([structs.replace(SOURCE, units=LOOSE)]))
    proposal.stream("ws-plan-g2")["depends_on"].append("ws-plan-g1")
    bundle = proposal.judged().plan.bundles[1].bundle
    assert bundle.depends_on == ("ws-plan-g1",)
    assert bundle.metadata["derived"] == [{"id": "ws-plan-g1", "why": "proposed by planner"}]


def test_a_guess_that_is_wrong_is_left_out(proposal: Proposal) -> None:
    """With its evidence: it was not the source that said so."""
    proposal.stream("ws-plan-g1")["files_scope"].remove("src/b.py")
    planned = proposal.judged().plan.bundles[0]
    assert planned.bundle.files_scope == ("src/a.py",)
    assert [guess.path for guess in planned.evidence] == ["src/a.py"]
    assert [entry["path"] for entry in planned.bundle.metadata["evidence"]] == ["src/a.py"]


def test_a_task_may_be_made_clearer(proposal: Proposal) -> None:
    """It keeps its own words; the others stay as they are."""
    proposal.stream("ws-plan-g1")["tasks"][1] = "Cover the parser, empty input too"
    bundle = proposal.judged().plan.bundles[0].bundle
    assert bundle.tasks == ("Add the parser", "Cover the parser, empty input too")


Change = Callable[[Proposal], Any]
REFUSED: dict[str, tuple[Change, str]] = {
    "drops an item": (
        lambda p: p.json["needs_scope"][0]["items"].pop(),
        "item 1:i10 (plan.md:10) is dropped",
    ),
    "doubles an item": (
        lambda p: p.json["needs_scope"][0]["items"].append("1:i3"),
        "item 1:i3 (plan.md:3) is named 2 times",
    ),
    "invents an item": (
        lambda p: p.json["needs_scope"][0]["items"].append("1:i99"),
        "item 1:i99 is in no source",
    ),
    "rewrites an item": (
        lambda p: p.json["items"]["1:i3"].update(text="Remove the parser"),
        "the table of items was changed",
    ),
    "drops a workstream": (lambda p: p.json["workstreams"].pop(), "ws-plan-g2 is missing"),
    "renames a workstream": (
        lambda p: p.stream("ws-plan-g1").update(id="ws-x"),
        "ws-plan-g1 is missing",
    ),
    "doubles a workstream": (
        lambda p: p.json["workstreams"].append(p.stream("ws-plan-g2")),
        "ws-plan-g2 is there 2 times",
    ),
    "adds a workstream": (
        lambda p: p.json["workstreams"].append(
            {**p.stream("ws-plan-g2"), "id": "ws-x", "items": ["1:i9"]}
        ),
        "ws-x is not one of the draft",
    ),
    "reorders items": (
        lambda p: p.stream("ws-plan-g1")["items"].reverse(),
        "ws-plan-g1 has other items than before, or in another order",
    ),
    "forgets a task": (
        lambda p: p.stream("ws-plan-g1")["tasks"].pop(),
        "ws-plan-g1 has 2 items and 1 tasks",
    ),
    "forgets what a task says": (
        lambda p: p.stream("ws-plan-g2").update(tasks=["Write nothing"]),
        "the task of 1:i7 does not say 'Write the guide' any more",
    ),
    "leaves the repository": (
        lambda p: p.stream("ws-plan-g2")["files_scope"].append("../secrets"),
        "ws-plan-g2: ../secrets: holds '..'",
    ),
    "is absolute": (
        lambda p: p.stream("ws-plan-g2")["files_create"].append("/etc/passwd"),
        "ws-plan-g2: /etc/passwd: absolute",
    ),
    "follows a link": (
        lambda p: p.stream("ws-plan-g2")["files_create"].append("link/x.py"),
        "ws-plan-g2: link/x.py: leads out of the repository",
    ),
    "claims git": (
        lambda p: p.stream("ws-plan-g2")["files_create"].append("sub/.GIT/hooks/x"),
        "git's own files are always refused",
    ),
    "claims ours": (
        lambda p: p.stream("ws-plan-g2")["files_create"].append("state/pipeline.db"),
        "belongs to penstock",
    ),
    "invents a file": (
        lambda p: p.stream("ws-plan-g2")["files_scope"].append("docs/none.md"),
        "ws-plan-g2: docs/none.md: does not exist",
    ),
    "invents a folder": (
        lambda p: p.stream("ws-plan-g2")["files_scope"].append("none/"),
        "ws-plan-g2: none/: does not exist",
    ),
    "creates what is there": (
        lambda p: p.stream("ws-plan-g2")["files_create"].append("docs/guide.md"),
        "ws-plan-g2: docs/guide.md: is to be created and is there already",
    ),
    "touches what is forbidden": (
        lambda p: p.stream("ws-plan-g1")["files_scope"].append("src/c.py"),
        "plan.md:1 says not to touch src/c.py",
    ),
    "takes everything": (
        lambda p: p.stream("ws-plan-g1")["files_scope"].append("docs/../**"),
        "holds '..'",
    ),
    "takes too much": (
        lambda p: p.stream("ws-plan-g2")["files_scope"].append("**"),
        "ws-plan-g2: 5 files are too many, 3 is the limit",
    ),
    "changes the gate": (
        lambda p: p.stream("ws-plan-g2").update(gate=2),
        "gate comes from the source",
    ),
    "drops a stated path": (
        lambda p: p.stream("ws-plan-g1").update(files_scope=["src/b.py"]),
        "src/a.py is stated in the source and was left out",
    ),
    "drops a stated dependency": (
        lambda p: p.stream("ws-plan-g2").update(depends_on=[]),
        "the dependency on ws-plan-g1 is stated in the source and was left out",
    ),
    "drops an acceptance": (
        lambda p: p.stream("ws-plan-g1")["acceptance_tests"].remove("It parses."),
        "the acceptance 'It parses.' was left out",
    ),
    "adds a command": (
        lambda p: p.stream("ws-plan-g1")["acceptance_tests"].append("pytest --pwn"),
        "'pytest --pwn' would be run as a command",
    ),
    "invents a cycle": (
        lambda p: p.stream("ws-plan-g1").update(depends_on=["ws-plan-g2"]),
        "Dependency cycle(s) detected",
    ),
    "needs what is not there": (
        lambda p: p.stream("ws-plan-g1").update(depends_on=["ws-none"]),
        "Missing dependency references",
    ),
    "takes an item away": (
        lambda p: p.stream("ws-plan-g1").update(items=["1:i3"], tasks=["Add the parser"]),
        "item 1:i4 (plan.md:4) is dropped",
    ),
    "settles an item twice": (
        lambda p: p.json["needs_scope"].append({"items": ["1:i9"], "files_scope": ["src/b.py"]}),
        "item 1:i9 (plan.md:9) is named 2 times",
    ),
    "settles an item with nothing real": (
        lambda p: p.settle(["1:i9"], ["docs/none.md"]),
        "1:i9: docs/none.md: does not exist",
    ),
    "settles an item with everything": (
        lambda p: p.settle(["1:i9"], ["**"]),
        "1:i9: 5 files are too many, 3 is the limit",
    ),
    "has a field of its own": (
        lambda p: p.stream("ws-plan-g1").update(compensation_actions=["rm -rf ."]),
        "the answer is not of the schema of the draft",
    ),
    "changes the tool": (
        lambda p: p.stream("ws-plan-g1").update(tool="other"),
        "the answer is not of the schema of the draft",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_proposal_that_loses_or_invents_is_refused(name: str) -> None:
    """With the reason and the diff, and the draft stays."""
    change, reason = REFUSED[name]
    proposal = Proposal()
    change(proposal)
    found = proposal.judged()
    assert reason.lower() in "\n".join(found.refused).lower()
    assert (found.plan, found.changed, bool(found.diff)) == (proposal.plan, False, True)


def test_workstreams_that_share_a_file_are_refused() -> None:
    """Where nothing puts one after the other."""
    proposal = Proposal(redraft([structs.replace(SOURCE, units=LOOSE)]))
    proposal.stream("ws-plan-g2")["files_scope"].append("src/a.py")
    assert "overlap" in proposal.judged().refused[0].lower()


@pytest.mark.parametrize("answer", [b"", b"no json", b"[]", b"{", b"\xff\xfe\x00", b"null"])
def test_an_answer_that_is_no_plan_is_refused(proposal: Proposal, answer: bytes) -> None:
    """Whatever bytes it has."""
    found = judged(proposal.draft, proposal.shown, answer, ground(), "planner")
    assert found.refused[0].startswith("the answer is not of the schema of the draft: ")
    assert found.plan == proposal.plan
