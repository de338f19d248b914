"""What is odd about tasks and sources is told, each once, with its place."""

from __future__ import annotations

from penstock.planning.drafting.check import findings
from penstock.planning.scoping.api import Refused, Rung, Scope, Unresolved
from penstock.planning.sources.api import Dialect, Notice, Place, Severity, Use
from tests.support.drafting import (
    codes,
    done,
    drafted,
    guess,
    item,
    scope,
    scopes,
    source,
    unit,
)

AT = Place("plan.md", 4)


def told(known: Scope) -> list[Notice]:
    """The notices of a plan of one item."""
    return list(drafted(source(unit("g", "a")), {"a": known}).notices)


def test_a_missing_path_is_told_with_near_ones() -> None:
    """A path that is not there and not new is reported, and never made."""
    known = scope("y.py", unresolved=(Unresolved(path="x.py", place=AT, near=("lib/x.py",)),))
    (notice,) = told(known)
    assert (notice.code, notice.place) == ("unresolved-path", AT)
    assert notice.text.endswith("there is lib/x.py")


def test_a_missing_path_is_why_there_is_no_scope() -> None:
    """Without another path the item needs a scope, because of that."""
    known = scope(unresolved=(Unresolved(path="x.py", place=AT),))
    plan = drafted(source(unit("g", "a")), {"a": known})
    assert codes(plan) == ["needs-scope", "unresolved-path"]
    assert plan.needs_scope[0].why == "names what does not exist: x.py"


def test_why_a_scope_is_needed() -> None:
    """Only reading, only doubtful guesses, and nothing at all are told apart."""
    reading = scope(guess("x.py", Use.READ))
    doubtful = scope(doubtful=(guess("x.py", confidence=0.2),))
    known = {"a": reading, "b": doubtful}
    plan = drafted(source(unit("u", "a"), unit("v", "b"), unit("w", "c")), known)
    assert [one.why for one in plan.needs_scope] == [
        "only reads files",
        "what was found is too doubtful",
        "names no file",
    ]
    assert plan.needs_scope[1].doubtful == doubtful.doubtful


def test_work_already_there_is_told() -> None:
    """What is to be created and exists may be done already."""
    (notice,) = told(scope("x.py", existing=(Unresolved(path="x.py", place=AT),)))
    assert notice.code == "exists-already"


def test_refused_paths_are_told() -> None:
    """What a reader of paths refused is told with its reason and what may be meant."""
    refused = Refused(path="/src/x.py", place=AT, why="absolute", near=("src/x.py",))
    (notice,) = told(scope("x.py", refused=(refused,)))
    assert notice.text.endswith("absolute; meant may be src/x.py")


def test_borrowed_files_are_told() -> None:
    """An item that has only what others name is planned and told."""
    (notice,) = told(scope(guess("x.py", rung=Rung.SIBLING), guess("y.py", rung=Rung.HISTORY)))
    assert notice.code == "no-file"


def test_the_same_task_twice_is_told() -> None:
    """Two open items of one unit that say the same, whatever the capitals."""
    items = [
        item("a", text="Do  it"),
        item("b", text="do it"),
        item("c", text=""),
        item("d", text=""),
    ]
    plan = drafted(source(unit("g", *items)))
    assert codes(plan) == ["duplicate-task"]
    assert "b says the same as a" in plan.notices[0].text


def test_nothing_open_is_told() -> None:
    """A plan that is done is no error."""
    plan = drafted([source(unit("g", done("a"))), source(ident="empty")])
    assert codes(plan) == ["nothing-open"]
    assert not plan.contradicts


def test_the_same_source_twice_is_an_error() -> None:
    """Its items would be done twice."""
    plan = drafted([source(unit("g", "a")), source(unit("g", "a"))])
    assert "duplicate-source" in codes(plan)


def test_findings_are_in_order_and_told_once() -> None:
    """Errors come first, then by file and line; what a reader noted is among them."""
    info = Notice(code="z", severity=Severity.INFO, text="i")
    error = Notice(code="y", severity=Severity.ERROR, text="e", place=AT)
    made = source(unit("g", item("a"), item("b", line=9)), notices=(info, error, error))
    assert [one.code for one in findings(drafted(made, {}))] == [
        "y",
        "needs-scope",
        "needs-scope",
        "z",
    ]


def test_long_texts_are_cut() -> None:
    """A task without label is named by the beginning of its text."""
    one = item("k", label=None, text="x" * 100)
    assert f"'{'x' * 57}...'" in drafted(source(unit("g", one)), {}).notices[0].text


# -- what is called parallel -----------------------------------------------------------------
def marked(*keys: str, **waits: str) -> list[str]:
    """Notices of errors about one unit of items; a key with `!` is not called parallel."""
    items = [
        item(
            key.rstrip("!"),
            line=line,
            parallel=None if key.endswith("!") else True,
            depends_on=tuple(waits.get(key, "").split()),
        )
        for line, key in enumerate(keys, 1)
    ]
    plan = drafted(source(unit("g", *items)), {one.key: scope("x.py") for one in items})
    return [notice.text for notice in plan.notices if notice.severity is Severity.ERROR]


def test_parallel_tasks_of_one_file_contradict() -> None:
    """Both lines and the file are told."""
    assert marked("a", "b") == ["called parallel, and all touch x.py: a (plan.md:1), b (plan.md:2)"]


def test_a_mark_speaks_of_its_neighbours() -> None:
    """Between two marks stands a task without one: they are not called parallel with each other."""
    assert marked("a", "b!", "c") == []


def test_what_waits_is_no_contradiction() -> None:
    """A marked task that depends on another one, also through a third, may share its file."""
    assert marked("a", "b", "c", b="a", c="b") == []
    assert len(marked("a", "b", "c", b="a")) == 1


def test_of_many_some_are_named() -> None:
    """A long list is cut."""
    assert marked(*"abcdefg")[0].endswith("e (plan.md:5) and 2 more")


def test_guesses_are_no_contradiction() -> None:
    """Only what the source names itself can contradict its marks."""
    items = [item(key, parallel=True) for key in "ab"]
    known = {key: scope(guess("x.py", rung=Rung.SIBLING)) for key in "ab"}
    assert codes(drafted(source(unit("g", *items)), known)) == ["no-file", "no-file"]


def test_a_clash_is_told_by_its_file() -> None:
    """A folder that holds the files of two others is told once for each, and not as all three."""
    items = [item(key, parallel=True) for key in "abc"]
    plan = drafted(source(unit("g", *items)), scopes(a="src/", b="src/x.py", c="src/y.py"))
    errors = [notice.text.partition(":")[0] for notice in plan.notices]
    assert errors == [
        "called parallel, and all touch src/x.py",
        "called parallel, and all touch src/y.py",
    ]


def test_tasks_of_an_epic_are_compared_across_units() -> None:
    """`parallel: true` speaks of the whole epic, but for what conflicts or waits by its author."""
    one = [item(key, parallel=True) for key in "abcd"]
    units = [
        unit("a", one[0]),
        unit("b", one[1], conflicts_with=("a",)),
        unit("c", one[2], depends_on=("a", "b")),
    ]
    known = {key: scope("x.py") for key in "abcd"}
    calm = drafted(source(*units, dialect=Dialect.CCPM), known)
    assert not calm.contradicts
    odd = drafted(source(*units, unit("d", one[3]), dialect=Dialect.CCPM), known)
    assert codes(odd).count("parallel-overlap") == 1
