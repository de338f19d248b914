"""What keeps drafted workstreams apart from those that lie in the folder already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from penstock.model.bundle import Bundle
from penstock.planning.drafting.apart import Ground, Kept, narrower
from penstock.planning.drafting.links import Link
from penstock.planning.sources.api import Notice, Severity
from penstock.schedule.conflicts import claim_neighbours, claims_of


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """For each cell the workstreams of the folder that it waits for, and names of groups by their
    first members."""

    links: tuple[dict[str, Link], ...]
    names: dict[int, str]
    notices: tuple[Notice, ...]


def settle(ground: Ground, kept: Kept, ids: Sequence[str], around: Iterable[Bundle]) -> Settled:
    """Keep cells apart from the bundles of a folder, which are not changed.

    A cell joins the conflict group of what it overlaps with, if there is one and it has no other;
    else it waits for it, unless that waits for the cell.
    """
    others = [bundle for bundle in around if bundle.id not in set(ids)]
    settling = _Settling(ground, kept, ids, others)
    if others:
        settling.go()
    return Settled(
        links=tuple(settling.links),
        names=settling.names,
        notices=(*settling.notices, *_left_alone(others, ids)),
    )


def _left_alone(others: Sequence[Bundle], ids: Sequence[str]) -> Iterator[Notice]:
    """Tell of bundles of the folder that wait for what there is no longer, such as work of this plan
    that is done by now: the validator refuses them."""
    known = {*ids, *(bundle.id for bundle in others)}
    for bundle in others:
        for gone in (ws_id for ws_id in bundle.depends_on if ws_id not in known):
            yield Notice(
                code="lost-dependency",
                severity=Severity.WARNING,
                text=f"{bundle.id} in the folder depends on {gone}, which there is not any more",
                hint=_renewal(bundle),
            )


def _renewal(bundle: Bundle) -> str:
    """How to mend a bundle of the folder."""
    plan = bundle.metadata.get("plan")
    path = plan.get("path") if isinstance(plan, dict) else None
    return f"Plan {path} again." if path else "Take the entry out of its depends_on."


class _Settling:
    """The work of `settle`."""

    def __init__(
        self, ground: Ground, kept: Kept, ids: Sequence[str], others: Sequence[Bundle]
    ) -> None:
        self._ground = ground
        self._groups = kept.groups
        self._ids = ids
        self._others = {bundle.id: bundle for bundle in others}
        self._waits = {bundle.id: list(bundle.depends_on) for bundle in others}
        for at, links in enumerate(kept.links):
            self._waits[ids[at]] = [ids[other] for other in links]
        self.links: list[dict[str, Link]] = [{} for _ in ids]
        self.names: dict[int, str] = {}
        self.notices: list[Notice] = []

    def go(self) -> None:
        """Go through the cells in their order."""
        for at, (claim, other) in self._meetings():
            if other.id in self.links[at] or self._share_group(at, other):
                continue
            if self._leads(self._ids[at], other.id) or self._leads(other.id, self._ids[at]):
                continue
            self._settle(at, claim, other)

    def _meetings(self) -> Iterator[tuple[int, tuple[str, Bundle]]]:
        """Yield each cell with each bundle that it could run beside and overlaps with."""
        users: dict[tuple[int, str], list[Bundle]] = {}
        claims: dict[str, None] = {}
        for other in self._others.values():
            for claim in claims_of(other) if other.parallel_ok else ():
                users.setdefault((other.gate, claim), []).append(other)
                claims[claim] = None
        near = claim_neighbours([*claims, *(c for own in self._ground.claims for c in own)])
        for at in range(len(self._ids)):
            found: dict[str, tuple[str, Bundle]] = {}
            for gate, claim in self._ground.spots(at):
                for text in near[claim]:
                    for other in users.get((gate, text), ()):
                        found.setdefault(other.id, (narrower(claim, text), other))
            yield from ((at, found[ws_id]) for ws_id in sorted(found))

    def _group(self, at: int) -> str | None:
        """The name that a cell's group has been given."""
        return self.names.get(self._groups.get(at, at))

    def _share_group(self, at: int, other: Bundle) -> bool:
        return other.conflict_group is not None and self._group(at) == other.conflict_group

    def _settle(self, at: int, path: str, other: Bundle) -> None:
        if other.conflict_group is not None and self._group(at) is None:
            self.names[self._groups.get(at, at)] = other.conflict_group
            self._tell(at, path, other, f"both are in {other.conflict_group} now")
            return
        why = f"both touch {path}, and it was there before"
        self.links[at][other.id] = Link(stated=False, why=why)
        self._waits[self._ids[at]].append(other.id)
        self._tell(at, path, other, f"{self._ids[at]} waits for it")

    def _leads(self, start: str, end: str) -> bool:
        """Tell whether one workstream waits for another, also through others."""
        stack, seen = [start], {start}
        while stack:
            for above in self._waits.get(stack.pop(), ()):
                if above == end:
                    return True
                if above not in seen:
                    seen.add(above)
                    stack.append(above)
        return False

    def _tell(self, at: int, path: str, other: Bundle, outcome: str) -> None:
        self.notices.append(
            Notice(
                code="overlap-existing",
                severity=Severity.WARNING,
                text=f"{path} is touched by {self._ids[at]} and by {other.id}, which is there "
                f"already; {outcome}",
                place=self._ground.tasks[at][0].item.place,
            )
        )
