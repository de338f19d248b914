"""Which workstreams claim the same paths, and which could run at the same time.

Both questions have 50 million pairs for 10,000 workstreams, so neither is asked pair by pair: an
index of the claims' fixed beginnings gives the claims that can meet, and what keeps workstreams
apart (gates, groups, dependencies) is worked out for whole sets of them, held as bits of integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from penstock.model.bundle import Bundle
from penstock.schedule.graph import Edges, build_dependency_graph, components
from penstock.schedule.scope import Claim, normalise

# Bits are kept for this many workstreams at a time: for n of them n * CHUNK / 4 bytes at most.
CHUNK = 4096

# What workstreams contend for: claims or conflict groups.
KeysOf = Callable[[Bundle], Sequence[str]]


class Overlap(msgspec.Struct, frozen=True, order=True):
    """Two workstreams (`a` < `b`) with one claim of each that share a path."""

    a: str
    b: str
    claim_a: str
    claim_b: str


def claims_of(bundle: Bundle) -> Sequence[str]:
    """The normalised claims of a workstream. Raises ValueError for a claim that is none."""
    return tuple(dict.fromkeys(map(normalise, bundle.claims)))


def claim_neighbours(claims: Iterable[str]) -> dict[str, list[str]]:
    """Return, for each normalised claim, all of them that it overlaps with, itself first."""
    texts = dict.fromkeys(claims)
    found: dict[str, list[str]] = {text: [text] for text in texts}
    for a, b in _meeting_claims([Claim(text) for text in texts]):
        found[a.text].append(b.text)
        found[b.text].append(a.text)
    return found


def _meeting_claims(claims: Iterable[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Yield each pair of different claims that overlap.

    Whatever two claims share begins with both keys, so one key is a beginning of the other: in
    the sorted keys, all that a key begins stand right behind it.
    """
    ordered = sorted(claims, key=lambda c: c.key)
    count = len(ordered)
    for at, claim in enumerate(ordered):
        key, following = claim.key, at + 1
        while following < count and ordered[following].key.startswith(key):
            if claim.overlaps(ordered[following]):
                yield claim, ordered[following]
            following += 1


def simultaneous_overlaps(
    bundles: Iterable[Bundle], limit: int | None = None, *, around: Iterable[Bundle] = ()
) -> list[Overlap]:
    """Return the overlaps between workstreams that could run at the same time, sorted.

    At most `limit` are returned; the search stops there. Bundles `around` are not compared, but
    one may depend on another through them. Raises ValueError for a claim that is none.
    """
    given = sorted(bundles, key=lambda b: b.id)
    claims = {bundle.id: claims_of(bundle) for bundle in given}
    neighbours = claim_neighbours(claim for own in claims.values() for claim in own)
    found: list[Overlap] = []
    for one, other in rivals(given, lambda b: claims[b.id], neighbours, around=around):
        theirs = claims[other.id]
        pairs = ((c, n) for c in claims[one.id] for n in neighbours[c] if n in theirs)
        found.append(Overlap(one.id, other.id, *next(pairs)))
        if len(found) == limit:
            break
    return sorted(found)


def rivals(
    bundles: Sequence[Bundle],
    keys_of: KeysOf,
    neighbours: Mapping[str, Sequence[str]],
    *,
    around: Iterable[Bundle] = (),
) -> Iterator[tuple[Bundle, Bundle]]:
    """Yield the pairs that contend for neighbouring keys and could run at the same time.

    `bundles` are sorted by id, and so is each pair.
    """
    contested = _contested(bundles, keys_of, neighbours)
    if not contested:
        return
    known = {bundle.id: bundle for bundle in (*around, *bundles)}
    children, parents = build_dependency_graph(known.values())
    for start in range(0, len(contested), CHUNK):
        some = _Some(contested[start : start + CHUNK], keys_of, neighbours)
        above, below = some.reachable(parents), some.reachable(children)
        for bundle in contested:
            rest = some.contenders(bundle) & ~above[bundle.id] & ~below[bundle.id]
            for other in some.members(rest):
                if bundle.id < other.id:
                    yield bundle, other


def _contested(
    bundles: Iterable[Bundle], keys_of: KeysOf, neighbours: Mapping[str, Sequence[str]]
) -> list[Bundle]:
    """The workstreams that have a key, or a neighbour of one, in common with another."""
    uses: dict[str, int] = {}
    given = list(bundles)
    for bundle in given:
        for key in keys_of(bundle):
            uses[key] = uses.get(key, 0) + 1
    return [
        bundle
        for bundle in given
        if any(uses[key] > 1 or len(neighbours[key]) > 1 for key in keys_of(bundle))
    ]


class _Some:
    """Some workstreams as bits of integers, and sets of them by what they share."""

    def __init__(
        self, chosen: Sequence[Bundle], keys_of: KeysOf, neighbours: Mapping[str, Sequence[str]]
    ) -> None:
        self._chosen = chosen
        self._keys_of = keys_of
        self._neighbours = neighbours
        self._bits = {bundle.id: 1 << at for at, bundle in enumerate(chosen)}
        self._gates: dict[int, int] = {}
        self._groups: dict[str, int] = {}
        self._users: dict[str, int] = {}
        self._reach: dict[str, int] = {}
        for bundle in chosen:
            self._enter(bundle, self._bits[bundle.id])

    def _enter(self, bundle: Bundle, bit: int) -> None:
        """Add a workstream to the sets it belongs to; who runs alone is in no gate's set."""
        if bundle.parallel_ok:
            self._gates[bundle.gate] = self._gates.get(bundle.gate, 0) | bit
        if bundle.conflict_group is not None:
            group = bundle.conflict_group
            self._groups[group] = self._groups.get(group, 0) | bit
        for key in self._keys_of(bundle):
            self._users[key] = self._users.get(key, 0) | bit

    def contenders(self, bundle: Bundle) -> int:
        """Those with a neighbouring key that gate, group and `parallel_ok` let run beside it."""
        if not bundle.parallel_ok:
            return 0
        found = 0
        for key in self._keys_of(bundle):
            found |= self._users_near(key)
        if bundle.conflict_group is not None:
            found &= ~self._groups.get(bundle.conflict_group, 0)
        return found & self._gates.get(bundle.gate, 0) & ~self._bits.get(bundle.id, 0)

    def _users_near(self, key: str) -> int:
        """Those that use a key or one of its neighbours."""
        if key not in self._reach:
            near = 0
            for neighbour in self._neighbours[key]:
                near |= self._users.get(neighbour, 0)
            self._reach[key] = near
        return self._reach[key]

    def members(self, bits: int) -> Iterator[Bundle]:
        """Yield the workstreams of a set."""
        while bits:
            lowest = bits & -bits
            yield self._chosen[lowest.bit_length() - 1]
            bits ^= lowest

    def reachable(self, edges: Edges) -> dict[str, int]:
        """For every workstream of a graph, those of the set that its edges lead to.

        Members of a cycle are reachable from each other and from themselves.
        """
        found: dict[str, int] = {}
        bit = self._bits.get
        for component in components(edges):
            together = 0
            for ws in component:
                for other in edges[ws]:
                    together |= bit(other, 0) | found.get(other, 0)
            found.update(dict.fromkeys(component, together))
        return found


def could_run_together(bundles: Iterable[Bundle], a: str, b: str) -> bool:
    """Tell whether workstreams `a` and `b` could run at the same time within one run.

    They could not when one depends on the other, even indirectly, when a gate lies between them,
    when they share a conflict group, or when one of them runs alone (`parallel_ok` false).
    Raises KeyError when one of them is not among the bundles.
    """
    by_id = {bundle.id: bundle for bundle in bundles}
    pair = sorted((by_id[a], by_id[b]), key=lambda bundle: bundle.id)
    everything = {"": [""]}
    return any(rivals(pair, lambda _bundle: ("",), everything, around=by_id.values()))


def ordered(bundles: Iterable[Bundle], a: str, b: str) -> bool:
    """Tell whether something keeps workstreams `a` and `b` from running at the same time."""
    return not could_run_together(bundles, a, b)
