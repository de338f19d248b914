"""How many may be at work: places, tools, capabilities, overlaps, the disk, ports and folders."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock import assembly
from penstock.engine import waiting
from penstock.engine.ports import RunRequest
from penstock.errors import EnvironmentProblem, Interrupted, JournalError, PenstockError
from penstock.locks import exclusive
from penstock.model.events import EventType
from penstock.model.results import RunResult
from penstock.store.sqlite import open_journal
from penstock.tools.scripted import ScriptedTool
from tests.acceptance.test_resume import HANG, asked_when, hanging, running, wait_for
from tests.support.pipeline import Project, says
from tests.support.repos import write
from tests.support.spans import most_at_once, span, widest
from tests.support.turns import marked

IDS = ("ws-a", "ws-b", "ws-c", "ws-d")
SLOW_S = 0.4


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a linter and tests."""
    return Project(tmp_path / "project")


def slow(project: Project, *ids: str, delay_s: float = SLOW_S, **more: Any) -> None:
    """Write bundles whose only turn takes a while."""
    for ws_id in ids:
        project.bundle(ws_id, says("good\n", f"{ws_id}.txt", delay_s=delay_s), **more)


def run(project: Project, **choices: Any) -> RunResult:
    """Run all bundles with choices of the command line."""
    with project.workspace() as workspace:
        bundles = tuple(item.bundle for item in workspace.load_bundles().bundles)
        return workspace.run(RunRequest(bundles=bundles, run_id="run-1", **choices))


MEET = """
import pathlib, time
here, place, end = pathlib.Path.cwd(), pathlib.Path({place!r}), time.monotonic() + 30
place.mkdir(exist_ok=True)
(place / here.name).touch()
while len(list(place.iterdir())) < {count}:
    assert time.monotonic() < end, 'the others did not come'
    time.sleep(0.02)
(here / (here.name + '.txt')).write_text('good\\n')
"""


def meeting(project: Project, count: int, *ids: str, tool: str = "agent", **more: Any) -> None:
    """Write bundles whose turns end when so many of them have begun."""
    project.agent(MEET.format(place=str(project.root.parent / "met"), count=count), tool)
    for ws_id in ids:
        project.bundle(ws_id, **{"tool": tool, **more})


# -- places ------------------------------------------------------------------------------------
@pytest.mark.parametrize("places", [1, 3])
def test_max_parallel_bounds_and_is_reached(project: Project, places: int) -> None:
    """As many turns as there are places run side by side, and never more."""
    project.configure(limits={"max_parallel": places})
    meeting(project, places, *IDS)
    assert project.run().status == "succeeded"
    assert widest(project, "edit") == places
    assert widest(project, "edit", "static", "runtime") <= places


def test_the_command_line_goes_before_the_configuration(project: Project) -> None:
    """--max-parallel of this run."""
    project.configure(limits={"max_parallel": 1})
    meeting(project, 4, *IDS)
    assert run(project, max_parallel=4).status == "succeeded"
    assert widest(project, "edit") == 4


# -- tools and capabilities --------------------------------------------------------------------
def test_a_tool_has_no_more_turns_than_configured(project: Project) -> None:
    """Others go on beside it."""
    project.configure(limits={"max_parallel": 4, "tools": {"agent": 2}})
    meeting(project, 2, *IDS)
    slow(project, "ws-e", delay_s=0)
    assert project.run().status == "succeeded"
    assert widest_of(project, "agent") == 2


def widest_of(project: Project, tool_id: str) -> int:
    """How many turns of a tool ran at the same time."""
    with project.workspace() as workspace:
        attempts = workspace.reader.list_attempts("run-1")
    return most_at_once([span(a) for a in attempts if a.tool_id == tool_id])


def test_a_login_of_the_user_serves_one_turn_at_a_time(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is configured: two at once could end it."""
    monkeypatch.setattr(ScriptedTool, "own_login", lambda _: True)
    project.configure(limits={"max_parallel": 4, "tools": {"scripted": 3}})
    slow(project, "ws-a", "ws-b", delay_s=0.2)
    assert project.run().status == "succeeded"
    assert widest(project, "edit") == 1


CAPABLE = {"capability": "code_generation", "capability_payload": {"max_retries": 0}}


def test_the_coordination_rules_bound_each_tool(project: Project) -> None:
    """One turn at a time, as long as neither they nor the configuration say otherwise."""
    project.rules(code_generation={"primary": "first"})
    meeting(project, 1, *IDS[:3], tool="first", **CAPABLE)
    assert project.run().status == "succeeded"
    assert widest(project, "edit") == 1


def test_the_coordination_rules_can_allow_more(project: Project) -> None:
    """conflict_resolution.max_concurrent, over all capabilities."""
    rules = {
        "capabilities": {"code_generation": {"primary": "first"}},
        "conflict_resolution": {"max_concurrent": 3},
    }
    place = ".AIM_ai-tools-registry/AIM_cross-tool/AIM_coordination-rules.json"
    write(project.root, {place: json.dumps(rules)})
    meeting(project, 3, *IDS, tool="first", **CAPABLE)
    assert project.run().status == "succeeded"
    assert widest(project, "edit") == 3


def test_a_capability_has_no_more_turns_than_configured(project: Project) -> None:
    """Whatever the tools that serve it may."""
    project.configure(limits={"tools": {"first": 4}, "capabilities": {"code_generation": 2}})
    project.rules(code_generation={"primary": "first"})
    meeting(project, 2, *IDS, tool="first", **CAPABLE)
    assert project.run().status == "succeeded"
    assert widest(project, "edit") == 2


def test_a_limit_holds_over_runs_of_other_processes(project: Project) -> None:
    """The second run waits, says for what, and goes on when the first one is killed."""
    project.configure(limits={"tools": {"scripted": 1}})
    project.bundle("ws-a", HANG)
    with running(project) as holder:
        wait_for(hanging(project))
        (project.root / "workstreams/ws-a.json").unlink()
        slow(project, "ws-b", delay_s=0)
        with running(project, "--run-id", "run-2") as waiter:
            wait_for(lambda: reason_of(project, "ws-b", "run-2") is not None)
            assert reason_of(project, "ws-b", "run-2") == "a free slot of scripted (limit 1)"
            holder.kill()
            assert waiter.wait(60) == 0
    assert project.row("ws-b", "run-2").reason is None


def test_an_interrupt_ends_the_wait_for_a_slot(project: Project) -> None:
    """No turn was begun; afterwards nothing waits for a slot any more, and the run goes on."""
    project.configure(limits={"tools": {"scripted": 1}})
    slow(project, "ws-a", delay_s=0)
    stop = asked_when(lambda: reason_of(project, "ws-a", "run-1") is not None)
    slot = project.root / "state/locks/tool-scripted-0.lock"
    with exclusive(slot, busy="taken"), pytest.raises(Interrupted):
        project.run(stop=stop)
    assert (project.attempts("ws-a"), project.row("ws-a").reason) == ([], None)
    assert project.resume().status == "succeeded"


def reason_of(project: Project, ws_id: str, run_id: str) -> str | None:
    """Why a workstream waits, None when it does not, or is not there yet."""
    try:
        return project.row(ws_id, run_id).reason
    except PenstockError:  # there is no such run yet
        return None


# -- overlaps ----------------------------------------------------------------------------------
def test_overlapping_bundles_can_be_run_one_after_the_other(project: Project) -> None:
    """The second begins when the first has come to its end."""
    project.configure(overlap_policy="serialise")
    for ws_id in ("ws-a", "ws-b"):
        text = says(f"good {ws_id}\n", f"{ws_id}.txt", delay_s=SLOW_S)
        project.bundle(ws_id, text, files_scope=["shared.txt", f"{ws_id}.txt"])
    assert project.run().status == "succeeded"
    (first,), (second,) = (
        [a for a in project.attempts(ws) if a.step_name == "edit"] for ws in ("ws-a", "ws-b")
    )
    assert str(first.completed_at) <= str(second.started_at)


# -- the disk ----------------------------------------------------------------------------------
def test_a_low_disk_starts_nothing_and_says_what_frees_it(project: Project) -> None:
    """The run can be resumed when there is room again."""
    project.configure(limits={"min_free_mb": 10**9})
    slow(project, "ws-a", delay_s=0)
    with pytest.raises(EnvironmentProblem, match="min_free_mb") as caught:
        project.run()
    assert "penstock clean" in str(caught.value.hint)
    assert len(project.events(EventType.DISK_LOW)) == 1
    project.configure()
    assert project.resume().status == "succeeded"


def test_a_disk_that_fills_during_a_run_stops_it_resumably(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn that would begin is not begun."""
    project.bundle("ws-a", says("bad\n"), says("good\n"))
    free = iter([1000, 1])
    real = assembly._services

    def tight(*args: Any) -> Any:
        services = real(*args)
        object.__setattr__(services, "free_mb", lambda: next(free, 1000))
        return services

    monkeypatch.setattr(assembly, "_services", tight)
    with pytest.raises(EnvironmentProblem, match="only 1 MB"):
        project.run()
    assert project.steps("ws-a") == [("edit", "succeeded"), ("static", "failed")]
    assert project.resume().status == "succeeded"


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_worktrees_than_allowed(
    project: Project, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Those of the integration and idle ones count; the run gets through all the same."""
    seen: list[int] = []

    def count(_: ScriptedTool) -> bool:
        seen.append(trees(project))
        return False

    monkeypatch.setattr(ScriptedTool, "own_login", count)
    project.configure(limits={"max_parallel": 4, "max_worktrees": most})
    slow(project, *IDS, delay_s=0.1)
    assert project.run().status == "succeeded"
    assert max(seen) == most
    assert trees(project) <= most


def test_without_a_worktree_to_be_had_the_run_stops_resumably(project: Project) -> None:
    """One that failed keeps its own to be looked at; the message names the limit, and what helps."""
    project.configure(limits={"max_parallel": 1, "max_worktrees": 1})
    project.bundle("ws-a", {"exit_code": 3})
    slow(project, "ws-b", delay_s=0)
    with pytest.raises(EnvironmentProblem, match="max_worktrees") as caught:
        project.run()
    assert "penstock resume run-1" in str(caught.value.hint)
    project.configure(limits={"max_worktrees": 2})
    assert project.resume().status == "failed"
    assert project.row("ws-b").integration.value == "merged"


def trees(project: Project) -> int:
    """How many worktrees of ours there are."""
    return len(list((project.root / ".git/worktrees").glob("*")))


def test_who_has_a_worktree_needs_no_other(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workstream that waited goes on though there may be no more worktrees."""
    monkeypatch.setattr(waiting, "SHORT_S", 0.1)
    project.configure(limits={"max_worktrees": 1, "wait_s": 30})
    limited = {"claim": "rate_limited", "reset_in_s": 1}
    project.bundle("ws-a", limited, says("good\n"))
    assert project.run().status == "succeeded"


# -- ports and temporary folders ---------------------------------------------------------------
SHOW = """
import json, os, pathlib, time
name = pathlib.Path.cwd().name
time.sleep(0.4)
pathlib.Path(name + '.txt').write_text(json.dumps({
    'port': os.environ['PENSTOCK_PORT_BASE'], 'tmp': os.environ['TMPDIR'],
    'there': os.path.isdir(os.environ['TMPDIR']),
}).replace('"', "'"))
"""


def test_each_workstream_has_ports_and_a_folder_of_its_own(project: Project) -> None:
    """Side by side they differ; afterwards the folders are gone."""
    project.agent(SHOW)
    for ws_id in IDS[:3]:
        project.bundle(ws_id, tool="agent")
    assert project.run().status == "succeeded"
    shown = [json.loads(str(project.integrated(f"{ws}.txt")).replace("'", '"')) for ws in IDS[:3]]
    assert len({each["port"] for each in shown}) == 3
    assert len({each["tmp"] for each in shown}) == 3
    assert all(each["there"] for each in shown)
    assert not any(Path(each["tmp"]).exists() for each in shown)


# -- vanished worktrees ------------------------------------------------------------------------
VANISH = """
import os, pathlib, shutil
here = pathlib.Path.cwd()
count = here.parent.parent.parent / 'count'
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
if number <= {times}:
    shutil.rmtree(here)
else:
    (here / 'ws-a.txt').write_text('good\\n')
"""


def test_an_attempt_whose_worktree_vanishes_is_made_again(project: Project) -> None:
    """Nobody's breaker is charged for it."""
    project.breakers(max_attempts_per_step=1, max_fix_attempts_per_step=0)
    project.agent(VANISH.format(times=2))
    project.bundle("ws-a", tool="agent")
    assert project.run().status == "succeeded"
    assert project.steps("ws-a")[:3] == [("edit", "unknown")] * 2 + [("edit", "succeeded")]
    assert project.tripped() == []
    assert len(project.events(EventType.ATTEMPT_LOST)) == 2


def test_one_that_vanishes_again_and_again_is_quarantined(project: Project) -> None:
    """After max_lost_attempts, with the evidence; the others go on."""
    project.configure(limits={"max_lost_attempts": 2})
    project.agent(VANISH.format(times=9))
    project.bundle("ws-a", tool="agent")
    slow(project, "ws-b", delay_s=0)
    assert project.run().status == "failed"
    row = project.row("ws-a")
    assert (row.status.value, project.steps("ws-a")) == ("quarantined", [("edit", "unknown")] * 2)
    assert "the worktree vanished 2 times" in str(row.reason)
    assert list((project.root / "state/quarantine").rglob("*.json"))
    assert project.row("ws-b").integration.value == "merged"


# -- stopping the others -----------------------------------------------------------------------
TOUCH = """
import pathlib, time
root, end = pathlib.Path({root!r}), time.monotonic() + 30
logs = [root / f'logs/run-1/{{name}}/edit_1.log' for name in {others!r}]
while not all(p.exists() and b'thinking' in p.read_bytes() for p in logs):
    assert time.monotonic() < end
    time.sleep(0.02)
(root / 'README.md').write_text('touched')
"""


def test_what_this_machine_cannot_do_stops_the_others_at_once(project: Project) -> None:
    """Their turns are canceled; nobody waits for them to come to an end."""
    project.agent(TOUCH.format(root=str(project.root), others=IDS[:3]))
    project.bundle("ws-0", tool="agent")
    for ws_id in IDS[:3]:
        project.bundle(ws_id, {"hang": True, "output": "thinking"})
    began = time.monotonic()
    with pytest.raises(EnvironmentProblem, match="your own checkout changed"):
        project.run()
    assert time.monotonic() - began < 20
    assert [project.steps(ws_id) for ws_id in IDS[:3]] == [[("edit", "canceled")]] * 3


WAIT = """
import pathlib, time
while not pathlib.Path({go!r}).exists():
    time.sleep(0.02)
pathlib.Path("ws-0.txt").write_text("good\\n")
"""


def test_a_journal_that_cannot_be_written_stops_the_others(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cannot write its outcome: the tools of the others are ended, and resume does the rest."""
    monkeypatch.setitem(open_journal.__kwdefaults__ or {}, "busy_timeout_s", 0.5)
    project.agent(WAIT.format(go=str(tmp_path / "go")))
    project.bundle("ws-0", tool="agent")
    for ws_id in IDS[:2]:
        project.bundle(ws_id, {"hang": True, "output": "thinking"})
    with locked_when_hanging(project, tmp_path / "go"):
        with pytest.raises(JournalError, match="locked by another process"):
            project.run()
        assert not any(marked(a.marker or "") for ws in IDS[:2] for a in project.attempts(ws))
    project.configure(limits={"idle_s": 0.5})
    assert project.resume().status == "failed"
    assert project.row("ws-0").integration.value == "merged"


@contextmanager
def locked_when_hanging(project: Project, go: Path) -> Iterator[None]:
    """Lock the journal in the middle of the turns, let one of them end, until the block ends."""
    over = threading.Event()

    def lock() -> None:
        logs = [project.root / f"logs/run-1/{ws_id}/edit_1.log" for ws_id in IDS[:2]]
        wait_for(lambda: all(p.exists() and b"thinking" in p.read_bytes() for p in logs))
        journal = project.root / "state/pipeline.db"
        with closing(sqlite3.connect(journal, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            go.touch()
            over.wait(60)

    thread = threading.Thread(target=lock, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()
