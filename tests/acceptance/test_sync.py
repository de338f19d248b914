"""From plan to run to plan again: what is done is written back, and nothing is left to do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.errors import RepositoryError, UsageError
from penstock.model.events import EventType
from penstock.planning.sources.api import Dialect
from penstock.worktrees.repository import GitRepository
from tests.support.pipeline import Project, says
from tests.support.planners import openspec_program
from tests.support.repos import git, state_of, write
from tests.support.syncing import (
    CHANGE,
    CHECKLIST,
    EPIC,
    OPENSPEC,
    PLANS,
    TASK_MASTER,
    TASKS,
    plan,
    plan_project,
    run_only,
    script,
    sync,
)

DONE = CHECKLIST.replace("[ ]", "[x]")
BRANCH = "integration/run-1"


def ran(folder: Path, dialect: Dialect, *failing: str, tracked: bool = True) -> Project:
    """A project with a plan of this dialect that a run has worked on."""
    word, files = PLANS[dialect]
    project = plan_project(folder, files, tracked=tracked)
    plan(project, word)
    script(project, *failing)
    project.breakers(max_fix_attempts_per_step=1)
    project.run()
    return project


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose checklist is done, to be copied."""
    return ran(tmp_path_factory.mktemp("sync") / "project", Dialect.CHECKLIST).root


@pytest.fixture
def done(master: Path, tmp_path: Path) -> Project:
    """A copy of it."""
    project = Project(tmp_path / "project")
    shutil.rmtree(project.root)
    shutil.copytree(master, project.root, symlinks=True)
    return project


# -- the round -------------------------------------------------------------------------------------
@pytest.mark.parametrize("dialect", list(Dialect))
def test_after_the_round_there_is_nothing_to_do(dialect: Dialect, tmp_path: Path) -> None:
    """Plan, run, sync, integrate, plan: every item is done, in every dialect."""
    word, files = PLANS[dialect]
    project = plan_project(tmp_path / "project", files)
    first = plan(project, word)
    assert (first.items.planned, first.items.needs_scope) == (3, 0)
    script(project)
    assert project.run().status == "succeeded"
    before = state_of(project.root)
    assert sync(project).commit is not None
    assert state_of(project.root) == before
    git(project.root, "merge", "--quiet", "--ff-only", BRANCH)
    again = plan(project, word)
    assert (again.items.planned, again.items.done, again.bundles) == (0, first.items.total, ())


@pytest.mark.parametrize("dialect", list(Dialect))
def test_what_git_does_not_track_is_written_in_the_checkout(
    dialect: Dialect, tmp_path: Path
) -> None:
    """As CCPM's epics are in most repositories; nothing is committed, nothing is left to do."""
    project = ran(tmp_path / "project", dialect, tracked=False)
    before = git(project.root, "rev-parse", BRANCH)
    made = sync(project)
    assert (made.commit, made.committed) == (None, ())
    assert git(project.root, "rev-parse", BRANCH) == before
    again = plan(project, PLANS[dialect][0])
    assert (again.items.planned, again.items.needs_scope) == (0, 0)


# -- what is written -------------------------------------------------------------------------------
def test_one_commit_with_the_marks_and_nothing_else(done: Project) -> None:
    """Its message names the run and the file, its diff are the marks."""
    made = sync(done)
    assert git(done.root, "show", f"{BRANCH}:plan.md") == DONE.rstrip("\n")
    assert git(done.root, "diff", "--numstat", f"{BRANCH}~1", BRANCH) == "3\t3\tplan.md"
    text = git(done.root, "log", "-1", "--format=%B", BRANCH).strip()
    assert text == "Write results of run run-1 back\n\n- plan.md: 3\n\nPenstock-Run: run-1"
    assert git(done.root, "rev-parse", BRANCH) == made.commit
    assert made.diff.count("\n+") == 1 + 3


def test_a_second_time_nothing_is_written(done: Project) -> None:
    """No commit, no event; it is told what stands so already."""
    first, second = sync(done), sync(done)
    assert git(done.root, "rev-parse", BRANCH) == first.commit
    assert (second.commit, second.committed, second.diff) == (None, (), "")
    assert len(second.sources[0].already) == 3
    (event,) = done.events(EventType.PLAN_WRITTEN_BACK)
    assert event.payload == {
        "branch": BRANCH, "commit": first.commit, "committed": ["plan.md"], "in_place": [],
        "edits": 3, "lost": 0,
    }  # fmt: skip


def test_a_dry_run_writes_nothing(done: Project) -> None:
    """It shows the same diff; no lock, event or object is made."""
    before = state_of(done.root)
    shown = sync(done, dry_run=True)
    assert (shown.dry_run, shown.commit, shown.committed) == (True, None, ("plan.md",))
    assert state_of(done.root) == before
    assert done.events(EventType.PLAN_WRITTEN_BACK) == []
    assert sync(done).diff == shown.diff


def test_only_integrated_work_is_ticked(tmp_path: Path) -> None:
    """What failed stays open, and is named."""
    project = ran(tmp_path / "project", Dialect.CHECKLIST, "ws-plan-pages")
    made = sync(project)
    text = git(project.root, "show", f"{BRANCH}:plan.md")
    assert text == CHECKLIST.replace("[ ] Fill `three", "[x] Fill `three").rstrip("\n")
    assert made.unfinished == {"ws-plan-pages": "failed"}


def test_equal_items_are_told_apart_by_their_lines(tmp_path: Path) -> None:
    """As long as the file is as it was read."""
    text = "- [ ] Fill\n- [ ] Fill\n- [x] Fill\n- [ ] Fill\n"
    project = plan_project(tmp_path / "project", {"plan.md": text})
    with project.workspace() as workspace:
        options = {"tool": "scripted", "files_scope": ["one.txt"]}
        workspace.write_plan(workspace.plan(["plan.md"], workspace.plan_options(options)))
    script(project)
    assert project.run().status == "succeeded"
    assert sync(project).refused is False
    assert git(project.root, "show", f"{BRANCH}:plan.md") == text.replace("[ ]", "[x]").strip()


# -- plans that have changed -----------------------------------------------------------------------
def changed(project: Project, text: str) -> None:
    """Commit another plan on the integration branch."""
    git(project.root, "switch", "--quiet", BRANCH)
    write(project.root, {"plan.md": text})
    git(project.root, "commit", "--quiet", "--all", "--message", "Change the plan")
    git(project.root, "switch", "--quiet", "main")


def test_a_plan_that_changed_elsewhere_is_written(done: Project) -> None:
    """Items that moved are found by their text."""
    changed(done, f"# More\n\n- [ ] Sing\n\n{CHECKLIST}")
    sync(done)
    assert git(done.root, "show", f"{BRANCH}:plan.md") == f"# More\n\n- [ ] Sing\n\n{DONE}".strip()


def test_a_plan_that_lost_an_item_is_refused_with_a_diff(done: Project) -> None:
    """Nothing is written, and it is shown what changed."""
    changed(done, CHECKLIST.replace("Fill `two.txt`", "Paint the house"))
    tip = git(done.root, "rev-parse", BRANCH)
    made = sync(done)
    assert (made.refused, made.commit, made.committed) == (True, None, ())
    assert git(done.root, "rev-parse", BRANCH) == tip
    assert "-- [ ] Fill `two.txt`\n+- [ ] Paint the house\n" in made.drift
    assert [lost.item.text for lost in made.sources[0].lost] == ["Fill `two.txt`"]


def test_the_rest_of_a_changed_plan_is_written_on_request(done: Project) -> None:
    """With `partial` what is lost is told, and only that is left out."""
    text = CHECKLIST.replace("Fill `two.txt`", "Paint the house")
    changed(done, text)
    made = sync(done, partial=True)
    wanted = text.replace("[ ]", "[x]").replace("[x] Paint", "[ ] Paint")
    assert git(done.root, "show", f"{BRANCH}:plan.md") == wanted.strip()
    assert (made.refused, len(made.sources[0].lost)) == (False, 1)


def test_a_plan_that_is_gone_is_refused(done: Project) -> None:
    """And what was planned is shown, where git has no such version."""
    git(done.root, "switch", "--quiet", BRANCH)
    git(done.root, "rm", "--quiet", "plan.md")
    git(done.root, "commit", "--quiet", "--message", "Remove the plan")
    git(done.root, "switch", "--quiet", "main")
    made = sync(done)
    assert made.refused
    assert (done.root / "plan.md").read_text() == CHECKLIST
    assert made.drift.startswith("--- plan.md\n+++ /dev/null\n")


def test_what_git_never_had_is_shown_by_its_lines(tmp_path: Path) -> None:
    """There is no older version to hold the plan against."""
    project = ran(tmp_path / "project", Dialect.CHECKLIST, tracked=False)
    write(project.root, {"plan.md": "# Nothing\n"})
    made = sync(project)
    assert made.refused
    assert made.drift.startswith("--- plan.md (as planned)\n-3: Fill `one.txt`\n-5: Fill")


# -- a branch that moves ---------------------------------------------------------------------------
def test_a_branch_that_moves_meanwhile_is_read_again(
    done: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody has committed in between stays, and the marks come on top."""
    real = GitRepository.amend

    def moved(repository: GitRepository, branch: str, tip: str, files: Any, **more: Any) -> Any:
        monkeypatch.setattr(GitRepository, "amend", real)
        changed(done, f"# First\n\n{CHECKLIST}")
        return real(repository, branch, tip, files, **more)

    monkeypatch.setattr(GitRepository, "amend", moved)
    assert sync(done).commit is not None
    assert git(done.root, "show", f"{BRANCH}:plan.md") == f"# First\n\n{DONE}".strip()


def test_a_branch_that_never_stands_still(done: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few times it is given up, and nothing is written."""
    monkeypatch.setattr(GitRepository, "amend", lambda *_args, **_more: None)
    with pytest.raises(RepositoryError, match="keeps moving; nothing was written"):
        sync(done)
    assert done.events(EventType.PLAN_WRITTEN_BACK) == []


# -- where it is written ---------------------------------------------------------------------------
def test_a_checkout_on_the_branch_comes_along(done: Project) -> None:
    """Its file follows, and it is clean."""
    git(done.root, "switch", "--quiet", BRANCH)
    sync(done)
    assert (done.root / "plan.md").read_text() == DONE
    assert git(done.root, "status", "--porcelain", "--untracked-files=no") == ""


def test_a_checkout_with_changes_is_left_alone(done: Project) -> None:
    """Whoever edits the plan right now loses nothing."""
    git(done.root, "switch", "--quiet", BRANCH)
    write(done.root, {"plan.md": "mine\n"})
    with pytest.raises(RepositoryError, match=r"not committed: plan\.md"):
        sync(done)
    assert (done.root / "plan.md").read_text() == "mine\n"


def test_in_place_writes_to_the_checkout(done: Project) -> None:
    """Nothing is committed; the branch need not even be there any more."""
    git(done.root, "branch", "--quiet", "-D", BRANCH)
    with pytest.raises(RepositoryError, match="does not exist") as caught:
        sync(done)
    assert "--in-place" in str(caught.value.hint)
    made = sync(done, in_place=True)
    assert (made.commit, made.in_place) == (None, ("plan.md",))
    assert (done.root / "plan.md").read_text() == DONE


def test_a_read_only_file_stays_so(done: Project) -> None:
    """It is refused with the way out."""
    (done.root / "plan.md").chmod(0o444)
    with pytest.raises(RepositoryError, match=r"plan\.md is read-only"):
        sync(done, in_place=True)
    assert (done.root / "plan.md").read_text() == CHECKLIST


def test_a_link_that_leads_out_is_not_followed(done: Project) -> None:
    """The plan is not in this repository then, and nothing outside is written."""
    outside = done.root.parent / "outside.md"
    outside.write_text(CHECKLIST)
    (done.root / "plan.md").unlink()
    (done.root / "plan.md").symlink_to(outside)
    assert sync(done, in_place=True).refused
    assert outside.read_text() == CHECKLIST


def test_work_that_is_not_on_the_branch_any_more_is_not_told(done: Project) -> None:
    """As when somebody has set it back: the plan says what the branch holds."""
    git(done.root, "branch", "--quiet", "--force", BRANCH, "main")
    made = sync(done)
    assert (made.commit, made.sources[0].edits if made.sources else ()) == (None, ())
    assert set(made.unfinished.values()) == {"done, but not on the branch"}


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
@pytest.mark.parametrize("early", [True, False])
def test_ticks_are_handed_over(done: Project, strategy: str, early: bool) -> None:
    """With the result, or later when that was handed over before."""
    how: dict[str, Any] = {"strategy": strategy, "update_checkout": True, "root": done.root}
    if early:
        penstock.integrate("run-1", "main", **how)
    sync(done)
    penstock.integrate("run-1", "main", **how)
    assert (done.root / "plan.md").read_text() == DONE
    assert (done.root / "one.txt").read_text() == "full\n"


def test_two_plans_of_one_run_are_one_commit(tmp_path: Path) -> None:
    """Whatever their dialects."""
    files = {
        "plan.md": "- [ ] Fill `three.txt`\n",
        TASKS: TASK_MASTER[TASKS].replace("three", "two"),
    }
    project = plan_project(tmp_path / "project", files)
    plan(project, "plan.md", TASKS)
    script(project)
    assert project.run().status == "succeeded"
    made = sync(project)
    assert {source.dialect for source in made.sources} == {"checklist", "task-master"}
    assert git(project.root, "diff", "--name-only", f"{BRANCH}~1", BRANCH) == f"{TASKS}\nplan.md"


# -- what cannot be written back -------------------------------------------------------------------
def test_bullets_without_boxes_have_no_mark(tmp_path: Path) -> None:
    """Which is said; the file stays as it is."""
    project = plan_project(tmp_path / "project", {"plan.md": "- Fill `one.txt`\n"})
    plan(project, "plan.md")
    script(project)
    project.run()
    made = sync(project)
    assert (made.commit, made.refused) == (None, False)
    assert [item.text for item in made.sources[0].unmarked] == ["Fill `one.txt`"]


def test_a_run_without_a_plan(tmp_path: Path) -> None:
    """There is nowhere to write to; a `plan` of the user's own is none."""
    project = Project(tmp_path / "project")
    project.bundle("ws-a", metadata={"scripted": [says("fine\n")], "plan": {"mine": 1}})
    project.run()
    with pytest.raises(UsageError, match="no workstream of run-1 comes from a plan"):
        sync(project)


def test_a_damaged_trace_is_named(tmp_path: Path) -> None:
    """Nothing is guessed from half of it."""
    project = Project(tmp_path / "project")
    broken = {"dialect": "checklist", "id": 7}
    project.bundle("ws-a", metadata={"scripted": [says("fine\n")], "plan": broken})
    project.run()
    with pytest.raises(UsageError, match=r"metadata\.plan of ws-a cannot be read"):
        sync(project)


def test_it_can_be_switched_off(done: Project) -> None:
    """`plan.write_back: false` lets nothing but a dry run happen."""
    done.configure(plan={"write_back": False})
    with pytest.raises(UsageError, match="switched off"):
        sync(done)
    assert sync(done, dry_run=True).committed == ("plan.md",)


# -- more than boxes -------------------------------------------------------------------------------
def test_task_master_is_told_what_needs_a_person(tmp_path: Path) -> None:
    """A quarantined workstream is blocked, one that is not begun stays pending."""
    project = ran(tmp_path / "project", Dialect.TASK_MASTER, "ws-master-1")
    with project.workspace() as workspace:
        workspace.quarantine("run-1", "ws-master-1", reason="look")
    sync(project)
    text = git(project.root, "show", f"{BRANCH}:{TASKS}")
    assert (text.count('"blocked"'), text.count('"pending"'), text.count('"done"')) == (1, 3, 0)


def test_streams_of_two_runs_close_their_task_together(tmp_path: Path) -> None:
    """The second run counts what the first has done."""
    word, files = PLANS[Dialect.CCPM]
    project = plan_project(tmp_path / "project", files)
    plan(project, word)
    script(project)
    with project.workspace() as workspace:
        report = workspace.load_bundles()
        bundles = [item.bundle for item in report.bundles]
    run_only(project, "run-1", [one for one in bundles if not one.id.endswith("-b")])
    sync(project)
    git(project.root, "merge", "--quiet", "--ff-only", BRANCH)
    assert "status: in-progress\n" in (project.root / EPIC / "2.md").read_text()
    run_only(project, "run-2", [one for one in bundles if one.id.endswith("-b")])
    sync(project, "run-2")
    text = git(project.root, "show", f"integration/run-2:{EPIC}/2.md")
    assert "status: closed\n" in text


# -- archiving -------------------------------------------------------------------------------------
@pytest.fixture
def openspec(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real program on PATH."""
    folder = openspec_program().parent
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.usefixtures("openspec")
def test_a_done_change_is_archived_by_the_program(tmp_path: Path) -> None:
    """In the same commit, with its specs brought up to date; the checkout is not touched."""
    project = ran(tmp_path / "project", Dialect.OPENSPEC)
    before = state_of(project.root)
    made = sync(project, archive=True)
    assert (made.sources[0].archived, made.notes) == (True, ())
    assert state_of(project.root) == before
    held = git(project.root, "ls-tree", "-r", "--name-only", BRANCH, "openspec").split("\n")
    assert "openspec/specs/pages/spec.md" in held
    assert not any(name.startswith(CHANGE) for name in held)
    again = sync(project, archive=True)
    assert (again.commit, again.refused, len(again.sources[0].already)) == (None, False, 3)
    assert again.notes == (f"{CHANGE} is not on the branch: archived already, or not tracked by git",)  # fmt: skip


@pytest.mark.usefixtures("openspec")
def test_what_the_program_refuses_stays(tmp_path: Path) -> None:
    """Its reason is told, the boxes are ticked all the same."""
    removed = "## REMOVED Requirements\n\n### Requirement: None\n**Reason**: x\n**Migration**: y\n"
    files = {**OPENSPEC, f"{CHANGE}/specs/pages/spec.md": removed}
    project = plan_project(tmp_path / "project", {**files, "openspec/specs/pages/spec.md": "# P\n"})
    plan(project, CHANGE)
    script(project)
    project.run()
    made = sync(project, archive=True)
    assert made.notes[0].startswith("openspec does not archive add-pages: ")
    assert made.committed == (f"{CHANGE}/tasks.md",)


def test_what_is_not_wholly_done_is_not_archived(tmp_path: Path) -> None:
    """Whether the program is there or not."""
    project = ran(tmp_path / "project", Dialect.OPENSPEC, "ws-add-pages-g2")
    made = sync(project, archive=True)
    assert made.notes == (f"add-pages is not wholly done: {CHANGE}/tasks.md has open boxes",)
