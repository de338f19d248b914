"""The generated repository is what the tests over it take it for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.big_repo import PROBES, SEED, big_bundles
from tests.support.meridian import features
from tests.support.meridian.source import files
from tests.support.repos import git, make_repo, write

PYTEST = (sys.executable, "-B", "-m", "pytest", "-q", "-W", "error")


@pytest.fixture(scope="module")
def base() -> dict[str, str]:
    """The files of the repository."""
    return files(SEED)


def suite(folder: Path, content: Mapping[str, str]) -> tuple[int, int]:
    """Write a tree and run its tests: the exit code, and how many passed."""
    write(folder, content)
    done = subprocess.run(PYTEST, cwd=folder, capture_output=True, text=True, check=False)
    passed = re.search(r"(\d+) passed", done.stdout)
    return done.returncode, int(passed[1]) if passed else 0


def linted(folder: Path) -> str:
    """What ruff has to say about a tree."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_a_seed_decides_everything(base: Mapping[str, str]) -> None:
    """The same seed gives the same files, another one others of the same kind."""
    assert files(SEED) == base
    other = files(SEED + 1)
    assert other != base
    assert other.keys() == base.keys()


def test_it_has_the_size_of_a_real_one(base: Mapping[str, str], tmp_path: Path) -> None:
    """At least 300 files and 500 tests, all green and without a finding."""
    assert len(base) >= 300
    code, passed = suite(tmp_path, base)
    assert code == 0
    assert passed >= 500
    assert linted(tmp_path) == "All checks passed!\n"


def test_few_files_are_alike(base: Mapping[str, str]) -> None:
    """No two modules have the same text."""
    texts = [text for path, text in base.items() if path.endswith(".py")]
    assert len(set(texts)) == len(texts)


def test_all_twenty_together_are_green(base: Mapping[str, str], tmp_path: Path) -> None:
    """With every feature in it, the suite passes, and each probe runs."""
    assert suite(tmp_path, features.outcome(base))[0] == 0
    assert linted(tmp_path) == "All checks passed!\n"
    bundles = big_bundles()
    assert len(bundles) == 20
    assert {bundle["id"] for bundle in bundles} == set(PROBES)
    probe = [sys.executable, "-B", "-c", "\n".join(PROBES.values())]
    subprocess.run(probe, cwd=tmp_path / "src", check=True)


def test_the_red_pair_is_green_alone_and_red_together(
    base: Mapping[str, str], tmp_path: Path
) -> None:
    """Each of the two passes on its own, both together do not."""
    rename, caller = features.red_pair(base)
    assert suite(tmp_path / "one", {**base, **rename})[0] == 0
    assert suite(tmp_path / "two", {**base, **caller})[0] == 0
    assert suite(tmp_path / "both", {**base, **rename, **caller})[0] != 0


@pytest.mark.parametrize(
    ("one", "two", "path"),
    [
        ("ws-a-a1", "ws-a-a2", features.MONEY),
        ("ws-b-b1", "ws-b-b2", features.WRAP),
        ("ws-c-c1", "ws-c-c2", features.CHANGES),
    ],
)
def test_the_pairs_conflict_in_one_file(
    base: Mapping[str, str], tmp_path: Path, one: str, two: str, path: str
) -> None:
    """git cannot merge the first turns of a pair; their second turns are the same."""
    root = make_repo(tmp_path / "repo", dict(base))
    turns = {bundle["id"]: bundle["metadata"]["scripted"] for bundle in big_bundles()}
    for name in (one, two):
        git(root, "checkout", "-q", "-b", name, "main")
        write(root, turns[name][0]["edits"])
        git(root, "add", "--all")
        git(root, "commit", "-qm", name)
    assert f"CONFLICT (content): Merge conflict in {path}" in git(root, "merge", one, ok=False)
    assert git(root, "diff", "--name-only", "--diff-filter=U") == path
    assert turns[one][1]["edits"] == turns[two][1]["edits"]
