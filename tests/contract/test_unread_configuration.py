"""Tools that go on with their defaults when they cannot read their configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.checkers import run_plugin, use_checkers, write_tree

CLEAN = '"""Nothing that anybody minds."""\n'


@pytest.mark.parametrize(
    ("plugin_id", "name", "text"),
    [
        ("python_mypy", "pyproject.toml", "[tool.mypy\n"),
        ("python_mypy", "mypy.ini", "[mypy\n"),
        ("python_mypy", "setup.cfg", "[mypy]\nstrict = true\n[mypy]\n"),
        ("python_pylint", "pyproject.toml", "[tool.pylint\n"),
        ("python_pylint", ".pylintrc", "[MAIN\n"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_no_pass(
    plugin_id: str, name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was judged by other rules than the repository's was not checked."""
    use_checkers(monkeypatch, "mypy", "pylint")
    place = write_tree(tmp_path, {"ok.py": CLEAN, name: text})
    result = run_plugin(plugin_id, place, ["ok.py"])
    assert not result.success
    assert "it does without its configuration" in (result.problem or "")


@pytest.mark.parametrize(
    ("plugin_id", "text"),
    [
        ("python_mypy", "[tool.mypy]\nnonsense = true\n"),
        ("python_mypy", "[project]\nname = 'x'\n"),
        ("python_pylint", "[project]\nname = 'x'\n"),
    ],
)
def test_a_configuration_that_can_be_read_is_used(
    plugin_id: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option that a tool does not know, or no word about the tool, keeps nobody from checking."""
    use_checkers(monkeypatch, "mypy", "pylint")
    place = write_tree(tmp_path, {"ok.py": CLEAN, "pyproject.toml": text})
    result = run_plugin(plugin_id, place, ["ok.py"])
    assert (result.success, result.problem) == (True, None)
