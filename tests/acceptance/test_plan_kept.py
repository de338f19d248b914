"""The kept plans of CCPM, spec-kit and task-master through the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.plan_corpus import repository_files
from tests.support.plan_readers import FIXTURES
from tests.support.repos import make_repo

HOMES = {"ccpm/epics": ".claude/epics", "spec-kit/specs": "specs", "task-master": ".taskmaster"}
PLANS = {
    ".claude/epics/ledger": (7, 2, 0),
    ".claude/epics/archived/books": (2, 1, 1),
    ".claude/epics/mail": (2, 0, 0),
    "specs/001-ledger": (17, 1, 1),
    "specs/002-older-template": (6, 0, 0),
    "specs/003-books": (5, 1, 0),
    ".taskmaster/tasks/tasks.json": (8, 2, 3),
    ".taskmaster/legacy/tasks.json": (1, 0, 0),
}


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in a repository that holds all kept plans."""
    root = make_repo(tmp_path / "repository", repository_files())
    for kept, home in HOMES.items():
        shutil.copytree(FIXTURES / kept, root / home)
    monkeypatch.chdir(root)
    return Cli(root, capsys)


@pytest.mark.parametrize(("source", "counts"), PLANS.items())
def test_every_item_of_a_kept_plan_is_counted(
    cli: Cli, source: str, counts: tuple[int, int, int]
) -> None:
    """All that is open is planned once a scope is supplied."""
    more = ("--files-scope", "src/area0/part0.py", "--lenient", "--tool", "scripted")
    items = cli("plan", source, "--dry-run", "--json", *more).json["items"]
    total, done, skipped = counts
    assert (items["total"], items["done"], items["skipped"]) == counts
    assert (items["planned"], items["needs_scope"]) == (total - done - skipped, 0)


@pytest.mark.parametrize("source", PLANS)
def test_what_is_written_of_a_kept_plan_is_valid(cli: Cli, source: str) -> None:
    """Contradictions are cut, and said."""
    more = ("--files-scope", "src/area0/part0.py", "--lenient", "--tool", "scripted")
    cli("plan", source, "--output-dir", "made", *more)
    assert cli("validate", "--dir", "made", "--json").json["ok"]


def test_a_repository_tells_its_plans(cli: Cli) -> None:
    """All but what is archived, or lies where no program puts it."""
    plans = {each["source"] for each in cli("plan", "--json").json["plans"]}
    assert plans == set(PLANS) - {".claude/epics/archived/books", ".taskmaster/legacy/tasks.json"}
