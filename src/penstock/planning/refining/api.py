"""What refining a plan with an AI tool comes to: the tool's proposal, held against the draft."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec

from penstock.planning.api import ValidationReport
from penstock.planning.drafting.api import Plan
from penstock.planning.sources.api import PlanSource

CAPABILITY = "planning"
ANSWER_FILE = "penstock-plan.json"
"""The file that a tool is given the draft in, and that it edits."""


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a proposal is held against besides the draft.

    `files` are those of the repository, from its top. `outside` tells why a path may not be claimed
    (it leads out of the repository by a link, say), None when nothing speaks against it. `judge`
    validates bundles as `penstock validate` does. `is_command` tells whether an acceptance line would
    be run. `redraft` drafts the plan again from sources that state more paths.
    """

    files: Collection[str]
    outside: Callable[[str], str | None]
    judge: Callable[[Sequence[dict[str, Any]]], ValidationReport]
    is_command: Callable[[str], bool]
    redraft: Callable[[Sequence[PlanSource]], Plan]


class Refined(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a proposal.

    `plan` is the refined plan, or the draft itself when the proposal was refused or changed nothing.
    `diff` is the unified diff of the two as they were shown to the tool, that of a refused proposal
    too. `refused` are the reasons, none when it was accepted. `tool_id` is the tool that answered.
    """

    plan: Plan
    diff: str = ""
    refused: tuple[str, ...] = ()
    tool_id: str | None = None

    @property
    def changed(self) -> bool:
        """Whether the plan is another than the draft."""
        return bool(self.diff) and not self.refused
