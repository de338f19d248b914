"""The built-in plugins for Python, each with its real tool on files that it should and should not like."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.checks.api import Place
from penstock.checks.plugins.port import Unavailable
from tests.support.checkers import (
    brief,
    found_by,
    run_plugin,
    tool_of,
    use_checkers,
    write_tree,
)

BAD = """\
import sys
import os


def f(a: int) -> str:
    return a


print(eval("1"), os)
assert f("s")
teh = 1
"""
SECRET = 'AWS = "AKIAIOSFODNN7EXAMPLE"\npassword = "hunter2xyz9Q"\n'  # pragma: allowlist secret
RULES = """\
rules:
  - id: no-eval
    pattern: eval(...)
    message: Do not use eval.
    languages: [python]
    severity: ERROR
    fix: literal_eval(...)
    metadata: {references: ["https://example.org/eval"]}
"""
CLEAN = '"""A module."""\n\nVALUE = 1\n'
BROKEN = "def f(:\n    pass\n"
# a comment that is no UTF-8, without and with a declaration
LATIN = b"# caf\xe9\nVALUE = 1\n"
DECLARED = b'# -*- coding: latin-1 -*-\n"""Caf\xe9."""\n\nVALUE = 1\n'

COMMANDS = {
    "python_ruff": "ruff",
    "python_ruff_format": "ruff",
    "python_isort_fix": "isort",
    "python_black_fix": "black",
    "python_pylint": "pylint",
    "python_mypy": "mypy",
    "python_pyright": "pyright",
    "python_bandit": "bandit",
    "codespell": "codespell",
    "semgrep": "semgrep",
    "detect_secrets": "detect-secrets",
}
NEEDED = {
    "python_ruff_format": {"ruff.toml": ""},
    "semgrep": {".semgrep.yml": RULES},
}
"""What has to lie in a tree before a plugin works there."""
FOUND = {
    "python_ruff": ["bad.py:1:8 warning/style F401"],
    "python_ruff_format": ["bad.py warning/formatting format"],
    "python_isort_fix": ["bad.py warning/formatting format"],
    "python_black_fix": ["bad.py warning/formatting format"],
    "python_pylint": [
        "bad.py:1:1 info/style C0114",
        "bad.py:1:1 warning/style W0611",
        "bad.py:5:1 info/style C0116",
        "bad.py:9:7 warning/style W0123",
        "bad.py:11:1 info/style C0103",
    ],
    "python_mypy": [
        "bad.py:6:12 error/type return-value",
        "bad.py:10:10 error/type arg-type",
    ],
    "python_pyright": [
        "bad.py:6:12 error/type reportReturnType",
        "bad.py:10:10 error/type reportArgumentType",
    ],
    "python_bandit": ["bad.py:9:7 warning/security B307", "bad.py:10:1 info/security B101"],
    "codespell": ["bad.py:11 warning/style misspelling"],
    "semgrep": ["bad.py:9:7 error/security no-eval"],
    "detect_secrets": [
        "bad.py:1 error/security aws-access-key",
        "bad.py:2 error/security secret-keyword",
    ],
}
"""What each tool finds in its own bad.py, and nothing else."""
UNREADABLE = {
    "python_ruff": ["broken.py:1:7 error/syntax invalid-syntax"],
    "python_ruff_format": ["broken.py:1:7 error/syntax invalid-syntax"],
    "python_black_fix": ["broken.py:1:6 error/syntax invalid-syntax"],
    "python_pylint": ["broken.py:1:8 error/syntax E0001"],
    "python_mypy": ["broken.py:1:7 error/syntax syntax"],
    "python_pyright": ["broken.py:1:6 error/syntax syntax"],
    "python_bandit": ["broken.py error/syntax unreadable"],
}
"""The first thing that is said of a file with a syntax error, by the tools that parse."""
UNDECODABLE = {
    "python_ruff": ["latin.py:1:1 error/other E902"],
    "python_ruff_format": ["latin.py error/other unreadable"],
    "python_isort_fix": ["latin.py error/other unreadable"],
    "python_black_fix": ["latin.py error/other unreadable"],
    "python_pylint": ["latin.py:1:1 error/syntax E0001"],
    "python_mypy": ["latin.py error/other blocked"],
    "python_pyright": [],
    "python_bandit": ["latin.py error/syntax unreadable"],
    "codespell": [],
    "semgrep": [],
    "detect_secrets": [],
}
EXCLUDING = {
    "python_ruff": '[tool.ruff]\nextend-exclude = ["gen"]\n',
    "python_ruff_format": '[tool.ruff]\nextend-exclude = ["gen"]\n',
    "python_isort_fix": '[tool.isort]\nextend_skip = ["gen"]\n',
    "python_black_fix": "[tool.black]\nextend-exclude = '/gen/'\n",
    "python_pylint": '[tool.pylint.main]\nignore-paths = ["gen"]\n',
    "python_mypy": '[tool.mypy]\nexclude = "^gen/"\n',
    "python_pyright": '[tool.pyright]\nexclude = ["gen"]\n',
    "python_bandit": '[tool.bandit]\nexclude_dirs = ["gen"]\n',
    "codespell": '[tool.codespell]\nskip = "gen,*.lock"\n',
}
"""How each tool is told to leave the folder `gen` alone."""
everyone = pytest.mark.parametrize("plugin_id", COMMANDS)


@pytest.fixture(autouse=True)
def _checkers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real tools of the plugin that a test is about."""
    callspec = getattr(request.node, "callspec", None)
    plugin_id = callspec.params.get("plugin_id") if callspec is not None else None
    use_checkers(monkeypatch, *([COMMANDS[plugin_id]] if plugin_id else []))


def place_for(plugin_id: str, tree: Path, **files: str | bytes) -> Place:
    """Write the given modules, and what the plugin needs, into a tree."""
    sources = {f"{name}.py": content for name, content in files.items()}
    return write_tree(tree, {**NEEDED.get(plugin_id, {}), **sources})


def bad_for(plugin_id: str) -> str:
    """Return what the plugin does not like."""
    if plugin_id == "detect_secrets":
        return SECRET
    return f"{BAD}x  = 1\n" if plugin_id in {"python_black_fix", "python_ruff_format"} else BAD


@everyone
def test_it_finds_exactly_what_is_wrong(plugin_id: str, tmp_path: Path) -> None:
    """Each tool's findings come with their lines, columns, codes, categories and severities."""
    place = place_for(plugin_id, tmp_path, bad=bad_for(plugin_id), clean=CLEAN)
    assert found_by(plugin_id, place, ["bad.py", "clean.py"]) == FOUND[plugin_id]


@everyone
def test_clean_files_are_clean(plugin_id: str, tmp_path: Path) -> None:
    """A tool that is content finds nothing, whatever the names are and in an empty file too, and
    leaves no cache, report or folder in the tree.
    """
    names = ["clean.py", "-dash.py", "a b.py", "it's.py", "na\u00efve.py", "@at.py"]
    files = {**dict.fromkeys(names, CLEAN), "empty.py": ""}
    place = write_tree(tmp_path, {**NEEDED.get(plugin_id, {}), **files})
    before = sorted(tmp_path.rglob("*"))
    naming = {"C0103", "W2402"} if plugin_id == "python_pylint" else set()
    found = found_by(plugin_id, place, list(files))
    assert [line for line in found if line.split()[-1] not in naming] == []
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("plugin_id", UNREADABLE)
def test_a_syntax_error_is_an_error_of_its_file(plugin_id: str, tmp_path: Path) -> None:
    """A file that cannot be parsed has a finding, and the others are checked all the same."""
    place = place_for(plugin_id, tmp_path, broken=BROKEN, bad=bad_for(plugin_id))
    found = found_by(plugin_id, place, ["bad.py", "broken.py"])
    broken = [line for line in found if line.startswith("broken.py")]
    assert broken[:1] == UNREADABLE[plugin_id]
    assert [line for line in found if line not in broken] == FOUND[plugin_id]


@everyone
def test_a_file_that_is_no_utf8_does_no_harm(plugin_id: str, tmp_path: Path) -> None:
    """A file that a tool cannot decode has an error of its own, if the tool cares."""
    place = place_for(plugin_id, tmp_path, latin=LATIN, clean=CLEAN)
    assert found_by(plugin_id, place, ["clean.py", "latin.py"]) == UNDECODABLE[plugin_id]


@pytest.mark.parametrize(
    "plugin_id", sorted(set(COMMANDS) - {"python_ruff", "python_ruff_format", "python_pylint"})
)
def test_a_declared_encoding_counts(plugin_id: str, tmp_path: Path) -> None:
    """Latin-1 that says so is Python (ruff alone wants UTF-8, and pylint says that PEP 8 does)."""
    place = place_for(plugin_id, tmp_path, declared=DECLARED)
    assert found_by(plugin_id, place, ["declared.py"]) == []


@pytest.mark.parametrize("plugin_id", EXCLUDING)
def test_an_excluded_file_is_clean(plugin_id: str, tmp_path: Path) -> None:
    """A file that a tool's configuration excludes is clean, though it was named; others are not."""
    files = {"gen/bad.py": bad_for(plugin_id), "bad.py": bad_for(plugin_id)}
    place = write_tree(tmp_path, {**files, "pyproject.toml": EXCLUDING[plugin_id]})
    assert found_by(plugin_id, place, ["gen/bad.py"]) == []
    sorting = ["bad.py:1:1 warning/style I001"] if plugin_id == "python_ruff" else []
    expected = [*sorting, *FOUND[plugin_id]]  # who configures ruff has its order of imports too
    assert found_by(plugin_id, place, ["gen/bad.py", "bad.py"]) == expected


@everyone
def test_a_file_that_vanishes_is_no_pass(plugin_id: str, tmp_path: Path) -> None:
    """A file that is gone when the tool comes to it is a finding or a problem where it is noticed."""
    place = place_for(plugin_id, tmp_path, clean=CLEAN)
    result = run_plugin(plugin_id, place, ["clean.py", "gone.py"])
    told = [brief(found, place) for found in result.issues if "gone.py" in (found.path or "")]
    silent = {"codespell", "detect_secrets"}
    assert plugin_id in silent or told or result.problem


@everyone
def test_its_version_is_known_without_starting_it(plugin_id: str, tmp_path: Path) -> None:
    """Each tool's version stands in the metadata of its package."""
    place = place_for(plugin_id, tmp_path)
    found = tool_of(plugin_id, place)
    assert found is not None
    assert not isinstance(found, Unavailable)
    assert found.version[0].isdigit()
