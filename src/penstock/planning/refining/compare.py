"""What speaks against a proposal: a plan may get better by it, but lose or invent nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

from penstock.planning.drafting.api import PlannedBundle
from penstock.planning.refining.api import Ground
from penstock.planning.refining.document import (
    Draft,
    DraftDocument,
    DraftGap,
    DraftWorkstream,
    derived_order,
    stated_paths,
)
from penstock.schedule.scope import ScopeMatcher, normalise, overlap, refusal

_WILD = frozenset("*?[")


class Comparison:
    """A proposal held against the draft it was made from. `base` is the draft as it was shown."""

    def __init__(
        self, draft: Draft, base: DraftDocument, answer: DraftDocument, ground: Ground
    ) -> None:
        self._draft = draft
        self._base = base
        self._answer = answer
        self._ground = ground
        self._planned = {one.bundle.id: one for one in draft.plan.bundles}

    def objections(self) -> list[str]:
        """Return why the proposal is refused, none when it may be taken as far as this goes."""
        found = [*self._about_items(), *self._about_ids()]
        if found:
            return (
                found  # what else there is to say would be about other workstreams than are meant
            )
        before = self._base.by_id
        for proposed in self._answer.workstreams:
            known = before[proposed.id]
            found += self._about_tasks(proposed)
            found += self._about_paths(proposed.id, proposed, known.claims, known.files_create)
            found += self._about_source(proposed, known, self._planned[proposed.id])
            found += self._about_acceptance(proposed, known)
        for gap in self._answer.needs_scope:
            found += self._about_paths(", ".join(gap.items), gap, (), ())
        return found

    # -- nothing is lost -------------------------------------------------------------------
    def _about_items(self) -> Iterator[str]:
        if self._answer.items and self._answer.items != self._base.items:
            yield "the table of items was changed"
        named = Counter(_items(self._answer))
        for name, item in self._draft.traced.items():
            if named[name] != 1:
                how = "dropped" if not named[name] else f"named {named[name]} times"
                yield f"item {name} ({item.place}) is {how}: {_short(item.text)}"
        for name in sorted(named.keys() - self._draft.traced.keys()):
            yield f"item {_short(name)} is in no source"

    def _about_ids(self) -> Iterator[str]:
        before, after = self._base.by_id, self._answer.by_id
        for ws_id, times in Counter(one.id for one in self._answer.workstreams).items():
            if times > 1:
                yield f"{ws_id} is there {times} times"
        for ws_id in sorted(before.keys() - after.keys()):
            yield f"{ws_id} is missing: workstreams keep their ids"
        for ws_id in sorted(after.keys() - before.keys()):
            yield f"{ws_id} is not one of the draft: give items their files under needs_scope"
        for ws_id, one in before.items():
            if ws_id in after and after[ws_id].items != one.items:
                yield f"{ws_id} has other items than before, or in another order"

    def _about_tasks(self, one: DraftWorkstream) -> Iterator[str]:
        if len(one.tasks) != len(one.items):
            yield f"{one.id} has {len(one.items)} items and {len(one.tasks)} tasks"
            return
        for name, task in zip(one.items, one.tasks, strict=True):
            words = self._base.items[name].text
            if _plain(words) not in _plain(task):
                yield f"{one.id}: the task of {name} does not say {_short(words)!r} any more"

    # -- paths -----------------------------------------------------------------------------
    def _about_paths(
        self,
        shown: str,
        one: DraftWorkstream | DraftGap,
        before: Collection[str],
        made: Collection[str],
    ) -> Iterator[str]:
        """Look at the paths that were not claimed before, or not as ones that are to be made."""
        created = set(one.files_create) - set(made)
        fresh = [path for path in one.claims if path not in before or path in created]
        found = False
        for path in fresh:
            why = self._refusal(path, is_new=path in one.files_create)
            why = why or self._forbidden(one.items, path)
            if why is not None:
                found = True
                yield f"{shown}: {_short(path)}: {why}"
        if fresh and not found:
            yield from self._about_size(shown, one)

    def _refusal(self, path: str, *, is_new: bool) -> str | None:
        try:
            plain = normalise(path)
        except ValueError as error:
            return str(error)
        why = refusal(plain.rstrip("/")) or self._ground.outside(plain)
        if why is not None:
            return why
        there = self._there(plain)
        if is_new:
            return "is to be created and is there already" if there else None
        return None if there else "does not exist, and is not to be created"

    def _forbidden(self, items: Iterable[str], path: str) -> str | None:
        for name in items:
            for stated in self._draft.units[name][0].forbidden:
                if _meet(stated.path, path):
                    return f"{stated.place} says not to touch {stated.path}"
        return None

    def _there(self, path: str) -> bool:
        if path in self._files:
            return True
        if path.endswith("/") or not _WILD.isdisjoint(path):
            allows = ScopeMatcher([path]).allows
            return any(allows(name) for name in self._files)
        return False

    def _about_size(self, shown: str, one: DraftWorkstream | DraftGap) -> Iterator[str]:
        """A scope that grew may have as many files as a workstream may have."""
        limit = self._draft.plan.options.max_files
        allows = ScopeMatcher(one.claims).allows
        count = len({name for name in self._files if allows(name)} | set(one.files_create))
        if count > limit:
            yield f"{shown}: {count} files are too many, {limit} is the limit"

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(self._ground.files)

    # -- what the source says --------------------------------------------------------------
    def _about_source(
        self, one: DraftWorkstream, known: DraftWorkstream, planned: PlannedBundle
    ) -> Iterator[str]:
        if one.gate is not None and one.gate != known.gate:
            yield f"{one.id}: gate comes from the source and was changed"
        for path in sorted(stated_paths(planned) - {*one.claims}):
            if path in known.claims:
                yield f"{one.id}: {path} is stated in the source and was left out"
        stated = set(known.depends_on) - derived_order(planned.bundle.metadata)
        for ws_id in sorted(stated - set(one.depends_on)):
            yield f"{one.id}: the dependency on {ws_id} is stated in the source and was left out"
        if one.parallel_ok and not known.parallel_ok:
            yield f"{one.id}: the source says that it runs alone"
        if known.conflict_group is not None and one.conflict_group != known.conflict_group:
            yield f"{one.id}: it left the conflict group {known.conflict_group}"

    def _about_acceptance(self, one: DraftWorkstream, known: DraftWorkstream) -> Iterator[str]:
        before = known.acceptance_tests
        for line in before:
            if line not in one.acceptance_tests:
                yield f"{one.id}: the acceptance {_short(line)!r} was left out"
        for line in one.acceptance_tests:
            if line not in before and self._ground.is_command(line):
                yield f"{one.id}: {_short(line)!r} would be run as a command; only people add those"


def _items(document: DraftDocument) -> Iterator[str]:
    for one in document.workstreams:
        yield from one.items
    for gap in document.needs_scope:
        yield from gap.items


def _meet(forbidden: str, path: str) -> bool:
    """Tell whether a path touches one that must not be touched, as far as that is a path at all."""
    try:
        return overlap(normalise(forbidden), normalise(path))
    except ValueError:
        return False


def _plain(text: str) -> str:
    return " ".join(text.split())


def _short(text: str, limit: int = 80) -> str:
    plain = _plain(text)
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."
