"""Plans for tests of drafting: sources, scopes and drafts made from few words, and random ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from penstock.model.bundle import Bundle
from penstock.planning.api import ValidationReport
from penstock.planning.drafting.api import GroupBy, Plan, PlanOptions
from penstock.planning.drafting.draft import draft
from penstock.planning.load import judge_bundles
from penstock.planning.scoping.api import Guess, Rung, Scope
from penstock.planning.sources.api import (
    Dialect,
    Item,
    ItemState,
    Place,
    PlanSource,
    StatedPath,
    Unit,
    Use,
)

FILE = "plan.md"


def item(key: str, *, line: int = 1, file: str = FILE, **fields: Any) -> Item:
    """An open item called by its key."""
    base: dict[str, Any] = {
        "label": key,
        "text": f"Do {key}",
        "state": ItemState.OPEN,
        "raw_state": "[ ]",
        "place": Place(file, line),
    }
    return Item(key=key, **(base | fields))


def done(key: str, **fields: Any) -> Item:
    """An item that is ticked off."""
    return item(key, state=ItemState.DONE, raw_state="[x]", **fields)


def unit(key: str, *items: Item | str, line: int = 1, **fields: Any) -> Unit:
    """A unit of items; a text is an item of that key, in the line of its number."""
    made = tuple(
        one if isinstance(one, Item) else item(one, line=line + at)
        for at, one in enumerate(items, 1)
    )
    base: dict[str, Any] = {
        "kind": "group",
        "title": f"Unit {key}",
        "place": Place(FILE, line),
        "issue": key,
    }
    return Unit(key=key, items=made, **(base | fields))


def source(*units: Unit, ident: str = "add-login", **fields: Any) -> PlanSource:
    """A source of units."""
    base: dict[str, Any] = {
        "dialect": Dialect.OPENSPEC,
        "plan_id": ident,
        "title": ident,
        "path": FILE,
        "files": {FILE: "0" * 64},
    }
    return PlanSource(id=ident, units=units, **(base | fields))


def guess(path: str, use: Use = Use.MODIFY, rung: Rung = Rung.NAMED, **fields: Any) -> Guess:
    """A guess that stands."""
    base: dict[str, Any] = {"confidence": 0.9, "evidence": f"names {path}"}
    return Guess(path=path, use=use, rung=rung, **(base | fields))


def scope(*guesses: Guess | str, **fields: Any) -> Scope:
    """A scope of guesses; a text is a named path that is changed, with `+` before it a new one."""
    return Scope(guesses=tuple(map(_guess, guesses)), **fields)


def _guess(one: Guess | str) -> Guess:
    if isinstance(one, Guess):
        return one
    return guess(one.removeprefix("+"), Use.CREATE if one.startswith("+") else Use.MODIFY)


def scopes(**paths: str | Scope) -> dict[str, Scope]:
    """Scopes by item key: paths separated by spaces. A key that starts with a digit gets a `_`."""
    return {
        key.removeprefix("_").replace("__", "."): one
        if isinstance(one, Scope)
        else scope(*one.split())
        for key, one in paths.items()
    }


def own_files(*sources: PlanSource) -> list[dict[str, Scope]]:
    """A scope of one file of its own for each item."""
    return [
        {one.key: scope(f"src/{at}/{one.key}.py") for one in made.items}
        for at, made in enumerate(sources)
    ]


def drafted(
    sources: PlanSource | Sequence[PlanSource],
    known: Mapping[str, Scope] | Sequence[Mapping[str, Scope]] | None = None,
    *,
    sizes: Mapping[str, int] | None = None,
    default_tool: str | None = "scripted",
    taken: Sequence[str] = (),
    taken_files: Sequence[str] = (),
    around: Sequence[Bundle] = (),
    **options: Any,
) -> Plan:
    """The plan of some sources; without scopes each item has a file of its own."""
    given = [sources] if isinstance(sources, PlanSource) else list(sources)
    if known is None:
        known = own_files(*given)
    elif isinstance(known, Mapping):
        known = [known]
    return draft(
        given,
        known,
        PlanOptions(**options),
        sizes=lambda path: (sizes or {}).get(path, 0),
        default_tool=default_tool,
        taken=[*taken, *(one.id for one in around)],
        taken_files=taken_files,
        around=around,
    )


def bundles(plan: Plan) -> dict[str, Bundle]:
    """The bundles of a plan by id."""
    return {planned.bundle.id: planned.bundle for planned in plan.bundles}


def codes(plan: Plan) -> list[str]:
    """The codes of a plan's notices, sorted."""
    return sorted(notice.code for notice in plan.notices)


def judged(plan: Plan, around: Sequence[Bundle] = ()) -> ValidationReport:
    """What the validator says of a plan's bundles, together with others."""
    found = (*(planned.bundle for planned in plan.bundles), *around)
    return judge_bundles([msgspec.to_builtins(one) for one in found], None)


# -- random ones ---------------------------------------------------------------------------
PATHS = (
    "src/a.py", "src/b.py", "src/", "src/api/", "src/api/c.ts", "docs/x.md", "docs/**/*.md", "*.py",
    "web/app/[slug]/page.tsx", "Makefile", "src", "文档/说明.md", "../out.py", ".git/config", "/etc/x",
    "state/x", "",
)  # fmt: skip
TEXTS = st.text(max_size=12) | st.sampled_from(["`pytest -q`", "go to the page", "用户登录"])


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[PlanSource], list[dict[str, Scope]], PlanOptions]:
    """Sources with all that can be wrong between items, scopes that collide, and options."""
    sources = [draw(_sources(at)) for at in range(draw(st.integers(1, 3)))]
    known = [
        {one.key: draw(_scopes()) for one in made.items if draw(st.booleans()) or at}
        for at, made in enumerate(sources)
    ]
    return sources, known, draw(_options())


@st.composite
def _sources(draw: st.DrawFn, at: int) -> PlanSource:
    counts = draw(st.lists(st.integers(0, 5), max_size=4))
    keys = [f"{u}.{i}" for u, count in enumerate(counts) for i in range(count)] + ["9.9"]
    units = [f"u{u}" for u in range(len(counts))] + ["none"]
    made = [
        Unit(
            key=f"u{u}",
            kind="group",
            title=draw(TEXTS),
            place=Place(FILE, u + 1),
            items=tuple(draw(_items(f"{u}.{i}", keys)) for i in range(count)),
            issue=draw(st.integers(0, 3) | TEXTS),
            gate=draw(st.integers(1, 3)),
            depends_on=tuple(draw(st.lists(st.sampled_from(units), max_size=2))),
            conflicts_with=tuple(draw(st.lists(st.sampled_from(units), max_size=1))),
            parallel_ok=draw(st.sampled_from([True, True, False])),
            acceptance=tuple(draw(st.lists(TEXTS, max_size=2))),
            forbidden=tuple(
                StatedPath(path=path, use=Use.MODIFY, place=Place(FILE, 1), field="excluded")
                for path in draw(st.lists(st.sampled_from(PATHS), max_size=1))
            ),
        )
        for u, count in enumerate(counts)
    ]
    dialect = draw(st.sampled_from(list(Dialect)))
    ident = draw(st.sampled_from(["same", f"plan-{at}", "计划"]))
    return source(*made, ident=ident, dialect=dialect)


def _items(key: str, keys: list[str]) -> st.SearchStrategy[Item]:
    return st.builds(
        Item,
        key=st.just(key),
        label=st.none() | st.just(key),
        text=TEXTS,
        state=st.sampled_from([ItemState.OPEN, ItemState.OPEN, *ItemState]),
        raw_state=st.just("[ ]"),
        place=st.just(Place(FILE, 1)),
        details=TEXTS,
        depends_on=st.lists(st.sampled_from(keys), max_size=2).map(tuple),
        parallel=st.sampled_from([None, True, False]),
    )


def _scopes() -> st.SearchStrategy[Scope]:
    guesses = st.builds(
        guess, st.sampled_from(PATHS), st.sampled_from(list(Use)), st.sampled_from(list(Rung))
    )
    return st.builds(
        Scope,
        guesses=st.lists(guesses, max_size=3).map(tuple),
        doubtful=st.lists(guesses, max_size=1).map(tuple),
    )


def _options() -> st.SearchStrategy[PlanOptions]:
    small = st.sampled_from([1, 2, 3, 20])
    return st.builds(
        PlanOptions,
        group_by=st.sampled_from(list(GroupBy)),
        max_files=small,
        max_tasks=small,
        max_lines=st.sampled_from([100, 2000]),
        files_scope=st.sampled_from([(), ("lib/",)]),
        sketch=st.booleans(),
    )
