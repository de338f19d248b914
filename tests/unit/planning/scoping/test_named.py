"""Paths that texts name, and what comes of each: a guess, a report or nothing."""

from __future__ import annotations

import pytest

from penstock.planning.scoping.evidence import Evidence
from penstock.planning.scoping.ground import Ground
from penstock.planning.scoping.named import Namer, joined
from penstock.planning.sources.api import Place, Use

FILES = (
    "README.md",
    "src/api/users.py",
    "src/web/users.py",
    "src/web/login.tsx",
    "tests/test_users.py",
    "state/keep.txt",
    "plans/x/tasks.md",
)
PLACE = Place("tasks.md", 7)


def read(text: str, *, numbered: bool = True) -> Evidence:
    """What a text names in the small repository."""
    return Namer(Ground(FILES, aside=("plans/x",))).read(text, PLACE, numbered=numbered)


def paths(found: Evidence, use: Use) -> list[str]:
    """The paths of one use."""
    return [guess.path for guess in found.guesses if guess.use is use]


def only(text: str) -> tuple[str, Use, float]:
    """The one guess that a text gives."""
    (guess,) = read(text).guesses
    return guess.path, guess.use, guess.confidence


@pytest.mark.parametrize(
    ("text", "path", "confidence"),
    [
        ("Update `src/web/login.tsx`", "src/web/login.tsx", 0.95),
        ("Update src/web/login.tsx", "src/web/login.tsx", 0.9),
        ("Tidy `src/web/`", "src/web/", 0.8),
        ("Tidy src/web", "src/web/", 0.75),
        ("Fix `src/**/*.py`", "src/**/*.py", 0.75),
        ("Fix web/login.tsx", "src/web/login.tsx", 0.75),
        ("Fix login.tsx", "src/web/login.tsx", 0.65),
    ],
)
def test_what_is_there_is_changed(text: str, path: str, confidence: float) -> None:
    """A named path that exists is to be changed, surer in backticks and as a whole path."""
    assert only(text) == (path, Use.MODIFY, confidence)


@pytest.mark.parametrize(
    ("text", "path", "confidence"),
    [
        ("Create `src/api/roles.py`", "src/api/roles.py", 0.9),
        ("Create src/api/roles.py", "src/api/roles.py", 0.85),
        ("Create roles in src/api/roles.py", "src/api/roles.py", 0.75),
        ("Create `src/roles/`", "src/roles/", 0.9),
        ("Create CONTRIBUTING.md", "CONTRIBUTING.md", 0.55),
        ("Create a new users.py", "users.py", 0.55),
        ("Create a new login.tsx", "login.tsx", 0.55),
    ],
)
def test_what_is_new_is_created(text: str, path: str, confidence: float) -> None:
    """A path that is not there is created where the source says that it is new."""
    assert only(text) == (path, Use.CREATE, confidence)


@pytest.mark.parametrize(
    "text",
    [
        "Update src/api/user.py",
        "Implement it in `src/api/user.py`",
        "Add x to src/api/user.py",
        "- src/api/user.py",
    ],
)
def test_what_merely_does_not_exist_is_reported(text: str) -> None:
    """A path that is neither there nor called new is told, never created."""
    found = read(text)
    (missing,) = found.unresolved
    assert (found.guesses, missing.path, missing.place) == ([], "src/api/user.py", PLACE)
    assert found.misses == 1


@pytest.mark.parametrize(
    "text", ["Update docs/", "Tidy `docs/`", "Split src/api/roles", "See docs/"]
)
def test_a_folder_that_does_not_exist_is_reported(text: str) -> None:
    """What is written as a folder, or lies in one that is there, is told when it is not there."""
    found = read(text)
    assert (found.guesses, len(found.unresolved)) == ([], 1)
    assert found.misses == (not text.startswith("See"))


@pytest.mark.parametrize("text", ["Create src/web/login.tsx", "Create web/login.tsx"])
def test_what_is_called_new_and_is_there_is_told(text: str) -> None:
    """A file to create that exists is told, and taken as one to change."""
    found = read(text)
    assert [there.path for there in found.existing] == ["src/web/login.tsx"]
    assert paths(found, Use.MODIFY) == ["src/web/login.tsx"]


def test_what_comes_into_a_file_that_is_there_is_no_contradiction() -> None:
    """To create something in a file that exists is to change the file."""
    found = read("Create a form in src/web/login.tsx")
    assert (found.existing, paths(found, Use.MODIFY)) == ([], ["src/web/login.tsx"])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Do it as described in README.md", "README.md"),
        ("Check with `pytest tests/test_users.py`", "tests/test_users.py"),
        ("Tick it off in tasks.md", "plans/x/tasks.md"),
        ("```\nimport src/web/login.tsx\n```", "src/web/login.tsx"),
    ],
)
def test_what_is_only_read(text: str, path: str) -> None:
    """References, commands, code and the plan itself are read, not changed."""
    assert only(text)[:2] == (path, Use.READ)


@pytest.mark.parametrize(
    "text",
    [
        "client/server and/or CI/CD, input/output, TCP/IP",
        "Serve GET /api/users and POST /api/users/:id",
        "Install @scope/package and org/repo",
        "Run `npm run build dist/app.js`",
        "```\nsrc/gone.py\n```",
        "Check out feature/login",
        "approx. ~/day",
        "do it w/ care",
    ],
)
def test_what_is_no_path_of_a_repository(text: str) -> None:
    """Words with a slash, routes, packages and what commands make are passed over."""
    assert read(text) == Evidence()


@pytest.mark.parametrize(
    ("text", "path", "why"),
    [
        ("Edit ../other/a.py", "../other/a.py", "'..'"),
        ("Edit src/../../a.py", "src/../../a.py", "'..'"),
        ("Edit /etc/passwd", "/etc/passwd", "absolute"),
        ("Edit `/home/me/a.py`", "/home/me/a.py", "absolute"),
        ("Edit ~/a.py", "~/a.py", "outside"),
        ("Edit `C:\\x\\a.py`", "C:/x/a.py", "outside"),
        ("Edit .git/hooks/pre-commit.sh", ".git/hooks/pre-commit.sh", "git's own"),
        ("Create README.md/a.py", "README.md/a.py", "nothing lies below"),
        ("Create state/keep.txt", "state/keep.txt", "belongs to penstock"),
    ],
)
def test_what_lies_outside_is_refused(text: str, path: str, why: str) -> None:
    """Paths out of the repository, git's and ours are told and never become scope."""
    found = read(text)
    (refused,) = found.refused
    assert (found.guesses, found.unresolved, refused.path) == ([], [], path)
    assert why in refused.why


def test_an_absolute_path_of_the_repository_is_hinted_at() -> None:
    """Of a path with a slash too many the one that is meant is told."""
    (refused,) = read("Edit /src/web/login.tsx").refused
    assert refused.near == ("src/web/login.tsx",)


def test_a_name_of_several_files_is_doubtful() -> None:
    """A name that two files have gives both, with less confidence than any scope needs."""
    found = read("Fix users.py")
    assert paths(found, Use.MODIFY) == ["src/api/users.py", "src/web/users.py"]
    assert all(guess.confidence < 0.5 for guess in found.guesses)
    assert "one of 2" in found.guesses[0].evidence


def test_a_list_is_all_new() -> None:
    """What is said of the first path of a list holds for the others."""
    found = read("Create `src/a.py`, `src/b.py` and src/c.py, update src/web/login.tsx")
    assert paths(found, Use.CREATE) == ["src/a.py", "src/b.py", "src/c.py"]
    assert paths(found, Use.MODIFY) == ["src/web/login.tsx"]


def test_lines_have_their_places() -> None:
    """A path is told with the line that names it; without lines, with where the text stands."""
    text = "one\nsrc/web/login.tsx\nsrc/gone.py"
    found = read(text)
    assert found.guesses[0].place == Place("tasks.md", 8)
    assert found.unresolved[0].place == Place("tasks.md", 9)
    assert read(text, numbered=False).unresolved[0].place == PLACE


def test_a_new_file_goes_into_the_folder_that_is_named() -> None:
    """A new file without a folder belongs into the only folder that the item names."""
    found = joined(read("Create roles.py in src/api/"), Ground(FILES), PLACE)
    assert [(guess.path, guess.use) for guess in found.guesses] == [
        ("src/api/roles.py", Use.CREATE)
    ]
    assert "in src/api/" in found.guesses[0].evidence


def test_a_new_file_that_is_in_its_folder_already_is_told() -> None:
    """Put into its folder, a new file may turn out to be there."""
    found = joined(read("Create a new users.py in src/api/"), Ground(FILES), PLACE)
    assert [(guess.path, guess.use) for guess in found.guesses] == [
        ("src/api/users.py", Use.MODIFY)
    ]
    assert [there.path for there in found.existing] == ["src/api/users.py"]


def test_a_new_file_between_two_folders_stays_where_it_is() -> None:
    """Where two folders are named nobody knows which is meant."""
    found = joined(read("Create roles.py for src/api/ and src/web/"), Ground(FILES), PLACE)
    assert paths(found, Use.CREATE) == ["roles.py"]
