"""What is set apart when no agent could mend the files: `state/quarantine/<run>_<ws>/`.

final_scripts/ (the files as the last attempt left them), original_scripts/ (as the pipeline found
them), the reports of all attempts, ai_attempts.json and metadata.json.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from penstock.engine.escalation.cabinet import Cabinet, content, pretty
from penstock.engine.escalation.ports import Edges
from penstock.engine.escalation.workplace import Workplace
from penstock.engine.evidence import write_private
from penstock.model.escalation import TIERS, EscalationContext, FinalStatus
from penstock.model.times import iso
from penstock.typed import typed_json

_METADATA = "metadata.json"


def set_apart(
    edges: Edges, cabinet: Cabinet, workplace: Workplace, context: EscalationContext
) -> Path:
    """Write the folder of a pipeline that is quarantined, and return it. Safe to repeat.

    The files themselves stay as they are. Raises EnvironmentProblem when it cannot be written.
    """
    folder = edges.state / "quarantine" / f"{context.run_id}_{context.workstream_id}"
    for name in context.files:
        _copy(workplace.tree / name, folder / "final_scripts" / name)
        _copy(cabinet.original / "files" / name, folder / "original_scripts" / name)
    for report in cabinet.report_files():
        _copy(report, folder / report.name)
    attempts = msgspec.to_builtins(context.ai_attempts)
    write_private(folder / "ai_attempts.json", pretty(attempts))
    told = {**_known(folder), **_metadata(edges, workplace, context)}
    write_private(folder / _METADATA, pretty(told))
    return folder


def _copy(source: Path, target: Path) -> None:
    data = content(source)
    if data is not None:
        write_private(target, data)


def _known(folder: Path) -> dict[str, object]:
    """Return what the quarantine of the workstream itself has written there before."""
    data = content(folder / _METADATA)
    try:
        return typed_json(data or b"{}", dict[str, object])
    except msgspec.MsgspecError:
        return {}


def _metadata(edges: Edges, workplace: Workplace, context: EscalationContext) -> dict[str, object]:
    last = context.last_error_report
    return {
        "run_id": context.run_id,
        "workstream_id": context.workstream_id,
        "final_status": FinalStatus.QUARANTINED.value,
        "reason": _reason(context),
        "tree": workplace.shown,
        "files": list(context.files),
        "strict_mode": context.strict_mode,
        "tiers": [agent.value for agent in TIERS if context.enabled(agent)],
        "mechanical_fix_applied": context.mechanical_fix_applied,
        "tools": dict(last.toolchain) if last is not None else {},
        "agents": sorted({a.tool_id for a in context.ai_attempts if a.tool_id}),
        "started_at": context.started_at,
        "ended_at": iso(edges.clock()),
        "versions": dict(edges.versions),
    }


def _reason(context: EscalationContext) -> str:
    tried = len(context.ai_attempts)
    last = context.last_error_report
    left = sum(last.summary.issues_by_tool.values()) if last is not None else 0
    return f"{left} issues are left after {tried} AI attempts"
