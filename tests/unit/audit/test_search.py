"""Searching, counting and exporting what was recorded."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from penstock.audit import blocks
from penstock.audit.api import AuditTrail, ExportFormat, GroupBy, Kind, Query
from penstock.errors import AIMAuditLogError
from tests.support.trails import DAY, NOON, Scene


@pytest.fixture
def mixed(scene: Scene) -> Scene:
    """Ten entries of different kinds on two days, an hour apart."""
    calls: list[dict[str, Any]] = [
        {"tool_id": "jules", "success": False, "outcome": "auth", "message": "log in"},
        {"tool_id": "aider", "fallback": True, "outcome": "edited", "duration_s": 10.0},
        {"tool_id": "ruff", "capability": "linting", "ws_id": "ws-b", "duration_s": 1.0},
        {"tool_id": "aider", "run_id": "run-2", "cost_usd": 0.5, "outcome": "edited"},
    ]
    for _ in range(2):
        for call in calls:
            scene.call(**call)
            scene.clock.forward(3600)
        scene.trail.event("workstream_end", "over", run_id="run-1", severity="warning")
        scene.clock.forward(DAY - 4 * 3600)
    return scene


def count(scene: Scene, **conditions: Any) -> int:
    """Return how many entries match."""
    return len(list(scene.trail.query(Query(**conditions))))


@pytest.mark.parametrize(
    ("conditions", "number"),
    [
        ({}, 10),
        ({"kind": Kind.EVENT}, 2),
        ({"kind": Kind.INVOCATION}, 8),
        ({"tool_id": "aider"}, 4),
        ({"capability": "linting"}, 2),
        ({"success": False}, 2),
        ({"success": True, "tool_id": "jules"}, 0),
        ({"outcome": "edited"}, 4),
        ({"run_id": "run-2"}, 2),
        ({"ws_id": "ws-b"}, 2),
        ({"event_type": "workstream_end"}, 2),
        ({"severity": "warning"}, 2),
        ({"severity": "error"}, 0),
        ({"since": NOON + DAY}, 5),
        ({"until": NOON + DAY}, 5),
        ({"since": NOON + 3600, "until": NOON + 3 * 3600}, 2),
        ({"since": NOON + 3600, "until": NOON + 3 * 3600, "tool_id": "aider"}, 1),
        ({"since": NOON + 9 * DAY}, 0),
        ({"limit": 3}, 3),
        ({"limit": 0}, 0),
        ({"tool_id": "aider", "limit": 1}, 1),
    ],
    ids=str,
)
def test_conditions(mixed: Scene, conditions: dict[str, Any], number: int) -> None:
    """Each condition keeps what matches it, together they keep what matches all."""
    assert count(mixed, **conditions) == number


def test_newest_first(mixed: Scene) -> None:
    """Entries come newest first, and a limit keeps the newest."""
    stamps = [entry.timestamp for entry in mixed.trail.query(Query())]
    assert stamps == sorted(stamps, reverse=True)
    assert [e.timestamp for e in mixed.trail.query(Query(limit=2))] == stamps[:2]


def test_bytes_in_a_payload_are_not_taken_for_members(scene: Scene) -> None:
    """A payload that holds what is looked for does not make its line match."""
    scene.call("aider", payload={"tool_id": "codex", "kind": "event"})
    assert count(scene, tool_id="codex") == 0
    assert count(scene, kind=Kind.EVENT) == 0
    assert count(scene, tool_id="aider") == 1


@pytest.mark.parametrize("size", [1, 100, 700, 5000])
def test_blocks_of_any_size_give_the_same(
    mixed: Scene, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """However the files are cut into blocks, nothing is lost or doubled, in either direction."""
    whole = list(mixed.trail.lines(Query()))
    monkeypatch.setattr(blocks, "BLOCK", size)
    monkeypatch.setattr(blocks, "_STEP", 7)
    assert list(mixed.trail.lines(Query())) == whole
    assert count(mixed, tool_id="aider", since=NOON + 3600) == 4
    assert mixed.trail.stats(Query()).total_events == 10


def test_every_moment_is_found_by_halving(mixed: Scene) -> None:
    """The first line from a moment on is the one that looking through all would find."""
    stamps = [entry.timestamp for entry in mixed.trail.query(Query())]
    for hours in range(-1, 50):
        moment = NOON + hours * 3600 - 0.5
        later = [s for s in stamps if s > _iso(moment)]
        assert count(mixed, since=moment) == len(later)
        assert count(mixed, until=moment) == len(stamps) - len(later)


def _iso(moment: float) -> str:
    from penstock.model.times import iso

    return iso(moment)


def test_a_damaged_line_is_passed_over(mixed: Scene) -> None:
    """Searching and counting go on behind a line that nobody can read; counting tells of it."""
    mixed.edit(lambda lines: lines.__setitem__(1, b'\xff{"tool_id":"aider" rubbish\n'))
    assert count(mixed, tool_id="aider") == 3
    assert count(mixed) == 9
    stats = mixed.trail.stats()
    assert (stats.total_events, stats.unreadable) == (9, 1)


def test_a_trail_fits_its_contract(mixed: Scene) -> None:
    """What the engine is promised is what is there."""
    trail: AuditTrail = mixed.trail
    assert trail.folder == mixed.folder


# -- statistics ------------------------------------------------------------------------------
def test_overall_figures(mixed: Scene) -> None:
    """Rates, times and costs are those of the invocations, held against the guide's targets."""
    stats = mixed.trail.stats()
    assert stats.by_type == {"invocation": 8, "workstream_end": 2}
    assert stats.by_severity == {"warning": 2}
    assert stats.log_size_bytes == sum(mixed.file(d).stat().st_size for d in two_days())
    all_ = stats.overall
    assert (all_.invocations, all_.successes, all_.success_rate) == (8, 6, 0.75)
    assert (all_.mean_s, all_.p95_s, all_.cost_usd) == (5.5, 10.0, 1.0)
    assert (all_.fallback_rate, all_.auth_error_rate) == (0.25, 0.25)
    assert all_.misses == ("success_rate", "auth_error_rate")


def two_days() -> tuple[str, str]:
    """Return the days of the mixed trail."""
    return ("2026-01-01", "2026-01-02")


@pytest.mark.parametrize(
    ("by", "names"),
    [
        (GroupBy.TOOL, ["aider", "jules", "ruff"]),
        (GroupBy.CAPABILITY, ["code_generation", "linting"]),
        (GroupBy.OUTCOME, ["edited", "auth", "unknown"]),
        (GroupBy.DAY, list(two_days())),
    ],
)
def test_groups(mixed: Scene, by: GroupBy, names: list[str]) -> None:
    """Groups come by number, days in order, and add up to all."""
    groups = mixed.trail.stats(by=by).groups
    assert [group.name for group in groups] == names
    assert sum(group.invocations for group in groups) == 8


def test_figures_of_a_part(mixed: Scene) -> None:
    """Only matching entries are counted; what is not known is none."""
    stats = mixed.trail.stats(Query(tool_id="jules"))
    assert (stats.total_events, stats.overall.success_rate) == (2, 0.0)
    assert stats.overall.mean_s is None
    assert stats.overall.cost_usd is None


def test_figures_of_nothing(scene: Scene) -> None:
    """An empty trail has no figures and misses no target."""
    stats = scene.trail.stats()
    assert (stats.total_events, stats.oldest_event, stats.overall.misses) == (0, None, ())


# -- export ----------------------------------------------------------------------------------
def test_export_json(mixed: Scene, tmp_path: Path) -> None:
    """JSON is one array, oldest first; lines are as they are on file."""
    assert mixed.trail.export(tmp_path / "a.json", ExportFormat.JSON) == 10
    array = json.loads((tmp_path / "a.json").read_text())
    mixed.trail.export(tmp_path / "a.jsonl", ExportFormat.JSONL)
    lines = (tmp_path / "a.jsonl").read_bytes()
    assert [json.loads(line) for line in lines.splitlines()] == array
    assert lines == b"".join(mixed.file(day).read_bytes() for day in two_days())
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600


def test_export_csv(mixed: Scene, tmp_path: Path) -> None:
    """CSV has the documented columns and nothing that a spreadsheet would calculate."""
    mixed.call(message='=cmd("x"), "y"')
    mixed.trail.export(tmp_path / "a.csv", ExportFormat.CSV, Query(since=NOON + DAY))
    with (tmp_path / "a.csv").open(newline="") as file:
        head, first, *_, last = csv.reader(file)
    assert head == ["timestamp", "event_type", "severity", "message", "user", "session_id"]
    assert first[1:4] == ["invocation", "error", "log in"]
    assert last[3] == '\'=cmd("x"), "y"'


def test_export_to_nowhere_is_refused(mixed: Scene, tmp_path: Path) -> None:
    """A file that cannot be written is told, and nothing is left."""
    with pytest.raises(AIMAuditLogError, match="cannot write"):
        mixed.trail.export(tmp_path / "none" / "a.json", ExportFormat.JSON)
    (tmp_path / "taken").mkdir()
    with pytest.raises(AIMAuditLogError, match="cannot write"):
        mixed.trail.export(tmp_path / "taken", ExportFormat.JSON)
    assert not list(tmp_path.glob(".taken*"))
