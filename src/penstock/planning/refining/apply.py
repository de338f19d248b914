"""The plan that a proposal makes of a draft."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import structs

from penstock.errors import UsageError
from penstock.model.bundle import Bundle
from penstock.planning.drafting.api import NeedsScope, Plan, PlannedBundle
from penstock.planning.refining.document import (
    SHARED,
    Draft,
    DraftDocument,
    DraftWorkstream,
    derived_order,
    trace_of,
)
from penstock.planning.scoping.api import Guess, Rung
from penstock.planning.sources.api import Trace, TracedItem, Use

CONFIDENCE = 1.0
"""Of a path that was proposed, held against the repository, and shown to the user."""


class Application:
    """Puts a proposal that nothing speaks against into a plan; `by` is the tool it comes from.

    Only what the proposal changes is taken from it: what a tool was shown may have been masked.
    """

    def __init__(self, draft: Draft, base: DraftDocument, answer: DraftDocument, by: str) -> None:
        self._draft = draft
        self._before = base.by_id
        self._answer = answer
        self._by = by

    def plan(self, tool: str | None) -> Plan:
        """Return the refined plan; `tool` goes into workstreams that are added.

        Raises UsageError when there is none and the draft has no workstream to take it from.
        """
        plan, proposed = self._draft.plan, self._answer.by_id
        kept = [self._changed(one, proposed[one.bundle.id]) for one in plan.bundles]
        added = [
            self._added(one, tool) for one in self._answer.workstreams if one.id not in self._before
        ]
        gaps = tuple(self._gaps())
        left = sum(len(gap.items) for gap in gaps)
        settled = plan.items.needs_scope - left
        items = structs.replace(plan.items, needs_scope=left, planned=plan.items.planned + settled)
        return structs.replace(plan, bundles=(*kept, *added), needs_scope=gaps, items=items)

    # -- workstreams of the draft ----------------------------------------------------------
    def _changed(self, planned: PlannedBundle, proposed: DraftWorkstream) -> PlannedBundle:
        before = self._before[planned.bundle.id]
        changes = {
            name: getattr(proposed, name)
            for name in SHARED
            if name != "gate" and getattr(proposed, name) != getattr(before, name)
        }
        if "tasks" in changes:
            changes["tasks"] = self._tasks(planned.bundle, before, proposed)
        if not changes and proposed.items == before.items:
            return planned
        return self._planned(planned, proposed, structs.replace(planned.bundle, **changes), changes)

    def _tasks(
        self, bundle: Bundle, before: DraftWorkstream, proposed: DraftWorkstream
    ) -> tuple[str, ...]:
        """Return the tasks, those that were left alone as they are in the draft."""
        own = dict(zip(before.items, zip(before.tasks, bundle.tasks, strict=True), strict=True))
        found = []
        for name, task in zip(proposed.items, proposed.tasks, strict=True):
            shown, whole = own.get(name, (None, task))
            found.append(whole if task == shown else task)
        return tuple(found)

    def _planned(
        self,
        planned: PlannedBundle,
        proposed: DraftWorkstream,
        bundle: Bundle,
        changes: Iterable[str],
    ) -> PlannedBundle:
        """Return a workstream with its trace and evidence brought up to date."""
        old = trace_of(planned.bundle)
        trace = structs.replace(old, items=self._items(proposed), units=self._units(proposed, old))
        evidence = self._evidence(planned.evidence, bundle)
        metadata = {
            **bundle.metadata,
            "plan": msgspec.to_builtins(trace),
            "evidence": msgspec.to_builtins(evidence),
            "refined": {"by": self._by, "fields": sorted(changes)},
        }
        added = set(bundle.depends_on) - set(planned.bundle.depends_on)
        derived = (derived_order(metadata) | added) & set(bundle.depends_on)
        if added or "derived" in metadata:
            metadata["derived"] = sorted(derived)
        reason = f"{self._by} proposed other {', '.join(sorted(changes)) or 'items'}"
        return structs.replace(
            planned,
            bundle=structs.replace(bundle, metadata=metadata),
            evidence=evidence,
            reasons=(*planned.reasons, reason),
        )

    def _evidence(self, old: Iterable[Guess], bundle: Bundle) -> tuple[Guess, ...]:
        kept = tuple(guess for guess in old if guess.path in bundle.claims)
        known = {guess.path for guess in kept}
        created = set(bundle.files_create)
        return kept + tuple(
            Guess(
                path=path,
                use=Use.CREATE if path in created else Use.MODIFY,
                rung=Rung.REFINED,
                confidence=CONFIDENCE,
                evidence=f"proposed by {self._by}",
            )
            for path in bundle.claims
            if path not in known
        )

    def _items(self, proposed: DraftWorkstream) -> tuple[TracedItem, ...]:
        return tuple(self._draft.traced[name] for name in proposed.items)

    def _units(self, proposed: DraftWorkstream, trace: Trace) -> tuple[str, ...]:
        more = (self._draft.units[name].key for name in proposed.items)
        return tuple(dict.fromkeys((*trace.units, *more)))

    # -- workstreams that are added --------------------------------------------------------
    def _added(self, proposed: DraftWorkstream, tool: str | None) -> PlannedBundle:
        """Return a workstream of items that had no scope."""
        first = proposed.items[0]
        source, units = self._draft.source(first), [self._draft.units[n] for n in proposed.items]
        near = [one for one in self._draft.plan.bundles if trace_of(one.bundle).path == source.path]
        others = near or list(self._draft.plan.bundles)
        chosen = others[0].bundle.tool if others else self._draft.plan.options.tool or tool
        if chosen is None:
            raise UsageError(
                f"no tool is known for {proposed.id}",
                hint="give --tool, or set default_tool in config/pipeline.yaml",
            )
        trace = Trace(
            dialect=source.dialect, id=source.id, path=source.path, files=source.files,
            tag=trace_of(near[0].bundle).tag if near else None,
        )  # fmt: skip
        fields: dict[str, Any] = {name: getattr(proposed, name) for name in SHARED}
        fields["gate"] = max(unit.gate for unit in units)
        bundle = Bundle(
            **fields,
            openspec_change=source.plan_id,
            ccpm_issue=units[0].issue,
            tool=chosen,
            metadata={"plan": msgspec.to_builtins(trace)},
        )
        file = near[-1].file if near else f"ws-generated-{proposed.id.removeprefix('ws-')}-1.json"
        before = PlannedBundle(bundle=structs.replace(bundle, depends_on=()), file=file)
        return self._planned(before, proposed, bundle, ("files_scope",))

    def _gaps(self) -> Iterable[NeedsScope]:
        """Yield what still needs a scope."""
        settled = {
            self._draft.traced[name] for one in self._answer.workstreams for name in one.items
        }
        for gap in self._draft.plan.needs_scope:
            items = tuple(item for item in gap.items if item not in settled)
            if items:
                yield structs.replace(gap, items=items)
