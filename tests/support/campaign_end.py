"""What must be true of a run of the campaign when it has ended, however often it was killed."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from penstock.model.records import Attempt
from penstock.model.states import AttemptState
from penstock.wiring import open_workspace
from tests.support.campaign_processes import left_running
from tests.support.campaign_work import BUNDLES, CLASHING, RUN, dependents_of
from tests.support.repos import git, opened, state_of

ENDED = (AttemptState.SUCCEEDED, AttemptState.FAILED)
_MIXED = frozenset(name for pair in CLASHING for name in pair)
"""Workstreams whose way depends on who arrives first; their end does not."""

Tally = Counter[tuple[str, ...]]


class Result(msgspec.Struct, frozen=True):
    """The end of a run: what must be the same with and without kills."""

    status: str
    states: dict[str, tuple[str, str]]
    tree: str
    tried: Tally
    fixes: dict[tuple[str, str], int]
    commits: Tally


def result_of(root: Path) -> Result:
    """Read the end of a run from its journal and its repository."""
    with open_workspace(root) as workspace:
        rows = workspace.reader.list_workstreams(RUN)
        attempts = [a for a in workspace.reader.list_attempts(RUN) if a.status in ENDED]
        status = workspace.reader.get_run(RUN).status.value
    steps = [(ws_id, _without_numbers(step)) for ws_id, step in committed(root)]
    return Result(
        status,
        {row.ws_id: (row.status.value, row.integration.value) for row in rows},
        git(root, "rev-parse", f"integration/{RUN}^{{tree}}"),
        Counter(_kind(a) for a in attempts if a.ws_id not in _MIXED and not _is_merged(a)),
        {
            pair: sum(a.ws_id in pair and a.step_name == "fix" for a in attempts)
            for pair in CLASHING
        },
        Counter(step for step in steps if step[0] not in _MIXED),
    )


def _is_merged(attempt: Attempt) -> bool:
    """Tell of a merge that passed: it is made again when the head has moved before it landed."""
    return attempt.step_name == "integrate" and attempt.status is AttemptState.SUCCEEDED


def _kind(attempt: Attempt) -> tuple[str, ...]:
    return (attempt.ws_id, attempt.step_name, attempt.for_step or "", attempt.status.value)


def committed(root: Path) -> list[tuple[str, str]]:
    """Return workstream and step of every commit of a turn on the integration branch."""
    form = "%(trailers:key=Penstock-Workstream,valueonly,separator=%x20)\t"
    form += "%(trailers:key=Penstock-Step,valueonly,separator=%x20)"
    lines = git(root, "log", f"--format={form}", f"main..integration/{RUN}").splitlines()
    pairs = [line.split("\t") for line in lines]
    return [(ws_id.strip(), step.strip()) for ws_id, step in pairs if step.strip()]


def _without_numbers(step: str) -> str:
    return " ".join(word for word in step.split() if not word.isdigit())


def problems(
    root: Path, before: dict[str, bytes], wanted: Result, *, tools_died: bool
) -> list[str]:
    """Return everything that is wrong at the end of a run, a line each."""
    found = result_of(root)
    told = _of_failed_tools(root, found) if tools_died else _differences(found, wanted)
    return told + _leftovers(root, before) + _half_made(root, found.states)


def _differences(found: Result, wanted: Result) -> list[str]:
    return [
        f"{name}: {_shown(getattr(found, name))}, undisturbed {_shown(getattr(wanted, name))}"
        for name in Result.__struct_fields__
        if getattr(found, name) != getattr(wanted, name)
    ]


def _shown(value: object) -> str:
    return str(sorted(value.items()) if isinstance(value, dict) else value)


def _of_failed_tools(root: Path, found: Result) -> list[str]:
    """A tool that dies in an EDIT turn fails its workstream, which holds back what needs it."""
    with open_workspace(root) as workspace:
        attempts = workspace.reader.list_attempts(RUN)
    failed = {a.ws_id for a in attempts if a.step_name == "edit" and a.status.value == "failed"}
    failed |= {
        ws_id
        for ws_id, (status, _) in found.states.items()
        if ws_id == "ws-j" and status == "failed"
    }
    held = dependents_of(frozenset(failed))
    names = {bundle.id for bundle in BUNDLES}
    wanted = dict.fromkeys(failed, ("failed", "none")) | dict.fromkeys(held, ("pending", "none"))
    wanted |= dict.fromkeys(names - failed - held, ("done", "merged"))
    wrong = {ws for ws in names if found.states[ws] != wanted[ws]}
    return [f"{ws}: {found.states[ws]}, expected {wanted[ws]}" for ws in sorted(wrong)]


def _leftovers(root: Path, before: dict[str, bytes]) -> list[str]:
    said = [f"journal: {text}" for text in integrity(root) if text != "ok"]
    if state_of(root) != before:
        said.append("the user's checkout was touched")
    said += [f"fsck: {line}" for line in _fsck(root)]
    said += [f"lock left: {path}" for path in sorted((root / ".git").rglob("*.lock"))]
    said += [f"process left: {text}" for text in left_running(root)]
    twice = [step for step, count in Counter(committed(root)).items() if count > 1]
    said += [f"committed twice: {step}" for step in twice]
    marked = git(root, "log", "-m", "-G^<<<<<<< ", "--format=%h", f"main..integration/{RUN}")
    said += [f"conflict markers in {commit}" for commit in marked.split()]
    with open_workspace(root) as workspace:
        attempts = workspace.reader.list_attempts(RUN)
        said += [f"audit trail: {damage}" for damage in workspace.recorded.verify().damage]
    said += [
        f"still running: {a.step_name} of {a.ws_id}"
        for a in attempts
        if a.status.value == "running"
    ]
    return said


def integrity(root: Path) -> list[str]:
    """Return what SQLite says of the journal, `ok` when it is sound or not there yet."""
    path = root / "state/pipeline.db"
    if not path.exists():
        return ["ok"]
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]


def _fsck(root: Path) -> list[str]:
    text = git(root, "fsck", "--strict", "--no-dangling", "--no-progress", ok=False)
    return text.splitlines()


def _half_made(root: Path, states: Mapping[str, tuple[str, str]]) -> list[str]:
    """Only workstreams that failed keep their worktrees, and nothing is half there."""
    rows = opened(root).overview()["worktrees"]
    failed = Counter({ws_id: 1 for ws_id, (status, _) in states.items() if status == "failed"})
    held = Counter(row["ws_id"] for row in rows if row["state"] != "idle")
    said = [f"worktree of {ws_id} left {count} times" for ws_id, count in (held - failed).items()]
    listed = git(root, "worktree", "list", "--porcelain").split("\n")
    places = [Path(line.removeprefix("worktree ")) for line in listed if line[:9] == "worktree "]
    said += [f"no worktree at {place}" for place in places if not (place / ".git").exists()]
    if len(places) != len(rows) + 1:
        said.append(f"{len(places) - 1} worktrees listed, {len(rows)} known")
    trash = root / ".worktrees/.trash"
    return said + [f"in the trash: {path}" for path in (trash.iterdir() if trash.is_dir() else ())]
