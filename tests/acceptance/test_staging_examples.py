"""The four staging examples run: through capabilities, with the first choice not installed."""

from __future__ import annotations

import ast
import shutil
import sys
from pathlib import Path

import pytest

import penstock
from penstock.model.results import RunResult
from tests.support.pipeline import Project
from tests.support.registries import FOLDER, write_registry
from tests.support.repos import write

EXAMPLES = Path(__file__).resolve().parents[2] / "workstreams" / "staging_test"
ADAPTER = '''\
"""Does as a model might: what it writes follows from what it is asked."""
import json, pathlib, sys

asked = json.load(sys.stdin)
prompt, (name,) = asked["payload"]["prompt"], asked["payload"]["files"]
path = pathlib.Path(name)
text = path.read_text() if path.exists() else ""
if "add(a, b) function" in prompt:
    text = "def add(a, b):\\n    if isinstance(a, str):\\n        raise TypeError\\n    return a + b\\n"
elif "docstrings" in prompt:
    text = '"""Sums."""\\n\\n\\n' + text.replace("b):\\n", 'b):\\n    """Return a + b."""\\n', 1)
elif "unit tests" in prompt:
    text = "from staging_test_file import add\\n\\n\\ndef test_add():\\n    assert add(1, 2) == 3\\n"
else:
    text = text.replace("def add(", "def check(a):\\n    return a\\n\\n\\ndef add(")
path.parent.mkdir(exist_ok=True)
path.write_text(text)
print(json.dumps({"success": True, "message": asked["capability"], "content": {}}))
'''


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the examples, in whose registry jules is not installed and aider an adapter."""
    project = Project(tmp_path / "project", static_tools=[], runtime_tools=[])
    tools = {
        "jules": {"name": "Jules", "detectCommands": ["jules-that-is-not-here"]},
        "aider": {"name": "aider", "detectCommands": [sys.executable]},
    }
    write_registry(project.root / FOLDER, tools)
    write(project.root, {f"{FOLDER}/AIM_adapters/AIM_aider.py": ADAPTER})
    shutil.copytree(EXAMPLES, project.root / "workstreams" / "staging_test")
    return project


def run(project: Project, *wanted: str) -> RunResult:
    """Run examples by id, or all of them."""
    folder = str(project.root / "workstreams" / "staging_test")
    return penstock.run(
        *wanted, everything=not wanted, run_id="run-1", directory=folder, root=project.root
    )


def test_all_four_in_their_order(project: Project) -> None:
    """Each gate builds on the one before, and the work of all is integrated."""
    result = run(project)
    assert [(w.ws_id, w.final_status) for w in result.workstreams] == [
        ("ws-add-docstrings-001", "done"),
        ("ws-add-tests-001", "done"),
        ("ws-aim-validation-001", "done"),
        ("ws-refactor-simple-001", "done"),
    ]
    text = project.integrated("tests/staging_test_file.py") or ""
    module = ast.parse(text)
    names = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
    assert names == ["check", "add"]
    assert ast.get_docstring(module) == "Sums."
    assert "def test_add" in (project.integrated("tests/test_staging_file.py") or "")


def test_the_first_choice_is_not_installed(project: Project) -> None:
    """The fallback of the packaged rules does it, and the trail says so."""
    run(project, "ws-aim-validation-001")
    attempts = [a for a in project.attempts("ws-aim-validation-001") if a.step_name == "edit"]
    assert [a.tool_id for a in attempts] == ["aider"]
    with project.workspace() as workspace:
        assert workspace.trail is not None
        assert workspace.trail.verify().ok
    (day,) = (project.root / FOLDER / "AIM_audit").glob("2*/audit.jsonl")
    line = next(line for line in day.read_text().splitlines() if '"invocation"' in line)
    assert '"capability":"code_generation"' in line.replace(" ", "")
