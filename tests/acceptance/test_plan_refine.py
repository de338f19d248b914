"""`penstock plan --refine` through the command line, with a program that stands for an AI tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.planning.refining.api import ANSWER_FILE
from tests.support.cli import Cli
from tests.support.pipeline import Project
from tests.support.plan_files import names
from tests.support.repos import git, write

EDIT = (
    "import json\n"
    f"name = {ANSWER_FILE!r}\n"
    "plan = json.load(open(name))\n"
    "{change}\n"
    "json.dump(plan, open(name, 'w'))\n"
)
WIDER = "plan['workstreams'][0]['files_scope'].append('src/b.py')"
FEWER = "plan['workstreams'].pop()"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a checklist, where planning goes to the tool `first`."""
    project = Project(tmp_path / "project", default_tool="scripted")
    write(project.root, {"src/a.py": "", "src/b.py": "", "todo.md": "- [ ] Edit src/a.py\n"})
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message=files")
    project.rules(planning={"primary": "first", "max_retries": 0})
    return project


@pytest.fixture
def cli(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """The command line in it."""
    monkeypatch.chdir(project.root)
    return Cli(project.root, capsys)


def scope(cli: Cli) -> list[str]:
    """The scope of the one bundle."""
    (path,) = sorted((cli.folder / "workstreams").glob("*.json"))
    paths: list[str] = json.loads(path.read_text())["files_scope"]
    return paths


def test_what_is_better_is_shown_and_written(cli: Cli, project: Project) -> None:
    """The difference is printed, and the bundle has it."""
    project.agent(EDIT.format(change=WIDER), "first")
    said = cli("plan", "todo.md", "--refine")
    assert said.code == 0, said.err
    assert "src/b.py" in said.err
    assert scope(cli) == ["src/a.py", "src/b.py"]
    assert cli("validate").code == 0


def test_a_dry_run_shows_it_only(cli: Cli, project: Project) -> None:
    """Nothing is written."""
    project.agent(EDIT.format(change=WIDER), "first")
    said = cli("plan", "todo.md", "--refine", "--dry-run")
    assert said.code == 0, said.err
    assert "src/b.py" in said.err
    assert not (cli.folder / "workstreams").exists()


def test_what_loses_an_item_is_refused(cli: Cli, project: Project) -> None:
    """The reason is told, and the draft stays as it was."""
    project.agent(EDIT.format(change=FEWER), "first")
    said = cli("plan", "todo.md", "--refine")
    assert said.code == 0, said.err
    assert "refused: " in said.err
    assert scope(cli) == ["src/a.py"]


def test_where_nobody_can_be_asked_it_is_told(cli: Cli, project: Project) -> None:
    """A tool that fails leaves no half plan behind."""
    project.agent("raise SystemExit(3)", "first")
    said = cli("plan", "todo.md", "--refine")
    assert said.code == 1
    assert "without --refine" in said.err
    assert names(cli.folder / "workstreams") == []
