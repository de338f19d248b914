"""init, clean and db through the command line."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Cli, bundle, git, make_repository, write_bundles


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in a repository, with no AI CLI on PATH."""
    folder = make_repository(tmp_path / "project")
    for name in ("PIPELINE_DB_PATH", "PIPELINE_WORKSTREAM_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return Cli(folder, capsys)


def put_on_path(cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Put an executable that names a version on PATH."""
    tool = cli.folder.parent / "bin" / name
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 9.8.7\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")


def test_init_makes_a_repository_ready(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """After init the example validates and runs, and init --check is content."""
    put_on_path(cli, monkeypatch, "aider")
    assert cli("init", "--check").code == 1
    said = cli("init")
    assert said.code == 0, said.err
    assert "9.8.7" in said.out
    assert cli("init", "--check").code == 0
    assert cli("validate").out == "1 workstream bundles validated successfully.\n"
    assert cli("run", "ws-example", "--json").json["final_status"] == "done"
    assert git(cli.folder, "status", "--porcelain") == "?? config/\n?? workstreams/"


def test_init_as_json(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs learn what was made, what was found and what is missing."""
    put_on_path(cli, monkeypatch, "claude")
    document = cli("init", "--json").json
    assert document["ok"] is True
    assert {piece["state"] for piece in document["pieces"]} == {"created"}
    versions = {one["tool_id"]: one["version"] for one in document["clis"] if one["path"]}
    assert versions["claude-cli"] == "9.8.7"


def test_init_names_what_keeps_runs_from_starting(tmp_path: Path, cli: Cli,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A repository without a commit is prepared, with the problem named; no repository is 2."""
    empty = make_repository(tmp_path / "empty", commit=False)
    monkeypatch.chdir(empty)
    said = cli("init")
    assert said.code == 0
    assert "Problem: " in said.out
    assert "commit" in said.out
    monkeypatch.chdir(tmp_path)
    assert cli("init").code == 2


def test_init_refuses_a_repository_that_tracks_our_folders(cli: Cli) -> None:
    """Nothing of the user's is hidden: the setting that makes room is named."""
    (cli.folder / "state").mkdir()
    (cli.folder / "state" / "keep.txt").touch()
    git(cli.folder, "add", "-f", "state/keep.txt")
    said = cli("init")
    assert said.code == 2
    assert "state/keep.txt" in said.err
    assert "`db`" in said.err
    (cli.folder / "config").mkdir()
    (cli.folder / "config" / "pipeline.yaml").write_text("db: .penstock/pipeline.db\n")
    assert cli("init").code == 0
    assert cli("run", "ws-example", "--json").code == 0
    assert (cli.folder / ".penstock" / "prompts").is_dir()


def finished(cli: Cli) -> str:
    """Run a workstream that is done and one that fails without a commit; return the run's id."""
    outside = [{"edits": {"elsewhere.txt": "x\n"}}]
    write_bundles(cli.folder, bundle("ws-good"), bundle("ws-bad", metadata={"scripted": outside}))
    run_id: str = cli("run", "--all", "--json").json["run_id"]
    return run_id


def test_clean_only_says_what_it_would_do(cli: Cli) -> None:
    """A dry run lists evidence and worktrees with the reason, and removes nothing."""
    run_id = finished(cli)
    said = cli("clean", "--older-than", "0s", "--dry-run")
    assert said.code == 0, said.err
    assert f"logs/{run_id}" in said.out
    assert "it holds no commit of its own" in said.out
    assert (cli.folder / "logs" / run_id).is_dir()


def test_clean_removes_by_rule(cli: Cli) -> None:
    """With --yes evidence and empty worktrees go; branches, journal and results stay."""
    run_id = finished(cli)
    assert (cli.folder / ".worktrees" / "ws-bad").is_dir()
    document = cli("clean", "--older-than", "0s", "--yes", "--json").json
    kinds = sorted(item["kind"] for item in document["removed"])
    assert kinds == ["artifacts", "logs", "prompts", "worktree"]
    assert not (cli.folder / ".worktrees" / "ws-bad").exists()
    assert not (cli.folder / "logs" / run_id).exists()
    assert f"workstream/ws-good/{run_id}" in git(cli.folder, "branch", "--list", "workstream/*")
    assert cli("report", "latest", "--json").json["run_id"] == run_id
    assert "(no output is kept)" in cli("logs", "latest", "ws-good").out
    assert "Nothing to remove" in cli("clean", "--older-than", "0s").out


def test_clean_keeps_what_is_young_or_holds_work(cli: Cli) -> None:
    """Young evidence stays, and a worktree in which somebody left something uncommitted."""
    finished(cli)
    (cli.folder / ".worktrees" / "ws-bad" / "notes.txt").write_text("mine\n")
    said = cli("clean", "--yes")
    assert "Removed 0 items" in said.out
    assert "something uncommitted is in it" in said.out
    assert (cli.folder / ".worktrees" / "ws-bad" / "notes.txt").exists()


def test_clean_keeps_a_worktree_until_its_branch_is_merged(cli: Cli) -> None:
    """Commits that nobody has yet keep their worktree; once they are part of HEAD it goes."""
    write_bundles(cli.folder, bundle("ws-red", acceptance_tests=["python3 -c 'exit(1)'"]))
    run_id = cli("run", "ws-red", "--json").json["run_id"]
    found = cli("clean", "--older-than", "1d", "--yes", "--json").json
    assert (found["removed"], found["kept"][0]["why"]) == ([], "its branch is not merged")
    git(cli.folder, "merge", "-q", f"workstream/ws-red/{run_id}")
    found = cli("clean", "--older-than", "1d", "--yes", "--json").json
    assert [item["why"].partition(",")[0] for item in found["removed"]] == [
        "it is merged into HEAD"
    ]
    assert not (cli.folder / ".worktrees" / "ws-red").exists()


def test_clean_stays_in_our_folders(cli: Cli) -> None:
    """A run whose id is a path leads nowhere, and a linked folder is not followed."""
    finished(cli)
    database = sqlite3.connect(cli.folder / "state" / "pipeline.db", isolation_level=None)
    for run_id in ("..", "../..", ".", "linked"):
        made = "2020-01-01T00:00:00Z"
        database.execute(
            "INSERT INTO runs (run_id, status, created_at, updated_at) VALUES (?, 'failed', ?, ?)",
            (run_id, made, made),
        )
    database.close()
    (cli.folder / "logs" / "linked").symlink_to(cli.folder / "workstreams")
    found = cli("clean", "--yes", "--json").json["found"]
    assert [item["kind"] for item in found] == ["worktree"]
    assert (cli.folder / "workstreams" / "ws-good.json").exists()


def test_clean_goes_on_when_something_cannot_be_removed(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stays is named with the reason, the rest goes."""
    finished(cli)
    remove = shutil.rmtree

    def refuse(path: str, **options: Any) -> None:
        if "prompts" not in str(path):
            remove(path, **options)
        elif not options.get("ignore_errors"):
            raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(shutil, "rmtree", refuse)
    said = cli("clean", "--older-than", "0s", "--yes")
    assert said.code == 0
    assert "it cannot be removed: Permission denied" in said.out
    assert "Removed 3 items." in said.out


def test_clean_never_touches_an_unfinished_run(cli: Cli) -> None:
    """A run that waits to be resumed keeps all of its evidence."""
    write_bundles(cli.folder, bundle("ws-good"))
    assert cli("validate", "--run-id", "run-x").code == 0
    (cli.folder / "logs" / "run-x").mkdir(parents=True)
    assert cli("clean", "--older-than", "0s", "--json", "--yes").json["found"] == []


def test_clean_asks(cli: Cli) -> None:
    """Without a terminal it needs --yes; a nonsense age is refused."""
    finished(cli)
    assert "--yes" in cli("clean", "--older-than", "0s").err
    assert cli("clean", "--older-than", "soon").code == 2


def test_db_says_what_it_did(cli: Cli) -> None:
    """init and migrate print where the journal is and which schema it has."""
    made = cli("db", "init", "--json").json
    assert made["path"] == str(cli.folder / "state" / "pipeline.db")
    same = cli("db", "migrate", "--json").json
    assert same["from"] == same["to"] == made["schema_version"]
    assert "is up to date" in cli("db", "migrate").out
    assert cli("db", "migrate", "--db", "none.db").code == 2


def test_a_journal_that_is_no_file_is_told(cli: Cli) -> None:
    """A configuration that names a folder or a server instead of a file is a mistake, not a bug."""
    assert cli("status", "--db", "postgresql://u:secret@h/d").code == 2
    assert "secret" not in cli("status", "--db", "postgresql://u:secret@h/d").err
    assert cli("status", "--db", ".").code == 2
