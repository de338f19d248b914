"""Tools that see more than one file: a change in one file re-reports another, cache or no cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.checkers import checker_path
from tests.support.cli import Said, child, make_repository

COMMANDS = {"python_mypy": "mypy", "python_pyright": "pyright", "python_pylint": "pylint"}
FITTING = '"""A."""\n\n\ndef greet(name: str) -> str:\n    """Greet."""\n    return name\n'
CALLER = '"""B."""\n\nfrom a import greet\n\nprint(greet("you"))\n'
CHANGED = FITTING.replace("name: str", "name: str, times: int")
CODES = {"python_mypy": "call-arg", "python_pyright": "reportCallIssue", "python_pylint": "E1120"}
crossing = pytest.mark.parametrize("plugin_id", COMMANDS)


class CrossFile:
    """A repository in which b.py calls a function of a.py."""

    def __init__(self, folder: Path, plugin_id: str) -> None:
        self.root = make_repository(folder / "project")
        self._plugin_id = plugin_id
        home = folder / "home"
        home.mkdir()
        self._env = {"PATH": checker_path(COMMANDS[plugin_id]), "HOME": str(home)}
        self.write("a.py", FITTING)
        self.write("b.py", CALLER)

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def check(self, *args: str) -> Said:
        """Check with the one plugin."""
        options = ("--only", self._plugin_id, "--format", "json")
        return child("check", *options, *args, cwd=self.root, env=self._env)

    def errors(self, *args: str) -> dict[str, list[str]]:
        """Return the codes of errors by file, of those that have any."""
        files = self.check(*args).json["files"]
        found = {
            file["file_in"]: [i["code"] for i in file["issues"] if i["severity"] == "error"]
            for file in files
        }
        return {path: codes for path, codes in found.items() if codes}


@pytest.fixture
def project(tmp_path: Path, plugin_id: str) -> CrossFile:
    """The repository, for the plugin that a test is about."""
    return CrossFile(tmp_path, plugin_id)


@crossing
def test_a_changed_signature_re_reports_its_caller(plugin_id: str, project: CrossFile) -> None:
    """The caller, itself unchanged and clean in the cache, fails once the function has changed."""
    assert project.errors() == {}
    assert project.errors() == {}  # from the cache
    project.write("a.py", CHANGED)
    assert project.errors() == {"b.py": [CODES[plugin_id]]}
    assert project.errors() == {"b.py": [CODES[plugin_id]]}
    project.write("a.py", FITTING)
    assert project.errors() == {}


@crossing
def test_the_caller_alone_is_re_reported_too(plugin_id: str, project: CrossFile) -> None:
    """That holds when only the caller is named, so that the changed file is not even asked about."""
    assert project.errors("b.py") == {}
    project.write("a.py", CHANGED)
    assert project.errors("b.py") == {"b.py": [CODES[plugin_id]]}


@crossing
def test_a_deleted_module_re_reports_its_caller(plugin_id: str, project: CrossFile) -> None:
    """A module that is gone fails those that import it."""
    assert project.errors() == {}
    (project.root / "a.py").unlink()
    assert list(project.errors()) == ["b.py"]


@crossing
def test_a_created_module_re_reports_its_caller(plugin_id: str, project: CrossFile) -> None:
    """A module that was missing and is there now clears those that import it."""
    (project.root / "a.py").unlink()
    assert list(project.errors()) == ["b.py"]
    project.write("a.py", FITTING)
    assert project.errors() == {}
