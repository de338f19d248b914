"""Whatever a tool answers: judged without a crash, and what is taken has every item once."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest

from penstock.planning.drafting.api import Plan
from penstock.planning.refining.api import Refined
from penstock.planning.refining.document import trace_of
from penstock.planning.refining.judge import judged
from tests.support.plan_mutations import MUTATIONS, rewritten
from tests.support.refining import Proposal, ground, judge

ROUNDS = 150


def items(plan: Plan) -> Counter[str]:
    """Count the items of a plan."""
    found = Counter(item.key for one in plan.bundles for item in trace_of(one.bundle).items)
    found.update(item.key for gap in plan.needs_scope for item in gap.items)
    return found


def holds(found: Refined, proposal: Proposal) -> None:
    """See that nothing was lost, and that a refused answer changes nothing."""
    assert items(found.plan) == items(proposal.plan)
    assert not found.refused or found.plan == proposal.plan
    bundles = [msgspec.to_builtins(one.bundle) for one in found.plan.bundles]
    assert judge(bundles).ok
    counts = found.plan.items
    assert counts.total == counts.planned + counts.done + counts.needs_scope + counts.skipped


def test_answers_with_other_values_are_judged() -> None:
    """Values of other kinds, gone, doubled, or under other keys."""
    rng, proposal, kept = random.Random(7), Proposal(), 0
    for _ in range(ROUNDS):
        answer = proposal.shown
        for _ in range(rng.randrange(1, 4)):
            answer = rewritten(rng, answer)
        found = judged(proposal.draft, proposal.shown, answer, ground(), "planner")
        holds(found, proposal)
        kept += found.changed
    assert kept < ROUNDS


def test_answers_with_other_bytes_are_judged() -> None:
    """Cut, doubled, swapped and torn."""
    rng, proposal = random.Random(8), Proposal()
    for _ in range(ROUNDS):
        answer = bytearray(proposal.shown)
        rng.choice(MUTATIONS)(rng, answer)
        found = judged(proposal.draft, proposal.shown, bytes(answer), ground(), "planner")
        holds(found, proposal)


@pytest.mark.parametrize(
    "answer",
    [b"[" * 200_000, b'{"workstreams":' * 50_000, b'{"workstreams": [' + b"{}," * 99_999 + b"{}]}",
     b'{"workstreams": []}', b'{"workstreams": [], "needs_scope": [], "items": {}}',
     b'{"workstreams": 1e999}', b'{"workstreams": "\\ud800"}'],
    ids=lambda answer: f"{answer[:20]!r}x{len(answer)}",
)  # fmt: skip
def test_answers_that_are_made_to_break_are_refused(answer: bytes) -> None:
    """Deep, long, and empty ones."""
    proposal = Proposal()
    found = judged(proposal.draft, proposal.shown, answer, ground(), "planner")
    assert found.refused
    holds(found, proposal)
