"""`penstock db check` and `penstock db salvage`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from penstock.store.migrations import latest_version
from penstock.store.sqlite import open_journal
from tests.support.cli import Cli
from tests.support.damage import STEPS, filled, leaves, overwrite
from tests.support.journals import sql


@pytest.fixture
def place(repo: Path) -> Path:
    """The journal of the repository, at rest, with something in it."""
    return filled(repo / "state" / "pipeline.db")


@pytest.fixture
def damaged(place: Path) -> Path:
    """The same with a page of attempts that cannot be read."""
    overwrite(place, leaves(place, "step_attempts")[1])
    return place


def test_a_sound_journal_is_said_to_be(cli: Cli, place: Path) -> None:
    """Exit 0, its place and its schema."""
    said = cli("db", "check")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{place} is sound (schema {latest_version()})\n"
    found = cli("db", "check", "--json").json
    assert (found["ok"], found["problems"]) == (True, [])
    assert found["schema_version"] == found["latest"] == latest_version()


def test_an_unsound_journal_has_its_problems_listed(cli: Cli, damaged: Path) -> None:
    """Exit 1, a line for each, and the command that helps; in JSON too."""
    said = cli("db", "check")
    assert said.code == 1
    assert said.out.startswith("- ")
    assert f"{damaged} is not sound" in said.err
    assert "penstock db salvage" in said.err
    found = cli("db", "check", "--json")
    assert (found.code, found.json["ok"], found.err) == (1, False, "")
    assert found.json["problems"]


@pytest.mark.usefixtures("repo")
def test_without_a_journal_there_is_nothing_to_check(cli: Cli) -> None:
    """That is exit 2, with the command that makes one."""
    for command in (("check",), ("salvage", "--output", "x.db")):
        said = cli("db", *command)
        assert (said.code, "penstock db init" in said.err) == (2, True)


def test_an_older_schema_is_no_damage(cli: Cli, place: Path) -> None:
    """It is mentioned."""
    sql(place, "UPDATE schema_meta SET value = '1' WHERE key = 'schema_version'")
    said = cli("db", "check")
    assert (said.code, "penstock db migrate" in said.err) == (0, True)


def test_what_can_be_read_is_saved_and_put_in_place(cli: Cli, damaged: Path) -> None:
    """The commands that it prints lead to a sound journal, the damaged one kept."""
    said = cli("db", "salvage", "--output", "fresh file.db")
    assert said.code == 0
    assert ", 1 hole" in said.out
    moves = [line for line in said.out.splitlines() if line.startswith("  mv ")]
    subprocess.run(["sh", "-ec", "\n".join(moves)], cwd=cli.folder, check=True)
    assert cli("db", "check").code == 0
    assert damaged.with_name("pipeline.db.damaged").exists()
    with open_journal(damaged) as journal:
        assert 0 < len(journal.list_attempts("run-1")) < STEPS


def test_a_log_is_moved_away_with_its_database(cli: Cli, place: Path) -> None:
    """SQLite would apply a log that stays behind to the fresh database."""
    with open_journal(place) as journal:
        journal.create_run("run-9")
        said = cli("db", "salvage", "--output", "fresh.db")
    assert f"mv {place}-wal {place}.damaged-wal" in said.out


def test_the_loss_is_told_in_json(cli: Cli, damaged: Path) -> None:
    """Rows copied, holes, and rows left out, table by table."""
    found = cli("db", "salvage", "--output", "fresh.db", "--json").json
    table = found["tables"]["step_attempts"]
    assert (table["holes"], table["dropped"]) == (1, 0)
    assert 0 < table["copied"] < STEPS
    assert (found["path"], found["output"]) == (str(damaged), "fresh.db")
    again = cli("db", "salvage", "--output", "fresh.db")
    assert (again.code, "is there already" in again.err) == (2, True)
