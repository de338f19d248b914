"""A repository with code and plans of every dialect that are written down in it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.cli import git, make_repository
from tests.support.repos import write

CHECKLIST = "todo.md"
CODE = {
    "src/auth.py": "def login(name):\n    return name\n",
    "src/store.py": "class SessionStore:\n    pass\n",
    "tests/test_auth.py": "def test_login():\n    pass\n",
    "docs/guide.md": "# Guide\n",
    "config/pipeline.yaml": "default_tool: scripted\n",
}
PLANS = {
    CHECKLIST: (
        "# Sign in\n\n## Server\n\n- [ ] Check the password in `src/auth.py`\n"
        "- [x] Write `docs/guide.md`\n\n## Tests\n\n- [ ] Cover it in `tests/test_auth.py`\n"
        "- [ ] Ask Eve what else there is\n"
    ),
    "openspec/changes/add-sessions/proposal.md": (
        "# Sessions\n\n## Why\n\nPeople are asked for their password on every page, which they do "
        "not like at all.\n\n## What Changes\n\n- Sessions are kept.\n"
    ),
    "openspec/changes/add-sessions/tasks.md": (
        "## 1. Store\n\n- [ ] 1.1 Keep sessions in `src/store.py`\n- [x] 1.2 Look at others\n\n"
        "## 2. Use\n\n- [ ] 2.1 Read the session in `src/auth.py`\n"
    ),
    "openspec/changes/add-sessions/specs/sessions/spec.md": (
        "## ADDED Requirements\n\n### Requirement: Keep sessions\n\nThe server SHALL keep a session."
        "\n\n#### Scenario: Come back\n\n- **WHEN** a person comes back\n- **THEN** nobody asks for a "
        "password\n"
    ),
    ".claude/epics/mail/epic.md": "---\nname: mail\nstatus: backlog\nprogress: 0%\n---\n\n# Mail\n",
    ".claude/epics/mail/12.md": (
        "---\nname: Send mail\nstatus: open\ndepends_on: []\nparallel: true\n---\n\n# Task: Send mail\n"
        "\n## Acceptance Criteria\n\n- [ ] Mail is sent\n\n## Technical Details\n\n- Key files: "
        "`src/auth.py`\n"
    ),
    "specs/001-search/spec.md": "# Search\n",
    "specs/001-search/tasks.md": (
        "# Tasks\n\n## Phase 1: Setup\n\n- [ ] T001 Describe it in docs/guide.md\n\n"
        "## Phase 2: User Story 1 - Find (Priority: P1)\n\n"
        "- [ ] T002 [P] [US1] Search in src/store.py\n- [ ] T003 [P] [US1] Sort in src/store.py\n"
    ),
    ".taskmaster/tasks/tasks.json": json.dumps(
        {
            "master": {
                "tasks": [
                    {"id": 1, "title": "Log out", "description": "In src/auth.py", "status": "pending",
                     "dependencies": [], "priority": "low", "details": "", "testStrategy": "",
                     "subtasks": []},
                    {"id": 2, "title": "Forget", "description": "", "status": "deferred",
                     "dependencies": [1], "priority": "high", "details": "", "testStrategy": "",
                     "subtasks": []},
                ],
                "metadata": {},
            }
        },
        indent=2,
    ),
}  # fmt: skip
SOURCES = {
    "checklist": CHECKLIST,
    "openspec": "add-sessions",
    "ccpm": "mail",
    "spec-kit": "001-search",
    "task-master": ".taskmaster/tasks/tasks.json",
}
"""What to name on the command line, by dialect."""


def make_plan_repository(folder: Path, **more: str) -> Path:
    """Make the repository, with one commit that holds all of it; `more` are files by name."""
    make_repository(folder, commit=False)
    write(folder, {**CODE, **PLANS, **more})
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", "First")
    return folder
