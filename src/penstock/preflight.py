"""Whether workstreams can run here and now: git, the journal, disk space, the tools, the trail.

A check that nobody has made yet says nothing: `version_drift` is None until versions are pinned.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from penstock.driving import require_runnable
from penstock.errors import PenstockError, PreFlightError
from penstock.model.bundle import Bundle
from penstock.wiring import Workspace

PASS, WARN, FAIL = "pass", "warn", "fail"
Report = dict[str, Any]


def pre_flight_report(workspace: Workspace, tools: Iterable[str]) -> Report:
    """Return {health_status, health_summary, version_drift, pre_flight_passed, checks}.

    `health_status` is unhealthy when a check failed, degraded when one warns, else healthy;
    `health_summary` counts pass, warn and fail; `checks` are {name, status, message}.
    """
    checks = [_check(name, look, workspace) for name, look in _LOOKS.items()]
    checks += [_check(f"tool {tool_id}", _tool(tool_id), workspace) for tool_id in tools]
    counts = Counter(check["status"] for check in checks)
    health = "unhealthy" if counts[FAIL] else "degraded" if counts[WARN] else "healthy"
    return {
        "health_status": health,
        "health_summary": {status: counts[status] for status in (PASS, WARN, FAIL)},
        "version_drift": None,
        "pre_flight_passed": not counts[FAIL],
        "checks": checks,
    }


def require_healthy(report: Mapping[str, Any]) -> None:
    """Raise PreFlightError, a RuntimeError, naming each check that failed."""
    failed = [check for check in report["checks"] if check["status"] == FAIL]
    if failed:
        told = "; ".join(f"{check['name']}: {check['message']}" for check in failed)
        raise PreFlightError(f"System health check failed: {told}")


def tools_of(bundles: Iterable[Bundle], given: str | None = None) -> tuple[str, ...]:
    """Return the tools that bundles name, sorted; `given` serves for all of them instead."""
    return tuple(sorted({given or bundle.tool for bundle in bundles}))


def bundles_of(workspace: Workspace, run_id: str) -> list[Bundle]:
    """Return the bundles of a run. Raises NotFoundError."""
    workspace.reader.get_run(run_id)
    rows = workspace.reader.list_workstreams(run_id)
    return [
        msgspec.convert(row.metadata["bundle"], Bundle) for row in rows if "bundle" in row.metadata
    ]


# -- the checks ------------------------------------------------------------------------------------
Look = Callable[[Workspace], tuple[str, str]]


def _check(name: str, look: Look, workspace: Workspace) -> dict[str, str]:
    """Look at one thing; what is raised is why it fails."""
    try:
        status, message = look(workspace)
    except PenstockError as error:
        status, message = FAIL, f"{error} ({error.hint})" if error.hint else str(error)
    return {"name": name, "status": status, "message": message}


def _platform(_: Workspace) -> tuple[str, str]:
    require_runnable()
    return PASS, "workstreams can be run on this system"


def _config(workspace: Workspace) -> tuple[str, str]:
    workspace.settings, workspace.profiles, workspace.aim_settings  # noqa: B018 - reading checks
    return PASS, "the configuration can be read"


def _git(workspace: Workspace) -> tuple[str, str]:
    return PASS, f"HEAD is {workspace.repository.head()[:12]}"


def _journal(workspace: Workspace) -> tuple[str, str]:
    if not workspace.database.exists():
        return PASS, "there is none yet, the first run makes it"
    version = workspace.open_journal(create=False).schema_version()
    return PASS, f"{workspace.database.name} can be opened, its schema is {version}"


def _disk(workspace: Workspace) -> tuple[str, str]:
    free = shutil.disk_usage(workspace.root).free >> 20
    needed = workspace.settings.limits.min_free_mb
    if free < needed:
        return FAIL, f"{free} MB are free, {needed} are needed (limits.min_free_mb)"
    if free < 2 * needed:
        return WARN, f"{free} MB are free, which is little above limits.min_free_mb ({needed})"
    return PASS, f"{free} MB are free"


def _audit(workspace: Workspace) -> tuple[str, str]:
    if workspace.trail is None:
        return PASS, "auditing is switched off"
    workspace.trail.require_writable()
    return PASS, "the audit trail can be written"


def _tool(tool_id: str) -> Look:
    def look(workspace: Workspace) -> tuple[str, str]:
        missing = workspace.toolbox.get(tool_id).available()
        return (PASS, "it is there") if missing is None else (FAIL, missing)

    return look


_LOOKS: Mapping[str, Look] = {
    "platform": _platform,
    "config": _config,
    "git": _git,
    "journal": _journal,
    "disk": _disk,
    "audit": _audit,
}
