"""Plays the demonstration: makes the repository, runs the workstreams, compares the ending."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.demo.content import BUNDLES, EXPECTED, FILES, PROFILES, RULES
from penstock.driving import require_runnable
from penstock.engine.ports import Observer, RunRequest
from penstock.errors import UsageError
from penstock.model.results import RunResult
from penstock.process.api import Stop
from penstock.wiring import Workspace, create_repository, lend_environment, open_workspace

CONFIG = """\
# The demonstration's settings; `penstock init` writes a file that explains every key.
static_tools: [ruff]
runtime_tools: [pytest]
checkout_policy: stop
"""


RULES_PLACE = ".AIM_ai-tools-registry/AIM_cross-tool/AIM_coordination-rules.json"


class DemoResult(msgspec.Struct, frozen=True, kw_only=True):
    """Where the demonstration lies and what became of it.

    `as_scripted` tells whether every workstream ended as it should.
    """

    repo: str
    run_id: str
    as_scripted: bool
    result: RunResult


def prepare(place: Path | None) -> Path:
    """Make the scratch repository and return its folder.

    `place` must be empty or not exist yet; None makes a folder of its own for temporary files.
    Raises UsageError, ToolMissingError when ruff or pytest is not installed, EnvironmentProblem
    where workstreams cannot be run.
    """
    require_runnable()
    folder = _folder(place)
    for name, text in FILES.items():
        _write(folder / name, text)
    _write(folder / "config" / "pipeline.yaml", CONFIG)
    _write(folder / "config" / "tool_profiles.json", _json(PROFILES))
    _write(folder / RULES_PLACE, _json(RULES))
    for bundle in BUNDLES:
        _write(folder / "workstreams" / f"{bundle['id']}.json", _json(bundle))
    lend_environment(folder)
    create_repository(folder, "A small shop")
    return folder


def play(folder: Path, *, observer: Observer | None, stop: Stop | None) -> DemoResult:
    """Run the workstreams of a prepared repository."""
    with open_workspace(folder) as workspace:
        result = workspace.run(_request(workspace), observer=observer, stop=stop)
    ended = {workstream.ws_id: workstream.final_status for workstream in result.workstreams}
    return DemoResult(
        repo=str(folder), run_id=result.run_id, as_scripted=ended == dict(EXPECTED), result=result
    )


def _request(workspace: Workspace) -> RunRequest:
    report = workspace.load_bundles()
    return RunRequest(bundles=tuple(item.bundle for item in report.bundles))


def _folder(place: Path | None) -> Path:
    if place is None:
        return Path(tempfile.mkdtemp(prefix="penstock-demo-")).resolve()
    try:
        place.mkdir(parents=True, exist_ok=True)
        used = any(place.iterdir())
    except OSError as error:
        raise UsageError(f"{place} cannot be used: {error.strerror}") from error
    if used:
        raise UsageError(f"{place} is not empty", hint="name a folder that is empty or not there")
    return place.resolve()


def _json(value: Mapping[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
