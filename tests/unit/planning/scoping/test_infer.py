"""The ladder: which way of finding an item's files decides, and what stays doubtful."""

from __future__ import annotations

import pytest

from penstock.planning.scoping.api import Rung, Scope
from penstock.planning.scoping.infer import infer, plan_folders
from penstock.planning.sources.api import Dialect, ItemState, Place, PlanSource, Use
from tests.support.terrains import (
    FakeSymbols,
    FakeTerrain,
    item,
    passage,
    source,
    stated,
    unit,
)

FILES = ("src/a.py", "src/b.py", "src/c.py", "src/deep/d.py", "tests/test_a.py", "tasks.md")
TERRAIN = FakeTerrain(FILES, [["src/a.py", "tests/test_a.py"]] * 4)
INDEX = FakeSymbols({"Parser": ["src/b.py"], "parse_all": ["src/c.py"]})


def scopes(plan: PlanSource, threshold: float = 0.5) -> dict[str, Scope]:
    """The scopes of a plan in the small repository."""
    return infer(plan, TERRAIN, threshold=threshold, index=INDEX)


def scope(plan: PlanSource, key: str = "1", threshold: float = 0.5) -> Scope:
    """The scope of one item."""
    return scopes(plan, threshold)[key]


def decided(found: Scope) -> list[tuple[str, Rung]]:
    """The paths to change with the way that found each."""
    return [(guess.path, guess.rung) for guess in found.guesses if guess.use is not Use.READ]


def test_what_is_stated_decides() -> None:
    """A field for paths beats what the text names, which stays doubtful."""
    found = scope(source(unit(item("Fix src/b.py", paths=(stated("src/a.py"),)))))
    assert decided(found) == [("src/a.py", Rung.STATED)]
    assert [g.path for g in found.doubtful if g.rung is Rung.NAMED] == ["src/b.py"]


def test_what_a_unit_states_holds_for_its_items() -> None:
    """An item has the files of its unit and those that it names itself."""
    found = scopes(source(unit("Fix src/b.py", "Tidy up", paths=(stated("src/a.py"),))))
    assert decided(found["1"]) == [("src/a.py", Rung.STATED), ("src/b.py", Rung.NAMED)]
    assert decided(found["2"]) == [("src/a.py", Rung.STATED)]


def test_what_is_named_decides_before_symbols() -> None:
    """A path in the text beats a symbol in it."""
    found = scope(source(unit("Call `Parser` from src/a.py")))
    assert decided(found) == [("src/a.py", Rung.NAMED)]
    assert ("src/b.py", Rung.SYMBOL) in [(g.path, g.rung) for g in found.doubtful]


def test_an_analysis_decides_where_the_item_names_nothing() -> None:
    """What the analysis of a task names is as good as named, with its own place."""
    found = scope(source(unit("Tidy up", passages=(passage("see\n- src/c.py", "analysis"),))))
    assert decided(found) == [("src/c.py", Rung.NAMED)]
    assert found.guesses[0].place == Place("analysis.md", 2)


def test_a_symbol_decides_where_no_path_is_named() -> None:
    """The file that defines what the text names is its scope."""
    assert decided(scope(source(unit("Speed up `Parser`")))) == [("src/b.py", Rung.SYMBOL)]


def test_without_an_index_symbols_are_left_alone() -> None:
    """No index, no guess."""
    plan = source(unit("Speed up `Parser`"))
    assert infer(plan, TERRAIN, threshold=0.5)["1"].guesses == ()


def test_what_the_source_states_comes_after_what_an_item_says() -> None:
    """Roots that hold for the whole plan are taken where an item says nothing itself."""
    plan = source(
        unit("Fix src/a.py", "Tidy up"), paths=(stated("src/", field="allowedEditRoots"),)
    )
    assert decided(scope(plan)) == [("src/a.py", Rung.NAMED)]
    assert decided(scope(plan, "2")) == [("src/", Rung.STATED)]


def test_affected_areas_come_last() -> None:
    """Areas that a change affects are taken only where nothing else is known."""
    areas = (stated("src/deep/", field="affected_areas"),)
    design = (passage("## Tidying\nUp in src/c.py we tidy"),)
    assert decided(scope(source(unit("Do"), paths=areas))) == [("src/deep/", Rung.STATED)]
    both = scope(source(unit("Tidying it"), paths=areas, passages=design))
    assert decided(both) == [("src/c.py", Rung.SIBLING)]


def test_the_section_of_a_unit_decides() -> None:
    """The files that the spec's section names are those of an item that says nothing."""
    plan = source(unit("Tidy up", passages=(passage("It is in src/c.py", "spec"),)))
    found = scope(plan)
    assert decided(found) == [("src/c.py", Rung.SIBLING)]
    assert found.guesses[0].evidence.endswith("in the spec")


@pytest.mark.parametrize("dialect", [Dialect.OPENSPEC, Dialect.SPEC_KIT])
def test_siblings_share_within_a_group(dialect: Dialect) -> None:
    """In a group or story an item without a path takes the others' files."""
    plan = source(unit(item("Fix src/a.py", label="1.1"), item("Tidy", "2")), dialect=dialect)
    found = scope(plan, "2")
    assert decided(found) == [("src/a.py", Rung.SIBLING)]
    assert found.guesses[0].evidence == "1.1 of g1 is about it"


@pytest.mark.parametrize("dialect", [Dialect.CHECKLIST, Dialect.CCPM, Dialect.TASK_MASTER])
def test_siblings_elsewhere_are_doubtful(dialect: Dialect) -> None:
    """Where items stand below one heading by chance, their files are only a hint."""
    found = scope(source(unit("Fix src/a.py", "Tidy up"), dialect=dialect), "2")
    assert (found.guesses, found.doubtful[0].rung) == ((), Rung.HISTORY)
    assert "src/a.py" in [guess.path for guess in found.doubtful]


def test_siblings_do_not_stand_in_for_a_path_that_is_missing() -> None:
    """An item that names a path which is not there is not about its siblings' files."""
    about = (passage("It is in src/c.py"),)
    texts = ("Fix src/a.py", "Write src/zz.py", "Write it (see src/zz.py)")
    plan = source(unit(*texts), dialect=Dialect.SPEC_KIT, passages=about)
    found = scopes(plan)
    assert (found["2"].guesses, [m.path for m in found["2"].unresolved]) == ((), ["src/zz.py"])
    assert decided(found["3"]) == [("src/a.py", Rung.SIBLING)]


def test_what_is_missing_is_told_with_what_is_like_it() -> None:
    """A path that is not there is told with the paths that may be meant."""
    (missing,) = scope(source(unit("Fix src/bb.py"))).unresolved
    assert (missing.path, missing.near[0]) == ("src/bb.py", "src/b.py")


def test_a_large_group_is_no_evidence() -> None:
    """Where siblings touch everything, an item without a path is about none of it for sure."""
    files = [f"src/{n}.py" for n in range(20)]
    plan = source(unit(*(f"Fix {path}" for path in files), "Tidy"), dialect=Dialect.SPEC_KIT)
    assert infer(plan, FakeTerrain(files), threshold=0.5)["21"].guesses == ()


def test_siblings_that_are_done_count() -> None:
    """What was done before tells which files a group is about."""
    done = item("Create src/a.py", state=ItemState.DONE)
    plan = source(unit(done, item("Test it", "2")), dialect=Dialect.OPENSPEC)
    assert decided(scope(plan, "2")) == [("src/a.py", Rung.SIBLING)]


def test_design_decides_where_it_speaks_of_the_item() -> None:
    """Of a long design those lines count that share words with the item."""
    lines = "\n".join(f"Part {n} is in src/{n}.py" for n in "abc")
    plan = source(
        unit("Cache the tokenizer output", "Do it"),
        passages=(passage(f"{lines}\nThe tokenizer cache lives in src/deep/d.py"),),
    )
    assert decided(scope(plan)) == [("src/deep/d.py", Rung.SIBLING)]
    assert decided(scope(plan, "2")) == []


def test_a_design_of_few_files_is_about_them() -> None:
    """Where the whole plan names three files at most, those are what it is about."""
    plan = source(unit("Do it"), passages=(passage("All of it is in src/a.py"),))
    assert decided(scope(plan)) == [("src/a.py", Rung.SIBLING)]


def test_history_adds_what_is_doubtful() -> None:
    """What changed together with the scope is told and does not become scope."""
    found = scope(source(unit("Fix src/a.py")))
    assert decided(found) == [("src/a.py", Rung.NAMED)]
    assert [(g.path, g.rung) for g in found.doubtful] == [("tests/test_a.py", Rung.HISTORY)]


def test_history_decides_when_that_is_asked_for() -> None:
    """A low threshold lets the last rung decide; a wider one lets it add."""
    plan = source(unit("Fix src/a.py"))
    found = infer(plan, TERRAIN, threshold=0.4, widen={Rung.HISTORY})["1"]
    assert [guess.path for guess in found.guesses] == ["src/a.py", "tests/test_a.py"]


def test_the_threshold_is_what_counts() -> None:
    """Above what the item's own words give, nothing is scope and all is doubtful."""
    found = scope(source(unit("Fix src/a.py")), threshold=0.99)
    assert (found.guesses, found.doubtful[0].path) == ((), "src/a.py")
    assert all(guess.confidence < 0.99 for guess in found.doubtful)


def test_what_is_read_is_no_scope() -> None:
    """A reference is kept as one, and an item of nothing else has no scope."""
    found = scope(source(unit("See src/a.py and fix src/b.py", "See src/a.py")))
    assert found.paths(Use.READ) == ("src/a.py",)
    assert decided(scope(source(unit("See src/a.py")))) == []


def test_each_path_once() -> None:
    """A path that is named several ways is told once, with the use that claims most."""
    found = scope(source(unit("See src/a.py, then fix `src/a.py` and create src/n.py; src/n.py")))
    assert [(g.path, g.use) for g in found.guesses] == [
        ("src/a.py", Use.MODIFY),
        ("src/n.py", Use.CREATE),
    ]


def test_what_a_plan_states_wrongly_is_told_once() -> None:
    """A missing path of the plan or of a unit is told with the first open item."""
    bad = (stated("src/zz.py"),)
    done = item("x", "1", state=ItemState.DONE)
    plan = source(unit(done, item("y", "2"), item("z", "3"), paths=bad), paths=(stated("gone/"),))
    found = scopes(plan)
    assert [len(found[key].unresolved) for key in "123"] == [0, 2, 0]


def test_nothing_is_told_of_a_plan_that_is_done() -> None:
    """What a plan of which nothing is open states wrongly harms nobody."""
    done = item("x", state=ItemState.DONE)
    assert scope(source(unit(done, paths=(stated("src/zz.py"),)))).unresolved == ()


def test_examples_in_a_design_are_not_told() -> None:
    """What a design names and is not there is no mistake of a task; an analysis' is."""
    plan = source(
        unit("x", passages=(passage("edit src/zz.py", "analysis"), passage("src/yy.py", "spec"))),
        passages=(passage("src/xx.py"),),
    )
    assert [missing.path for missing in scope(plan).unresolved] == ["src/zz.py"]


def test_lines_of_json_are_the_items_own() -> None:
    """Details out of JSON have one place: the item's."""
    plan = source(
        unit(item("x", details="\n\nsrc/zz.py", place=Place("tasks.json", 9))),
        dialect=Dialect.TASK_MASTER,
    )
    assert scope(plan).unresolved[0].place == Place("tasks.json", 9)


def test_details_begin_below_the_item() -> None:
    """A path in the details stands so many lines below."""
    found = scope(source(unit(item("x", details="one\nsrc/a.py", place=Place("t.md", 4)))))
    assert found.guesses[0].place == Place("t.md", 6)


@pytest.mark.parametrize(
    ("dialect", "path", "files", "folders"),
    [
        (Dialect.CHECKLIST, "docs/todo.md", {}, ()),
        (Dialect.OPENSPEC, "openspec/changes/x/", {}, ("openspec/changes/x",)),
        (Dialect.SPEC_KIT, "specs/1/tasks.md", {"specs/1/tasks.md": ""}, ("specs/1",)),
        (Dialect.TASK_MASTER, "tasks.json", {}, (".taskmaster",)),
        (Dialect.CCPM, "-", {}, ()),
    ],
)
def test_the_folders_of_a_plan(
    dialect: Dialect, path: str, files: dict[str, str], folders: tuple[str, ...]
) -> None:
    """The plan's own folder is where the names of its files are not looked for."""
    assert plan_folders(source(dialect=dialect, path=path, files=files)) == folders
