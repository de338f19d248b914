"""Error pipelines beside runs: one whose process died, one whose tool is kept from working."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from penstock.engine.escalation.ports import Seed
from penstock.errors import Interrupted
from penstock.model.escalation import EscalationContext
from penstock.process.api import Stop
from tests.process.test_escalation_kills import until
from tests.support.escalation import BROKEN, FILE, Ladder, edit, make_ladder
from tests.support.pipeline import says

TEXT = "ws-a.txt"
LIMITED = "import sys; print('429 rate limit reached', file=sys.stderr); sys.exit(1)"


@pytest.fixture
def ladder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    """A project with agents, and a workstream whose tool edits and then hangs."""
    ladder = make_ladder(tmp_path, monkeypatch)
    ladder.project.bundle("ws-a", says("broken\n", hang=True))
    return ladder


def killed_run(ladder: Ladder) -> Path:
    """Kill a run in the midst of its edit; return the worktree that it leaves."""
    child = subprocess.Popen(
        [sys.executable, "-m", "penstock", "run", "--all", "--run-id", "run-1"],
        cwd=ladder.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    tree = ladder.root / ".worktrees" / "ws-a"
    until(lambda: (tree / TEXT).is_file() and bool((tree / TEXT).read_text()), "no edit yet")
    child.kill()
    child.wait()
    return tree


def mended(ladder: Ladder) -> EscalationContext:
    """Run the pipeline of the workstream to its end."""
    with (
        ladder.project.workspace() as workspace,
        workspace.error_pipeline("run-1", "ws-a") as pipeline,
    ):
        return pipeline.run(Seed(other_files=(TEXT,)))


def test_the_worktree_of_a_dead_run_can_be_worked_in(ladder: Ladder) -> None:
    """What the dead turn has left there is mended, and recorded as the workstream's."""
    tree = killed_run(ladder)
    ladder.agents(edit("good\n", TEXT))
    end = mended(ladder)
    assert (end.final_status, (tree / TEXT).read_text()) == ("success", "good\n")
    with ladder.project.workspace() as workspace:
        row = workspace.reader.get_workstream("run-1", "ws-a")
        assert (row.head_commit, workspace.reader.run_owner("run-1")) == (end.commit, None)


def test_a_limit_that_stays_is_an_infrastructure_failure(ladder: Ladder) -> None:
    """No code is blamed for it, and nothing is left of the attempt."""
    ladder.aim(on=True)
    ladder.project.rules(code_generation={"primary": "first", "max_retries": 0})
    ladder.file(BROKEN)
    ladder.agents(LIMITED)
    end = ladder.run(Seed(python_files=(FILE,), mechanical=False))[-1]
    assert (end.final_status, end.ai_attempts[0].outcome) == ("infra_failure", "rate_limited")
    assert ladder.text() == BROKEN


def stopping_when(mark: Path) -> Stop:
    """Return a token that asks to stop as soon as a file is there."""
    stop = Stop()

    def wait() -> None:
        until(mark.exists, "not asked")
        stop.ask()

    threading.Thread(target=wait, daemon=True).start()
    return stop


def test_an_agent_that_waits_for_its_provider_can_be_interrupted(ladder: Ladder) -> None:
    """At once, the attempt does not count, and the next one is made anew."""
    ladder.aim(on=True)
    ladder.project.rules(code_generation={"primary": "first", "max_retries": 0})
    ladder.file(BROKEN)
    mark = ladder.root.parent / "asked"
    ladder.agents(f"import time; open({str(mark)!r}, 'w').close(); time.sleep(120)")
    for _ in range(4):
        ladder.tick()
    began = time.monotonic()
    with ladder.pipeline(stopping_when(mark)) as pipeline, pytest.raises(Interrupted):
        pipeline.tick()
    assert time.monotonic() - began < 60
    ladder.agents(LIMITED)
    end = ladder.tick()
    assert [a.outcome for a in end.ai_attempts] == ["rate_limited"]
    assert "429 rate limit reached" in (end.infra_reason or "")
