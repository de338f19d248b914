"""What an issue is told, in Markdown."""

from __future__ import annotations

import re
from typing import Final

from penstock.forge.api import Stage
from penstock.model.events import EventType
from penstock.model.records import Event

LONGEST: Final = 1000
"""Characters of a reason; the rest is in the journal."""
_STAGES: Final = {
    "started": Stage.STARTED,
    "done": Stage.DONE,
    "failed": Stage.FAILED,
    "quarantined": Stage.QUARANTINED,
    "canceled": Stage.CANCELED,
}
_WORDS: Final = {
    Stage.STARTED: "is being worked on",
    Stage.DONE: "is done; its integration is next",
    Stage.FAILED: "has failed",
    Stage.QUARANTINED: "was set aside",
    Stage.CANCELED: "was canceled",
    Stage.INTEGRATED: "is integrated",
}


def stage_of(event: Event) -> Stage | None:
    """Return what an event means for an issue, None for nothing."""
    if event.event_type == EventType.MERGED:
        return Stage.INTEGRATED
    if event.event_type == EventType.WORKSTREAM_STATUS_CHANGED:
        return _STAGES.get(str(event.payload.get("to")))
    return None


def message(event: Event, stage: Stage, change: str) -> str:
    """Return the comment for an event.

    Names are code and reasons are in a fence, so that no word of a tool calls anybody, closes an
    issue or breaks out.
    """
    lines = [f"penstock: workstream {code(event.ws_id or '?')} {_WORDS[stage]}."]
    facts = [("Run", event.run_id), ("Change", change)]
    if stage is Stage.INTEGRATED:
        facts += [("Branch", event.payload.get("into")), ("Commit", event.payload.get("commit"))]
    lines += ["", *(f"- {name}: {code(str(value))}" for name, value in facts if value)]
    reason = str(event.payload.get("reason") or "").strip()
    if reason and stage is not Stage.STARTED:
        lines += ["", *_fenced(reason)]
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Return text as code on one line."""
    plain = " ".join(text.split())
    ticks = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{ticks}{pad}{plain}{pad}{ticks}"


def _fenced(text: str) -> list[str]:
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    fence = "`" * max(3, max(map(len, re.findall("`+", shown)), default=0) + 1)
    return [f"{fence}text", shown, fence]
