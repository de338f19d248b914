"""The documented audit logger: events and errors of the current folder's repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock import EventType, get_audit_logger, log_error, log_event
from penstock.errors import AIMAuditLogError
from tests.support.cli import make_repository


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository to stand in."""
    folder = make_repository(tmp_path / "project")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("AIM_REGISTRY_PATH", raising=False)
    return folder


def recorded(repo: Path) -> list[dict[str, Any]]:
    """Return what the trail holds."""
    files = sorted((repo / ".AIM_ai-tools-registry" / "AIM_audit").glob("*/audit.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def test_an_event_as_documented(repo: Path) -> None:
    """The documented call records a start with the ids of its details."""
    details = {"ws_id": "ws-a", "run_id": "run-1"}
    get_audit_logger().log_event(EventType.WORKSTREAM_START, "Starting ws-a", details=details)
    (entry,) = recorded(repo)
    assert (entry["event_type"], entry["severity"]) == ("workstream_start", "info")
    assert (entry["run_id"], entry["ws_id"], entry["details"]) == ("run-1", "ws-a", details)


def test_an_error_as_documented(repo: Path) -> None:
    """An error bears where it came up."""
    get_audit_logger().log_error("workstream_execution", "it broke")
    log_error("elsewhere", "again", {"code": 1})
    first, second = recorded(repo)
    assert (first["event_type"], first["severity"]) == ("error", "error")
    assert first["details"] == {"context": "workstream_execution"}
    assert second["details"] == {"context": "elsewhere", "code": 1}


def test_wrong_types_are_refused_even_when_nothing_is_recorded(repo: Path) -> None:
    """A mistake in a call shows at once."""
    (repo / "config").mkdir()
    (repo / "config" / "aim_config.yaml").write_text("enable_audit_logging: false\n")
    with pytest.raises(ValueError, match="picnic"):
        log_event("picnic", "x")
    log_event("error", "x", severity="critical")
    assert recorded(repo) == []


def test_a_write_that_fails_is_never_silent(repo: Path) -> None:
    """A trail that cannot be written raises."""
    (repo / ".AIM_ai-tools-registry").mkdir()
    (repo / ".AIM_ai-tools-registry" / "AIM_audit").write_text("a file")
    with pytest.raises(AIMAuditLogError, match="audit trail cannot be used"):
        log_event("error", "x")
