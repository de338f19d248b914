"""Dirty plans through the whole round: planned, run, written back, and planned again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from penstock.planning.drafting.api import Plan
from penstock.planning.writeback.api import SyncRequest
from tests.support.pipeline import Project
from tests.support.plan_corpus import MAKERS, Case, repository_files
from tests.support.repos import git, write

SEEDS = range(int(os.environ.get("PENSTOCK_PLAN_SEEDS", "3")))
SUPPLIED = "docs/page0.md"


def project_of(folder: Path, case: Case) -> Project:
    """Return a project with the files that a plan is for, and the plan."""
    project = Project(folder)
    write(project.root, {**repository_files(), **case.files})
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "Plan")
    return project


def planned(project: Project, case: Case) -> Plan:
    """Plan with a scope for what has none, by turns with few workstreams; write the bundles."""
    grouped = "all" if case.seed % 3 else "auto"
    with project.workspace() as workspace:
        options = workspace.plan_options(
            {"tool": "scripted", "group_by": grouped, "files_scope": [SUPPLIED]}
        )
        made = workspace.plan([case.word], options)
        workspace.write_plan(made, force=True)
    return made


def scripted(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return a turn that changes one of the files that a bundle claims."""
    path = [*bundle["files_scope"], *bundle.get("files_create", ())][0]
    name = f"{path}made-{bundle['id']}.md" if path.endswith("/") else path
    return {"edits": {name: f"# {bundle['id']}\n"}}


def script(project: Project) -> None:
    """Let the scripted tool do each bundle."""
    for path in sorted((project.root / "workstreams").glob("*.json")):
        bundle = json.loads(path.read_text())
        bundle["metadata"]["scripted"] = [scripted(bundle)]
        path.write_text(json.dumps(bundle))


def run_and_sync(project: Project) -> None:
    """Run all bundles, write back what they did, and take both over."""
    script(project)
    assert project.run().status == "succeeded"
    with project.workspace() as workspace:
        made = workspace.sync_plan(SyncRequest(run_id="run-1"))
    assert [source.lost for source in made.sources] == [()]
    git(project.root, "merge", "--quiet", "--ff-only", "integration/run-1")


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dialect", MAKERS)
def test_after_the_round_nothing_is_left(dialect: str, seed: int, tmp_path: Path) -> None:
    """All that was planned is done, what was done or skipped stays so, and nothing is lost."""
    case = MAKERS[dialect](seed)
    project = project_of(tmp_path / "project", case)
    before = planned(project, case).items
    assert (before.total, before.needs_scope) == (case.total, 0)
    if before.planned:
        run_and_sync(project)
    after = planned(project, case).items
    assert (after.total, after.planned, after.skipped) == (before.total, 0, before.skipped)
    assert after.done == before.done + before.planned
