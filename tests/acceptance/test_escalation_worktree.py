"""The escalation pipeline in the worktree of a workstream that has failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.engine.escalation.ports import Seed
from penstock.errors import ClaimError, UsageError
from penstock.locks import exclusive
from penstock.model.escalation import EscalationContext
from penstock.model.events import EventType
from tests.support.escalation import Ladder, edit, make_ladder, states
from tests.support.pipeline import says
from tests.support.repos import git

RUN, WS, FILE = "run-1", "ws-a", "ws-a.txt"
BAD = "bad broken\n"
USAGE = {"input_tokens": 7, "cost_usd": 0.25}
SEED = Seed(other_files=(FILE,))


@pytest.fixture
def ladder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    """A run whose workstream the linter has refused; its worktree is still there."""
    ladder = make_ladder(tmp_path, monkeypatch)
    ladder.project.bundle(WS, says(BAD, usage=USAGE), files_scope=[FILE, "more/"])
    ladder.project.breakers(max_fix_attempts_per_step=0)
    assert ladder.project.run_one().final_status == "failed"
    return ladder


def run(ladder: Ladder, seed: Seed = SEED) -> list[EscalationContext]:
    """Tick to the end."""
    seen: list[EscalationContext] = []
    with ladder.project.workspace() as workspace, workspace.error_pipeline(RUN, WS) as pipeline:
        pipeline.run(seed, on_tick=seen.append)
    return seen


def worktree(ladder: Ladder) -> Path:
    """Return the worktree of the workstream."""
    return ladder.root / str(ladder.project.row(WS).worktree_path)


def steps(ladder: Ladder) -> list[tuple[str, str]]:
    """Return the attempts of the pipeline in the journal, with their status."""
    return [
        (a.step_name, a.status.value)
        for a in ladder.project.attempts(WS)
        if a.step_name.startswith(("error_", "mechanical_"))
    ]


def test_it_is_mended_there_and_a_retry_goes_on_with_it(ladder: Ladder) -> None:
    """The repository's own files stay; what was mended is committed, checked and merged."""
    ladder.agents(edit("good\n", FILE))
    end = run(ladder)[-1]
    assert end.final_status == "success"
    assert (worktree(ladder) / FILE).read_text() == "good\n"
    assert not (ladder.root / FILE).exists()
    assert end.commit == ladder.project.row(WS).head_commit
    with ladder.project.workspace() as workspace:
        done = workspace.retry(RUN, [WS], from_step="static")
    assert done is not None
    assert (done.status, ladder.project.integrated(FILE)) == ("succeeded", "good")
    assert "Penstock-Step: error pipeline" in git(ladder.root, "log", f"integration/{RUN}")


def test_its_attempts_are_in_the_journal(ladder: Ladder) -> None:
    """Under the documented names, in their order, with what came of them."""
    ladder.agents(edit("good\n", FILE))
    run(ladder)
    assert steps(ladder) == [
        ("error_pipeline_baseline", "failed"), ("mechanical_autofix", "succeeded"),
        ("error_pipeline_recheck", "failed"), ("error_pipeline_fix", "succeeded"),
        ("error_pipeline_recheck", "succeeded"),
    ]  # fmt: skip
    place = ladder.root / "logs" / RUN / WS / "error_pipeline_fix_1.log"
    assert place.is_file()
    moves = ladder.project.events(EventType.ERROR_PIPELINE_MOVED)
    assert {event.ws_id for event in moves} == {WS}


def test_what_an_agent_cost_is_charged_to_the_workstream(ladder: Ladder) -> None:
    """As its tool told it; the pipeline's own story has it too."""
    ladder.profiles(agents={"aider": {"tool": "scripted"}})
    (attempt, *_) = run(ladder)[-1].ai_attempts
    with ladder.project.workspace() as workspace:
        costs = workspace.reader.list_costs(RUN, WS)
    assert [(c.input_tokens, c.actual_cost_usd) for c in costs] == [(7, 0.25)] * 2
    assert (attempt.input_tokens, attempt.cost_usd) == (7, 0.25)


def test_the_run_can_be_looked_at_as_before(ladder: Ladder) -> None:
    """Its result, its report and its figures know what these attempts are."""
    ladder.agents("import sys; sys.exit(3)")
    run(ladder)
    with ladder.project.workspace() as workspace:
        (found,) = workspace.result(RUN).workstreams
    assert [s.step_name for s in found.steps][-1] == "error_pipeline_fix"
    assert found.final_status == "failed"


def test_the_scope_of_the_workstream_counts(ladder: Ladder) -> None:
    """An agent may make files in it, and none outside."""
    inside = "import os; os.mkdir('more'); open('more/new.txt', 'w').write('x')\n"
    ladder.agents(edit("good\n", FILE) + inside)
    assert run(ladder)[-1].ai_attempts[0].changed_files == ("more/new.txt", FILE)
    assert (worktree(ladder) / "more/new.txt").is_file()


def test_outside_of_the_scope_all_is_undone(ladder: Ladder) -> None:
    """And the next tier is asked."""
    outside = "open('README.md', 'a').write('x')\n"
    ladder.agents(edit("good\n", FILE) + outside, edit("good\n", FILE))
    end = run(ladder)[-1]
    assert [a.kept for a in end.ai_attempts] == [False, True]
    assert "README.md: modified outside the scope" in end.ai_attempts[0].notes
    assert git(worktree(ladder), "status", "--porcelain") == ""


def test_a_file_outside_of_the_scope_is_not_taken(ladder: Ladder) -> None:
    """It could not be mended."""
    with pytest.raises(UsageError, match="outside the scope of ws-a"):
        run(ladder, Seed(other_files=("README.md",)))


def test_the_files_of_the_workstream_are_the_default(ladder: Ladder) -> None:
    """Those of its scope that are Python or PowerShell."""
    folder = worktree(ladder) / "more"
    folder.mkdir()
    for name in ("a.py", "b.txt", "c.ps1"):
        (folder / name).write_text("x = 1\n")
    end = run(ladder, Seed())[-1]
    assert (end.python_files, end.powershell_files, end.other_files) == (
        ("more/a.py",), ("more/c.ps1",), (),
    )  # fmt: skip


def test_the_task_is_told_to_the_agent(ladder: Ladder) -> None:
    """With what it may change."""
    ladder.agents(edit("good\n", FILE))
    run(ladder)
    place = ladder.root / ".state/error_pipeline" / RUN / WS / "attempts/1"
    prompt = next(place.glob("*_1.txt")).read_text()
    assert "write ws-a.txt" in prompt
    assert "ws-a.txt, more/" in prompt


def test_a_run_that_is_worked_on_is_left_alone(ladder: Ladder) -> None:
    """Nothing is begun while another process holds it."""
    held = exclusive(ladder.root / "state" / "locks" / f"{RUN}.lock", busy="taken")
    with held, pytest.raises(ClaimError, match="another process is working on run run-1"):
        run(ladder)
    with ladder.project.workspace() as workspace:
        assert workspace.reader.get_error_context(RUN, WS) is None


def test_without_its_worktree_the_repository_is_the_place(ladder: Ladder) -> None:
    """On just the files that are named."""
    (ladder.root / "mine.txt").write_text("broken\n")
    with ladder.project.workspace() as workspace:
        repository, row = workspace.repository, workspace.reader.get_workstream(RUN, WS)
        tree = repository.reopen(worktree(ladder), row.branch or "", *commits(row))
        assert tree is not None
        repository.release(tree)
    ladder.agents(edit("fine\n", "mine.txt"))
    end = run(ladder, Seed(other_files=("mine.txt",)))[-1]
    assert (end.final_status, (ladder.root / "mine.txt").read_text()) == ("success", "fine\n")


def commits(row: Any) -> tuple[str, str]:
    """Return base and head of a workstream."""
    return row.base_commit, row.head_commit


def test_quarantine_says_where_it_was(ladder: Ladder) -> None:
    """And leaves the workstream itself failed, so that it can be retried."""
    seen = run(ladder)
    assert states(seen)[-1] == "QUARANTINE"
    folder = ladder.root / "state" / "quarantine" / f"{RUN}_{WS}"
    assert (folder / "final_scripts" / FILE).read_text() == BAD
    assert ladder.project.row(WS).status == "failed"
