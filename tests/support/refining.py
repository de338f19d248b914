"""A small plan made by hand, and what a tool proposes for it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import structs

from penstock.planning.api import ValidationReport
from penstock.planning.drafting.api import Plan, PlanOptions
from penstock.planning.drafting.draft import draft
from penstock.planning.load import judge_bundles
from penstock.planning.refining.api import Ground, Refined
from penstock.planning.refining.document import Draft, encoded
from penstock.planning.refining.judge import judged
from penstock.planning.scoping.api import Guess, Rung, Scope
from penstock.planning.sources.api import (
    Dialect,
    Item,
    ItemState,
    Place,
    PlanSource,
    StatedPath,
    Unit,
    Use,
)

FILES = ("src/a.py", "src/b.py", "src/c.py", "docs/guide.md", "docs/more.md")
PLAN = "plan.md"


def item(number: int, text: str) -> Item:
    """Return the open item of line `number`."""
    return Item(
        key=f"i{number}",
        label=None,
        text=text,
        state=ItemState.OPEN,
        raw_state=" ",
        place=Place(PLAN, number),
    )


def unit(key: str, *items: Item, forbidden: Sequence[str] = (), **more: Any) -> Unit:
    """Return a unit that begins with its first item."""
    return Unit(
        key=key,
        kind="group",
        title=key.upper(),
        place=items[0].place,
        items=items,
        issue=key,
        forbidden=tuple(
            StatedPath(path=path, use=Use.MODIFY, place=Place(PLAN, 1), field="excluded")
            for path in forbidden
        ),
        **more,
    )


UNITS = (
    unit(
        "g1", item(3, "Add the parser"), item(4, "Cover the parser"), forbidden=["src/c.py"],
        acceptance=("It parses.", "`pytest -q tests`"),
    ),
    unit("g2", item(7, "Write the guide"), depends_on=("g1",)),
    unit("g3", item(9, "Tidy up"), item(10, "Polish"), acceptance=("It is tidy.",)),
)  # fmt: skip
SOURCE = PlanSource(
    dialect=Dialect.CHECKLIST,
    id="plan",
    plan_id="plan",
    title="Plan",
    path=PLAN,
    files={PLAN: "0" * 64},
    units=UNITS,
)


def guess(path: str, rung: Rung, use: Use = Use.MODIFY) -> Guess:
    """Return a sure guess of one rung."""
    return Guess(path=path, use=use, rung=rung, confidence=0.9, evidence="said so")


KNOWN = {
    "i3": Scope(guesses=(guess("src/a.py", Rung.STATED),)),
    "i4": Scope(guesses=(guess("src/b.py", Rung.SIBLING),)),
    "i7": Scope(guesses=(guess("docs/guide.md", Rung.NAMED),)),
    "i9": Scope(doubtful=(guess("docs/more.md", Rung.HISTORY),)),
}


def redraft(sources: Sequence[PlanSource], known: Mapping[str, Scope] = KNOWN) -> Plan:
    """Draft a plan of sources whose items may state paths beside those that are known."""
    scopes = [{one.key: _scope(one, known) for one in source.items} for source in sources]
    options = PlanOptions(max_files=3, tool="scripted")
    return draft(sources, scopes, options, sizes=lambda _: 100, default_tool=None)


def _scope(one: Item, known: Mapping[str, Scope]) -> Scope:
    own = known.get(one.key, Scope())
    stated = tuple(guess(path.path, Rung.STATED, path.use) for path in one.paths)
    return structs.replace(own, guesses=(*own.guesses, *stated))


def make_plan() -> Plan:
    """Return two workstreams, the second after the first, and two items without a scope."""
    return redraft([SOURCE])


def judge(objects: Sequence[dict[str, Any]]) -> ValidationReport:
    """Validate bundles as a workspace does, without a folder of others."""
    return judge_bundles(objects, None)


def ground(**more: Any) -> Ground:
    """Return what a proposal is held against: the files of a small repository."""
    usual = Ground(
        files=FILES,
        outside=lambda path: "leads out of the repository" if path.startswith("link") else None,
        judge=judge,
        is_command=lambda line: line.startswith("pytest"),
        redraft=redraft,
    )
    return structs.replace(usual, **more)


class Proposal:
    """The draft as plain JSON, to be changed as a tool would and judged."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan or make_plan()
        self.draft = Draft(self.plan)
        self.shown = encoded(self.draft.document)
        self.json: dict[str, Any] = json.loads(self.shown)

    def stream(self, ws_id: str) -> dict[str, Any]:
        """Return one workstream, to be changed."""
        found: dict[str, Any]
        (found,) = (one for one in self.json["workstreams"] if one["id"] == ws_id)
        return found

    def settle(self, items: Collection[str], scope: Sequence[str], **more: Any) -> None:
        """Propose files for items that need them; the others still do."""
        for gap in self.json["needs_scope"]:
            gap["items"] = [name for name in gap["items"] if name not in items]
        self.json["needs_scope"].append({"items": [*items], "files_scope": [*scope], **more})

    def with_task(self, ws_id: str, task: str) -> Proposal:
        """Return the draft of the plan with another task in a workstream of one item."""
        bundles = tuple(
            structs.replace(one, bundle=structs.replace(one.bundle, tasks=(task,)))
            if one.bundle.id == ws_id
            else one
            for one in self.plan.bundles
        )
        return Proposal(structs.replace(self.plan, bundles=bundles))

    def judged(self, **more: Any) -> Refined:
        """Hand the answer in."""
        answer = json.dumps(self.json).encode()
        return judged(self.draft, self.shown, answer, ground(**more), "planner")
