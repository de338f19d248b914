"""Whether the work of a workstream is safe without its worktree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.engine.merged import why_nothing_is_lost
from penstock.model.events import EventType
from penstock.model.records import Run, Workstream
from penstock.model.settings import WorktreeSettings
from penstock.model.states import IntegrationState, RunState, WorkstreamState
from penstock.store.api import Journal
from penstock.store.sqlite import open_journal
from penstock.worktrees.repository import open_repository
from tests.support.repos import git, make_repo, write

NOW = "2026-01-01T00:00:00Z"
LOST = "0" * 40


class Scene:
    """A repository with one commit, a run's journal, and a workstream that has committed a file."""

    def __init__(self, root: Path, journal: Journal) -> None:
        self.root, self.journal = make_repo(root, {"a.txt": "a\n"}), journal
        self.base = git(root, "rev-parse", "HEAD")
        journal.create_run("run-1", integration_branch="integration/run-1")
        self.head = self.commit({"work.txt": "work\n"}, "workstream/ws-a/run-1", self.base)

    def commit(self, files: dict[str, str], branch: str, start: str) -> str:
        """Commit files on a branch made at `start`; return the commit."""
        git(self.root, "checkout", "-q", "-B", branch, start)
        write(self.root, dict(files))
        git(self.root, "add", "-A")
        git(self.root, "commit", "-qm", "work")
        made = git(self.root, "rev-parse", "HEAD")
        git(self.root, "checkout", "-q", "--detach", self.base)
        return made

    def handed(self, commit: str, into: str, *missing: str) -> None:
        """Record that the run was handed over to a branch."""
        payload = {"commit": commit, "into": into, "missing": list(missing)}
        self.journal.record_event(EventType.HANDED_OVER, run_id="run-1", payload=payload)

    def why(self, **changes: Any) -> str | None:
        """Return why nothing would be lost with the workstream's worktree."""
        run = Run(
            run_id="run-1",
            status=RunState.FAILED,
            created_at=NOW,
            updated_at=NOW,
            integration_branch="integration/run-1",
        )
        row = Workstream(
            run_id="run-1",
            ws_id="ws-a",
            status=WorkstreamState.DONE,
            integration=IntegrationState.MERGED,
            created_at=NOW,
            updated_at=NOW,
            base_commit=self.base,
            head_commit=self.head,
        )
        repository = open_repository(self.root, WorktreeSettings())
        return why_nothing_is_lost(
            self.journal, repository, run, msgspec.structs.replace(row, **changes)
        )


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A workstream whose commit is on its own branch only."""
    with open_journal(None) as journal:
        yield Scene(tmp_path / "repo", journal)


def test_work_on_its_own_branch_only_is_not_safe(scene: Scene) -> None:
    """Nobody else has it."""
    assert scene.why() is None


@pytest.mark.parametrize("head", [None, "base"])
def test_no_commit_of_its_own(scene: Scene, head: str | None) -> None:
    """There is nothing to lose."""
    commit = scene.base if head else None
    assert scene.why(head_commit=commit) == "it holds no commit of its own"


def test_work_that_goes_on_is_never_safe(scene: Scene) -> None:
    """A workstream that has not ended may have more to come."""
    assert scene.why(status=WorkstreamState.EDITING, head_commit=None) is None


def test_merged_into_the_integration_branch(scene: Scene) -> None:
    """The usual way."""
    git(scene.root, "branch", "integration/run-1", scene.head)
    assert scene.why() == "it is merged into integration/run-1"


def test_merged_into_head(scene: Scene) -> None:
    """The user took it by hand."""
    git(scene.root, "checkout", "-q", "--detach", scene.head)
    assert scene.why() == "it is merged into HEAD"


def test_merged_into_the_branch_it_was_handed_over_to(scene: Scene) -> None:
    """A branch that is not checked out counts when the journal names it."""
    git(scene.root, "branch", "release", scene.head)
    assert scene.why() is None
    scene.handed(scene.head, "release")
    assert scene.why() == "it is merged into release"


def test_squashed_and_changed_since(scene: Scene) -> None:
    """A handover is recorded, and its commit is in the branch: later edits do not matter."""
    squash = scene.commit({"work.txt": "work\n", "more.txt": "1\n"}, "release", scene.base)
    scene.commit({"work.txt": "changed\n"}, "release", squash)
    assert scene.why() is None
    scene.handed(squash, "release")
    assert scene.why() == "it was handed over to release"


def test_a_handover_without_this_workstream_proves_nothing(scene: Scene) -> None:
    """The event says who was missing."""
    other = scene.commit({"more.txt": "1\n"}, "release", scene.base)
    scene.handed(other, "release", "ws-a")
    assert scene.why() is None


@pytest.mark.parametrize("into", ["release", "deleted"])
def test_a_handover_that_was_taken_back(scene: Scene, into: str) -> None:
    """When the branch was reset, or is gone, what was handed over is there no more."""
    squash = scene.commit({"work.txt": "work\n"}, "release", scene.base)
    git(scene.root, "branch", "-f", "release", scene.base)
    scene.handed(squash, into)
    assert scene.why() is None


def test_the_same_content_is_as_good(scene: Scene) -> None:
    """A branch that has each changed file just as the workstream left it holds the work."""
    scene.commit({"work.txt": "work\n", "more.txt": "1\n"}, "integration/run-1", scene.base)
    assert scene.why() == "integration/run-1 has all of its changes"


def test_commits_that_are_gone_prove_nothing(scene: Scene) -> None:
    """What git does not know any more cannot be compared."""
    assert scene.why(head_commit=LOST) is None
    assert scene.why(base_commit=None) is None
