"""clean through the command line: what it may remove, what it keeps, and whom it leaves alone."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from penstock.engine import clean
from penstock.environment import isolation
from penstock.environment.isolation import Isolation
from penstock.locks import exclusive
from penstock.worktrees.pool import idle_slots
from penstock.worktrees.repository import GitRepository
from tests.support.cli import Cli, bundle, git, make_repository, write_bundles
from tests.support.isolating import holding

RED = ["python3 -c 'exit(1)'"]
"""Acceptance commands that fail: the workstream keeps its worktree, with a commit in it."""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in a repository."""
    folder = make_repository(tmp_path / "project")
    for name in ("PIPELINE_DB_PATH", "PIPELINE_WORKSTREAM_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return Cli(folder, capsys)


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder for ports and files of this test."""
    made = Path(tempfile.mkdtemp(prefix="p")).resolve()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    monkeypatch.setattr(isolation, "OTHERS", ())
    yield made
    shutil.rmtree(made, ignore_errors=True)


def red_run(cli: Cli) -> str:
    """Run a workstream that fails with a commit in its worktree; return the run's id."""
    write_bundles(cli.folder, bundle("ws-red", acceptance_tests=RED))
    run_id: str = cli("run", "ws-red", "--json").json["run_id"]
    return run_id


def cleaned(cli: Cli, *options: str) -> dict[str, Any]:
    """Clean what may go and return the document."""
    said = cli("clean", "--older-than", "1d", "--yes", "--json", *options)
    assert said.code == 0, said.err
    document: dict[str, Any] = said.json
    return document


def kinds(document: dict[str, Any]) -> list[str]:
    """Return what kinds of things were removed."""
    return [item["kind"] for item in document["removed"]]


def whys(document: dict[str, Any]) -> list[str]:
    """Return why the rest was kept."""
    return [item["why"] for item in document["kept"]]


# -- worktrees -----------------------------------------------------------------------------------
def test_squashed_work_is_recognised(cli: Cli) -> None:
    """A squash leaves no trace of the branch in the history; the files are the proof."""
    branch = f"workstream/ws-red/{red_run(cli)}"
    assert whys(cleaned(cli)) == ["its branch is not merged"]
    git(cli.folder, "merge", "-q", "--squash", branch)
    git(cli.folder, "commit", "-qm", "Squashed")
    (gone,) = cleaned(cli)["removed"]
    assert gone["why"].startswith("HEAD has all of its changes")
    assert branch in git(cli.folder, "branch", "--list", branch)


def test_rebased_work_is_recognised(cli: Cli) -> None:
    """Work that was picked onto a branch with commits of its own is there all the same."""
    branch = f"workstream/ws-red/{red_run(cli)}"
    (cli.folder / "other.txt").write_text("mine\n")
    git(cli.folder, "add", "other.txt")
    git(cli.folder, "commit", "-qm", "Mine")
    git(cli.folder, "cherry-pick", branch)
    assert kinds(cleaned(cli)) == ["worktree"]


def test_half_of_the_work_is_not_enough(cli: Cli) -> None:
    """When a file was changed since, what the workstream wrote is provably there no more."""
    branch = f"workstream/ws-red/{red_run(cli)}"
    git(cli.folder, "merge", "-q", "--squash", branch)
    (cli.folder / "ws-red.txt").write_text("other\n")
    git(cli.folder, "add", "ws-red.txt")
    git(cli.folder, "commit", "-qm", "Something else")
    assert (kinds(cleaned(cli)), whys(cleaned(cli))) == ([], ["its branch is not merged"])


def test_a_worktree_of_an_unfinished_run_is_listed(cli: Cli) -> None:
    """It stays, and the reason is given."""
    red_run(cli)
    with closing(sqlite3.connect(cli.folder / "state" / "pipeline.db")) as database:
        database.execute("UPDATE runs SET status = 'running', ended_at = NULL")
        database.commit()
    document = cleaned(cli, "--pool")
    assert whys(document) == ["its run has not ended (running)"]
    assert kinds(document) == []


def test_a_run_that_is_worked_on_is_left_alone(cli: Cli) -> None:
    """What another process holds stays, although the run looked finished a moment ago."""
    run_id = red_run(cli)
    git(cli.folder, "merge", "-q", f"workstream/ws-red/{run_id}")
    with exclusive(cli.folder / "state" / "locks" / f"{run_id}.lock", busy="mine"):
        said = cli("clean", "--older-than", "0s", "--yes")
        assert "Removed 0 items." in said.out
        assert f"another process is working on run {run_id}" in said.out
    assert (cli.folder / ".worktrees" / "ws-red").is_dir()


def test_a_run_that_went_on_since_is_left_alone(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is looked at again when the lock is held."""
    run_id = red_run(cli)
    git(cli.folder, "merge", "-q", f"workstream/ws-red/{run_id}")
    plan = clean.Cleaner.plan

    def plan_then_go_on(self: clean.Cleaner, **options: Any) -> clean.CleanPlan:
        found = plan(self, **options)
        monkeypatch.setattr(clean, "FINISHED", frozenset())
        return found

    monkeypatch.setattr(clean.Cleaner, "plan", plan_then_go_on)
    said = cli("clean", "--older-than", "0s", "--yes")
    assert "Removed 0 items." in said.out
    assert "its run goes on (failed)" in said.out


def test_a_worktree_of_nobody_is_kept(cli: Cli) -> None:
    """One that the journal does not know may be anybody's."""
    red_run(cli)
    (cli.folder / "state" / "pipeline.db").unlink()
    for name in ("pipeline.db-wal", "pipeline.db-shm"):
        (cli.folder / "state" / name).unlink(missing_ok=True)
    assert whys(cleaned(cli)) == ["the journal does not know whose it is"]


def test_a_worktree_that_went_to_another_is_kept(cli: Cli) -> None:
    """The journal has another place for the workstream: this one may be anything."""
    red_run(cli)
    with closing(sqlite3.connect(cli.folder / "state" / "pipeline.db")) as database:
        database.execute("UPDATE workstreams SET worktree_path = '.worktrees/elsewhere'")
        database.commit()
    assert whys(cleaned(cli)) == ["its workstream has another worktree by now"]


def test_work_that_is_not_safe_any_more(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch that was reset between the look and the removal keeps the worktree."""
    run_id = red_run(cli)
    git(cli.folder, "merge", "-q", f"workstream/ws-red/{run_id}")
    plan = clean.Cleaner.plan

    def plan_then_reset(self: clean.Cleaner, **options: Any) -> clean.CleanPlan:
        found = plan(self, **options)
        git(cli.folder, "reset", "-q", "--hard", "HEAD~1")
        return found

    monkeypatch.setattr(clean.Cleaner, "plan", plan_then_reset)
    said = cli("clean", "--older-than", "1d", "--yes")
    assert "Removed 0 items." in said.out
    assert "its branch is not merged" in said.out


def test_what_vanishes_has_no_size(tmp_path: Path) -> None:
    """A folder may go while it is being measured."""
    assert clean.size_of(tmp_path / "gone") == 0


# -- the pool ------------------------------------------------------------------------------------
def test_idle_worktrees_go_when_asked(cli: Cli) -> None:
    """They are listed, and removed with --pool only."""
    write_bundles(cli.folder, bundle("ws-good"))
    assert cli("run", "ws-good", "--json").code == 0
    assert whys(cleaned(cli)) == ["it is idle, ready for the next workstream; --pool removes it"]
    document = cleaned(cli, "--pool")
    assert kinds(document) == ["pool"]
    assert document["removed"][0]["size"] > 0
    assert "pool" not in git(cli.folder, "worktree", "list")
    assert cli("run", "ws-good", "--json").code == 0


def test_an_idle_worktree_that_was_just_taken(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that a starting run takes between the look and the removal is that run's."""
    write_bundles(cli.folder, bundle("ws-good"))
    cli("run", "ws-good", "--json")
    monkeypatch.setattr("penstock.worktrees.pool.idle_slots", lambda site: idle_slots(site)[:0])
    said = cli("clean", "--older-than", "1d", "--yes", "--pool")
    assert "it is not idle any more" in said.out


def test_nothing_idle_to_discard(cli: Cli) -> None:
    """A repository that has never had a pool has nothing to lose."""
    from penstock.model.settings import WorktreeSettings
    from penstock.worktrees.repository import open_repository

    repository: GitRepository = open_repository(cli.folder, WorktreeSettings())
    assert not repository.discard_idle(cli.folder / "nowhere")


# -- folders -------------------------------------------------------------------------------------
def test_what_was_put_aside_goes_when_asked(cli: Cli) -> None:
    """Quarantine is for people to look at: it is listed, and goes with --quarantine only."""
    run_id = red_run(cli)
    folder = cli.folder / "state" / "quarantine" / f"{run_id}_ws-red"
    folder.mkdir(parents=True)
    document = cli("clean", "--older-than", "0s", "--yes", "--json").json
    assert "it was put aside to be looked at; --quarantine removes it" in whys(document)
    assert folder.is_dir()
    document = cli("clean", "--older-than", "0s", "--yes", "--json", "--quarantine").json
    assert kinds(document) == ["quarantine"]
    assert not folder.exists()


@pytest.mark.parametrize(("age_s", "removed"), [(60.0, []), (3 * 86400.0, ["calls"])])
def test_calls_outside_of_runs(cli: Cli, age_s: float, removed: list[str]) -> None:
    """Prompts and logs of old calls go; one that may still run keeps its folder."""
    red_run(cli)
    call = cli.folder / "state" / "calls" / "abc"
    call.mkdir(parents=True)
    (call / "log").write_text("x" * 100)
    then = time.time() - age_s
    os.utime(call / "log", (then, then))
    document = cleaned(cli)
    assert kinds(document) == removed
    assert call.exists() == (not removed)


def test_a_running_call_is_never_removed(cli: Cli) -> None:
    """Not even when everything is to go, however young."""
    red_run(cli)
    call = cli.folder / "state" / "calls" / "abc"
    call.mkdir(parents=True)
    (call / "log").touch()
    assert "calls" not in kinds(cli("clean", "--older-than", "0s", "--yes", "--json").json)
    assert call.is_dir()


def test_ports_and_temporary_files_of_the_dead(cli: Cli, place: Path) -> None:
    """What a killed process held goes, what a living one holds stays."""
    red_run(cli)
    with holding(cli.folder, place, "ws-dead") as dead:
        assert kinds(cleaned(cli)) == []
        _, folder = dead["ws-dead"]
        (folder / "left").write_text("x" * 1000)
    (item,) = cleaned(cli)["removed"]
    assert (item["kind"], item["ws_id"], item["path"]) == (
        "temporary", "ws-dead", str(folder.parent),
    )  # fmt: skip
    assert item["size"] >= 1000
    assert not folder.exists()


def test_ports_of_other_repositories_are_not_ours(cli: Cli, tmp_path: Path) -> None:
    """What another repository's run left is for that one to remove."""
    red_run(cli)
    Isolation(tmp_path / "other", tmp_path / "other" / "state").take("run-1", "ws-a")
    assert cleaned(cli)["found"] == []


def test_a_leftover_that_somebody_took(
    cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is in use by the time it would go stays."""
    red_run(cli)
    with holding(cli.folder, place, "ws-a"):
        pass
    leftovers = Isolation.leftovers
    took = Isolation(cli.folder, cli.folder / "state")

    def list_then_take(self: Isolation) -> Any:
        found = leftovers(self)
        took.take("run-1", "ws-a")
        return found

    monkeypatch.setattr(Isolation, "leftovers", list_then_take)
    assert "somebody uses it by now" in cli("clean", "--yes").out
