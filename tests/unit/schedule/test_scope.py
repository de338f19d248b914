"""Scopes: what claims allow, when they overlap, what is always refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.schedule.scope import Claim, ScopeMatcher, nfc, normalise, overlap, refusal


@pytest.mark.parametrize(
    ("claim", "inside", "outside"),
    [
        ("src/a.py", ["src/a.py", "src/a.py/x"], ["src/b.py", "src/a.pyc", "a.py", "src"]),
        ("docs", ["docs", "docs/a", "docs/a/b"], ["docsx", "docs2/a", "x/docs"]),
        ("docs/", ["docs/a", "docs/a/b"], ["docs", "docsx/a"]),
        ("*.py", ["a.py", ".py"], ["src/a.py", "a.pyc"]),
        ("src/*", ["src/a", "src/.hidden"], ["src", "src/a/b"]),
        ("src/**", ["src/a", "src/a/b"], ["src", "srcs/a"]),
        ("**/x.py", ["x.py", "a/x.py", "a/b/x.py"], ["a/x.pyc", "a/x.py/b"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a", "b", "a/xb"]),
        ("a/*/", ["a/x/y", "a/x/y/z"], ["a/x", "a"]),
        ("a/**/", ["a/x", "a/x/y"], ["a"]),
        ("**", ["a", "a/b"], []),
        ("src/?.py", ["src/a.py"], ["src/ab.py", "src/.py"]),
        ("[a-c]/[!x].md", ["a/y.md", "c/a.md"], ["d/y.md", "a/x.md"]),
        ("app/[slug]/page.tsx", ["app/[slug]/page.tsx", "app/s/page.tsx"], ["app/x/page.tsx"]),
        ("caf\u00e9/", ["cafe\u0301/a", "caf\u00e9/a"], ["cafe/a"]),
        ("README.md", ["README.md"], ["readme.md"]),
    ],
)
def test_what_a_claim_allows(claim: str, inside: list[str], outside: list[str]) -> None:
    """Files, directories and globs allow what the documentation says, and nothing else."""
    matcher = ScopeMatcher([claim])
    assert [path for path in inside if not matcher.allows(path)] == []
    assert [path for path in outside if matcher.allows(path)] == []


@pytest.mark.parametrize("path", ["", "/etc/passwd", "a/../b", "..", "./a", "a//b", "a/", "."])
def test_no_scope_allows_what_is_no_plain_path(path: str) -> None:
    """Paths that could lead elsewhere are outside, even of a scope of everything."""
    assert not ScopeMatcher(["**", "a", "a/"]).allows(path)


def test_the_scope_of_nothing_allows_nothing() -> None:
    """Without claims there is no path."""
    assert not ScopeMatcher([]).allows("a")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("src/a.py", "src/a.py", True),
        ("src/a.py", "src/b.py", False),
        ("src/", "src/a.py", True),
        ("src", "src/a.py", True),
        ("src", "src/", True),
        ("src", "srcs/a.py", False),
        ("src/a.py", "src/*.py", True),
        ("src/a.md", "src/*.py", False),
        ("src/*.py", "src/*.md", False),
        ("src/a*", "src/*z", True),
        ("src/**/*.py", "src/pkg/", True),
        ("src/**/*.py", "tests/", False),
        ("**/*.py", "src", True),
        ("docs", "docs/**/*.md", True),
        # a file is no directory, unless the other claim spells it out as one
        ("src/a.py", "src/**/b.py", False),
        ("Makefile", "**/*.py", False),
        (".eslintrc.json", "**/*.js", False),
        (".github", "**/*.yml", True),
        ("v1.2", "v1.2/x", True),
        ("v1.2", "v1.2/*", True),
        ("v1.2/", "**/x.py", True),
        ("a/*b*c", "a/x*d", False),
        ("app/[slug]/x.py", "app/q/*.py", False),
        ("app/[slug]/x.py", "app/[slug]/*.py", True),
        ("./src\\a.py", "src/a.py", True),
        ("A.py", "a.py", False),
    ],
)
def test_overlap(a: str, b: str, expected: bool) -> None:
    """Overlap is computed over files, directories and globs, and is symmetric."""
    assert overlap(a, b) is expected
    assert overlap(b, a) is expected


NAME = st.text(alphabet="ab", min_size=1, max_size=2)
PLAIN = st.tuples(st.lists(NAME, min_size=1, max_size=3), st.booleans()).map(
    lambda parts: "/".join(parts[0]) + ("/" if parts[1] else "")
)


@settings(deadline=None)
@given(PLAIN, PLAIN)
def test_plain_claims_overlap_just_when_one_allows_part_of_the_other(a: str, b: str) -> None:
    """For files and directories, overlap is that some path is allowed by both."""
    tries = [a.rstrip("/"), b.rstrip("/"), a.rstrip("/") + "/x", b.rstrip("/") + "/x"]
    one, other = ScopeMatcher([a]), ScopeMatcher([b])
    assert overlap(a, b) is any(one.allows(p) and other.allows(p) for p in tries)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b.py", "*", "**", "?", "[a]", "x"]), min_size=1, max_size=4))
def test_the_index_keys_bound_the_language(parts: list[str]) -> None:
    """Each matching path begins with the key and ends with the tail: no pair can be missed."""
    claim = Claim("/".join(parts))
    matcher = ScopeMatcher([claim.text])
    for path in ("a", "x", "b.py", "a/x", "a/b.py", "x/a/b.py", "a/a/x/x", "a/x/a/b.py", "[a]/x"):
        if matcher.allows(path):
            assert f"{path}/".startswith(claim.key)
            assert claim.is_plain or f"/{path}".endswith(claim.tail)


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("src/a.py", "src/a.py"),
        (".\\src\\a.py", "src/a.py"),
        ("././a//b/./c/", "a/b/c/"),
        ("a/.", "a/"),
        (".github/x", ".github/x"),
        ("cafe\u0301", "caf\u00e9"),
        ("a b", "a b"),
        ("..a/b..", "..a/b.."),
    ],
)
def test_claims_are_normalised(raw: str, plain: str) -> None:
    """One spelling for one path."""
    assert normalise(raw) == plain
    assert normalise(plain) == plain


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("/etc/passwd", "absolute; .* such as 'etc/passwd'"),
        ("\\\\server\\share", "absolute"),
        ("C:\\x", "absolute; .* such as 'x'"),
        ("c:", "absolute; .* '\\*\\*'"),
        ("../x", r"holds '\.\.'"),
        ("a/../../b", r"holds '\.\.'"),
        ("/../x", r"holds '\.\.'"),
        ("", "names no path"),
        ("./", "names no path"),
        ("a\x00b", r"U\+0000"),
        ("a\nb", r"U\+000A"),
        ("a\ud800", r"U\+D800"),
    ],
)
def test_what_is_no_claim_is_rejected_with_the_fix(raw: str, message: str) -> None:
    """Absolute paths, `..`, nothing and characters that are no text are errors."""
    with pytest.raises(ValueError, match=message):
        normalise(raw)
    with pytest.raises(ValueError, match=message):
        ScopeMatcher([raw])


@pytest.mark.parametrize(
    ("path", "word"),
    [
        (".git/config", "git"),
        (".git", "git"),
        ("sub/.GIT/hooks/x", "git"),
        (".worktrees/a", ".worktrees"),
        ("state/pipeline.db", "'state'"),
        (".state", ".state"),
        ("../x", "inside the repository"),
        ("/etc/passwd", "inside the repository"),
        ("secrets/key.pem", "protected"),
        ("deep/key.pem", "protected"),
    ],
)
def test_refused_paths(path: str, word: str) -> None:
    """Some paths nobody may touch, whatever their scope, and the reason is told."""
    assert word in (refusal(path, ["secrets/", "**/*.pem"]) or "")


@pytest.mark.parametrize(
    "path", ["src/state/x.py", ".gitignore", ".github/x", "statement", "a.git"]
)
def test_near_misses_are_not_refused(path: str) -> None:
    """Only git's folder and penstock's own at the root are refused."""
    assert refusal(path, ["secrets/"]) is None


def test_nfc_leaves_composed_texts_alone() -> None:
    """What is in form C already comes back as it is."""
    assert nfc("caf\u00e9") == "caf\u00e9"
    assert nfc("plain") == "plain"
