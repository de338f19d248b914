"""A small plan made by hand, and what a tool proposes for it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import structs

from penstock.model.bundle import Bundle
from penstock.planning.api import ValidationReport
from penstock.planning.drafting.api import (
    ItemCount,
    NeedsScope,
    Plan,
    PlannedBundle,
    PlanOptions,
)
from penstock.planning.load import judge_bundles
from penstock.planning.refining.api import Ground, Refined
from penstock.planning.refining.document import Draft, encoded
from penstock.planning.refining.judge import judged
from penstock.planning.scoping.api import Guess, Rung
from penstock.planning.sources.api import (
    Dialect,
    Item,
    ItemState,
    Place,
    PlanSource,
    StatedPath,
    Trace,
    TracedItem,
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


def traced(one: Item) -> TracedItem:
    """Return an item as bundles remember it."""
    return TracedItem(
        key=one.key, label=one.label, text=one.text, place=one.place, raw_state=one.raw_state
    )


def unit(key: str, *items: Item, forbidden: Sequence[str] = ()) -> Unit:
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
    )


UNITS = (
    unit("g1", item(3, "Add the parser"), item(4, "Cover the parser"), forbidden=["src/c.py"]),
    unit("g2", item(7, "Write the guide")),
    unit("g3", item(9, "Tidy up"), item(10, "Polish")),
)
SOURCE = PlanSource(
    dialect=Dialect.CHECKLIST,
    id="plan",
    plan_id="plan",
    title="Plan",
    path=PLAN,
    files={PLAN: "0" * 64},
    units=UNITS,
)


def guess(path: str, rung: Rung) -> Guess:
    """Return a sure guess of one rung."""
    return Guess(path=path, use=Use.MODIFY, rung=rung, confidence=0.9, evidence="said so")


def planned(of: Unit, scope: Mapping[str, Rung], **more: Any) -> PlannedBundle:
    """Return the bundle of a unit, with its scope and where that is from."""
    evidence = tuple(guess(path, rung) for path, rung in scope.items())
    items = tuple(traced(one) for one in of.items)
    trace = Trace(
        dialect=SOURCE.dialect, id="plan", path=PLAN, files=SOURCE.files, units=(of.key,),
        items=items,
    )  # fmt: skip
    bundle = Bundle(
        id=f"ws-{of.key}",
        openspec_change="plan",
        ccpm_issue=of.issue,
        gate=1,
        files_scope=tuple(scope),
        tasks=tuple(one.text for one in items),
        tool="scripted",
        metadata={
            "plan": msgspec.to_builtins(trace),
            "evidence": msgspec.to_builtins(evidence),
            "derived": [],
        },
        **more,
    )
    return PlannedBundle(bundle=bundle, file="ws-generated-plan-1.json", evidence=evidence)


def make_plan() -> Plan:
    """Return two workstreams, the second after the first, and two items without a scope."""
    gap = UNITS[2]
    return Plan(
        sources=(SOURCE,),
        bundles=(
            planned(
                UNITS[0],
                {"src/a.py": Rung.STATED, "src/b.py": Rung.SIBLING},
                acceptance_tests=("It parses.", "pytest -q tests"),
            ),
            planned(UNITS[1], {"docs/guide.md": Rung.NAMED}, depends_on=("ws-g1",)),
        ),
        needs_scope=(
            NeedsScope(
                source="plan", unit=gap.key, title=gap.title,
                items=tuple(traced(one) for one in gap.items),
                doubtful=(guess("docs/more.md", Rung.HISTORY),), why="no path is named",
            ),
        ),
        items=ItemCount(total=5, planned=3, done=0, needs_scope=2, skipped=0),
        notices=(),
        options=PlanOptions(max_files=3),
    )  # fmt: skip


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

    def add(self, ws_id: str, items: Collection[str], scope: Sequence[str], **more: Any) -> None:
        """Propose a workstream for items that needed a scope."""
        tasks = [self.json["items"][name]["text"] for name in items]
        one = {"id": ws_id, "items": [*items], "tasks": tasks, "files_scope": [*scope], **more}
        self.json["workstreams"].append(one)
        for gap in self.json["needs_scope"]:
            gap["items"] = [name for name in gap["items"] if name not in items]

    def move(self, ws_id: str, name: str, away_from: str) -> None:
        """Propose a workstream for an item that another one has."""
        one = self.stream(away_from)
        del one["tasks"][one["items"].index(name)]
        one["items"].remove(name)
        self.add(ws_id, [name], ["docs/more.md"])

    def judged(self, **more: Any) -> Refined:
        """Hand the answer in."""
        answer = json.dumps(self.json).encode()
        return judged(self.draft, self.shown, answer, ground(**more), "planner")
