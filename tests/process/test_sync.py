"""Writing results back, killed at any step, twice at once, or in the hands of a full disk."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import PENSTOCK, child, plain_environment
from tests.support.pipeline import Project
from tests.support.repos import git
from tests.support.syncing import CHECKLIST, plan, plan_project, script

ROOT = Path(__file__).parents[2]
BRANCH = "integration/run-1"
DONE = CHECKLIST.replace("[ ]", "[x]")


def ran(folder: Path, *, tracked: bool) -> Path:
    """A repository whose checklist a run has done."""
    project = plan_project(folder, {"plan.md": CHECKLIST}, tracked=tracked)
    plan(project, "plan.md")
    script(project)
    assert project.run().status == "succeeded"
    return project.root


@pytest.fixture(scope="module")
def masters(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """Repositories with a plan that git tracks, or does not, to be copied."""
    made: dict[bool, Path] = {}

    def master(tracked: bool) -> Path:
        if tracked not in made:
            made[tracked] = ran(tmp_path_factory.mktemp("sync") / "project", tracked=tracked)
        return made[tracked]

    return master


@pytest.fixture
def copied(masters: Callable[[bool], Path], tmp_path: Path) -> Callable[[bool], Path]:
    """A copy of one of them."""

    def copy(tracked: bool) -> Path:
        root = tmp_path / "project"
        shutil.copytree(masters(tracked), root, symlinks=True)
        return root

    return copy


def deaths(root: Path, way: str, folder: Path) -> list[dict[str, Any]]:
    """What came of a death at each step."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.sync_worker", str(root), way, str(folder)],
        cwd=ROOT,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("way", ["branch", "checkout", "place"])
def test_killed_at_any_step_the_next_one_finishes(
    copied: Callable[[bool], Path], tmp_path: Path, way: str
) -> None:
    """One commit at most, the plan never half written, nothing left behind, the checkout in step."""
    root = copied(way != "place")
    if way == "checkout":
        git(root, "switch", "--quiet", BRANCH)
    told = deaths(root, way, tmp_path / "copies")
    assert len(told) > 5
    for line in told:
        subjects = [text for text in line["history"] if text.startswith("Write results")]
        assert len(subjects) == (0 if way == "place" else 1)
        assert (line["fsck"], line["left"]) == ("", [])
        assert line["plan"] == ("" if way == "branch" else DONE)
        assert line["half"] in ("", CHECKLIST, DONE)
    assert not told[-1]["again"]


@pytest.mark.parametrize("tracked", [True, False])
def test_several_at_once_write_it_once(copied: Callable[[bool], Path], tracked: bool) -> None:
    """They wait for each other; all are content."""
    root = copied(tracked)
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda _: child("sync", "run-1", "--json", cwd=root), range(3)))
    assert [one.code for one in said] == [0, 0, 0], said
    wrote = [one for one in said if one.json["commit"] or one.json["in_place"]]
    assert len(wrote) == 1
    held = git(root, "show", f"{BRANCH}:plan.md") if tracked else (root / "plan.md").read_text()
    assert held.strip() == DONE.strip()


def limited() -> None:
    """Let no file grow beyond 3 MB: there is room for the journal, and none for the plan."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))


def test_a_full_disk_leaves_the_plan_as_it_was(copied: Callable[[bool], Path]) -> None:
    """The file is replaced in one piece or not at all; the error says what to do."""
    root, text = copied(False), CHECKLIST + "prose\n" * 600_000
    (root / "plan.md").write_text(text)
    done = subprocess.run(
        [*PENSTOCK, "sync", "run-1"],
        cwd=root,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    assert "cannot write plan.md" in done.stderr
    assert (root / "plan.md").read_text() == text
    assert not list(root.glob(".plan.md*"))


def test_a_run_at_work_is_left_alone(tmp_path: Path) -> None:
    """Who works on a run may be about to move its branch."""
    from penstock.assembly import run_holder
    from penstock.errors import ClaimError
    from tests.support.syncing import sync

    project = Project(tmp_path / "other")
    root = ran(tmp_path / "project", tracked=True)
    project.root = root
    with (
        run_holder(root / "state")("run-1"),
        pytest.raises(ClaimError, match="working on run run-1"),
    ):
        sync(project)
