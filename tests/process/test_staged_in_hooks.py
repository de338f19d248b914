"""What a hook of git sees as staged, in every way in which git makes a commit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.repos import git, make_repo, write

TOP = Path(__file__).parents[2]
LOOK = """
import json, os, sys, tempfile
from pathlib import Path
sys.path[:0] = [{top!r}, {src!r}]
from penstock.checks.api import Place
from penstock.checks.inspection.project import export_index, staged_files
tree = Path.cwd()
place = Place(tree=tree, root=tree)
with tempfile.TemporaryDirectory() as folder:
    listing = export_index(place, Path(folder))
    content = {{name: Path(folder, name).read_text() for name in listing}}
Path({out!r}).write_text(json.dumps({{"staged": staged_files(place), "content": content}}))
"""


class Project:
    """A repository whose pre-commit hook notes what it sees."""

    def __init__(self, path: Path) -> None:
        self.tree = make_repo(path / "repo", {"a.py": "a\n", "b.py": "b\n", "c.py": "c\n"})
        self.out = path / "seen.json"
        script = path / "look.py"
        code = LOOK.format(top=str(TOP), src=str(TOP / "src"), out=str(self.out))
        script.write_text(code, encoding="utf-8")
        hook = self.tree / ".git/hooks/pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}"\n', encoding="utf-8")
        hook.chmod(0o755)

    def commit(self, *args: str, tree: Path | None = None) -> Any:
        """Commit, and return what the hook saw."""
        git(tree or self.tree, "commit", "--quiet", "--message=next", *args)
        return json.loads(self.out.read_text())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a change in each of two files, none of them staged."""
    made = Project(tmp_path)
    write(made.tree, {"a.py": "a2\n", "b.py": "b2\n"})
    return made


def test_a_plain_commit(project: Project) -> None:
    """Only what was added counts."""
    git(project.tree, "add", "a.py")
    seen = project.commit()
    assert seen == {"staged": ["a.py"], "content": {"a.py": "a2\n", "b.py": "b\n", "c.py": "c\n"}}


def test_a_commit_of_everything(project: Project) -> None:
    """`git commit -a` stages for itself, in an index of its own."""
    seen = project.commit("-a")
    assert seen["staged"] == ["a.py", "b.py"]
    assert seen["content"] == {"a.py": "a2\n", "b.py": "b2\n", "c.py": "c\n"}


def test_a_commit_of_paths(project: Project) -> None:
    """`git commit PATH` takes the file from the tree, whatever else is staged."""
    git(project.tree, "add", "a.py")
    seen = project.commit("b.py")
    assert seen == {"staged": ["b.py"], "content": {"a.py": "a\n", "b.py": "b2\n", "c.py": "c\n"}}


def test_a_commit_of_a_part_of_a_file(project: Project) -> None:
    """With `git add -p` the staged content is neither the old nor that of the tree."""
    write(project.tree, {"a.py": "first\n" + "same\n" * 20 + "last\n"})
    git(project.tree, "commit", "--quiet", "--no-verify", "--message=long", "a.py")
    write(project.tree, {"a.py": "FIRST\n" + "same\n" * 20 + "LAST\n"})
    git(project.tree, "add", "--patch", "a.py", stdin="y\nn\n")
    seen = project.commit()
    assert seen["staged"] == ["a.py"]
    assert seen["content"]["a.py"] == "FIRST\n" + "same\n" * 20 + "last\n"


def test_an_amended_commit(project: Project) -> None:
    """Amending shows what is staged on top of the last commit."""
    git(project.tree, "add", "b.py")
    assert project.commit("--amend")["staged"] == ["b.py"]


def test_a_commit_in_a_linked_worktree(project: Project) -> None:
    """git tells a hook in a worktree where its folders are; that leads nobody astray."""
    other = project.tree.parent / "other"
    git(project.tree, "worktree", "add", "--quiet", str(other))
    write(other, {"c.py": "c2\n"})
    seen = project.commit("-a", tree=other)
    assert seen == {"staged": ["c.py"], "content": {"a.py": "a\n", "b.py": "b\n", "c.py": "c2\n"}}


def test_a_commit_from_a_subfolder(project: Project) -> None:
    """Hooks stand at the top, wherever the user is."""
    write(project.tree, {"deep/d.py": "d\n"})
    git(project.tree, "add", "deep")
    assert project.commit(tree=project.tree / "deep")["staged"] == ["deep/d.py"]


def test_the_first_commit(tmp_path: Path) -> None:
    """Without any commit before, everything that was added is staged."""
    project = Project(tmp_path)
    git(project.tree, "update-ref", "-d", "HEAD")
    assert project.commit()["staged"] == ["a.py", "b.py", "c.py"]


def test_a_deletion_and_an_intention(project: Project) -> None:
    """A file that goes is not staged content, nor is one that is only to be added some day."""
    git(project.tree, "rm", "--quiet", "--cached", "c.py")
    write(project.tree, {"later.py": "l\n"})
    git(project.tree, "add", "--intent-to-add", "later.py")
    seen = project.commit()
    assert seen == {"staged": [], "content": {"a.py": "a\n", "b.py": "b\n"}}
