"""What the scripted tool plays: `metadata.scripted`, a list of turns, one per EDIT or FIX."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, field

from penstock.model.outcome import OutcomeKind

Count = Annotated[int, Meta(ge=0)]
Amount = Annotated[float, Meta(ge=0)]


class ScriptedUsage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tokens and dollars that a scripted turn reports."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost_usd: Amount | None = None


class ScriptedTurn(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One entry of `metadata.scripted`.

    `edits` maps paths (relative to the worktree, or anywhere: that is how the guards are tested)
    to whole new texts, None deletes. `delay_s` (s) comes first. `claim` is the outcome that the
    terminal event reports, true or not; `reset_in_s` (s from now) and `message` go with it. A turn
    with `hang`, or an `exit_code` other than 0, prints a terminal event only when it has a claim.
    """

    edits: dict[str, str | None] = field(default_factory=dict)
    output: str = ""
    delay_s: Amount = 0.0
    exit_code: Annotated[int, Meta(ge=0, le=255)] = 0
    hang: bool = False
    claim: OutcomeKind | None = None
    usage: ScriptedUsage | None = None
    reset_in_s: Amount | None = None
    message: str = ""
