"""Which paths items may claim, and what is said of the others."""

from __future__ import annotations

import pytest

from penstock.errors import UsageError
from penstock.planning.scoping.api import Rung
from penstock.planning.sources.api import Place, StatedPath, Use
from tests.support.drafting import (
    bundles,
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


def excluded(*paths: str) -> tuple[StatedPath, ...]:
    """Paths that the author of a unit excludes."""
    return tuple(
        StatedPath(path=path, use=Use.MODIFY, place=Place("plan.md", 9), field="excluded")
        for path in paths
    )


def test_counts_add_up() -> None:
    """Done, skipped, planned and scopeless items are counted, each once."""
    skipped = item("d", state="skipped")
    plan = drafted(source(unit("u", item("a"), item("b"), done("c"), skipped)), scopes(a="x.py"))
    counts = plan.items
    assert (counts.total, counts.planned, counts.done) == (4, 1, 1)
    assert (counts.needs_scope, counts.skipped) == (1, 1)


@pytest.mark.parametrize(
    "path", ["../x.py", "/etc/passwd", ".git/config", "a/.git/x", "state/x", "", "x/" * 600]
)
def test_what_nobody_may_claim_is_left_out(path: str) -> None:
    """Paths outside, of git and of penstock itself are told and never claimed."""
    plan = drafted(source(unit("u", "a")), scopes(a=scope(guess(path), "ok.py")))
    assert [one.files_scope for one in bundles(plan).values()] == [("ok.py",)]
    assert "refused-path" in codes(plan)


def test_paths_are_claimed_as_they_are_compared() -> None:
    """Backslashes and leading dots go, as the validator wants it."""
    plan = drafted(source(unit("u", "a")), scopes(a=scope(guess("./src\\a.py"))))
    assert bundles(plan)["ws-add-login"].files_scope == ("src/a.py",)


def test_an_excluded_path_that_is_named_contradicts() -> None:
    """The author names what the author excludes: an error, and no claim."""
    made = unit("u", "a", forbidden=excluded("legacy/", ".."))
    plan = drafted(source(made), scopes(a="legacy/x.py ok.py"))
    assert bundles(plan)["ws-add-login"].files_scope == ("ok.py",)
    assert bundles(plan)["ws-add-login"].metadata["forbidden"] == ["legacy/", ".."]
    assert plan.contradicts
    assert codes(plan) == ["forbidden-path"]


def test_an_excluded_path_that_is_guessed_goes() -> None:
    """What was only guessed is left out without a contradiction."""
    made = unit("u", "a", forbidden=excluded("legacy/"))
    guessed = scope(guess("legacy/x.py", rung=Rung.SYMBOL), "ok.py")
    plan = drafted(source(made), scopes(a=guessed))
    assert bundles(plan)["ws-add-login"].files_scope == ("ok.py",)
    assert not plan.contradicts


def test_a_folder_around_an_excluded_path_is_told() -> None:
    """A claim that holds more than what is excluded stays, with a warning."""
    made = unit("u", "a", forbidden=excluded("src/legacy/"))
    plan = drafted(source(made), scopes(a="src/"))
    assert bundles(plan)["ws-add-login"].files_scope == ("src/",)
    assert codes(plan) == ["forbidden-path"]


def test_an_excluded_path_may_be_read() -> None:
    """To read is no claim."""
    made = unit("u", "a", forbidden=excluded("legacy/"))
    known = scope(guess("legacy/x.py", Use.READ), "ok.py")
    plan = drafted(source(made), scopes(a=known))
    assert bundles(plan)["ws-add-login"].metadata["read"] == ["legacy/x.py"]
    assert codes(plan) == []


def test_a_scope_may_be_supplied() -> None:
    """What has no scope takes the one of the options; what has one keeps it."""
    plan = drafted(source(unit("u", "a", "b")), scopes(a="x.py"), files_scope=("src/",))
    assert bundles(plan)["ws-add-login"].files_scope == ("x.py", "src/")
    assert plan.items.needs_scope == 0


@pytest.mark.parametrize("path", ["../x", "/abs", "", ".git", "state/a"])
def test_a_wrong_scope_is_refused(path: str) -> None:
    """A supplied path that is none, or nobody's, is a mistake of the user's."""
    with pytest.raises(UsageError, match="files_scope"):
        drafted(source(unit("u", "a")), files_scope=(path,))
