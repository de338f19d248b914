"""Plans of each dialect in a real repository: planned, run with the scripted tool, written back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.engine.ports import RunRequest
from penstock.model.bundle import Bundle
from penstock.model.results import RunResult
from penstock.planning.drafting.api import Plan
from penstock.planning.sources.api import Dialect
from penstock.planning.writeback.api import SyncRequest, SyncResult
from tests.support.pipeline import Project
from tests.support.repos import git, write

CHANGE = "openspec/changes/add-pages"
EPIC = ".claude/epics/pages"
FEATURE = "specs/001-pages"
TASKS = ".taskmaster/tasks/tasks.json"

CHECKLIST = """\
# Pages

- [ ] Fill `one.txt`
- [x] Think
- [ ] Fill `two.txt`

## Later
* [ ] Fill `three.txt`
"""
OPENSPEC = {
    f"{CHANGE}/proposal.md": "## Why\n\nThe pages are empty, and readers of the project have told us"
    " so more than once.\n\n## What Changes\n\n- Fill the pages\n",
    f"{CHANGE}/tasks.md": "## 1. First\n\n- [ ] 1.1 Fill `one.txt`\n- [X] 1.2 Think\n\n"
    "## 2. Second\n\n1. [ ] 2.1 Fill `two.txt`\n- [~] 2.2 Fill `three.txt`\n",
    f"{CHANGE}/specs/pages/spec.md": "## ADDED Requirements\n\n### Requirement: Pages\n"
    "Pages SHALL be filled.\n\n#### Scenario: Filled\n- **WHEN** read\n- **THEN** not empty\n",
}  # fmt: skip
CCPM = {
    f"{EPIC}/epic.md": "---\nname: pages\nstatus: backlog\nupdated: 2026-01-01T00:00:00Z\n"
    "progress: 0%\n---\n# Epic: pages\n",
    f"{EPIC}/1.md": "---\nname: Fill the first\nstatus: open  # soon\nupdated: 2026-01-01T00:00:00Z\n"
    "depends_on: []\nparallel: true\n---\n# Task: Fill the first\n\nFill `one.txt`.\n",
    f"{EPIC}/2.md": "---\nname: Fill the others\nstatus: backlog\nupdated: 2026-01-01T00:00:00Z\n"
    "depends_on: [1]\nparallel: true\n---\n# Task: Fill the others\n",
    f"{EPIC}/2-analysis.md": "---\nissue: 2\n---\n# Analysis\n\n### Stream A: Two\n"
    "**Scope**: one\n**Files**:\n- two.txt\n\n### Stream B: Three\n**Files**:\n- three.txt\n",
}  # fmt: skip
SPEC_KIT = {
    f"{FEATURE}/spec.md": "# Feature Specification: Pages\n",
    f"{FEATURE}/tasks.md": "# Tasks: Pages\n\n## Phase 1: Setup\n\n- [ ] T001 Fill one.txt\n\n"
    "## Phase 3: User Story 1 - Read (Priority: P1)\n\n- [ ] T002 [P] [US1] Fill two.txt\n"
    "- [X] T003 [US1] Think\n\n## Phase 4: Polish\n\n- [ ] T004 Fill three.txt\n",
}
TASK_MASTER = {
    TASKS: json.dumps(
        {
            "master": {
                "tasks": [
                    {"id": 1, "title": "Fill the first", "description": "Fill `one.txt`",
                     "status": "pending", "dependencies": []},
                    {"id": "2", "title": "Fill the others", "description": "All", "status": "pending",
                     "dependencies": [1], "subtasks": [
                        {"id": 1, "title": "Fill `two.txt`", "status": "pending"},
                        {"id": 2, "title": "Fill `three.txt`", "status": "pending"}]},
                ],
                "metadata": {"completedCount": 0},
            }
        },
        indent=2,
    )
}  # fmt: skip
PLANS: Mapping[Dialect, tuple[str, Mapping[str, str]]] = {
    Dialect.CHECKLIST: ("plan.md", {"plan.md": CHECKLIST}),
    Dialect.OPENSPEC: (CHANGE, OPENSPEC),
    Dialect.CCPM: (EPIC, CCPM),
    Dialect.SPEC_KIT: (FEATURE, SPEC_KIT),
    Dialect.TASK_MASTER: (TASKS, TASK_MASTER),
}
PAGES = {f"{name}.txt": "empty\n" for name in ("one", "two", "three")}


def plan_project(folder: Path, files: Mapping[str, str], *, tracked: bool = True) -> Project:
    """A project with pages to fill and a plan, which git tracks or not."""
    project = Project(folder)
    write(project.root, PAGES if not tracked else {**PAGES, **files})
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "Plan")
    if not tracked:
        write(project.root, files)
        (project.root / ".git/info/exclude").write_text("".join(f"/{name}\n" for name in files))
    return project


def plan(project: Project, *words: str) -> Plan:
    """Plan with the scripted tool, and write the bundles."""
    with project.workspace() as workspace:
        options = workspace.plan_options({"tool": "scripted"})
        made = workspace.plan(words, options)
        workspace.write_plan(made, force=True)
    return made


def run_only(project: Project, run_id: str, bundles: Sequence[Bundle]) -> RunResult:
    """Run some of the bundles."""
    with project.workspace() as workspace:
        return workspace.run(RunRequest(bundles=tuple(bundles), run_id=run_id))


def script(project: Project, *failing: str) -> None:
    """Let the scripted tool fill the pages of each bundle; of those named in `failing` badly."""
    for path in sorted((project.root / "workstreams").glob("*.json")):
        held = json.loads(path.read_text())
        for bundle in held if isinstance(held, list) else [held]:
            said = "bad\n" if bundle["id"] in failing else "full\n"
            pages = {name: said for name in bundle["files_scope"] if name.endswith(".txt")}
            bundle["metadata"]["scripted"] = [{"edits": pages}]
        path.write_text(json.dumps(held))


def sync(project: Project, run_id: str = "run-1", **how: Any) -> SyncResult:
    """Write the results of a run back."""
    with project.workspace() as workspace:
        return workspace.sync_plan(SyncRequest(run_id=run_id, **how))
