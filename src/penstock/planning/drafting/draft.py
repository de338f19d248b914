"""From plans as read, and what is known of their files, to bundles and to what needs a scope."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from penstock.errors import UsageError
from penstock.model.bundle import Bundle
from penstock.planning.drafting.apart import Ground, keep_apart
from penstock.planning.drafting.api import NeedsScope, Plan, PlannedBundle, PlanOptions
from penstock.planning.drafting.around import settle
from penstock.planning.drafting.claimed import contradictions
from penstock.planning.drafting.compose import Piece, evidence, make_bundle, traced
from penstock.planning.drafting.grouping import group
from penstock.planning.drafting.limits import Meter
from penstock.planning.drafting.links import Arranged, arrange
from penstock.planning.drafting.ordering import Ordered, order
from penstock.planning.drafting.parts import over_limit, split
from penstock.planning.drafting.pieces import Meetings, make_pieces
from penstock.planning.drafting.remarks import remarks
from penstock.planning.drafting.slugs import Names, slug
from penstock.planning.drafting.tasks import Gathered, Task, gather
from penstock.planning.scoping.api import Scope
from penstock.planning.sources.api import Notice, PlanSource, Severity

_GENERATED = re.compile(r"(?:sketches/)?ws-generated-(?:placeholder-)?(.+)-\d+\.json")


def draft(
    sources: Sequence[PlanSource],
    scopes: Sequence[Mapping[str, Scope]],
    options: PlanOptions,
    *,
    sizes: Callable[[str], int],
    default_tool: str | None,
    taken: Collection[str] = (),
    taken_files: Collection[str] = (),
    around: Sequence[Bundle] = (),
) -> Plan:
    """Make bundles of the open items whose files are known; the others need a scope.

    `scopes` are those of each source's items, by key; `sizes` gives the bytes of a path, 0 for what
    is not there; `taken` are ids that others have, `taken_files` the names of generated files that
    are of other plans, `around` the bundles that will lie beside those of the plan. Every item of
    every source is counted once, the bundles pass `judge_bundles`, also together with those around,
    and the same arguments give the same plan.
    Raises UsageError when there is something to do and neither `options.tool` nor `default_tool`
    says what with, and for paths of `options.files_scope` that are none.
    """
    gathered = gather(sources, scopes, options)
    ordered = order(gathered)
    meter = Meter(sizes)
    cells = split(group(gathered, ordered, options.group_by), gathered, ordered, meter, options)
    arranged = arrange(cells, gathered, ordered)
    meetings = _kept_apart(arranged, gathered, taken, around)
    pieces = make_pieces(arranged, meetings, gathered, ordered, meter)
    tool = _tool(options, default_tool) if pieces else ""
    stems = _stems(sources, taken_files)
    return Plan(
        sources=tuple(sources),
        bundles=tuple(_planned(pieces, gathered, options, tool, stems)),
        needs_scope=tuple(_needs_scope(gathered)),
        items=gathered.counts(),
        notices=tuple(_notices(gathered, ordered, meetings, pieces, options)),
        options=options,
        stems=stems,
    )


def _kept_apart(
    arranged: Arranged, gathered: Gathered, taken: Collection[str], around: Sequence[Bundle]
) -> Meetings:
    """Give the cells their ids and keep them apart from each other and from what is there."""
    ids = _ids(arranged, gathered, taken)
    ground = Ground(arranged, gathered)
    kept = keep_apart(ground, arranged, gathered, ids)
    return Meetings(ids, kept, settle(ground, kept, ids, around))


def _stems(sources: Sequence[PlanSource], taken_files: Collection[str]) -> tuple[str, ...]:
    """What the files of each source are called by, none like those of other plans."""
    names = Names({found[1] for name in taken_files if (found := _GENERATED.fullmatch(name))})
    return tuple(names.give(slug(source.id)) for source in sources)


def _notices(
    gathered: Gathered,
    ordered: Ordered,
    meetings: Meetings,
    pieces: Sequence[Piece],
    options: PlanOptions,
) -> Iterator[Notice]:
    """Yield all that is to be said, first what the readers said."""
    yield from (notice for source in gathered.sources for notice in source.notices)
    yield from (*gathered.notices, *ordered.notices)
    yield from contradictions(gathered, ordered)
    yield from remarks(gathered)
    yield from (*meetings.kept.notices, *meetings.settled.notices)
    yield from _size_notices(pieces, options)
    yield from _unmet_notices(pieces)


def _tool(options: PlanOptions, default_tool: str | None) -> str:
    tool = options.tool or default_tool
    if not tool:
        raise UsageError(
            "a plan does not say which tool does the work",
            hint="Name it with --tool, or set default_tool in config/pipeline.yaml.",
        )
    return tool


def _ids(arranged: Arranged, gathered: Gathered, taken: Collection[str]) -> list[str]:
    """Give every cell its id, source by source as they were given."""
    names = Names(taken)
    found = [""] * len(arranged.cells)
    for at in sorted(range(len(found)), key=lambda at: (arranged.cells[at].source, at)):
        cell = arranged.cells[at]
        parts = ["ws", slug(gathered.sources[cell.source].id)]
        parts += [slug(cell.name, "unit")] if cell.name else []
        parts += [f"p{cell.part}"] if cell.part else []
        found[at] = names.give("-".join(parts))
    return found


def _planned(
    pieces: Sequence[Piece],
    gathered: Gathered,
    options: PlanOptions,
    tool: str,
    stems: Sequence[str],
) -> Iterator[PlannedBundle]:
    count: dict[int, int] = {}
    for piece in pieces:
        source = piece.cell.source
        count[source] = count.get(source, 0) + 1
        yield PlannedBundle(
            bundle=make_bundle(piece, gathered, options, tool),
            file=f"ws-generated-{stems[source]}-{count[source]}.json",
            evidence=evidence(piece.tasks),
            reasons=tuple(_reasons(piece)),
        )


def _reasons(piece: Piece) -> Iterator[str]:
    """Yield why a bundle is where it is."""
    units = {task.unit_at: task.unit for task in piece.tasks}
    yield "; ".join(f"{u.kind} '{u.title or u.key}' ({u.place})" for u in units.values())
    if piece.cell.part:
        yield f"part {piece.cell.part} of what is too large or ordered in between for one"
    for ws_id, link in sorted(piece.waits.items()):
        yield f"after {ws_id}: {link.why}"
    if piece.group is not None:
        yield f"one at a time in {piece.group}"


def _needs_scope(gathered: Gathered) -> Iterator[NeedsScope]:
    """Yield the tasks without claims, unit by unit."""
    bare: dict[int, list[Task]] = {}
    for task in gathered.tasks:
        if not task.claims:
            bare.setdefault(task.unit_at, []).append(task)
    for tasks in bare.values():
        unit, source = tasks[0].unit, gathered.sources[tasks[0].source]
        doubtful = {(g.path, g.use): g for task in tasks for g in task.scope.doubtful}
        yield NeedsScope(
            source=source.plan_id,
            unit=unit.key,
            title=unit.title,
            items=tuple(traced(task.item) for task in tasks),
            doubtful=tuple(doubtful.values()),
            why=_why(tasks),
        )


def _why(tasks: Sequence[Task]) -> str:
    """Say what stands in the way of a scope."""
    missing = dict.fromkeys(u.path for task in tasks for u in task.scope.unresolved)
    if missing:
        return "names what does not exist: " + ", ".join(missing)
    if any(task.guesses for task in tasks):
        return "only reads files"
    if any(task.scope.doubtful for task in tasks):
        return "what was found is too doubtful"
    return "names no file"


def _size_notices(pieces: Sequence[Piece], options: PlanOptions) -> Iterator[Notice]:
    for piece in pieces:
        if piece.amount.beyond(options):
            yield over_limit(piece.ws_id, piece.tasks, piece.amount, options)


def _unmet_notices(pieces: Sequence[Piece]) -> Iterator[Notice]:
    for piece in pieces:
        for task in piece.unmet:
            yield Notice(
                code="depends-on-unplanned",
                severity=Severity.WARNING,
                text=f"{piece.ws_id} depends on {task.name}, which needs a scope and is not planned",
                place=task.item.place,
                hint="Give it a scope, or see that it is done before.",
            )
