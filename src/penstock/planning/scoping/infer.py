"""Scope inference: which files each item of a plan is about, and why that is thought.

Ways are tried from the surest to the least sure: paths that fields state, paths that the item or its
analysis names, symbols that it names, files that the spec's section or sibling items name, files
that history changed together with those. The first way that is sure enough decides; what the later
ones find stays doubtful. Nothing is invented: what is named, is not there and is not said to be new
is told as unresolved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from penstock.planning.scoping import confidence as sure
from penstock.planning.scoping import siblings
from penstock.planning.scoping.api import Guess, Rung, Scope, Symbols, Terrain, Unresolved
from penstock.planning.scoping.evidence import Evidence
from penstock.planning.scoping.ground import Ground
from penstock.planning.scoping.history import History
from penstock.planning.scoping.named import Namer, joined
from penstock.planning.scoping.stated import stated_evidence
from penstock.planning.scoping.symbolic import symbol_guesses
from penstock.planning.sources.api import (
    Dialect,
    Item,
    ItemState,
    Passage,
    Place,
    PlanSource,
    StatedPath,
    Unit,
    Use,
)

Step = Sequence[Guess]
_AREAS = "affected_areas"
_MOST_DOUBTFUL = 12


def infer(
    source: PlanSource,
    terrain: Terrain,
    *,
    threshold: float,
    index: Symbols | None = None,
    widen: Collection[Rung] = (),
) -> dict[str, Scope]:
    """Return the scope of every item by its key, in the order of the source.

    Guesses of a confidence of at least `threshold` (0 to 1) count. `index` resolves symbols, which
    are left alone without it. Rungs in `widen` add to a scope that an earlier one has decided.
    """
    ground = Ground(terrain.files(), aside=plan_folders(source))
    return _Inference(source, ground, terrain, threshold, index, frozenset(widen)).scopes()


def plan_folders(source: PlanSource) -> tuple[str, ...]:
    """Return the folders that hold the plan itself, without slash at the end."""
    if source.dialect is Dialect.CHECKLIST or source.path in ("-", "", "."):
        return ()
    if source.dialect is Dialect.TASK_MASTER:
        return (".taskmaster",)
    path = source.path.rstrip("/")
    return (path,) if path not in source.files else (path.rpartition("/")[0],)


@dataclass(slots=True)
class _Own:
    """What an item itself and its unit's fields say: the steps of the ladder so far, what came to
    nothing, and whether the item names no path of its own that did."""

    steps: list[Step]
    odd: Evidence
    pathless: bool


class _Inference:
    """The inference for one source."""

    def __init__(
        self,
        source: PlanSource,
        ground: Ground,
        terrain: Terrain,
        threshold: float,
        index: Symbols | None,
        widen: frozenset[Rung],
    ) -> None:
        self._source = source
        self._ground = ground
        self._threshold = threshold
        self._index = index
        self._widen = widen
        self._namer = Namer(ground)
        self._numbered = source.dialect is not Dialect.TASK_MASTER
        self._history = History(terrain, ground.files)
        areas = [path for path in source.paths if path.field == _AREAS]
        others = [path for path in source.paths if path.field != _AREAS]
        self._stated = self._state(others, sure.STATED_BY_SOURCE)
        self._areas = self._state(areas, sure.STATED_AREA)
        self._sections = siblings.Sections(self._read(source.passages))
        self._odd = Evidence()
        self._odd.take_odd(self._stated)
        self._odd.take_odd(self._areas)

    def _state(self, paths: Iterable[StatedPath], confidence: float) -> Evidence:
        return stated_evidence(paths, self._ground, confidence)

    def _read(self, passages: Iterable[Passage]) -> list[siblings.Section]:
        return [
            siblings.read_section(passage, self._namer, numbered=self._numbered)
            for passage in passages
        ]

    def scopes(self) -> dict[str, Scope]:
        """Return the scopes of all items."""
        scopes: dict[str, Scope] = {}
        for unit in self._source.units:
            scopes.update(self._of_unit(unit))
        return scopes

    def _of_unit(self, unit: Unit) -> dict[str, Scope]:
        sections = self._read(unit.passages)
        stated = self._state(unit.paths, sure.STATED_BY_UNIT)
        own = {item.key: self._own(item, stated, sections) for item in unit.items}
        self._tell_once(unit, own, (stated, *siblings.odd_of_analyses(sections)))
        decided = {key: self._decided(known.steps)[1] for key, known in own.items()}
        shared = siblings.Shared(unit, decided, self._source.dialect)
        scopes = {}
        for item in unit.items:
            known = own[item.key]
            known.steps += self._beyond(item, unit, sections, shared, known)
            scopes[item.key] = self._scope(known)
        return scopes

    def _own(
        self,
        item: Item,
        stated: Evidence,
        sections: Sequence[siblings.Section],
    ) -> _Own:
        """Return what an item itself and its unit's fields say."""
        mine = self._state(item.paths, sure.STATED_BY_ITEM)
        named = self._named(item)
        mine.take_odd(named)
        # What the unit states holds for all of its items, so an item adds what it names itself.
        unit_step = [*stated.guesses, *named.guesses] if stated.guesses else []
        analyses = siblings.of_analyses(sections)
        symbols = symbol_guesses(item, self._index) if self._index is not None else []
        steps: list[Step] = [
            mine.guesses, unit_step, named.guesses, analyses, symbols, self._stated.guesses,
        ]  # fmt: skip
        return _Own(steps, mine, pathless=mine.misses == 0)

    def _tell_once(self, unit: Unit, own: dict[str, _Own], odd: Iterable[Evidence]) -> None:
        """Put what came to nothing for a whole unit, or for the plan, to one item that is open: what
        is odd about others is told to nobody."""
        bearer = next((item.key for item in unit.items if item.state is ItemState.OPEN), None)
        if bearer is not None:
            for found in (*odd, self._odd):
                own[bearer].odd.take_odd(found)
            self._odd = Evidence()

    def _named(self, item: Item) -> Evidence:
        named = self._namer.read(item.text, item.place, numbered=False)
        below = Place(item.place.file, item.place.line + self._numbered)
        named.take(self._namer.read(item.details, below, numbered=self._numbered))
        return joined(named, self._ground, item.place)

    def _decided(self, steps: Sequence[Step]) -> tuple[int, tuple[Guess, ...]]:
        """Return the number of the first step that is sure enough, and its guesses that are."""
        for number, step in enumerate(steps):
            enough = tuple(guess for guess in step if guess.confidence >= self._threshold)
            if any(guess.use is not Use.READ for guess in enough):
                return number, enough
        return len(steps), ()

    def _beyond(
        self,
        item: Item,
        unit: Unit,
        sections: Sequence[siblings.Section],
        shared: siblings.Shared,
        own: _Own,
    ) -> list[Step]:
        """Return what the passages and the other items say: those about more than the unit are not
        asked where the item itself says enough."""
        if self._decided(own.steps)[1]:
            return [siblings.of_unit(sections)]
        steps: list[Step] = [
            siblings.of_unit(sections),
            shared.guesses(),
            self._sections.guesses(item, unit),
            self._areas.guesses,
        ]
        return (
            steps if own.pathless else [list(map(siblings.beside_a_miss, step)) for step in steps]
        )

    def _scope(self, known: _Own) -> Scope:
        steps = [*known.steps, self._history.partners(self._anchors(known.steps))]
        at, sure_ones = self._decided(steps)
        later = [guess for step in steps for guess in step if guess not in sure_ones]
        wide = [g for g in later if self._adds(g, at < len(steps))]
        rest = [guess for guess in later if guess not in wide]
        return self._assembled((*sure_ones, *wide), rest, known.odd)

    def _anchors(self, steps: Sequence[Step]) -> list[str]:
        """Return the paths whose history is looked up: those decided, else those that may be."""
        _, decided = self._decided(steps)
        return [guess.path for guess in decided or [g for step in steps for g in step]]

    def _adds(self, guess: Guess, decided: bool) -> bool:
        """Tell whether a guess counts although another way decided: what is read is no claim."""
        if guess.confidence < self._threshold:
            return False
        return guess.use is Use.READ or (decided and guess.rung in self._widen)

    def _assembled(self, kept: Sequence[Guess], rest: Sequence[Guess], odd: Evidence) -> Scope:
        guesses = _each_once(kept)
        taken = {guess.path for guess in guesses}
        doubtful = _each_once(guess for guess in rest if guess.path not in taken)
        ranked = sorted(doubtful, key=lambda guess: -guess.confidence)[:_MOST_DOUBTFUL]
        return Scope(
            guesses=guesses,
            doubtful=tuple(self._doubted(guess) for guess in ranked),
            unresolved=tuple(map(self._with_near, dict.fromkeys(odd.unresolved))),
            existing=tuple(dict.fromkeys(odd.existing)),
            refused=tuple(dict.fromkeys(odd.refused)),
        )

    def _with_near(self, missing: Unresolved) -> Unresolved:
        return msgspec.structs.replace(missing, near=self._ground.near(missing.path))

    def _doubted(self, guess: Guess) -> Guess:
        confidence = sure.below(guess.confidence, self._threshold)
        return msgspec.structs.replace(guess, confidence=confidence)


_STRENGTH = {Use.CREATE: 2, Use.MODIFY: 1, Use.READ: 0}


def _each_once(guesses: Iterable[Guess]) -> tuple[Guess, ...]:
    """Return guesses with every path once: the use that claims most, then the surest."""
    best: dict[str, Guess] = {}
    for guess in guesses:
        known = best.get(guess.path)
        rank = (_STRENGTH[guess.use], guess.confidence)
        if known is None or rank > (_STRENGTH[known.use], known.confidence):
            best[guess.path] = guess
    return tuple(best.values())
