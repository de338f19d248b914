"""Proposals for plans of several sources, and what they may not undo."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from penstock.planning.refining.document import Draft, trace_of
from penstock.planning.scoping.api import Rung, Scope
from penstock.planning.sources.api import Place, PlanSource, StatedPath, Unit, Use
from tests.support.refining import (
    KNOWN,
    SOURCE,
    UNITS,
    Proposal,
    guess,
    item,
    redraft,
    unit,
)


def moved(source: PlanSource, path: str) -> PlanSource:
    """Return the same plan as one that was read from another file."""
    units = tuple(
        structs.replace(
            one,
            place=Place(path, one.place.line),
            items=tuple(structs.replace(i, place=Place(path, i.place.line)) for i in one.items),
        )
        for one in source.units
    )
    return structs.replace(source, path=path, units=units, files={path: "1" * 64})


def loose(**more: Any) -> tuple[Unit, ...]:
    """Return two units that nothing but the source's words keep apart."""
    return (structs.replace(UNITS[0], **more), structs.replace(UNITS[1], depends_on=()))


def test_sources_of_one_name_are_told_apart() -> None:
    """By the lines of their items: two files may have the same tags, ids and keys."""
    draft = Draft(redraft([SOURCE, moved(SOURCE, "other.md")]))
    names = [name for gap in draft.document.needs_scope for name in gap.items]
    assert names == ["1:i9", "1:i10", "2:i9", "2:i10"]
    assert len(draft.traced) == 10


def test_an_item_of_the_second_source_gets_its_file() -> None:
    """And that of the first does not."""
    proposal = Proposal(redraft([SOURCE, moved(SOURCE, "other.md")]))
    gap = proposal.json["needs_scope"][1]
    gap["files_scope"] = ["docs/more.md"]
    found = proposal.judged()
    places = [one.place.file for one in trace_of(found.plan.bundles[-1].bundle).items]
    assert (found.refused, places) == ((), ["other.md"] * 2)
    assert [gap.items[0].place.file for gap in found.plan.needs_scope] == ["plan.md"]


def test_what_runs_alone_stays_alone() -> None:
    """The source says so."""
    proposal = Proposal(redraft([structs.replace(SOURCE, units=loose(parallel_ok=False))]))
    proposal.stream("ws-plan-g1")["parallel_ok"] = True
    assert proposal.judged().refused == ("ws-plan-g1: the source says that it runs alone",)


def test_a_conflict_group_is_not_left() -> None:
    """What the draft keeps apart stays apart."""
    proposal = Proposal(redraft([structs.replace(SOURCE, units=loose(conflicts_with=("g2",)))]))
    group = proposal.stream("ws-plan-g1")["conflict_group"]
    proposal.stream("ws-plan-g1")["conflict_group"] = None
    assert group is not None
    assert proposal.judged().refused == (f"ws-plan-g1: it left the conflict group {group}",)


def test_a_derived_order_may_go_where_nothing_is_shared() -> None:
    """It stays derived as long as it stays."""
    known = {**KNOWN, "i7": Scope(guesses=(guess("src/b.py", Rung.NAMED),))}
    proposal = Proposal(redraft([structs.replace(SOURCE, units=loose())], known))
    (link,) = proposal.plan.bundles[1].bundle.metadata["derived"]
    proposal.stream("ws-plan-g2")["kind"] = "docs"
    kept = proposal.judged().plan.bundles[1].bundle
    assert (kept.metadata["derived"], kept.kind) == ([link], "docs")
    proposal.stream("ws-plan-g2").update(depends_on=[], files_scope=["docs/guide.md"])
    freed = proposal.judged().plan.bundles[1].bundle
    assert (freed.depends_on, "derived" in freed.metadata) == ((), False)


def test_what_the_source_excludes_may_be_no_path() -> None:
    """Prose in the place of a path excludes nothing."""
    words = StatedPath(path="/all/else", use=Use.READ, place=Place("plan.md", 1), field="excluded")
    proposal = Proposal(redraft([structs.replace(SOURCE, units=loose(forbidden=(words,)))]))
    proposal.stream("ws-plan-g1")["files_scope"].append("src/c.py")
    assert proposal.judged().refused == ()


def test_a_workstream_that_is_no_more_takes_no_changes() -> None:
    """More files may join what was two; the changes would be for another workstream then."""
    units = (*loose(), unit("g1b", item(20, "Join")))
    proposal = Proposal(redraft([structs.replace(SOURCE, units=units)]))
    proposal.stream("ws-plan-g1")["acceptance_tests"].append("It is fast.")
    proposal.settle(["1:i20"], ["docs/more.md"])
    lost = proposal.judged(redraft=lambda _sources: redraft([SOURCE], {}))
    reason = "ws-plan-g1 is another workstream now that more items have a scope"
    assert lost.refused == (reason,)
