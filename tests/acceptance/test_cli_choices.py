"""What `penstock run` does with what it is given, and with nothing."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from tests.support.cli import Cli, bundle, make_repository, write_bundles


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in a repository with two bundles."""
    folder = make_repository(tmp_path / "project")
    for name in ("PIPELINE_DB_PATH", "PIPELINE_WORKSTREAM_DIR", "PIPELINE_DRY_RUN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    write_bundles(folder, bundle("ws-a"), bundle("ws-b", depends_on=["ws-a"]))
    return Cli(folder, capsys)


def contents(folder: Path) -> dict[str, str]:
    """Return a hash of every file of a folder."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_nothing_named_lists_what_there_is(cli: Cli) -> None:
    """Without arguments and without an unfinished run it lists the bundles and exits 2."""
    said = cli("run")
    assert said.code == 2
    assert "bundles: ws-a, ws-b" in said.err
    assert "--all" in said.err


def test_several_unfinished_runs_are_listed(cli: Cli) -> None:
    """Two unfinished runs are a question, not a guess."""
    assert cli("validate", "--run-id", "run-one").code == 0
    assert cli("validate", "--run-id", "run-two").code == 0
    said = cli("run")
    assert said.code == 2
    assert "unfinished runs: run-two, run-one" in said.err


def test_bundles_entered_by_validate_are_run(cli: Cli) -> None:
    """`validate --run-id` enters the bundles as pending and `run` of that run does them."""
    said = cli("validate", "--run-id", "run-one", "--json")
    assert said.json == {
        "ok": True, "bundles_checked": 2, "errors": [], "synced_run_id": "run-one",
    }  # fmt: skip
    assert cli("validate", "--run-id", "run-one").code == 0
    result = cli("run", "--run-id", "run-one", "--json")
    assert result.code == 0, result.err
    assert [w["final_status"] for w in result.json["workstreams"]] == ["done", "done"]
    assert cli("validate", "--run-id", "run-one").code == 2


def test_an_unknown_id_gets_the_nearest(cli: Cli) -> None:
    """A mistyped workstream names the likely one."""
    said = cli("run", "ws-aa")
    assert said.code == 2
    assert "Did you mean ws-a?" in said.err


def test_a_missing_dependency_is_named(cli: Cli) -> None:
    """A dependency outside of the run is named with the option that adds it."""
    said = cli("run", "--ws-id", "ws-b", "--json")
    assert said.code == 2
    assert said.json["error"]["hint"].startswith("Add --with-deps")


def test_an_invalid_bundle_stops_the_run(cli: Cli) -> None:
    """Every error is listed before anything is started."""
    write_bundles(cli.folder, {"id": "ws-c"})
    said = cli("run", "ws-a", "--json")
    assert said.code == 2
    assert "'files_scope' is missing" in said.err
    assert not (cli.folder / "state").exists()


def test_a_path_names_its_bundles(cli: Cli, tmp_path: Path) -> None:
    """A file outside of the folder is run, its dependencies are those of the folder."""
    file = tmp_path / "extra.json"
    file.write_text(json.dumps([bundle("ws-x"), bundle("ws-y", depends_on=["ws-a"])]))
    said = cli("run", str(file), "--with-deps", "--json")
    assert said.code == 0, said.err
    assert [w["ws_id"] for w in said.json["workstreams"]] == ["ws-a", "ws-x", "ws-y"]


@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_dry_run_writes_nothing(cli: Cli, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan is printed with order, prompt and commands, and no byte is changed."""
    before = contents(cli.folder)
    if by == "environment":
        monkeypatch.setenv("PIPELINE_DRY_RUN", "yes")
    said = cli("run", "--all", *(["--dry-run"] if by == "option" else []))
    assert said.code == 0, said.err
    assert said.out.index("1. ws-a with scripted") < said.out.index("2. ws-b with scripted")
    assert "| - Write ws-a.txt" in said.out
    assert contents(cli.folder) == before


def test_a_dry_run_as_json_has_the_result_and_the_plan(cli: Cli) -> None:
    """Programs get the documented result with dry_run true, its steps succeeding."""
    document = cli("run", "ws-a", "--dry-run", "--json").json
    assert document["dry_run"] is True
    assert document["final_status"] == "done"
    assert all(step["success"] for step in document["steps"])
    assert document["plan"][0]["steps"][0]["step"] == "edit"


def test_windows_is_told_plainly(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where runs are not supported, running says so, and reading and validating work."""
    monkeypatch.setattr("penstock.environment.platform.sys.platform", "win32")
    said = cli("run", "ws-a")
    assert said.code == 2
    assert "not supported on Windows" in said.err
    assert cli("validate").code == 0
    assert cli("status").code == 0


def test_an_unknown_tool_is_a_usage_error(cli: Cli) -> None:
    """--tool is checked before a run is made."""
    said = cli("run", "ws-a", "--tool", "no-such-tool")
    assert said.code == 2
    assert "no-such-tool" in said.err
    assert cli("status", "--json").json == {"runs": []}


def test_an_unfinished_run_is_not_mixed_with_others(cli: Cli) -> None:
    """Resuming by --run-id refuses bundles that the run does not hold, and dry runs."""
    cli("validate", "--run-id", "run-one")
    write_bundles(cli.folder, bundle("ws-c"))
    assert "does not hold ws-c" in cli("run", "ws-c", "--run-id", "run-one").err
    assert cli("run", "--run-id", "run-one", "--dry-run").code == 2
    assert cli("run", "--run-id", "run-none").code == 2


def test_a_newer_journal_is_refused(cli: Cli) -> None:
    """A journal that a newer penstock made is left alone, with a message."""
    assert cli("db", "init").code == 0
    with sqlite3.connect(cli.folder / "state" / "pipeline.db") as database:
        database.execute("UPDATE schema_meta SET value='999' WHERE key='schema_version'")
    database.close()
    for command in (["status"], ["run", "ws-a"], ["db", "inspect"], ["db", "migrate"]):
        said = cli(*command)
        assert said.code == 2
        assert "999" in said.err


@pytest.mark.parametrize("run_id", ["../x", "..", "a b", "", "-x", "x.lock", "a..b", "x" * 101])
def test_a_run_cannot_be_called_anything(cli: Cli, run_id: str) -> None:
    """An id that is no branch name or leads out of a folder is refused before anything is made."""
    for command in (["run", "ws-a"], ["validate"]):
        said = cli(*command, f"--run-id={run_id}")
        assert said.code == 2
        assert "cannot be the id of a run" in said.err
    assert cli("status", "--json").json == {"runs": []}
