"""Error pipelines whose process is killed, and two at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.errors import ClaimError, Interrupted
from penstock.model.escalation import EscalationContext
from penstock.model.events import EventType
from penstock.process.api import Stop
from tests.support.escalation import (
    FILE,
    GOOD,
    LONG,
    RUN,
    WORSE,
    WS,
    Ladder,
    edit,
    make_long_ladder,
)
from tests.support.escalation_worker import died, start
from tests.support.repos import git

HANG = "import os, pathlib, time; pathlib.Path({mark!r}).write_text(str(os.getpid())); time.sleep(120)\n"


@pytest.fixture
def ladder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    """A file that fixers, aider and codex mend together; attempts may be lost."""
    return make_long_ladder(tmp_path, monkeypatch)


def until(due: Callable[[], bool], what: str) -> None:
    """Wait for something, half a minute at most."""
    deadline = time.monotonic() + 30
    while not due():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Tell whether a process is there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def go_on(ladder: Ladder) -> EscalationContext:
    """Go on to the end after a death, and look that nothing is left of it."""
    with ladder.pipeline() as pipeline:
        end = pipeline.run(seed(ladder))
    assert (end.final_status, end.pending) == ("success", None)
    assert ladder.text() == GOOD
    assert git(ladder.root, "branch", "--format=%(refname:short)") == "main"
    with ladder.project.workspace() as workspace:
        assert {w["state"] for w in workspace.repository.worktrees()} <= {"idle"}
    assert [p.name for p in ladder.root.glob(".code*")] == []
    return end


def seed(ladder: Ladder) -> EscalationContext:
    """Return what begins it where nothing was saved."""
    assert (ladder.root / FILE).is_file()
    return EscalationContext(
        run_id=RUN, workstream_id=WS, python_files=(FILE,), max_total_attempts=8
    )


@pytest.mark.parametrize("number", [1, 9, 18, 27, 36, 45, 54, 63])
def test_killed_at_a_moment_it_goes_on(ladder: Ladder, number: int) -> None:
    """The file is whole, what was half done is undone, and the end is the same."""
    died(ladder.root, "run", number)
    assert ladder.text() in (LONG, LONG.replace("loose", "tight"), WORSE, GOOD)
    end = go_on(ladder)
    assert [a.agent for a in end.ai_attempts if not a.lost] == ["aider", "codex"]
    assert sum(a.lost for a in end.ai_attempts) <= 1


def hanging(ladder: Ladder, tmp_path: Path) -> int:
    """Kill a pipeline while aider is at work in its tree; return the number of aider's process."""
    mark = tmp_path / "pid"
    ladder.agents(edit("half") + HANG.format(mark=str(mark)), edit(GOOD))
    child = start(ladder.root, "run")
    until(lambda: mark.exists() and bool(mark.read_text()), "the agent has not begun")
    child.kill()
    child.communicate()
    return int(mark.read_text())


def test_an_attempt_that_was_killed_is_lost(ladder: Ladder, tmp_path: Path) -> None:
    """Its agent is ended, its tree cleared, the file as before it; it is not charged."""
    pid = hanging(ladder, tmp_path)
    assert lives(pid)
    ladder.agents(edit(WORSE), edit(GOOD))
    context = ladder.tick()
    until(lambda: not lives(pid), "the agent lives on")
    (lost,) = context.ai_attempts
    assert (lost.lost, lost.outcome, lost.kept) == (True, "lost", False)
    assert (context.current_state, ladder.text()) == (
        "S1_AIDER_RECHECK", LONG.replace("loose", "tight"),
    )  # fmt: skip
    assert [a.label for a in go_on(ladder).ai_attempts] == ["1", "1b", "2"]


def test_what_the_user_wrote_after_a_death_stays(ladder: Ladder, tmp_path: Path) -> None:
    """Only what the dead attempt itself had brought over is undone."""
    hanging(ladder, tmp_path)
    ladder.file("mine  # broken\n")
    context = ladder.tick()
    assert (context.ai_attempts[0].lost, ladder.text()) == (True, "mine  # broken\n")


def test_a_restart_undoes_a_lost_attempt_too(ladder: Ladder, tmp_path: Path) -> None:
    """And its event is told."""
    pid = hanging(ladder, tmp_path)
    ladder.agents(edit(GOOD))
    assert ladder.run(restart=True)[-1].final_status == "success"
    until(lambda: not lives(pid), "the agent lives on")
    with ladder.project.workspace() as workspace:
        lost = workspace.reader.list_events(event_type=EventType.ERROR_PIPELINE_LOST)
    assert [event.payload["agent"] for event in lost] == ["aider"]


def test_of_two_at_once_only_one_works(ladder: Ladder, tmp_path: Path) -> None:
    """The other is told so, and changes nothing."""
    mark = tmp_path / "pid"
    ladder.agents(HANG.format(mark=str(mark)))
    child = start(ladder.root, "run")
    until(lambda: mark.exists(), "the agent has not begun")
    try:
        with pytest.raises(ClaimError, match="another process is working on the error pipeline"):
            ladder.tick()
    finally:
        child.kill()
        child.communicate()
    ladder.agents(edit(GOOD))
    ladder.tick()


def test_two_runs_of_one_pipeline_come_to_one_end(ladder: Ladder) -> None:
    """Whoever comes second finds it at work, or ended; nothing is done twice."""
    children = [start(ladder.root, "run") for _ in range(2)]
    said = [child.communicate(timeout=60)[0] for child in children]
    assert 0 in [child.returncode for child in children], said
    assert "Traceback" not in "".join(s for s in said if "ClaimError" not in s)
    end = ladder.tick()
    assert [a.agent for a in end.ai_attempts] == ["aider", "codex"]


def test_interrupted_it_does_not_count(ladder: Ladder, tmp_path: Path) -> None:
    """The agent is ended, the file stays, and the attempt is made anew."""
    mark, stop = tmp_path / "pid", Stop()
    ladder.agents(HANG.format(mark=str(mark)))
    for _ in range(4):
        ladder.tick()
    signal_when(mark, stop)
    with ladder.pipeline(stop) as pipeline, pytest.raises(Interrupted):
        pipeline.tick()
    kept = json.loads((ladder.folder() / "context.json").read_text())
    assert (kept["current_state"], kept["ai_attempts"], kept["pending"]) == (
        "S1_AIDER_FIX",
        [],
        None,
    )
    assert not lives(int(mark.read_text()))
    ladder.agents(edit(WORSE), edit(GOOD))
    assert [a.label for a in go_on(ladder).ai_attempts] == ["1", "2"]


def signal_when(mark: Path, stop: Stop) -> None:
    """Ask to stop as soon as a file is there."""

    def wait() -> None:
        until(lambda: mark.exists() and bool(mark.read_text()), "the agent has not begun")
        stop.ask()

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.parametrize("blocks", [0, 2, 8])
def test_on_a_full_disk_nothing_is_half_done(ladder: Ladder, blocks: int) -> None:
    """No file of more than so many KiB can be written; with room again it goes on to its end."""
    ladder.tick()
    limited = ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "-"]
    child = start(ladder.root, "run", within=limited)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 1, said
    assert ladder.text() in (LONG, LONG.replace("loose", "tight"), WORSE, GOOD)
    go_on(ladder)
