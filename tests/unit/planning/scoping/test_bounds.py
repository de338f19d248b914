"""Paths that no workstream may touch, and words that are no paths at all."""

from __future__ import annotations

import pytest

from penstock.planning.scoping.bounds import is_no_path, outside
from penstock.planning.scoping.ground import Ground

GROUND = Ground(["src/a.py", "link", "docs/b.md"])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("../a.py", "'..'"),
        ("src/../../a.py", "'..'"),
        ("/etc/passwd", "absolute"),
        ("/src/a.py", "absolute"),
        ("~/a.py", "outside"),
        ("D:/a.py", "outside"),
        (".git/config", "git's own"),
        ("src/.GIT/hooks", "git's own"),
        (".worktrees/x/a.py", "belongs to penstock"),
        ("state/", "belongs to penstock"),
        ("link/a.py", "nothing lies below"),
        ("src/a.py/b.py", "nothing lies below"),
        ("a\x01b.py", "U+0001"),
        ("./", "names no path"),
    ],
)
def test_what_is_outside(text: str, why: str) -> None:
    """Out of the repository, git's, ours, below a file or unwritable: the reason is told."""
    found = outside(text, GROUND)
    assert found is not None
    assert why in found[0]


@pytest.mark.parametrize(
    "text", ["src/a.py", "src/", "new/b.py", "statement/x.py", "docs/**", "a..b.py"]
)
def test_what_is_inside(text: str) -> None:
    """Whatever may be a path of the repository is let through."""
    assert outside(text, GROUND) is None


def test_what_an_absolute_path_may_mean() -> None:
    """Where the path exists without its slash it is told."""
    assert outside("/src/a.py", GROUND) == (
        "absolute; a plan names paths from the repository's top",
        ("src/a.py",),
    )
    assert outside("/docs/zz.md", GROUND) == (
        "absolute; a plan names paths from the repository's top",
        (),
    )


@pytest.mark.parametrize(
    ("text", "none"),
    [
        ("/api/users", True),
        ("/users/:id", True),
        ("/etc", False),
        ("/home/me", False),
        ("/x/a.py", False),
        ("~/day", True),
        ("~2/3", True),
        ("~/a/b", False),
        ("~/a.py", False),
        ("src/a.py", False),
    ],
)
def test_routes_and_remarks_are_no_paths(text: str, none: bool) -> None:
    """A slash or tilde in front makes a path only of what else looks like one."""
    assert is_no_path(text) is none
