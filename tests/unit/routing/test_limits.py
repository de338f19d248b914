"""The security limits as a function of sizes, counts and resolved paths."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.capability import SecurityLimits
from penstock.routing.limits import NamedPath, folded, lies_under, missing_fields, refusal_of

LIMITS = SecurityLimits(
    max_payload_size_bytes=100,
    max_file_count=3,
    allowed_file_patterns=("*.py", "*.md"),
    forbidden_paths=("/.git/", "/.env", "/build/", "/secret/keys/"),
)
NAMES = st.text(alphabet=string.ascii_letters + "_-", min_size=1, max_size=8)


def refused(*resolved: str, several: bool = False) -> str | None:
    """Return the refusal of one path with these forms."""
    path = NamedPath(named=resolved[0], resolved=resolved, several=several)
    return refusal_of(1, [path], 1, LIMITS)


def test_what_is_within_the_limits() -> None:
    """The largest payload and the most files that are allowed are no reason."""
    assert refusal_of(100, [NamedPath(named="a.py", resolved=("a.py",))], 3, LIMITS) is None


def test_sizes_and_counts() -> None:
    """One byte or one file more is refused, with both numbers."""
    assert refusal_of(101, [], 0, LIMITS) == (
        "the payload has 101 bytes, more than max_payload_size_bytes (100)"
    )
    assert refusal_of(1, [], 4, LIMITS) == "4 files are named, more than max_file_count (3)"


@pytest.mark.parametrize(
    "name", ["a.py", "src/deep/b.MD", "build.py", "src/env/x.py", "a.git/x.py"]
)
def test_ordinary_files_pass(name: str) -> None:
    """A name that only resembles a forbidden one is fine, whatever its case."""
    assert refused(name) is None


@pytest.mark.parametrize("name", ["a.exe", "Makefile", "src/.py.swp", "noending"])
def test_files_of_other_patterns(name: str) -> None:
    """What matches no allowed pattern is refused by name."""
    assert refused(name) == f"{name} matches none of the allowed file patterns"


@pytest.mark.parametrize(
    "name",
    [
        ".git/hooks/x.py", "sub/.GIT/x.py", ".git", ".env", "app/.ENV", ".env/x.py", "build/x.py",
        "a/Build/b/x.py", "secret/keys/x.py", "a/secret/KEYS/b.py", ".g\u200bit/x.py", ".git./x.py",
        ".env ", "\uff42uild/x.py",
    ],
)  # fmt: skip
def test_forbidden_paths(name: str) -> None:
    """Whole parts count, at any depth, in any case, with invisible characters or dots at the end."""
    assert "lies under the forbidden path" in (refused(name) or "")


@pytest.mark.parametrize("name", ["secret/x.py", "keys/x.py", "keys/secret/x.py", "build"])
def test_a_forbidden_folder_is_meant_whole(name: str) -> None:
    """Its parts must come in a row, and a file of a folder's name is not the folder."""
    assert "lies under" not in (refused(name) or "")


def test_where_a_link_leads_counts() -> None:
    """Each form of a path is judged, and the message shows the one that is refused."""
    assert refused("a.py", ".env") == "a.py (that is .env) lies under the forbidden path /.env"


def test_folders_and_globs_need_no_pattern() -> None:
    """Their files are counted, not named; forbidden ones stay so."""
    assert refused("src/", several=True) is None
    assert refused("src/**/*", several=True) is None
    assert refused("src/*", several=True) is None
    for name in ("build/", ".git/", "src/build/", ".e??", ".git*", "b*/x.py", "**/build/*.py"):
        assert refused(name, several=True), name


def test_no_patterns_allow_everything() -> None:
    """Without patterns only the forbidden paths are refused."""
    limits = SecurityLimits(forbidden_paths=("/.env",))
    assert refusal_of(1, [NamedPath(named="x.exe", resolved=("x.exe",))], 1, limits) is None


@given(st.lists(NAMES, max_size=4), NAMES, st.sampled_from([".git", ".Git", "BUILD", "build"]))
def test_no_depth_hides_a_forbidden_folder(before: list[str], name: str, banned: str) -> None:
    """Below a forbidden folder every file is refused."""
    assert refused("/".join([*before, banned, f"{name}.py"]))


@given(st.text(max_size=20))
def test_folding_is_stable(part: str) -> None:
    """A folded part folds to itself, and nothing becomes empty."""
    assert folded(folded(part)) == folded(part) or not folded(part).strip()
    assert bool(folded(part)) == bool(part)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_two_texts_can_be_compared(path: str, forbidden: str) -> None:
    """Whatever stands in the rules or the payload, there is an answer."""
    assert lies_under(path, forbidden) in (True, False)


@pytest.mark.parametrize(
    ("payload", "missing"),
    [
        ({}, ("files", "prompt")),
        ({"files": [], "prompt": ""}, ("files", "prompt")),
        ({"files": ["a"], "prompt": None}, ("prompt",)),
        ({"files": ["a"], "prompt": "x"}, ()),
    ],
)
def test_what_a_payload_lacks(payload: dict[str, object], missing: tuple[str, ...]) -> None:
    """Required fields that are not there or empty are named; optional ones are not."""
    needs = {"files": True, "prompt": "required", "extra": False, "more": "optional"}
    assert missing_fields(needs, payload) == missing
