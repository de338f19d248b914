"""Refining a plan with the real clients, through AIM, against the scripted model endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from penstock.planning.refining.api import ANSWER_FILE, Refined
from tests.support.endpoint_plan import Plan, editing
from tests.support.pipeline import Project
from tests.support.real_turns import KEY, client_world, files_with
from tests.support.refining import FILES, PLAN, Proposal, make_plan
from tests.support.repos import git, state_of, write

pytestmark = pytest.mark.real_cli

CLIENTS = ("claude-cli", "codex")
"""Those that the packaged registry lists for planning."""
RULES = ".AIM_ai-tools-registry/AIM_cross-tool/AIM_coordination-rules.json"
Ask = Callable[[str, Plan], Refined]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A repository with the files of the plan."""
    project = Project(tmp_path / "project")
    write(project.root, {name: f"{name}\n" for name in (*FILES, PLAN)})
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message=files")
    yield project
    assert files_with(tmp_path, KEY) == [], "the key was written to a file"


@pytest.fixture
def ask(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Let one client refine the plan while the model plays its part."""
    with ExitStack() as stack:

        def ask(client: str, plan: Plan) -> Refined:
            project.rules(planning={"primary": client, "max_retries": 0})
            stack.enter_context(client_world(client, plan, project.root.parent, monkeypatch))
            with project.workspace() as workspace:
                return workspace.refine(make_plan())

        yield ask


def proposal(path: str) -> str:
    """Return the draft with a path more, as a model writes it down."""
    changed = Proposal()
    changed.stream("ws-plan-g2")["files_scope"].append(path)
    return json.dumps(changed.json, indent=2) + "\n"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_makes_a_plan_better(client: str, ask: Ask, project: Project) -> None:
    """It edits the draft in its own tree, and the result is taken."""
    before = state_of(project.root)
    found = ask(client, editing({ANSWER_FILE: proposal("docs/more.md")}))
    assert (found.refused, found.tool_id, found.changed) == ((), client, True)
    assert found.plan.bundles[1].bundle.files_scope == ("docs/guide.md", "docs/more.md")
    after = state_of(project.root)
    assert {name for name in after if after[name] != before.get(name)} <= {RULES}


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_invents_is_refused(client: str, ask: Ask) -> None:
    """The draft stays."""
    found = ask(client, editing({ANSWER_FILE: proposal("docs/none.md")}))
    assert found.refused == ("ws-plan-g2: docs/none.md: does not exist, and is not to be created",)
    assert found.plan == make_plan()
