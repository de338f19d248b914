"""What the journal knows of handing a result over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec
import pytest

from penstock.engine.handover import HandoverRequest, HandoverResult, commits_with, hand_over
from penstock.errors import RepositoryError, UsageError
from penstock.model.events import EventType
from penstock.model.states import IntegrationState, RunState, WorkstreamState
from penstock.store.api import Journal
from penstock.store.sqlite import open_journal
from penstock.worktrees.api import HandoverStrategy
from penstock.worktrees.repository import GitRepository
from tests.support.repos import git, make_repo, opened, write

TO_DONE = ("started", "editing", "ready_for_static", "static_check", "runtime_tests", "done")
ASKED = HandoverRequest(run_id="r", into="target")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
    """A repository with one workstream merged into integration/r, and a branch `target`."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    root = make_repo(tmp_path / "repo")
    repo = opened(root)
    git(root, "branch", "target")
    repo.ensure_branch("integration/r", repo.head())
    tree = repo.lease("ws-a", "r", "workstream/ws-a/r", repo.head())
    write(tree.path, {"a.txt": "a\n"})
    tree.changes()
    tree.commit("Work", {})
    repo.merge("workstream/ws-a/r", "integration/r", message="Merge", trailers={})
    return repo


@pytest.fixture
def journal(repo: GitRepository) -> Iterator[Journal]:
    """A journal in which run `r` has merged ws-a, and ws-b has not begun."""
    with open_journal(None) as journal:
        journal.create_run("r", base_commit=repo.head(), integration_branch="integration/r")
        journal.move_run("r", RunState.RUNNING)
        tasks = {"bundle": {"tasks": ["Write  a long\n" + "story " * 40]}}
        journal.add_workstream("r", "ws-a", metadata=tasks)
        journal.add_workstream("r", "ws-b")
        for state in TO_DONE:
            journal.move_workstream("r", "ws-a", WorkstreamState(state))
        for to in (IntegrationState.QUEUED, IntegrationState.MERGED):
            journal.move_integration("r", "ws-a", to, payload={})
        yield journal


def give(
    journal: Journal, repo: GitRepository, request: HandoverRequest = ASKED, **more: object
) -> HandoverResult:
    """Hand over, partly unless told otherwise."""
    request = msgspec.structs.replace(request, **{"partial": True, **more})
    return hand_over(journal, repo, request, hold=_free, owner={"pid": 1})


def _free(_run_id: str) -> AbstractContextManager[None]:
    return nullcontext()


def told(journal: Journal) -> list[dict[str, object]]:
    """The payloads of the events about it."""
    events = journal.list_events(run_id="r", event_type=EventType.HANDED_OVER)
    return [event.payload for event in events]


def test_the_event_tells_what_came_where(journal: Journal, repo: GitRepository) -> None:
    """Commits, source, previous commit and what is missing are kept; the claim is given back."""
    result = give(journal, repo)
    (payload,) = told(journal)
    assert (payload["into"], payload["strategy"]) == ("target", "merge")
    assert payload["commit"] == git(repo.root, "rev-parse", "target")
    assert (payload["count"], payload["missing"]) == (1, ["ws-b"])
    assert [item.ws_id for item in result.missing] == ["ws-b"]
    assert journal.run_owner("r") is None


def test_a_death_before_the_event_is_made_good(journal: Journal, repo: GitRepository) -> None:
    """What the branch holds but the journal does not know is recorded the next time, and once."""
    repo.handover(
        "integration/r", "target", strategy=HandoverStrategy.SQUASH, base=repo.head(),
        message="m", trailers={},
    )  # fmt: skip
    assert [give(journal, repo).handover.already for _ in range(2)] == [True, True]
    assert [payload["commit"] for payload in told(journal)] == [
        git(repo.root, "rev-parse", "target")
    ]


def test_an_unfinished_run_is_refused(journal: Journal, repo: GitRepository) -> None:
    """Without `partial` the workstreams that are missing are named, and nothing is recorded."""
    with pytest.raises(UsageError, match=r"not merged: ws-b") as caught:
        give(journal, repo, partial=False)
    assert "--partial" in (caught.value.hint or "")
    assert told(journal) == []


def test_many_that_are_missing_are_counted(journal: Journal, repo: GitRepository) -> None:
    """The message stays short."""
    for number in range(8):
        journal.add_workstream("r", f"ws-c{number}")
    with pytest.raises(UsageError, match="and 4 more"):
        give(journal, repo, partial=False)


def test_a_failure_gives_the_claim_back(journal: Journal, repo: GitRepository) -> None:
    """The run can be handed over to another branch afterwards."""
    with pytest.raises(RepositoryError, match="no branch nowhere"):
        give(journal, repo, into="nowhere")
    assert journal.run_owner("r") is None
    assert give(journal, repo).handover.commits


def test_a_dry_run_claims_nothing(journal: Journal, repo: GitRepository) -> None:
    """Neither event nor claim is written."""
    result = give(journal, repo, dry_run=True)
    assert (result.handover.dry_run, told(journal)) == (True, [])
    assert journal.run_owner("r") is None


def test_the_message_is_bearable(journal: Journal, repo: GitRepository) -> None:
    """A long task is cut, and one workstream is named in the subject."""
    give(journal, repo)
    lines = git(repo.root, "log", "-1", "--format=%B", "target").split("\n")
    assert lines[0] == "Integrate ws-a of run r"
    assert lines[2].startswith("- ws-a: Write a long story")
    assert (len(lines[2]) < 110, lines[2][-3:]) == (True, "...")


def test_commits_with_a_workstream(journal: Journal, repo: GitRepository) -> None:
    """Those of the hand-overs that it was in."""
    result = give(journal, repo)
    rows = {row.ws_id: row for row in journal.list_workstreams("r")}
    assert commits_with(journal, rows["ws-a"]) == [result.handover.commit]
    assert commits_with(journal, rows["ws-b"]) == []
