"""The plan that a proposal makes of a draft."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import structs

from penstock.model.bundle import Bundle
from penstock.planning.drafting.api import Plan, PlannedBundle
from penstock.planning.refining.document import (
    SHARED,
    Draft,
    DraftDocument,
    DraftGap,
    DraftWorkstream,
    trace_of,
)
from penstock.planning.scoping.api import Guess, Rung
from penstock.planning.sources.api import Item, PlanSource, StatedPath, Use

CONFIDENCE = 1.0
"""Of a path that was proposed, held against the repository, and shown to the user."""
_LISTS = ("files_scope", "files_create", "depends_on", "acceptance_tests")
_KEPT = ("id", "gate", "tasks", *_LISTS)


class Application:
    """Puts a proposal that nothing speaks against into a plan; `by` is the tool it comes from.

    Only what the proposal changes is taken from it: what a tool was shown may have been masked.
    """

    def __init__(self, draft: Draft, base: DraftDocument, answer: DraftDocument, by: str) -> None:
        self._draft = draft
        self._before = base.by_id
        self._answer = answer
        self._by = by

    # -- what needed a scope ---------------------------------------------------------------
    def sources(self) -> tuple[PlanSource, ...] | None:
        """Return the sources with the paths that were proposed for items without any, as if they
        stated them; None when there are no such paths."""
        given = {name: gap for gap in self._answer.needs_scope if gap.claims for name in gap.items}
        if not given:
            return None
        return tuple(
            structs.replace(
                source,
                units=tuple(
                    structs.replace(
                        unit,
                        items=tuple(
                            self._filled(item, given.get(f"{number}:{item.key}"))
                            for item in unit.items
                        ),
                    )
                    for unit in source.units
                ),
            )
            for number, source in enumerate(self._draft.plan.sources, 1)
        )

    def _filled(self, item: Item, gap: DraftGap | None) -> Item:
        if gap is None:
            return item
        created = set(gap.files_create)
        stated = (
            StatedPath(
                path=path,
                use=Use.CREATE if path in created else Use.MODIFY,
                place=item.place,
                field=f"the proposal of {self._by}",
            )
            for path in gap.claims
        )
        return structs.replace(item, paths=(*item.paths, *stated))

    # -- workstreams -----------------------------------------------------------------------
    def plan(self, ground: Plan) -> tuple[Plan, list[str]]:
        """Return `ground`, the draft or what was drafted again with more paths, with the changes to
        its workstreams, and what of them has no place there."""
        proposed, lost = self._answer.by_id, []
        bundles = {one.bundle.id: one for one in ground.bundles}
        for ws_id, before in self._before.items():
            changes = _Changes(before, proposed[ws_id])
            if changes.fields:
                if not self._same_items(bundles.get(ws_id), before):
                    lost.append(f"{ws_id} is another workstream now that more items have a scope")
                else:
                    bundles[ws_id] = self._changed(bundles[ws_id], changes)
        return structs.replace(ground, bundles=tuple(bundles.values())), lost

    def _same_items(self, found: PlannedBundle | None, before: DraftWorkstream) -> bool:
        """Tell whether a workstream still has all the items it had."""
        if found is None:
            return False
        keys = {item.key for item in trace_of(found.bundle).items}
        return all(self._draft.traced[name].key in keys for name in before.items)

    def _changed(self, planned: PlannedBundle, changes: _Changes) -> PlannedBundle:
        bundle = structs.replace(planned.bundle, **changes.applied(planned.bundle, self._draft))
        fresh = tuple(self._guess(path, bundle) for path in changes.paths)
        metadata = {
            **bundle.metadata,
            "evidence": [*_kept(bundle.metadata.get("evidence", ()), bundle), *map(_told, fresh)],
            "derived": [*self._derived(bundle, changes)],
            "refined": {"by": self._by, "fields": list(changes.fields)},
        }
        filled = {key: value for key, value in metadata.items() if value != []}
        reason = f"{self._by} proposed other {', '.join(changes.fields)}"
        evidence = tuple(guess for guess in planned.evidence if guess.path in bundle.claims)
        return structs.replace(
            planned,
            bundle=structs.replace(bundle, metadata=filled),
            evidence=(*evidence, *fresh),
            reasons=(*planned.reasons, reason),
        )

    def _guess(self, path: str, bundle: Bundle) -> Guess:
        return Guess(
            path=path,
            use=Use.CREATE if path in bundle.files_create else Use.MODIFY,
            rung=Rung.REFINED,
            confidence=CONFIDENCE,
            evidence=f"proposed by {self._by}",
        )

    def _derived(self, bundle: Bundle, changes: _Changes) -> Iterator[dict[str, str]]:
        """Yield the links that the source does not state."""
        for link in bundle.metadata.get("derived", ()):
            if link["id"] in bundle.depends_on:
                yield link
        for ws_id in changes.added("depends_on"):
            yield {"id": ws_id, "why": f"proposed by {self._by}"}


class _Changes:
    """How a workstream was proposed to change."""

    def __init__(self, before: DraftWorkstream, after: DraftWorkstream) -> None:
        self._before = before
        self._after = after
        self.fields = tuple(
            name
            for name in SHARED
            if name not in ("id", "gate") and getattr(after, name) != getattr(before, name)
        )

    def added(self, field: str) -> tuple[str, ...]:
        """Return what a list holds that it did not hold before."""
        before = getattr(self._before, field)
        return tuple(x for x in dict.fromkeys(getattr(self._after, field)) if x not in before)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that were not claimed before."""
        return tuple(path for path in self._after.claims if path not in self._before.claims)

    def applied(self, bundle: Bundle, draft: Draft) -> dict[str, Any]:
        """Return the changed fields of a bundle, which may hold more than it did in the draft."""
        made: dict[str, Any] = {name: self._list(name, bundle) for name in _LISTS}
        plain = (name for name in self.fields if name not in _KEPT)
        made |= {name: getattr(self._after, name) for name in plain}
        made["tasks"] = self._tasks(bundle, draft)
        return made

    def _list(self, field: str, bundle: Bundle) -> tuple[str, ...]:
        after, before = getattr(self._after, field), getattr(self._before, field)
        kept = (x for x in getattr(bundle, field) if x in after or x not in before)
        return tuple(dict.fromkeys((*kept, *self.added(field))))

    def _tasks(self, bundle: Bundle, draft: Draft) -> tuple[str, ...]:
        """Return the tasks, those that were left alone as they are."""
        texts = zip(self._before.items, self._before.tasks, self._after.tasks, strict=True)
        better = {draft.traced[name].key: new for name, old, new in texts if new != old}
        items = trace_of(bundle).items
        return tuple(
            better.get(item.key, task) for item, task in zip(items, bundle.tasks, strict=True)
        )


def _kept(evidence: Iterable[Mapping[str, Any]], bundle: Bundle) -> Iterator[Mapping[str, Any]]:
    """Yield the evidence of what is still claimed, or only read."""
    for entry in evidence:
        if entry["path"] in bundle.claims or entry["use"] == Use.READ:
            yield entry


def _told(guess: Guess) -> dict[str, Any]:
    """Return a guess as bundles tell it."""
    return {
        "path": guess.path,
        "use": guess.use.value,
        "rung": guess.rung.value,
        "confidence": guess.confidence,
        "evidence": guess.evidence,
    }
