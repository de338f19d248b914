"""The draft as a tool gets it, and the same schema as it comes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from penstock.model.bundle import Bundle, Kind, Priority
from penstock.planning.drafting.api import NeedsScope, Plan, PlannedBundle
from penstock.planning.scoping.api import Rung
from penstock.planning.sources.api import Item, Place, Trace, TracedItem, Unit
from penstock.typed import typed, typed_json

MAX_BYTES = 64 << 20


class DraftItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item of a source, for reading only; `details` are the lines below it."""

    text: str
    place: str
    details: str = ""


class DraftWorkstream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One workstream. `items` are names in the table of items; there is a task for each of them."""

    id: Annotated[str, Meta(pattern="^ws-[a-z0-9-]+$")]
    items: Annotated[tuple[str, ...], Meta(min_length=1)]
    tasks: tuple[str, ...]
    files_scope: Annotated[tuple[str, ...], Meta(min_length=1)]
    files_create: tuple[str, ...] = ()
    gate: Annotated[int, Meta(ge=1)] | None = None
    depends_on: tuple[str, ...] = ()
    conflict_group: str | None = None
    parallel_ok: bool = True
    acceptance_tests: tuple[str, ...] = ()
    kind: Kind = Kind.IMPL
    priority: Priority = Priority.FOREGROUND

    @property
    def claims(self) -> tuple[str, ...]:
        """All paths, each once."""
        return tuple(dict.fromkeys((*self.files_scope, *self.files_create)))


class DraftGap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Items of which nobody knows the files; `guesses` are paths that are too doubtful.

    In an answer `files_scope` and `files_create` are what all these items are about.
    """

    items: tuple[str, ...]
    title: str = ""
    files_scope: tuple[str, ...] = ()
    files_create: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    why: str = ""

    @property
    def claims(self) -> tuple[str, ...]:
        """All paths, each once."""
        return tuple(dict.fromkeys((*self.files_scope, *self.files_create)))


class DraftDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole plan; `items` is the table of all items that are still to be done."""

    workstreams: tuple[DraftWorkstream, ...]
    needs_scope: tuple[DraftGap, ...] = ()
    items: dict[str, DraftItem] = {}

    @property
    def by_id(self) -> dict[str, DraftWorkstream]:
        """The workstreams by id."""
        return {one.id: one for one in self.workstreams}


def encoded(document: DraftDocument) -> bytes:
    """Return a document as JSON for people and tools, the same for the same document."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def decoded(data: bytes) -> DraftDocument:
    """Read a document. Raises msgspec.DecodeError and ValueError for one of another schema."""
    return typed_json(data.removeprefix(b"\xef\xbb\xbf"), DraftDocument)


class Draft:
    """A plan with what refining looks up in it.

    An item is named by the number of its source among those of the plan and its key, `1:T012`.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._numbers = {
            (source.dialect, source.path, source.id): number
            for number, source in enumerate(plan.sources, 1)
        }

    # -- items and where they come from ----------------------------------------------------
    @cached_property
    def traced(self) -> dict[str, TracedItem]:
        """Every item that is to be done, by name."""
        found: dict[str, TracedItem] = {}
        for planned in self.plan.bundles:
            trace = trace_of(planned.bundle)
            found |= dict(self._named(self.number_of(trace), trace.items))
        for gap in self.plan.needs_scope:
            found |= dict(self._named(self._gap_number(gap), gap.items))
        return found

    def number_of(self, trace: Trace) -> int:
        """Return the number of the source of a trace."""
        return self._numbers[trace.dialect, trace.path, trace.id]

    @cached_property
    def units(self) -> dict[str, tuple[Unit, Item]]:
        """Every item of the sources with its unit, by name."""
        return {
            f"{number}:{item.key}": (unit, item)
            for number, source in enumerate(self.plan.sources, 1)
            for unit in source.units
            for item in unit.items
        }

    def _named(self, number: int, items: Iterable[TracedItem]) -> Iterator[tuple[str, TracedItem]]:
        for item in items:
            yield f"{number}:{item.key}", item

    def _gap_number(self, gap: NeedsScope) -> int:
        """Return the number of the source that has the items of a gap.

        Two sources may share their names (the tag `master` of two files), but no line.
        """
        first = gap.items[0]
        return next(
            number
            for number in range(1, len(self.plan.sources) + 1)
            if (first.key, first.place) in self._lines[number - 1]
        )

    @cached_property
    def _lines(self) -> list[set[tuple[str, Place]]]:
        """The items of each source by key and place."""
        return [{(item.key, item.place) for item in source.items} for source in self.plan.sources]

    # -- the document ----------------------------------------------------------------------
    @cached_property
    def document(self) -> DraftDocument:
        """The plan as a tool gets it."""
        return DraftDocument(
            workstreams=tuple(self._workstream(planned) for planned in self.plan.bundles),
            needs_scope=tuple(self._gap(gap) for gap in self.plan.needs_scope),
            items={
                name: DraftItem(
                    text=item.text, place=str(item.place), details=self.units[name][1].details
                )
                for name, item in self.traced.items()
            },
        )

    def _workstream(self, planned: PlannedBundle) -> DraftWorkstream:
        bundle, trace = planned.bundle, trace_of(planned.bundle)
        names = tuple(name for name, _ in self._named(self.number_of(trace), trace.items))
        return DraftWorkstream(items=names, **{name: getattr(bundle, name) for name in SHARED})

    def _gap(self, gap: NeedsScope) -> DraftGap:
        names = (name for name, _ in self._named(self._gap_number(gap), gap.items))
        guesses = dict.fromkeys(guess.path for guess in gap.doubtful)
        return DraftGap(title=gap.title, items=tuple(names), guesses=tuple(guesses), why=gap.why)


SHARED = tuple(name for name in DraftWorkstream.__struct_fields__ if name != "items")
"""The fields that a workstream of the document has from its bundle."""


def trace_of(bundle: Bundle) -> Trace:
    """Return where a bundle comes from."""
    return typed(bundle.metadata["plan"], Trace)


def stated_paths(planned: PlannedBundle) -> frozenset[str]:
    """Return the paths of a bundle that its source itself states."""
    return frozenset(guess.path for guess in planned.evidence if guess.rung is Rung.STATED)


def derived_order(metadata: Mapping[str, Any]) -> frozenset[str]:
    """Return the dependencies of a bundle that were computed and not stated in its source."""
    return frozenset(str(link["id"]) for link in metadata.get("derived", ()))
