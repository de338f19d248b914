"""The formatter that a repository has not chosen is neither run nor missed, unless it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.checkers import checker_path
from tests.support.cli import Said, child, make_repository

MANY = ", ".join(f"{letter}_is_a_name" for letter in "abcdefgh")
UGLY = f"import sys\nimport os\nfrom m import {MANY}\nx = {{  'a':os, 'b':sys }}\n"
PLUGINS = "python_isort_fix,python_black_fix,python_ruff_format,python_ruff_fix,python_ruff"


class Formatted:
    """A repository with one ugly file, and what its pyproject.toml says."""

    def __init__(self, folder: Path) -> None:
        self.root = make_repository(folder / "project")
        (folder / "home").mkdir()
        self._env = {"PATH": checker_path("ruff", "black", "isort"), "HOME": str(folder / "home")}
        self.write("ugly.py", UGLY + f"print({MANY})\n")

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.root / name).write_text(text)

    def check(self, *args: str) -> Said:
        """Check the ugly file."""
        return child("check", *args, "ugly.py", cwd=self.root, env=self._env)

    @property
    def text(self) -> str:
        """The text of the ugly file."""
        return (self.root / "ugly.py").read_text()


@pytest.fixture
def project(tmp_path: Path) -> Formatted:
    """The repository."""
    return Formatted(tmp_path)


@pytest.mark.parametrize(
    ("config", "quotes"),
    [("", '"'), ("[tool.ruff.format]\nquote-style = 'single'\n", "'")],
    ids=["black", "ruff"],
)
def test_fix_formats_with_the_chosen_one(config: str, quotes: str, project: Formatted) -> None:
    """Fixers follow each other, and when they are done none of them would change anything."""
    project.write("pyproject.toml", config)
    project.check("--fix", "--only", PLUGINS)
    assert f"x = {{{quotes}a{quotes}: os, {quotes}b{quotes}: sys}}" in project.text
    after = project.check("--only", PLUGINS, "--strict")
    assert after.code == 0, after.out


def test_nothing_is_missed(project: Formatted) -> None:
    """With every tool required, those that another was chosen for are no failure."""
    project.write("pyproject.toml", "[tool.ruff]\n")
    said = project.check("--require", "--only", PLUGINS)
    assert said.code == 0, said.out
    assert "[python_black_fix]" not in said.out


def test_the_one_that_is_named_says_why_it_does_nothing(project: Formatted) -> None:
    """Named alone, it tells what has been chosen in its place."""
    project.write("pyproject.toml", "[tool.ruff]\n")
    said = project.check("--only", "python_black_fix")
    assert "the repository configures ruff" in said.out + said.err


def test_tools_that_sort_imports_do_not_fight(project: Formatted) -> None:
    """Where nothing is configured isort sorts, and ruff does not undo it in its own way."""
    names = "from typing import Final, TypeAlias as _TypeAlias, cast"
    project.write(
        "ugly.py", f'{names}\n\nNumber: _TypeAlias = int\none: Final = cast("Number", 1)\n'
    )
    fixed = project.check("--fix", "--only", PLUGINS, "--strict")
    assert (fixed.code, "comes to rest" in fixed.out) == (0, False), fixed.out
    assert "from typing import TypeAlias as _TypeAlias\n" in project.text
