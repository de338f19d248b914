"""Every documented name that exists is where docs/reference/documented-names.md says."""

from __future__ import annotations

import importlib
import re
from operator import attrgetter
from pathlib import Path

import pytest

import penstock
from penstock.aim_cli.main import COMMANDS as AIM_TABLE
from penstock.cli.main import COMMANDS as COMMAND_TABLE
from tests.support.cli import child, make_repository

TABLES = {"penstock": COMMAND_TABLE, "aim": AIM_TABLE}
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "documented-names.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<name>.+?)` \| (?P<home>.+?) \|$", re.MULTILINE)
ROWS = [(match["name"], match["home"]) for match in ROW.finditer(PAGE)]
HERE = [(name, home.strip("`")) for name, home in ROWS if not home.startswith("later")]
COMMANDS = [(name, home) for name, home in HERE if " " in name]
NAMES = [(name, home) for name, home in HERE if " " not in name]
LATER = [(name, home) for name, home in ROWS if home.startswith("later")]


def test_the_page_is_read_whole() -> None:
    """No row of the page escapes the test."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(lines) == len(ROWS) == len({name for name, _ in ROWS})
    assert len(NAMES) > 40


@pytest.mark.parametrize(("name", "home"), NAMES, ids=[name for name, _ in NAMES])
def test_a_name_is_where_it_says_and_at_the_root(name: str, home: str) -> None:
    """A documented function, class or method exists in its module, with a docstring, and in
    `penstock`."""
    find = attrgetter(name)
    there = find(importlib.import_module(home))
    assert there.__doc__
    assert find(penstock) is there
    assert name.partition(".")[0] in penstock.__all__


@pytest.mark.parametrize(("name", "home"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_a_command_leads_to_one_of_ours(name: str, home: str) -> None:
    """A documented command line has its equal, and its script is there."""
    program, word, *_ = home.split()
    assert word in [entry.name for entry in TABLES[program]]
    script = re.search(r"scripts/\S+", name)
    assert script is None or (ROOT / script.group()).is_file()


@pytest.mark.parametrize(("name", "home"), LATER, ids=[name for name, _ in LATER])
def test_what_comes_later_says_with_what(name: str, home: str) -> None:
    """A name that is not there yet says what brings it, and is really not there."""
    assert home.startswith("later: ")
    assert name not in penstock.__all__


def test_every_public_name_can_be_imported() -> None:
    """`__all__`, the table of homes and what is really there are the same."""
    listed = {name for names in penstock.HOMES.values() for name in names}
    assert listed | {"__version__"} == set(penstock.__all__)
    for name in penstock.__all__:
        assert getattr(penstock, name) is not None
    assert set(penstock.__all__) <= set(dir(penstock))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = penstock.no_such_name


def test_the_module_form_of_the_orchestrator(tmp_path: Path) -> None:
    """`penstock run PATH --verbose` takes what the documented module form took."""
    said = child("run", "none.json", "--verbose", cwd=make_repository(tmp_path / "r"))
    assert said.code == 2
    assert "file not found" in said.err


def test_the_page_of_the_python_api_names_what_is_there() -> None:
    """Every function and method of the page exists."""
    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    functions, methods = page.split("## The class")
    named = set(re.findall(r"`penstock\.(\w+)\(", functions))
    assert named <= set(penstock.__all__)
    rows = [line.split(" | ")[0] for line in methods.splitlines() if line.startswith("| `")]
    called = re.findall(r"`(\w+)\(", " ".join(rows))
    assert len(called) > 10
    assert [name for name in called if not hasattr(penstock.Orchestrator, name)] == []
