"""Runs that are killed with SIGKILL at random moments, again and again, until they are done."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from penstock.model.states import AttemptState
from tests.support.pipeline import Project, says
from tests.support.repos import git, state_of

ROUNDS = 60


def the_project(path: Path) -> Project:
    """Three workstreams in a row: one passes, one needs a static fix, one a runtime fix."""
    project = Project(path)
    project.bundle("ws-a", says("one\n", delay_s=0.05))
    project.bundle(
        "ws-b",
        says("bad\n", "ws-b.txt", delay_s=0.05),
        says("two\n", "ws-b.txt", delay_s=0.05),
        depends_on=["ws-a"],
    )
    project.bundle(
        "ws-c",
        says("fail\n", "ws-c.txt", delay_s=0.05),
        says("three\n", "ws-c.txt", delay_s=0.05),
        depends_on=["ws-b"],
    )
    git(project.root, "add", "--all")
    git(project.root, "commit", "-qm", "bundles")
    return project


def one_life(project: Project, lifetime_s: float, *, first: bool) -> int | None:
    """Run or resume in a process of its own; kill it after its lifetime. Return its exit code."""
    what = ["run", "--all", "--run-id", "run-1"] if first else ["resume", "run-1"]
    child = subprocess.Popen(
        [sys.executable, "-m", "penstock", *what],
        cwd=project.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _, said = child.communicate(timeout=lifetime_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return None
    assert child.returncode == 0, said.decode()
    assert b"Traceback" not in said
    return child.returncode


def state_of_run(project: Project) -> str | None:
    """Return the state of the run, None when it has not been entered."""
    if not (project.root / "state/pipeline.db").exists():
        return None
    with project.workspace() as workspace:
        return next((run.status.value for run in workspace.reader.list_runs()), None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_run_survives_being_killed_at_any_moment(tmp_path: Path, seed: int) -> None:
    """In the end all is done and merged once, the checkout untouched, the repository sound."""
    rng = random.Random(seed)
    project = the_project(tmp_path / "project")
    before = state_of(project.root)
    deaths = 0
    for _ in range(ROUNDS):
        if (state := state_of_run(project)) == "succeeded":  # killed after its last word, maybe
            break
        code = one_life(project, rng.uniform(0.25, 2.5), first=state is None)
        deaths += code is None
    else:
        pytest.fail(f"not done after {ROUNDS} lives and {deaths} deaths")
    assert [project.integrated(f"ws-{n}.txt") for n in "abc"] == ["one", "two", "three"]
    assert state_of(project.root) == before
    git(project.root, "fsck", "--strict")
    no_finished_step_was_repeated(project)
    no_process_is_left(project.root)


def no_finished_step_was_repeated(project: Project) -> None:
    """Every step came to its end exactly as often as in a run without a death."""
    expected = {"ws-a": 4, "ws-b": 6, "ws-c": 6}  # with its merge
    for ws_id, count in expected.items():
        ended = Counter(
            a.step_name
            for a in project.attempts(ws_id)
            if a.status in (AttemptState.SUCCEEDED, AttemptState.FAILED)
        )
        assert sum(ended.values()) == count, (ws_id, ended)


def no_process_is_left(root: Path) -> None:
    """Nothing has its working directory in the repository any more."""
    deadline = time.monotonic() + 10
    while True:
        inside = [p for p in Path("/proc").iterdir() if p.name.isdigit() and lives_in(p, root)]
        if not inside:
            return
        assert time.monotonic() < deadline, inside
        time.sleep(0.05)


def lives_in(process: Path, root: Path) -> bool:
    """Tell whether a process works below a folder."""
    try:
        return (process / "cwd").resolve().is_relative_to(root) and (process / "exe").exists()
    except OSError:
        return False
