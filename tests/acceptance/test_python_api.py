"""`import penstock` does what the commands do, with types and without printing."""

from __future__ import annotations

from pathlib import Path

import pytest

import penstock
from penstock.errors import BundleError, NotFoundError
from tests.support.cli import bundle, make_repository, write_bundles


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with three bundles; we stand outside of it."""
    for name in ("PIPELINE_DB_PATH", "PIPELINE_WORKSTREAM_DIR"):
        monkeypatch.delenv(name, raising=False)
    folder = make_repository(tmp_path / "project")
    write_bundles(folder, bundle("ws-a"), bundle("ws-b", depends_on=["ws-a"]), bundle("ws-c"))
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_run_and_all_that_can_be_asked(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run by id, then read status, result, attempts, events and diff; nothing is printed."""
    result = penstock.run("ws-b", with_deps=True, run_id="run-x", root=repo)
    assert [w.final_status for w in result.workstreams] == ["done", "done"]
    assert [run.run_id for run in penstock.runs(root=repo)] == ["run-x"]
    assert [row.ws_id for row in penstock.status("run-x", root=repo)] == ["ws-a", "ws-b"]
    assert penstock.result("run-x", root=repo) == result
    assert penstock.attempts("run-x", "ws-a", root=repo)[0].step_name == "edit"
    assert penstock.events("run-x", root=repo)[0].event_type == "run_created"
    assert "+text" in penstock.diff("run-x", "ws-a", root=repo)
    assert capsys.readouterr() == ("", "")


def test_bundles_as_values(repo: Path) -> None:
    """A bundle that a program made is run as it is, alone or beside those of the folder."""
    (one,) = penstock.load("ws-c", root=repo)
    assert penstock.run(one, root=repo).status == "succeeded"
    both = penstock.run(one, "ws-a", root=repo)
    assert sorted(w.ws_id for w in both.workstreams) == ["ws-a", "ws-c"]


def test_a_plan_is_drafted_and_written(repo: Path) -> None:
    """What `penstock plan` does, in two steps."""
    (repo / "todo.md").write_text("- [ ] Edit README.md\n- [x] Begin\n")
    drafted = penstock.plan("todo.md", options={"tool": "scripted"}, root=repo)
    assert (drafted.items.planned, drafted.items.done, drafted.unresolved) == (1, 1, ())
    assert penstock.write_plan(drafted, root=repo).written == ("ws-generated-todo-1.json",)
    assert penstock.validate(root=repo).ok


def test_a_dry_run_writes_nothing(repo: Path) -> None:
    """The plan is returned in order, and no journal is made."""
    plan, result = penstock.dry_run(everything=True, root=repo)
    assert [w.ws_id for w in plan] == ["ws-a", "ws-b", "ws-c"]
    assert result.dry_run
    assert not (repo / "state").exists()


def test_an_interrupted_run_is_resumed(repo: Path) -> None:
    """A stop that was asked for ends the run, which another call completes."""
    stop = penstock.Stop()
    stop.ask()
    with pytest.raises(penstock.PenstockError):
        penstock.run("ws-c", run_id="run-x", stop=stop, root=repo)
    assert penstock.resume("run-x", root=repo).status == "succeeded"


def test_what_is_wrong_is_raised_or_reported(repo: Path) -> None:
    """validate reports, load and run raise, with the first error in words."""
    assert penstock.validate(root=repo).ok
    assert not penstock.validate(repo / "none.json", root=repo).ok
    with pytest.raises(NotFoundError):
        penstock.status("run-none", root=repo)
    write_bundles(repo, {"id": "ws-x"})
    with pytest.raises(BundleError, match=r"missing.*more errors"):
        penstock.load(everything=True, root=repo)


def test_init_from_a_program(repo: Path) -> None:
    """The scaffold is made, and checking it reports every piece as present."""
    assert {piece.state for piece in penstock.init(root=repo).pieces} >= {"created"}
    checked = penstock.init(root=repo, check=True)
    assert {piece.state for piece in checked.pieces} == {"present"}


def test_the_documented_functions(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bundles, profiles and commands by their documented names, in the current repository."""
    monkeypatch.chdir(repo)
    bundles = penstock.load_and_validate_bundles()
    assert [one.id for one in bundles] == ["ws-a", "ws-b", "ws-c"]
    assert penstock.sync_bundles_to_db("run-x", bundles) == 3
    assert len(penstock.get_workstreams_for_run("run-x")) == 3
    with pytest.raises(BundleError):
        penstock.sync_bundles_to_db("run-x", [])
    children, parents = penstock.build_dependency_graph(bundles)
    assert list(children["ws-a"]) == ["ws-b"]
    assert list(parents["ws-b"]) == ["ws-a"]


def test_the_documented_tool_functions(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Profiles are found by id, rendered and run."""
    monkeypatch.chdir(repo)
    assert "pytest" in penstock.load_tool_profiles()
    assert penstock.get_tool_profile("echo").command == "echo"
    file = repo / "profiles.json"
    file.write_text('{"hello": {"command": "echo", "args": ["{message}"]}}')
    assert penstock.load_tool_profiles(file)["hello"].args == ("{message}",)
    (repo / "config").mkdir()
    file.rename(repo / "config" / "tool_profiles.json")
    assert penstock.render_command("hello", {"message": "two words"}) == ("echo", "two words")
    result = penstock.run_tool("hello", {"message": "two words"})
    assert (result.success, result.stdout) == (True, "two words\n")


def test_how_a_run_did(repo: Path) -> None:
    """Progress, metrics and figures are values, also of a run that has ended."""
    penstock.run(everything=True, run_id="run-x", root=repo)
    snap = penstock.progress("run-x", root=repo)
    assert (snap.completion_percent, snap.estimated_remaining_seconds) == (100.0, 0.0)
    counts = penstock.metrics("run-x", root=repo)
    assert (
        counts.completed_steps == counts.total_steps == len(penstock.attempts("run-x", root=repo))
    )
    found = penstock.figures("run-x", root=repo)
    assert found.diff is not None
    assert (found.diff.files, found.integration.merged) == (3, 3)
    with pytest.raises(NotFoundError):
        penstock.figures("run-y", root=repo)


@pytest.mark.parametrize(
    ("policy", "ok"), [("refuse", False), ("serialise", True), ("merge", True)]
)
def test_overlaps_are_errors_by_the_settings(repo: Path, policy: str, ok: bool) -> None:
    """Bundles that claim the same files are refused unless overlap_policy says otherwise."""
    write_bundles(repo, bundle("ws-d", files_scope=["ws-a.txt"]))
    (repo / "config").mkdir(exist_ok=True)
    (repo / "config" / "pipeline.yaml").write_text(f"overlap_policy: {policy}\n")
    assert penstock.validate(root=repo).ok is ok
    values = [bundle("ws-y", files_scope=["y"]), bundle("ws-z", files_scope=["y"])]
    with penstock.open_workspace(repo) as workspace:
        assert workspace.judge_bundles(values).ok is ok


def test_other_errors_stay_where_overlaps_are_allowed(repo: Path) -> None:
    """Only overlaps are let through."""
    write_bundles(repo, bundle("ws-d", files_scope=["ws-a.txt"], depends_on=["ws-none"]))
    (repo / "config").mkdir(exist_ok=True)
    (repo / "config" / "pipeline.yaml").write_text("overlap_policy: merge\n")
    assert [problem.type for problem in penstock.validate(root=repo).errors] == ["dependency"]
