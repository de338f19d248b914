"""What may never be touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.environment.repository import find_checkout
from penstock.environment.scan.protect import Guard, what_is
from penstock.environment.scan.tracked import MAX_AGE_S, TrackedFiles
from penstock.errors import GitError
from tests.support.repos import git
from tests.support.scanning import tree


def listing(top: Path) -> list[str]:
    """What git tracks in a checkout."""
    return [name for name in git(top, "ls-files", "-z").split("\0") if name]


def guard(*kept: Path) -> Guard:
    """A guard over real git."""
    return Guard(tracked=TrackedFiles(listing), anchor=find_checkout, kept=kept)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (".git/x", "a repository's own folder"),
        ("d/.git/hooks/x", "a repository's own folder"),
        (".hg/x", "a repository's own folder"),
        ("node_modules/p/x", "a folder of installed packages"),
        ("lib/site-packages/x", "a folder of installed packages"),
        (".venv/lib/x", "a virtual environment"),
        ("env/lib/x", "a virtual environment"),
        ("conda/lib/x", "a virtual environment"),
        ("bare/hooks/x", "a bare repository"),
        ("build/lib/x", "a build output"),
        ("dist/x", "a build output"),
        ("web/.next/static/x", "a build output"),
        ("p.egg-info/x", "a build output"),
        (".aim-trash/1/x", "a trash folder"),
    ],
)
def test_what_lies_in_protected_folders(tmp_path: Path, place: str, why: str) -> None:
    """It is refused, wherever the scan began; the reason names the folder."""
    files = {"env/pyvenv.cfg": "", "conda/conda-meta/h": "", "bare/HEAD": "", "bare/objects/a": ""}
    top = tree(tmp_path, {**files, "bare/refs/a": "", f"{place}/__pycache__/a": ""})
    said = guard().refusal(top / place / "__pycache__", top)
    assert said is not None
    assert said.startswith(f"it lies in {why}: {top}")
    if "build" not in why and "trash" not in why:
        assert guard().refusal(top / place / "__pycache__", top / place) == said


@pytest.mark.parametrize("name", [".git", "node_modules", ".venv", "build", "env"])
def test_protected_folders_themselves(tmp_path: Path, name: str) -> None:
    """They are refused as such, even if somebody's pattern names them."""
    top = tree(tmp_path, {f"{name}/a": "", "env/pyvenv.cfg": ""})
    said = guard().refusal(top / name, top)
    assert said is not None
    assert said.startswith(f"{top / name} is a ")


@pytest.mark.parametrize(
    "inner", [".git/HEAD", "d/.git", "node_modules/p/x", "e/pyvenv.cfg", "bare/HEAD"]
)
def test_what_holds_something_protected(tmp_path: Path, inner: str) -> None:
    """A cache in which somebody keeps a checkout or an environment is not ours to move."""
    files = {"bare/objects/a": "", "bare/refs/b": ""} if "bare" in inner else {}
    inside = {f".mycache/{name}": "" for name in (*files, inner)}
    top = tree(tmp_path, inside)
    assert "lies in it" in str(guard().refusal(top / ".mycache", top))


def test_a_cache_that_mirrors_a_build_folder_is_a_cache(tmp_path: Path) -> None:
    """mypy keeps what it knows of a package `build` in a folder of that name."""
    top = tree(tmp_path, {".mypy_cache/3.11/build/x.json": "", "w/.next/cache/dist/y": ""})
    assert guard().refusal(top / ".mypy_cache", top) is None
    assert guard().refusal(top / "w/.next/cache", top) is None


def test_names_of_build_outputs_above_a_checkout_mean_nothing(tmp_path: Path) -> None:
    """A project may lie in a folder `build`; without a checkout the scanned folder counts itself."""
    top = tree(tmp_path, {"build/p/__pycache__/a": "", "build/q/__pycache__/a": ""})
    git(top / "build/p", "init", "-q")
    assert guard().refusal(top / "build/p/__pycache__", top) is None
    assert guard().refusal(top / "build/q/__pycache__", top / "build/q") is None
    assert guard().refusal(top / "build/q/__pycache__", top / "build") is not None


def test_what_git_tracks(tmp_path: Path) -> None:
    """Files, folders with tracked files, also ignored ones; not what merely begins like them."""
    top = tree(tmp_path, {"c/a": "", "c-2/a": "", "c2": "", "d/c/a": "", ".gitignore": "c\n"})
    git(top, "init", "-q")
    git(top, "add", "-f", "c/a", "d/c/a")
    found = {name: guard().refusal(top / name, top) for name in ("c", "c-2", "c2", "d/c", "c/a")}
    assert {name for name, why in found.items() if why is not None} == {"c", "d/c", "c/a"}
    assert found["c"] == "git tracks it, or something in it"


def test_what_a_nested_checkout_tracks(tmp_path: Path) -> None:
    """The checkout that a path lies in decides, which may be another than the scan began in."""
    top = tree(tmp_path, {"inner/c/a": "", "c/a": ""})
    for place in (top, top / "inner"):
        git(place, "init", "-q")
    git(top / "inner", "add", "-f", "c/a")
    assert guard().refusal(top / "inner/c", top) is not None
    assert guard().refusal(top / "c", top) is None


def test_git_is_asked_again_after_a_while(tmp_path: Path) -> None:
    """What was tracked meanwhile counts."""
    top = tree(tmp_path, {"c/a": ""})
    git(top, "init", "-q")
    now = [100.0]
    tracked = TrackedFiles(listing, clock=lambda: now[0])
    assert not tracked(top / "c")
    git(top, "add", "c/a")
    assert not tracked(top / "c")
    now[0] += MAX_AGE_S + 0.1
    assert tracked(top / "c")


def test_a_git_that_cannot_say_is_not_taken_for_no(tmp_path: Path) -> None:
    """Its error goes on to whoever asks."""
    top = tree(tmp_path, {"c/a": ""})
    git(top, "init", "-q")

    def broken(top: Path) -> list[str]:
        raise GitError(f"{top} is damaged")

    with pytest.raises(GitError):
        Guard(tracked=TrackedFiles(broken), anchor=find_checkout).refusal(top / "c", top)


def test_links_are_in_the_way(tmp_path: Path) -> None:
    """A link itself, and whatever is reached through one."""
    top = tree(tmp_path, {"d/c/a": ""})
    (top / "l").symlink_to("d")
    (top / "c").symlink_to("d/c")
    for name in ("l/c", "c"):
        assert guard().refusal(top / name, top) == "a link is in the way"


def test_the_scanned_folder_and_what_lies_beside_it(tmp_path: Path) -> None:
    """Neither may go."""
    top = tree(tmp_path, {"r/c": "", "b/c": ""})
    for path in (top / "r", top / "b/c", top):
        assert guard().refusal(path, top / "r") == "it is not below the scanned folder"


def test_folders_that_are_kept(tmp_path: Path) -> None:
    """What they lie in may not go either; what lies in them may."""
    top = tree(tmp_path, {"c/home/d/a": ""})
    watching = guard(top / "c/home")
    for name in ("c", "c/home"):
        assert str(watching.refusal(top / name, top)).endswith("c/home lies there")
    assert watching.refusal(top / "c/home/d", top) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_mounted_file_system_within_a_cache(tmp_path: Path) -> None:
    """Nothing moves it."""
    import subprocess

    top = tree(tmp_path, {"c/m/a": ""})
    if subprocess.run(["mount", "-t", "tmpfs", "none", top / "c/m"], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        assert guard().refusal(top / "c", top) == f"{top / 'c/m'} lies in it"
    finally:
        subprocess.run(["umount", top / "c/m"], check=True)


def test_other_names_mean_nothing() -> None:
    """Most folders are none of these."""
    assert [what_is(name) for name in ("src", "builds", "git", "environment", "x-egg-info")] == [
        None
    ] * 5
