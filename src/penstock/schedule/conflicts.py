"""Which workstreams claim the same paths, and which could run at the same time.

Both questions have 50 million pairs for 10,000 workstreams, so neither is asked of all pairs: an
index of the claims' fixed beginnings gives the few pairs that can meet, and reachability is
computed for those alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice, product

import msgspec

from penstock.model.bundle import Bundle
from penstock.schedule.graph import build_dependency_graph, components
from penstock.schedule.scope import Claim, normalise

Pair = tuple[str, str]
# Reachability is computed for this many targets at a time: n * CHUNK bits of memory.
CHUNK = 4096


class Overlap(msgspec.Struct, frozen=True, order=True):
    """Two workstreams (`a` < `b`) with one claim of each that share a path."""

    a: str
    b: str
    claim_a: str
    claim_b: str


def claim_overlaps(bundles: Iterable[Bundle]) -> Iterator[Overlap]:
    """Yield each pair of workstreams whose claims overlap, once, with the first pair of claims.

    The order is that of the index, not of the ids. Raises ValueError for a claim that is none.
    """
    owners: dict[str, list[str]] = {}
    for bundle in bundles:
        for claim in bundle.claims:
            owners.setdefault(normalise(claim), []).append(bundle.id)
    seen: set[Pair] = set()
    for a, b in _meeting_claims([Claim(text) for text in owners]):
        pairs = (
            combinations(owners[a.text], 2) if a is b else product(owners[a.text], owners[b.text])
        )
        for one, other in pairs:
            if one != other and (pair := _sorted_pair(one, other)) not in seen:
                seen.add(pair)
                claims = (a.text, b.text) if pair[0] == one else (b.text, a.text)
                yield Overlap(*pair, *claims)


def _sorted_pair(a: str, b: str) -> Pair:
    """The two, the smaller one first."""
    return (a, b) if a < b else (b, a)


def _meeting_claims(claims: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Yield each claim with itself and with each other claim that it overlaps.

    Whatever two claims share begins with both keys, so one key is a beginning of the other: in
    the sorted keys, all that a key begins stand right behind it.
    """
    ordered = sorted(claims, key=lambda c: c.key)
    for at, claim in enumerate(ordered, 1):
        yield claim, claim
        for other in islice(ordered, at, None):
            if not other.key.startswith(claim.key):
                break
            if claim.overlaps(other):
                yield claim, other


class Simultaneity:
    """Tells which workstreams could run at the same time within one run.

    They could not when one depends on the other, even indirectly, when a gate lies between them,
    when they share a conflict group, or when one of them runs alone (`parallel_ok` false).
    """

    def __init__(self, bundles: Iterable[Bundle]) -> None:
        self._by_id = {bundle.id: bundle for bundle in bundles}
        self._parents = build_dependency_graph(self._by_id.values())[1]

    def possible(self, a: str, b: str) -> bool:
        """Tell whether these two could run at the same time."""
        return bool(self.among([(a, b)]))

    def among(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Return those of the pairs that could run at the same time, in the given order."""
        rest = [pair for pair in pairs if not self.kept_apart(*pair)]
        ordered = self._ordered(rest)
        return [pair for pair in rest if pair not in ordered]

    def kept_apart(self, a: str, b: str) -> bool:
        """Tell whether gate, conflict group or `parallel_ok` alone keeps two from meeting."""
        one, other = self._by_id[a], self._by_id[b]
        return (
            a == b
            or one.gate != other.gate
            or not (one.parallel_ok and other.parallel_ok)
            or (one.conflict_group is not None and one.conflict_group == other.conflict_group)
        )

    def _ordered(self, pairs: Sequence[Pair]) -> set[Pair]:
        """Return those of the pairs of which one depends on the other."""
        targets = sorted({ws for pair in pairs for ws in pair})
        found: set[Pair] = set()
        for start in range(0, len(targets), CHUNK):
            bits = {ws: 1 << at for at, ws in enumerate(targets[start : start + CHUNK])}
            above = self._ancestors(bits)
            for a, b in pairs:
                if above[a] & bits.get(b, 0) or above[b] & bits.get(a, 0):
                    found.add((a, b))
        return found

    def _ancestors(self, bits: Mapping[str, int]) -> dict[str, int]:
        """For each workstream, the set (as bits) of those of `bits` it depends on.

        Members of a cycle depend on each other and on themselves.
        """
        above: dict[str, int] = {}
        for component in components(self._parents):
            together = 0
            for ws in component:
                for parent in self._parents[ws]:
                    together |= bits.get(parent, 0) | above.get(parent, 0)
            above.update(dict.fromkeys(component, together))
        return above


def ordered(bundles: Iterable[Bundle], a: str, b: str) -> bool:
    """Tell whether something puts workstream `a` after `b` or `b` after `a`."""
    return not Simultaneity(bundles).possible(a, b)


def simultaneous_overlaps(
    bundles: Sequence[Bundle], limit: int | None = None, *, around: Iterable[Bundle] = ()
) -> list[Overlap]:
    """Return the overlaps between workstreams that could run at the same time, sorted.

    At most `limit` are returned; the search stops there. Bundles `around` are not compared, but
    one may depend on another through them.
    """
    order = Simultaneity([*bundles, *around])
    apart = order.kept_apart
    found: list[Overlap] = []
    batch: list[Overlap] = []
    for overlap in claim_overlaps(bundles):
        if apart(overlap.a, overlap.b):
            continue
        batch.append(overlap)
        if limit is not None and len(batch) >= 20 * limit:
            found, batch = found + _could_meet(order, batch), []
            if len(found) >= limit:
                break
    found += _could_meet(order, batch)
    return sorted(found)[:limit]


def _could_meet(order: Simultaneity, overlaps: Sequence[Overlap]) -> list[Overlap]:
    """Return the overlaps whose workstreams could run at the same time."""
    possible = set(order.among((o.a, o.b) for o in overlaps))
    return [o for o in overlaps if (o.a, o.b) in possible]
