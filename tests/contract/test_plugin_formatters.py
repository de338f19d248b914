"""The formatters for Python: which of them a repository has chosen, and what they do to files."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.checks.plugins.port import ToolFacts, Unavailable
from tests.support.checkers import found_by, run_plugin, tool_of, use_checkers, write_tree

UGLY = "import sys\nimport os\nx = {  'a':os, 'b':sys }\n"
FORMATTERS = ["python_isort_fix", "python_black_fix", "python_ruff_format"]
RUFF = '[tool.ruff]\nline-length = 88\n\n[tool.ruff.lint]\nselect = ["E"]\n'
BLACK = "[tool.black]\nline-length = 88\n"
ISORT = '[tool.isort]\nprofile = "black"\n'


@pytest.fixture(autouse=True)
def _formatters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real formatters."""
    use_checkers(monkeypatch, "ruff", "isort", "black")


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({}, ["python_isort_fix", "python_black_fix"]),
        ({"pyproject.toml": "[project]\nname = 'x'\n"}, ["python_isort_fix", "python_black_fix"]),
        ({"pyproject.toml": BLACK}, ["python_isort_fix", "python_black_fix"]),
        ({"pyproject.toml": RUFF}, ["python_ruff_format"]),
        ({"pyproject.toml": "[tool.ruff.lint]\nselect = ['E']\n"}, ["python_ruff_format"]),
        ({"ruff.toml": ""}, ["python_ruff_format"]),
        ({".ruff.toml": ""}, ["python_ruff_format"]),
        ({"pyproject.toml": RUFF + ISORT}, ["python_isort_fix", "python_ruff_format"]),
        ({"pyproject.toml": RUFF, ".isort.cfg": "[settings]\n"}, FORMATTERS[::2]),
        ({"pyproject.toml": RUFF, "setup.cfg": "[isort]\n"}, FORMATTERS[::2]),
        ({"pyproject.toml": RUFF, "tox.ini": "[tox]\n"}, ["python_ruff_format"]),
        ({"pyproject.toml": RUFF + BLACK}, ["python_black_fix"]),
        ({"pyproject.toml": RUFF + BLACK + ISORT}, ["python_isort_fix", "python_black_fix"]),
    ],
)
def test_a_repository_has_one_formatter(
    files: dict[str, str], chosen: list[str], tmp_path: Path
) -> None:
    """Black and isort stay out where ruff is configured and they are not, ruff stays out elsewhere."""
    place = write_tree(tmp_path, files)
    found = {plugin_id: tool_of(plugin_id, place) for plugin_id in FORMATTERS}
    assert [name for name in FORMATTERS if isinstance(found[name], ToolFacts)] == chosen
    out = [facts for facts in found.values() if isinstance(facts, Unavailable)]
    assert all(facts.by_choice and facts.reason and facts.hint for facts in out)


@pytest.mark.parametrize(
    ("plugin_id", "files", "result"),
    [
        ("python_isort_fix", {}, "import os\nimport sys\n\nx = {  'a':os, 'b':sys }\n"),
        ("python_black_fix", {}, 'import sys\nimport os\n\nx = {"a": os, "b": sys}\n'),
        (
            "python_ruff_format",
            {"ruff.toml": ""},
            'import sys\nimport os\n\nx = {"a": os, "b": sys}\n',
        ),
        (
            "python_ruff_fix",
            {"ruff.toml": '[lint]\nselect = ["I"]\n'},
            "import os\nimport sys\n\nx = {  'a':os, 'b':sys }\n",
        ),
    ],
)
def test_a_fixer_rewrites(
    plugin_id: str, files: dict[str, str], result: str, tmp_path: Path
) -> None:
    """A fixer rewrites what it would, leaves the rest alone, and nothing beside the sources."""
    place = write_tree(tmp_path, {**files, "a b.py": UGLY, "broken.py": "def f(:\n"})
    before = sorted(tmp_path.rglob("*"))
    done = run_plugin(plugin_id, place, ["a b.py", "broken.py"], fix=True)
    assert done.success, f"{done.problem} {done.stderr}"
    assert (place.tree / "a b.py").read_text() == result
    assert (place.tree / "broken.py").read_text() == "def f(:\n"
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("plugin_id", "config"),
    [
        ("python_isort_fix", '[tool.isort]\nextend_skip = ["gen"]\n'),
        ("python_black_fix", "[tool.black]\nextend-exclude = '/gen/'\n"),
        ("python_ruff_format", '[tool.ruff]\nextend-exclude = ["gen"]\n'),
        ("python_ruff_fix", '[tool.ruff]\nextend-exclude = ["gen"]\nlint.select = ["I"]\n'),
    ],
)
def test_a_fixer_leaves_excluded_files_alone(plugin_id: str, config: str, tmp_path: Path) -> None:
    """What the configuration excludes is not rewritten, though it was named."""
    place = write_tree(tmp_path, {"pyproject.toml": config, "gen/a.py": UGLY, "b.py": UGLY})
    done = run_plugin(plugin_id, place, ["gen/a.py", "b.py"], fix=True)
    assert done.success, done.problem
    assert (place.tree / "gen/a.py").read_text() == UGLY
    assert (place.tree / "b.py").read_text() != UGLY


def test_a_checking_fixer_of_ruff_starts_nothing(tmp_path: Path) -> None:
    """What ruff could mend is told by python_ruff alone, never twice."""
    place = write_tree(tmp_path, {"a.py": UGLY})
    done = run_plugin("python_ruff_fix", place, ["a.py"])
    assert (done.success, done.issues, done.returncode) == (True, (), None)


@pytest.mark.parametrize(
    ("plugin_id", "config", "line"),
    [
        (
            "python_black_fix",
            "[tool.black]\nline-length = 30\n",
            "x = [1111111111, 2222222222, 3333333333]",
        ),
        (
            "python_isort_fix",
            "[tool.isort]\nforce_sort_within_sections = true\n",
            "import os\nfrom abc import ABC",
        ),
    ],
)
def test_each_file_goes_by_its_own_configuration(
    plugin_id: str, config: str, line: str, tmp_path: Path
) -> None:
    """A nearer configuration holds for its folder alone, whatever else is in the batch."""
    text = f"{line}\n"
    place = write_tree(tmp_path, {"top.py": text, "in/near.py": text, "in/pyproject.toml": config})
    alone = [found_by(plugin_id, place, [name]) for name in ("top.py", "in/near.py")]
    together = found_by(plugin_id, place, ["top.py", "in/near.py"])
    assert sorted(together) == sorted(alone[0] + alone[1])
    assert together == ["in/near.py warning/formatting format"]
    assert found_by(plugin_id, place, ["in/near.py", "top.py"]) == together


@pytest.mark.parametrize(
    ("plugin_id", "files"),
    [
        ("python_black_fix", {"pyproject.toml": "[tool.black\n"}),
        ("python_isort_fix", {"pyproject.toml": "[tool.isort]\nprofile = 'nothing'\n"}),
        ("python_ruff", {"pyproject.toml": "[tool.ruff\n"}),
        ("python_ruff_format", {"ruff.toml": "line-length = 'x'\n"}),
    ],
)
def test_a_wrong_configuration_is_a_problem(
    plugin_id: str, files: dict[str, str], tmp_path: Path
) -> None:
    """A tool that cannot read its configuration fails its plugin, never the files."""
    place = write_tree(tmp_path, {**files, "a.py": UGLY})
    done = run_plugin(plugin_id, place, ["a.py"])
    assert not done.success
    assert done.problem
    assert done.issues == ()
