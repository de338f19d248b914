"""`penstock quarantine`: what failed is set apart with all that is needed to look at it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.model.events import EventType
from tests.support.cli import Cli
from tests.support.pipeline import Project, says
from tests.support.steering import hold, let_go, live, run_of, statuses

DOCUMENTS = ("metadata", "attempts", "errors", "events", "environment")
SECRET = "hunter2-hunter2-hunter2"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a workstream that fails, knowing a secret of the environment."""
    monkeypatch.setenv("SERVICE_TOKEN", SECRET)
    monkeypatch.setenv("HARMLESS", "shown")
    project = Project(tmp_path / "project")
    project.breakers(max_attempts_per_step=1, max_fix_attempts_per_step=0)
    leaking = says("bad\n", output=f"the token is {SECRET}", delay_s=0)
    project.bundle("ws-a", leaking, tasks=[f"log in with {SECRET}"])
    project.bundle("ws-b", says("fine\n", "ws-b.txt"))
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture
def cli(project: Project, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line after a run in which ws-a has failed."""
    assert project.run().status == "failed"
    return Cli(project.root, capsys)


def folder_of(project: Project, ws_id: str = "ws-a") -> Path:
    """Where the evidence of a workstream lies."""
    return project.root / "state" / "quarantine" / f"run-1_{ws_id}"


def document(project: Project, name: str, ws_id: str = "ws-a") -> Any:
    """One of the documents of the evidence."""
    return json.loads((folder_of(project, ws_id) / f"{name}.json").read_text())


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# -- of a workstream -------------------------------------------------------------------------------
def test_everything_is_there_to_look_at(project: Project, cli: Cli) -> None:
    """Attempts, errors, events, the commits, prompts and logs, for the owner alone."""
    said = cli("quarantine", "run-1", "ws-a", "--reason", "odd")
    assert (said.code, said.out.strip()) == (0, "ws-a of run-1 is quarantined.")
    found = contents(folder_of(project))
    assert {f"{name}.json" for name in DOCUMENTS} <= set(found)
    assert b"+bad" in found["branch.patch"]
    assert any(name.startswith("prompts/ws-a_edit_1") for name in found)
    assert {"logs/edit_1.log", "logs/static_1.log"} <= set(found)
    assert all(p.stat().st_mode & 0o077 == 0 for p in folder_of(project).rglob("*"))


def test_what_it_says_of_itself(project: Project, cli: Cli) -> None:
    """Who, why, and what became of it."""
    cli("quarantine", "run-1", "a", "--reason", "odd")
    told = document(project, "metadata")
    assert (told["reason"], told["final_status"]) == ("odd", "quarantined")
    assert "max_attempts" in told["failed_because"]
    assert [a["step_name"] for a in document(project, "attempts")] == ["edit", "static"]
    assert document(project, "environment")["HARMLESS"] == "shown"
    (event,) = project.events(EventType.WORKSTREAM_QUARANTINED)
    assert event.payload["folder"] == "state/quarantine/run-1_ws-a"


def test_no_secret_is_in_it(project: Project, cli: Cli) -> None:
    """Neither from the environment, nor from the prompt, nor from what a tool printed."""
    cli("quarantine", "run-1", "ws-a", "--reason", f"it said {SECRET}")
    found = contents(folder_of(project))
    assert [name for name, text in found.items() if SECRET.encode() in text] == []
    assert "SERVICE_TOKEN" not in document(project, "environment")
    assert b"[REDACTED]" in found["logs/edit_1.log"]


def test_it_cannot_be_retried_any_more(project: Project, cli: Cli) -> None:
    """Nor set apart twice; the rest of the run is what it was."""
    cli("quarantine", "run-1", "ws-a", "--reason", "odd")
    assert statuses(project) == {"ws-a": "quarantined", "ws-b": "done"}
    assert run_of(project).status == "failed"
    said = cli("retry", "run-1", "ws-a")
    assert (said.code, "ws-a is quarantined" in said.err) == (2, True)
    said = cli("quarantine", "run-1", "ws-a", "--reason", "odd")
    assert (said.code, "ws-a is quarantined" in said.err) == (2, True)


def test_what_is_well_is_not_set_apart(project: Project, cli: Cli) -> None:
    """Done and merged, it has nothing to be looked at for."""
    said = cli("quarantine", "run-1", "ws-b", "--reason", "odd")
    assert (said.code, "ws-b is done: what can be quarantined has failed" in said.err) == (2, True)
    assert not folder_of(project, "ws-b").exists()


def test_a_run_at_work_heeds_it(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The process that works on the run sets it apart, and goes on with the rest."""
    hold(project, "ws-b")
    with live(project) as run:
        run.reaches("ws-a", "failed")
        said = Cli(project.root, capsys)("quarantine", "run-1", "ws-a", "--reason", "odd")
        assert (said.code, "ws-a is quarantined, its integration none" in said.out) == (0, True)
        let_go(project)
        assert run.end().status == "failed"
    assert statuses(project) == {"ws-a": "quarantined", "ws-b": "done"}
    assert folder_of(project).is_dir()


# -- of a run --------------------------------------------------------------------------------------
def test_a_failed_run_is_set_apart_with_what_failed(project: Project, cli: Cli) -> None:
    """What is done stays done."""
    said = cli("quarantine", "run-1", "--reason", "odd")
    assert (said.code, said.out.strip()) == (0, "run-1 is quarantined.")
    assert statuses(project) == {"ws-a": "quarantined", "ws-b": "done"}
    assert run_of(project).status == "quarantined"
    assert cli("resume", "run-1").code == 2


def test_a_run_at_work_is_set_apart(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """What was under way is stopped and canceled, and its evidence is gathered, too."""
    project.bundle("ws-b", says("fine\n", "ws-b.txt", delay_s=60))
    with live(project) as run:
        run.reaches("ws-a", "failed")
        run.at_work("ws-b")
        assert Cli(project.root, capsys)("quarantine", "run-1", "--reason", "odd").code == 0
        assert run.end().status == "quarantined"
    assert statuses(project) == {"ws-a": "quarantined", "ws-b": "canceled"}
    assert document(project, "metadata", "ws-b")["final_status"] == "canceled"


# -- of a merge ------------------------------------------------------------------------------------
def test_what_could_not_be_merged_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is done, so it stays done; its merge is refused for good."""
    project = Project(tmp_path / "conflict", overlap_policy="merge")
    project.breakers(max_attempts_per_step=1, max_fix_attempts_per_step=0)
    for ws_id, text in (("ws-a", "one\n"), ("ws-b", "two\n")):
        project.bundle(ws_id, says(text, "shared.txt"), files_scope=["shared.txt"])
    project.run()
    monkeypatch.chdir(project.root)
    (ws_id,) = [ws for ws in ("ws-a", "ws-b") if project.row(ws).integration == "conflict"]
    assert Cli(project.root, capsys)("quarantine", "run-1", ws_id, "--reason", "no").code == 0
    row = project.row(ws_id)
    assert (row.status, row.integration, row.reason) == ("done", "rejected", "rejected: no")


# -- cleaning --------------------------------------------------------------------------------------
def test_clean_knows_it(project: Project, cli: Cli) -> None:
    """It is kept until --quarantine is said, and goes whole."""
    cli("quarantine", "run-1", "ws-a", "--reason", "odd")
    kept = cli("clean", "--older-than", "0s", "--yes", "--json").json["kept"]
    assert str(folder_of(project)) in [item["path"] for item in kept]
    assert folder_of(project).is_dir()
    cli("clean", "--older-than", "0s", "--yes", "--quarantine")
    assert not folder_of(project).exists()
