"""What a proposal makes of a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from penstock.planning.refining.document import trace_of
from penstock.planning.refining.judge import judged
from tests.support.refining import Proposal, ground


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
    proposal.stream("ws-g2")["files_scope"].append("docs/more.md")
    found = proposal.judged()
    bundle = found.plan.bundles[1].bundle
    assert (found.refused, found.changed) == ((), True)
    assert bundle.files_scope == ("docs/guide.md", "docs/more.md")
    assert bundle.metadata["evidence"][-1]["evidence"] == "proposed by planner"
    assert '+        "docs/more.md"' in found.diff


def test_workstreams_that_are_left_alone_stay_as_they_are(proposal: Proposal) -> None:
    """Not a byte of another bundle changes."""
    proposal.stream("ws-g2")["files_scope"].append("docs/more.md")
    assert proposal.judged().plan.bundles[0] == proposal.plan.bundles[0]


def test_what_needed_a_scope_becomes_a_workstream(proposal: Proposal) -> None:
    """Traced to its lines, counted as planned."""
    proposal.add("ws-tidy", ["1:i9", "1:i10"], ["docs/more.md"])
    found = proposal.judged()
    bundle = found.plan.bundles[-1].bundle
    assert (found.refused, found.plan.needs_scope) == ((), ())
    assert (found.plan.items.planned, found.plan.items.needs_scope) == (5, 0)
    assert [one.place.line for one in trace_of(bundle).items] == [9, 10]
    assert (bundle.openspec_change, bundle.ccpm_issue, bundle.tool) == ("plan", "g3", "scripted")


def test_what_needed_a_scope_joins_a_workstream(proposal: Proposal) -> None:
    """The rest still needs one."""
    one = proposal.stream("ws-g2")
    one["items"].append("1:i9")
    one["tasks"].append("Tidy up the guide: Tidy up")
    proposal.json["needs_scope"][0]["items"].remove("1:i9")
    found = proposal.judged().plan
    assert [gap.items[0].key for gap in found.needs_scope] == ["i10"]
    assert trace_of(found.bundles[1].bundle).units == ("g2", "g3")
    assert (found.items.planned, found.items.needs_scope) == (4, 1)


def test_an_order_that_is_added_is_told_as_derived(proposal: Proposal) -> None:
    """Beside the stated one."""
    proposal.add("ws-tidy", ["1:i9"], ["docs/more.md"], depends_on=["ws-g2"])
    bundle = proposal.judged().plan.bundles[-1].bundle
    assert (bundle.depends_on, bundle.metadata["derived"]) == (("ws-g2",), ["ws-g2"])


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
    "drops a workstream": (lambda p: p.json["workstreams"].pop(), "ws-g2 is missing"),
    "renames a workstream": (lambda p: p.stream("ws-g1").update(id="ws-x"), "ws-g1 is missing"),
    "doubles a workstream": (
        lambda p: p.json["workstreams"].append(p.stream("ws-g2")),
        "ws-g2 is there 2 times",
    ),
    "reorders items": (
        lambda p: p.stream("ws-g1")["items"].reverse(),
        "ws-g1 has other items than before, or in another order",
    ),
    "forgets a task": (
        lambda p: p.stream("ws-g1")["tasks"].pop(),
        "ws-g1 has 2 items and 1 tasks",
    ),
    "forgets what a task says": (
        lambda p: p.stream("ws-g2").update(tasks=["Write nothing"]),
        "the task of 1:i7 does not say 'Write the guide' any more",
    ),
    "leaves the repository": (
        lambda p: p.stream("ws-g2")["files_scope"].append("../secrets"),
        "ws-g2: ../secrets: holds '..'",
    ),
    "is absolute": (
        lambda p: p.stream("ws-g2")["files_create"].append("/etc/passwd"),
        "ws-g2: /etc/passwd: absolute",
    ),
    "follows a link": (
        lambda p: p.stream("ws-g2")["files_create"].append("link/x.py"),
        "ws-g2: link/x.py: leads out of the repository",
    ),
    "claims git": (
        lambda p: p.stream("ws-g2")["files_create"].append("sub/.GIT/hooks/x"),
        "git's own files are always refused",
    ),
    "claims ours": (
        lambda p: p.stream("ws-g2")["files_create"].append("state/pipeline.db"),
        "belongs to penstock",
    ),
    "invents a file": (
        lambda p: p.stream("ws-g2")["files_scope"].append("docs/none.md"),
        "ws-g2: docs/none.md: does not exist",
    ),
    "invents a folder": (
        lambda p: p.stream("ws-g2")["files_scope"].append("none/"),
        "ws-g2: none/: does not exist",
    ),
    "creates what is there": (
        lambda p: p.stream("ws-g2")["files_create"].append("docs/guide.md"),
        "ws-g2: docs/guide.md: is to be created and is there already",
    ),
    "touches what is forbidden": (
        lambda p: p.stream("ws-g1")["files_scope"].append("src/c.py"),
        "plan.md:1 says not to touch src/c.py",
    ),
    "takes everything": (
        lambda p: p.stream("ws-g1")["files_scope"].append("docs/../**"),
        "holds '..'",
    ),
    "takes too much": (
        lambda p: p.stream("ws-g2")["files_scope"].append("**"),
        "ws-g2 grew to 5 files, and 3 is the limit",
    ),
    "changes the gate": (lambda p: p.stream("ws-g2").update(gate=2), "gate comes from the source"),
    "drops a stated path": (
        lambda p: p.stream("ws-g1").update(files_scope=["src/b.py"]),
        "src/a.py is stated in the source and was left out",
    ),
    "drops a stated dependency": (
        lambda p: p.stream("ws-g2").update(depends_on=[]),
        "the dependency on ws-g1 is stated in the source and was left out",
    ),
    "drops an acceptance": (
        lambda p: p.stream("ws-g1")["acceptance_tests"].remove("It parses."),
        "the acceptance 'It parses.' was left out",
    ),
    "adds a command": (
        lambda p: p.stream("ws-g1")["acceptance_tests"].append("pytest --pwn"),
        "'pytest --pwn' would be run as a command",
    ),
    "invents a cycle": (
        lambda p: p.stream("ws-g1").update(depends_on=["ws-g2"]),
        "Dependency cycle(s) detected",
    ),
    "needs what is not there": (
        lambda p: p.stream("ws-g1").update(depends_on=["ws-none"]),
        "Missing dependency references",
    ),
    "shares a file": (
        lambda p: p.add("ws-tidy", ["1:i9"], ["src/a.py"]),
        "overlap",
    ),
    "takes an item away": (
        lambda p: p.move("ws-tidy", "1:i4", "ws-g1"),
        "ws-tidy takes 1:i4 from another workstream",
    ),
    "has a field of its own": (
        lambda p: p.stream("ws-g1").update(compensation_actions=["rm -rf ."]),
        "the answer is not of the schema of the draft",
    ),
    "changes the tool": (
        lambda p: p.stream("ws-g1").update(tool="other"),
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


@pytest.mark.parametrize("answer", [b"", b"no json", b"[]", b"{", b"\xff\xfe\x00", b"null"])
def test_an_answer_that_is_no_plan_is_refused(proposal: Proposal, answer: bytes) -> None:
    """Whatever bytes it has."""
    found = judged(proposal.draft, proposal.shown, answer, ground(), "planner")
    assert found.refused[0].startswith("the answer is not of the schema of the draft: ")
    assert found.plan == proposal.plan
