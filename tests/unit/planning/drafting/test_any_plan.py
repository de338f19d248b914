"""What holds for every plan, however odd its sources are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings

from penstock.model.bundle import Bundle
from penstock.planning.drafting.api import Plan, PlanOptions
from penstock.planning.drafting.check import findings
from penstock.planning.drafting.documents import bundle_files, plan_document
from penstock.planning.drafting.draft import draft
from penstock.planning.scoping.api import Scope
from penstock.planning.sources.api import ItemState, PlanSource
from tests.support.drafting import judged, plans

Given = tuple[list[PlanSource], list[dict[str, Scope]], PlanOptions]

many = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def made(given: Given, around: Sequence[Bundle] = ()) -> Plan:
    """The plan of random sources, in a repository whose files grow with their names."""
    sources, scopes, options = given
    return draft(
        sources,
        scopes,
        options,
        sizes=lambda path: 1000 * len(path),
        default_tool="scripted",
        taken=[one.id for one in around],
        around=around,
    )


@given(plans())
@many
def test_the_validator_accepts_it(given: Given) -> None:
    """Bundles have valid fields, unique ids, known dependencies, no cycle and no overlap."""
    report = judged(made(given))
    assert report.errors == ()


@given(plans(), plans())
@many
def test_two_plans_may_lie_in_one_folder(first: Given, second: Given) -> None:
    """A plan that is made beside the bundles of another one is valid together with them."""
    around = [planned.bundle for planned in made(first).bundles]
    assert judged(made(second, around), around).errors == ()


@given(plans(), plans())
@many
def test_a_plan_may_be_made_again(first: Given, second: Given) -> None:
    """The first of two plans, made again beside the second, is as valid."""
    before = [planned.bundle for planned in made(first).bundles]
    beside = [planned.bundle for planned in made(second, before).bundles]
    assert judged(made(first, beside), beside).errors == ()


@given(plans())
@many
def test_every_item_is_counted_once(given: Given) -> None:
    """What is planned, done, without a scope and skipped adds up to what the sources hold."""
    plan = made(given)
    counts = plan.items
    parts = counts.planned + counts.done + counts.needs_scope + counts.skipped
    assert counts.total == parts == sum(len(source.items) for source in given[0])


@given(plans())
@many
def test_every_open_item_goes_one_way(given: Given) -> None:
    """An open item is in one bundle or in one list of what needs a scope."""
    plan = made(given)
    traced = [one for planned in plan.bundles for one in _traced(planned.bundle.metadata)]
    bare = [one.key for needs in plan.needs_scope for one in needs.items]
    items = [
        item.key for source in given[0] for item in source.items if item.state is ItemState.OPEN
    ]
    assert Counter([*traced, *bare]) == Counter(items)
    assert (len(traced), len(bare)) == (plan.items.planned, plan.items.needs_scope)


def _traced(metadata: dict[str, object]) -> list[str]:
    plan = metadata["plan"]
    assert isinstance(plan, dict)
    return [one["key"] for one in plan["items"]]


@given(plans())
@many
def test_the_same_gives_the_same(given: Given) -> None:
    """Planning twice gives the same bytes, as files and as a document."""
    first, second = made(given), made(given)
    assert bundle_files(first) == bundle_files(second)
    assert json.dumps(plan_document(first)) == json.dumps(plan_document(second))
    assert len(set(findings(first))) == len(findings(first))
