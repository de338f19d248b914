"""The documented functions of the error pipeline.

`root` is any folder inside the repository, by default the current one; `db` is as `--db`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from penstock.engine.escalation.pipeline import OnTick, sorted_by_kind
from penstock.engine.escalation.ports import Seed
from penstock.errors import UsageError
from penstock.model.escalation import EscalationContext
from penstock.typed import typed
from penstock.wiring import open_workspace

Place = str | os.PathLike[str] | None

__all__ = ["escalate", "tick"]


def tick(
    context: EscalationContext | Mapping[str, Any], *, root: Place = None, db: str | None = None
) -> EscalationContext:
    """Do the work of one state of a pipeline, save it, and return the context that follows.

    The journal's context counts where it has one of that run and workstream; else the pipeline
    begins with what is given. An ended one comes back as it is. Raises UsageError for a context
    without files or ids, ClaimError while another process works on it.
    """
    given = _context(context)
    with (
        open_workspace(_start(root), db=db) as workspace,
        workspace.error_pipeline(given.run_id, given.workstream_id) as pipeline,
    ):
        return pipeline.tick(given)


def escalate(
    run_id: str,
    workstream_id: str,
    files: Sequence[str] = (),
    *,
    strict: bool | None = None,
    restart: bool = False,
    on_tick: OnTick | None = None,
    root: Place = None,
    db: str | None = None,
) -> EscalationContext:
    """Tick until the files pass, are quarantined, or cannot be worked on.

    `files` are relative to the top of the repository; without any, those of the workstream. Raises
    what `tick` does.
    """
    seed: Seed = msgspec.structs.replace(sorted_by_kind(files), strict=strict)
    with (
        open_workspace(_start(root), db=db) as workspace,
        workspace.error_pipeline(run_id, workstream_id) as pipeline,
    ):
        return pipeline.run(seed, restart=restart, on_tick=on_tick)


def _start(root: Place) -> Path | None:
    return None if root is None else Path(root)


def _context(given: EscalationContext | Mapping[str, Any]) -> EscalationContext:
    if isinstance(given, EscalationContext):
        return given
    try:
        return typed(dict(given), EscalationContext)
    except msgspec.ValidationError as error:
        raise UsageError(f"this is no context of an error pipeline: {error}") from error
