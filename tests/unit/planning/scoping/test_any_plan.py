"""Scope inference over any plan: what holds whatever people write."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.planning.scoping.api import Scope
from penstock.planning.scoping.ground import Ground
from penstock.planning.scoping.infer import infer
from penstock.planning.sources.api import Dialect, PlanSource, Use
from penstock.schedule.glob import WILDCARD
from penstock.schedule.scope import normalise, refusal
from tests.support.terrains import (
    FakeSymbols,
    FakeTerrain,
    item,
    passage,
    source,
    stated,
    unit,
)

FILES = ("src/a.py", "src/b/a.py", "src/b/c.ts", "tests/test_a.py", "文/设计.md", "README.md")
TERRAIN = FakeTerrain(FILES, [["src/a.py", "tests/test_a.py"]] * 5)
INDEX = FakeSymbols({"Parser": ["src/a.py"], "load_all": ["src/a.py", "src/b/c.ts"]})
WORDS = st.sampled_from(
    [*FILES, "a.py", "src/", "src/zz.py", "../x.py", "/etc/passwd", ".git/config", "state/x.py",
     "src/**/*.ts", "src/{a,b}.py", "C:\\x.py", "~/x.py", "`", "``", "**", "(", ")", "[x](", "Create",
     "Update", "see", "new", "(new)", "and", ",", ".", "`Parser`", "load_all()", "Parser.load_all",
     "新建", "参考", "を作成", "```", "\n", "\n```\n", "://", "http://x.y/a.py", "a/b", "and/or"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(WORDS, max_size=10).map(" ".join), st.text(max_size=40))
PATHS = st.lists(st.tuples(TEXTS, st.sampled_from(Use)), max_size=2)


@st.composite
def plans(draw: st.DrawFn) -> PlanSource:
    """Plans of a few units, items, fields and passages."""
    units = []
    for number in range(draw(st.integers(0, 3))):
        items = [
            item(
                draw(TEXTS),
                f"{number}{at}",
                details=draw(TEXTS),
                paths=tuple(stated(path, use) for path, use in draw(PATHS)),
            )
            for at in range(draw(st.integers(1, 3)))
        ]
        notes = (passage(draw(TEXTS), draw(st.sampled_from(["analysis", "spec"]))),)
        fields = tuple(stated(path, use) for path, use in draw(PATHS))
        units.append(unit(*items, key=f"g{number}", passages=notes, paths=fields))
    dialect = draw(st.sampled_from(Dialect))
    return source(*units, dialect=dialect, passages=(passage(draw(TEXTS)),))


def inferred(plan: PlanSource, threshold: float = 0.5) -> dict[str, Scope]:
    """The scopes of a plan in the small repository."""
    return infer(plan, TERRAIN, threshold=threshold, index=INDEX)


@settings(deadline=None, max_examples=60)
@given(plans())
def test_every_item_has_a_scope(plan: PlanSource) -> None:
    """Every item has one scope, in the order of the source, the same every time."""
    found = inferred(plan)
    assert list(found) == [one.key for one in plan.items]
    assert inferred(plan) == found


@settings(deadline=None, max_examples=60)
@given(plans(), st.floats(0, 1))
def test_the_threshold_parts_guesses(plan: PlanSource, threshold: float) -> None:
    """What counts reaches the threshold, what is doubtful does not, and no path is both."""
    for scope in inferred(plan, threshold).values():
        assert all(guess.confidence >= threshold for guess in scope.guesses)
        assert all(guess.confidence < max(threshold, 0.01) for guess in scope.doubtful)
        paths = [guess.path for guess in (*scope.guesses, *scope.doubtful)]
        assert len(paths) == len(set(paths))


@settings(deadline=None, max_examples=60)
@given(plans())
def test_nothing_is_invented(plan: PlanSource) -> None:
    """What is changed or read is there, what is created is not, nor is what is unresolved."""
    ground = Ground(FILES)
    for scope in inferred(plan).values():
        for guess in (*scope.guesses, *scope.doubtful):
            if guess.use is Use.CREATE:
                assert not ground.has(guess.path)
            elif not WILDCARD.search(guess.path):
                assert ground.has(guess.path)
        assert not any(ground.has(missing.path) for missing in scope.unresolved)
        assert all(ground.has(there.path) for there in scope.existing)


@settings(deadline=None, max_examples=60)
@given(plans())
def test_every_path_may_be_claimed(plan: PlanSource) -> None:
    """No guess leads out of the repository or to what no workstream may touch."""
    for scope in inferred(plan).values():
        for guess in (*scope.guesses, *scope.doubtful):
            assert refusal(normalise(guess.path).rstrip("/")) is None


HARD = {
    "slashes": "a/" * 100_000,
    "backticks": "`" * 100_000,
    "pairs of backticks": "`a` " * 50_000,
    "brackets": "[({" * 50_000,
    "stars": "*" * 100_000,
    "stars in paths": "a/" + "*a" * 5_000 + ".py",
    "dots": "." * 100_000,
    "words": "create a new file " * 20_000,
    "spaces": "Create" + " " * 100_000 + "src/a.py",
    "paths": " ".join(f"src/{n}.py" for n in range(10_000)),
    "braces": "src/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}.py " * 500,
    "snakes": "_a" * 50_000,
    "camels": "aB" * 50_000,
    "members": "a." * 50_000,
    "calls": "f(" * 50_000,
    "an at sign": "a@" + "b." * 50_000,
    "hosts": "a." * 40_000 + "com/",
    "capitals": ("Aa" + "A" * 5_000 + "_ ") * 20,
    "colons": "create " + "a : " * 20_000 + "src/a.py",
    "fences": "```\n" * 20_000,
}


@pytest.mark.parametrize("text", HARD.values(), ids=HARD)
def test_hard_texts_take_no_time(text: str) -> None:
    """No text makes a search go back over itself again and again."""
    start = time.process_time()
    plan = source(unit(item(text, details=text)), passages=(passage(text),))
    inferred(plan)
    assert time.process_time() - start < 60


def test_a_design_of_five_megabytes() -> None:
    """A very long design is read once for all items."""
    line = "The parser of part {0} in src/b/c.ts calls load_all and `src/zz{0}.py`; see {0}.\n"
    text = "".join(line.format(number) for number in range(60_000))
    plan = source(unit(*["Tidy the parser"] * 20), passages=(passage(text),))
    start = time.process_time()
    assert len(inferred(plan)) == 20
    assert time.process_time() - start < 300
