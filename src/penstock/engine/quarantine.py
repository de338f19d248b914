"""Quarantine: a failed workstream is set apart, with everything that is needed to look at it.

state/quarantine/<run>_<ws>/ holds metadata.json (what it is and why), attempts.json, errors.json,
events.json, branch.patch (all it has committed), patches/ (what turns left that was not kept),
logs/, prompts/ and environment.json, in which no secret stands.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from penstock.engine.evidence import private_folder, write_private
from penstock.engine.job import Job, relative
from penstock.errors import EnvironmentProblem
from penstock.model.events import EventType
from penstock.model.states import WorkstreamState

EVENTS_KEPT = 5000


def quarantine_workstream(job: Job, reason: str) -> Path:
    """Move a failed workstream to `quarantined` and gather its evidence; return the folder.

    Safe to repeat after a death: the evidence is gathered first. Raises InvalidTransitionError
    when it has not failed, EnvironmentProblem when the folder cannot be written.
    """
    folder = gather_evidence(job, reason, WorkstreamState.QUARANTINED)
    journal = job.services.journal
    shown = relative(folder, job.services.root)
    journal.move_workstream(job.run_id, job.ws_id, WorkstreamState.QUARANTINED, reason=reason)
    job.event(EventType.WORKSTREAM_QUARANTINED, {"reason": reason, "folder": shown})
    return folder


def gather_evidence(job: Job, reason: str, final: WorkstreamState) -> Path:
    """Gather all that is needed to look at a workstream that ends as `final`; return the folder.

    Raises EnvironmentProblem when it cannot be written.
    """
    folder, row = job.services.evidence.quarantine(job.run_id, job.ws_id), job.row()
    journal, mask = job.services.journal, job.services.masks.text
    attempts = job.attempts()
    documents: dict[str, Any] = {
        "metadata": {
            "run_id": job.run_id,
            "workstream_id": job.ws_id,
            "final_status": final.value,
            "reason": mask(reason),
            "failed_because": row.reason,
            "branch": row.branch,
            "base_commit": row.base_commit,
            "head_commit": row.head_commit,
            "worktree": row.worktree_path,
            "tools": sorted({a.tool_id for a in attempts if a.tool_id}),
            "started_at": attempts[0].started_at if attempts else None,
            "ended_at": attempts[-1].completed_at if attempts else None,
            "bundle": row.metadata.get("bundle"),
        },
        "attempts": attempts,
        "errors": journal.list_errors(job.run_id, job.ws_id),
        "events": journal.list_events(run_id=job.run_id, ws_id=job.ws_id, limit=EVENTS_KEPT),
        "environment": {name: mask(value) for name, value in _harmless(os.environ.items(), mask)},
    }
    for name, document in documents.items():
        text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
        write_private(folder / f"{name}.json", job.services.masks.prose(text).encode())
    committed = job.services.repository.patch_between(row.base_commit or "", row.head_commit or "")
    write_private(folder / "branch.patch", job.services.masks.patch(committed))
    _copy(job.services.evidence.of_workstream(job.run_id, job.ws_id), folder)
    return folder


def _harmless(items: Iterable[tuple[str, str]], mask: Any) -> Iterable[tuple[str, str]]:
    """Leave out the variables that hold a secret: even masked, their names would say too much."""
    return sorted(
        (name, value) for name, value in items if mask(f"{name}={value}") == f"{name}={value}"
    )


def _copy(found: dict[str, list[Path]], folder: Path) -> None:
    """Copy evidence into folders by kind. Raises EnvironmentProblem."""
    for kind, paths in found.items():
        for path in paths:
            try:
                private_folder(folder / kind)
                shutil.copyfile(path, folder / kind / path.name, follow_symlinks=False)
                (folder / kind / path.name).chmod(0o600)
            except OSError as error:
                raise EnvironmentProblem(
                    f"cannot keep {path} in {folder}: {error.strerror}",
                    hint="free disk space, then quarantine it again",
                ) from error
