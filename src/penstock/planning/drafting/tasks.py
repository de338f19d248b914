"""The open items of some sources with the paths that they may claim, and what was refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from penstock.errors import UsageError
from penstock.planning.drafting.api import ItemCount, PlanOptions
from penstock.planning.scoping.api import Guess, Rung, Scope
from penstock.planning.sources.api import (
    Item,
    ItemState,
    Notice,
    PlanSource,
    Severity,
    StatedPath,
    Unit,
    Use,
)
from penstock.schedule.scope import ScopeMatcher, normalise, overlap, refusal

MAX_PATH = 1024
_EMPTY = Scope()
_SURE = (Rung.STATED, Rung.NAMED)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """An open item. `at` counts the open items and `unit_at` the units of all sources.

    `guesses` are what it claims or reads, with paths as claims are compared; `claims` those that
    it may change, without any it needs a scope.
    """

    at: int
    source: int
    unit_at: int
    unit: Unit
    item: Item
    scope: Scope
    guesses: tuple[Guess, ...]
    claims: tuple[str, ...]

    def paths(self, use: Use) -> tuple[str, ...]:
        """Return the paths of one use, each once."""
        return tuple(dict.fromkeys(g.path for g in self.guesses if g.use is use))

    @property
    def name(self) -> str:
        """What to call it in a sentence: its label, else the beginning of its text."""
        return name_of(self.item)

    @property
    def sure(self) -> tuple[Guess, ...]:
        """The claims that the source itself makes, not those taken over from elsewhere."""
        return tuple(g for g in self.guesses if g.rung in _SURE and g.use is not Use.READ)


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """The open items of all sources in written order, the units, and what was odd."""

    sources: tuple[PlanSource, ...]
    units: tuple[Unit, ...]
    tasks: tuple[Task, ...]
    notices: tuple[Notice, ...]

    def counts(self) -> ItemCount:
        """Count every item of every source once."""
        states = [item.state for source in self.sources for item in source.items]
        planned = sum(1 for task in self.tasks if task.claims)
        return ItemCount(
            total=len(states),
            planned=planned,
            done=states.count(ItemState.DONE),
            needs_scope=len(self.tasks) - planned,
            skipped=states.count(ItemState.SKIPPED),
        )


def name_of(item: Item) -> str:
    """Return an item's label, else the beginning of its text."""
    text = item.text if len(item.text) <= 60 else item.text[:57] + "..."
    return item.label or (f"'{text}'" if text else f"'{item.key}'")


def gather(
    sources: Sequence[PlanSource], scopes: Sequence[Mapping[str, Scope]], options: PlanOptions
) -> Gathered:
    """Put the open items of all sources and what is known of their files together.

    Raises UsageError when a path of `options.files_scope` is none.
    """
    gathering = _Gathering(_supplied(options.files_scope))
    for at, (source, known) in enumerate(zip(sources, scopes, strict=True)):
        for unit in source.units:
            gathering.add(at, unit, known)
    return Gathered(
        sources=tuple(sources),
        units=tuple(gathering.units),
        tasks=tuple(gathering.tasks),
        notices=tuple(gathering.notices),
    )


class _Gathering:
    """Units and their open items on their way; `supplied` is for what has no scope."""

    def __init__(self, supplied: Sequence[Guess]) -> None:
        self.units: list[Unit] = []
        self.tasks: list[Task] = []
        self.notices: list[Notice] = []
        self._supplied = supplied

    def add(self, source: int, unit: Unit, known: Mapping[str, Scope]) -> None:
        """Take a unit and its open items in."""
        fence = _Fence(unit)
        self.units.append(unit)
        for item in unit.items:
            if item.state is not ItemState.OPEN:
                continue
            scope = known.get(item.key, _EMPTY)
            guesses = tuple(self._allowed(item, scope, fence))
            task = Task(
                at=len(self.tasks),
                source=source,
                unit_at=len(self.units) - 1,
                unit=unit,
                item=item,
                scope=scope,
                guesses=guesses,
                claims=tuple(dict.fromkeys(g.path for g in guesses if g.use is not Use.READ)),
            )
            self.tasks.append(task)

    def _allowed(self, item: Item, scope: Scope, fence: _Fence) -> Iterator[Guess]:
        """Yield the guesses that may stand, else those that the user supplies."""
        any_claim = False
        for guess in scope.guesses:
            plain, notice = fence.judge(item, guess)
            if notice is not None:
                self.notices.append(notice)
            if plain is not None:
                any_claim = any_claim or guess.use is not Use.READ
                yield msgspec.structs.replace(guess, path=plain)
        if not any_claim:
            yield from self._supplied


def _supplied(paths: Sequence[str]) -> tuple[Guess, ...]:
    """The scope that the user gives to what has none."""
    found = []
    for path in paths:
        try:
            plain = normalise(path)
        except ValueError as error:
            raise UsageError(
                f"the path '{path}' of files_scope is wrong: {error}",
                hint="Give paths of the repository, such as --files-scope src/",
            ) from error
        if (why := _refusal(plain)) is not None:
            raise UsageError(f"the path '{path}' of files_scope cannot be used: {why}")
        found.append(
            Guess(
                path=plain,
                use=Use.MODIFY,
                rung=Rung.STATED,
                confidence=1.0,
                evidence="given as files_scope",
            )
        )
    return tuple(found)


class _Fence:
    """What no item of a unit may claim: what is always refused, and what its author forbids."""

    def __init__(self, unit: Unit) -> None:
        self._forbidden = tuple(_plain_paths(unit.forbidden))
        self._matcher = ScopeMatcher(path for path, _ in self._forbidden)

    def judge(self, item: Item, guess: Guess) -> tuple[str | None, Notice | None]:
        """Return the path to claim, None when it is refused, and what is to be said of it."""
        try:
            plain = normalise(guess.path)
        except ValueError as error:
            return None, _refused(item, guess, str(error))
        if (why := _refusal(plain)) is not None:
            return None, _refused(item, guess, why)
        if guess.use is Use.READ or not self._forbidden:
            return plain, None
        if self._matcher.allows(plain.rstrip("/")):
            return None, _forbidden(item, guess, self._which(plain))
        if (place := self._meets(plain)) is not None:
            return plain, _partly(item, guess, place)
        return plain, None

    def _which(self, plain: str) -> StatedPath:
        name = plain.rstrip("/")
        return next(s for path, s in self._forbidden if ScopeMatcher([path]).allows(name))

    def _meets(self, plain: str) -> StatedPath | None:
        return next((stated for path, stated in self._forbidden if overlap(path, plain)), None)


def _plain_paths(stated: Sequence[StatedPath]) -> Iterator[tuple[str, StatedPath]]:
    """Yield the stated paths that are claims; a reader has told of the others."""
    for one in stated:
        try:
            yield normalise(one.path), one
        except ValueError:
            continue


def _refusal(plain: str) -> str | None:
    """Say why a normalised claim can be nobody's, or return None."""
    if len(plain) > MAX_PATH:
        return f"longer than {MAX_PATH} characters"
    return refusal(plain.rstrip("/"))


def _refused(item: Item, guess: Guess, why: str) -> Notice:
    return Notice(
        code="refused-path",
        severity=Severity.WARNING,
        text=f"{name_of(item)} is about {_short(guess.path)}, which no workstream may claim: {why}",
        place=guess.place or item.place,
    )


def _forbidden(item: Item, guess: Guess, stated: StatedPath) -> Notice:
    """A claim that the author forbids: a contradiction only where the author makes the claim."""
    says = guess.rung in _SURE
    return Notice(
        code="forbidden-path",
        severity=Severity.ERROR if says else Severity.INFO,
        text=f"{name_of(item)} is about {_short(guess.path)}, which {stated.place} excludes; "
        "it is left out of the scope",
        place=guess.place or item.place,
        hint="Take the path out of one of the two." if says else None,
    )


def _partly(item: Item, guess: Guess, stated: StatedPath) -> Notice:
    return Notice(
        code="forbidden-path",
        severity=Severity.WARNING,
        text=f"{name_of(item)} claims {_short(guess.path)}, within which {stated.place} excludes "
        f"{_short(stated.path)}",
        place=guess.place or item.place,
        hint="Name the files instead of the folder.",
    )


def _short(path: str) -> str:
    return path if len(path) <= 200 else path[:197] + "..."
