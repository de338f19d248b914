"""What written paths mean among those that there are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.planning.scoping.ground import MAX_CANDIDATES, Found, Ground, Match

FILES = (
    "README.md",
    "src/api/users.py",
    "src/web/users.py",
    "src/web/login.tsx",
    "src/web/[slug]/page.tsx",
    "docs/Guide.md",
    "plans/x/tasks.md",
    "plans/x/contracts/api.yaml",
    "文档/设计.md",
)


@pytest.fixture
def ground() -> Ground:
    """A small repository with a plan in it."""
    return Ground(FILES, aside=("plans/x",))


@pytest.mark.parametrize(
    ("text", "match", "path"),
    [
        ("src/api/users.py", Match.FILE, "src/api/users.py"),
        ("src/web", Match.FOLDER, "src/web/"),
        ("src/web/", Match.FOLDER, "src/web/"),
        ("web/", Match.TAIL, "src/web/"),
        ("src/**/*.tsx", Match.GLOB, "src/**/*.tsx"),
        ("*.tsx", Match.GLOB, "**/*.tsx"),
        ("*.md", Match.GLOB, "*.md"),
        ("src/web/[slug]/page.tsx", Match.FILE, "src/web/[slug]/page.tsx"),
        ("docs/guide.md", Match.CASE, "docs/Guide.md"),
        ("api/users.py", Match.TAIL, "src/api/users.py"),
        ("login.tsx", Match.NAME, "src/web/login.tsx"),
        ("readme.md", Match.NAME, "README.md"),
        ("README", Match.NAME, "README.md"),
        ("tasks.md", Match.PLAN, "plans/x/tasks.md"),
        ("contracts/api.yaml", Match.PLAN, "plans/x/contracts/api.yaml"),
        ("plans/x/tasks.md", Match.FILE, "plans/x/tasks.md"),
        ("文档/设计.md", Match.FILE, "文档/设计.md"),
    ],
)
def test_what_a_path_means(ground: Ground, text: str, match: Match, path: str) -> None:
    """Whole paths, folders, globs, ends of paths and lone names lead to one path."""
    found = ground.find(text)
    assert (found.match, found.path) == (match, path)


def test_a_name_of_several_files_tells_all(ground: Ground) -> None:
    """A name that several files have is none of them."""
    assert ground.find("users.py") == Found(Match.SEVERAL, ("src/api/users.py", "src/web/users.py"))


@pytest.mark.parametrize(
    "text", ["src/gone.py", "gone/", "**/*.rs", "gone.md", "lib/users.py", "src/[!"]
)
def test_what_is_not_there(ground: Ground, text: str) -> None:
    """What is not there is not found, not even under another folder."""
    assert ground.find(text).match is Match.NONE


def test_decomposed_letters_are_the_same() -> None:
    """A name typed with combining marks is the one that the repository has without."""
    assert Ground(["caf\u00e9.py"]).find("cafe\u0301.py").path == "caf\u00e9.py"


def test_near_names(ground: Ground) -> None:
    """Of a path that is not there the likeliest others are told, and none when none is like it."""
    assert ground.near("src/api/user.py")[0] == "src/api/users.py"
    assert ground.near("src/web/logins.tsx") == ("src/web/login.tsx",)
    assert ground.near("zzz.rs") == ()


def test_an_empty_repository() -> None:
    """Where nothing is, nothing is found, and nothing is near."""
    ground = Ground([])
    assert (ground.find("a.py").match, ground.near("a.py"), ground.has("a.py")) == (
        Match.NONE,
        (),
        False,
    )


def test_near_names_are_bounded() -> None:
    """A name that thousands of files share is answered at once, with few paths."""
    ground = Ground([*(f"p{n}/index.ts" for n in range(20_000)), "q/index.tsx"])
    assert len(ground.near("indez.ts")) == 3
    many = Ground(f"p/module_{n}.ts" for n in range(20_000))
    assert many.near("modulo_777.ts")
    assert len(ground.find("index.ts").paths) > MAX_CANDIDATES


def test_near_names_are_told_of_the_first_thousand_only() -> None:
    """A plan of nothing but wrong paths is not compared with the repository for ever."""
    ground = Ground(["src/users.py"])
    for number in range(1000):
        ground.near(f"{number}.py")
    assert (ground.near("src/user.py"), ground.near("0.py")) == ((), ())


PATHS = st.lists(
    st.text(alphabet="ab./[*é", min_size=1, max_size=8).map(
        lambda s: s.strip("/").replace("//", "/")
    ),
    max_size=8,
)


@settings(deadline=None)
@given(PATHS, st.text(alphabet="abAB./[]*?é", min_size=1, max_size=8))
def test_what_is_found_is_there(files: list[str], text: str) -> None:
    """Whatever is asked for, a file or folder that is told exists."""
    ground = Ground(file for file in files if file)
    found = ground.find(text)
    if found.match is not Match.GLOB:
        assert all(ground.has(path) for path in found.paths)
    assert (found.match is Match.NONE) == (found.paths == ())
