"""Issues are told what becomes of their workstreams, through a `gh` that is a real process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.model.events import EventType
from tests.support.fake_gh import FakeGh
from tests.support.pipeline import Project, says

VARIABLES = ("ENABLE_GH_SYNC", "GITHUB_OWNER", "GITHUB_REPO", "GITHUB_TOKEN", "GH_TOKEN")


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGh:
    """A `gh` on PATH, and none of its variables set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    made = FakeGh(tmp_path / "gh")
    made.put_first(monkeypatch)
    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one workstream of issue 12 that succeeds."""
    made = Project(tmp_path / "project", plan={"issue_comments": True})
    made.bundle("ws-a", says("fine test\n"), ccpm_issue=12, openspec_change="add-login")
    return made


def told(project: Project) -> list[dict[str, Any]]:
    """What the journal says about telling issues."""
    return [dict(event.payload) for event in project.events(EventType.ISSUE_TOLD)]


def test_an_issue_hears_of_start_end_and_integration(gh: FakeGh, project: Project) -> None:
    """Each stage is a comment on the issue that the bundle names, and an event of the journal."""
    assert project.run_one().final_status == "done"
    assert [call.argv for call in gh.calls] == [("issue", "comment", "12", "--body-file", "-")] * 3
    assert [event["stage"] for event in told(project)] == ["started", "done", "integrated"]
    assert all(event["success"] for event in told(project))
    assert "`ws-a` is being worked on" in gh.calls[0].body
    assert "- Change: `add-login`" in gh.calls[2].body
    assert "- Branch: `integration/run-1`" in gh.calls[2].body
