"""Refining a plan: a tool proposes a better one, which is taken when it loses and invents nothing.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import (
    AIMAllToolsFailedError,
    AIMRegistryNotFoundError,
    Interrupted,
    UsageError,
)
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.assembly import Parts
    from penstock.engine.calls import CallResult
    from penstock.planning.drafting.api import Plan, PlanOptions
    from penstock.planning.refining.api import Ground, Refined
    from penstock.planning.scoping.api import Terrain
    from penstock.planning.sources.api import PlanSource
    from penstock.process.api import Stop


class Refining(Surroundings):
    """What lets AI tools propose better plans."""

    if TYPE_CHECKING:  # what the workspace has from the mixins that drive and that make plans

        def _parts(self, *, dry: bool = False) -> Parts: ...

        def terrain(self) -> Terrain: ...

        def draft_plan(
            self,
            sources: Sequence[PlanSource],
            options: PlanOptions | None = None,
            *,
            directory: str | None = None,
        ) -> Plan: ...

        def _audit_call(
            self, result: CallResult, capability: str, payload: Mapping[str, Any]
        ) -> None: ...

    def refine(
        self,
        plan: Plan,
        *,
        directory: str | None = None,
        script: Sequence[Mapping[str, Any]] = (),
        timeout_s: float | None = None,
        stop: Stop | None = None,
    ) -> Refined:
        """Have the tools of the capability `planning` propose a better plan, and judge what they say.

        A tool works in a worktree of its own, laid from all that the checkout holds now; nothing is
        written to the checkout. `directory` is the folder that the bundles are for. `script` are turns
        for the scripted tool; `timeout_s` (s) bounds each call, else the rule does. Raises AIMRegistryNotFoundError where AIM is off,
        AIMCapabilityNotFoundError, AIMAllToolsFailedError, UsageError for a refused call and an
        answer that is not there, RepositoryError outside of a repository, ClaimError while another
        process refines here, and Interrupted when `stop` is asked.
        """
        from penstock.planning.refining.api import CAPABILITY, Refined
        from penstock.planning.refining.document import Draft, encoded
        from penstock.planning.refining.judge import judged
        from penstock.planning.refining.prompt import instructions
        from penstock.refining.desk import Desk, lent_tree

        if not plan.bundles and not plan.needs_scope:
            return Refined(plan=plan)  # there is nothing to ask about
        self._require_tool(plan)
        parts = self._refining_parts()
        draft = Draft(plan)
        shown = self.redactor.prose(encoded(draft.document).decode()).encode()
        prompt = instructions(draft.document, limit=plan.options.max_files)
        payload = {"prompt": prompt, "metadata": {"scripted": list(script)}}
        with lent_tree(parts.repository, parts.root, parts.root / parts.state) as tree:
            desk = Desk(parts, self.open_journal(), tree, shown, stop)
            result = desk.ask(payload, timeout_s)
            self._audit_call(result, CAPABILITY, {"prompt": prompt})
            if stop is not None and stop.asked:
                raise Interrupted("refining the plan was interrupted; the draft was not written")
            _require(result)
            answer = desk.answer()
        return judged(draft, shown, answer, self._ground(plan, directory), result.tool_id)

    def _require_tool(self, plan: Plan) -> None:
        """Raise UsageError where no workstream could be made of what a tool finds files for."""
        if plan.needs_scope and not (plan.options.tool or self.settings.default_tool):
            raise UsageError(
                "a plan does not say which tool does the work",
                hint="Name it with --tool, or set default_tool in config/pipeline.yaml.",
            )

    def _refining_parts(self) -> Parts:
        """Return the edges. Raises as `refine` does where no tool could be asked."""
        from penstock.planning.refining.api import CAPABILITY

        parts = self._parts()
        if parts.aim is None:
            raise AIMRegistryNotFoundError(
                "plans are refined through AIM, which is off or has no registry here",
                hint="switch it on in config/aim_config.json, or plan without --refine",
            )
        parts.aim.registry.rule(CAPABILITY)
        self._hide()
        return parts

    def _ground(self, plan: Plan, directory: str | None) -> Ground:
        """Return what a proposal is held against."""
        from penstock.checks.commands import Kind, read_entry
        from penstock.planning.refining.api import Ground

        commands = frozenset(profile.command for profile in self.profiles.values())
        root = Path(os.path.realpath(self.root))
        return Ground(
            files=frozenset(self.terrain().files()),
            outside=lambda path: _leads_out(root, path),
            judge=self.judge_bundles,
            is_command=lambda line: read_entry(line, commands).kind is not Kind.PROSE,
            redraft=lambda sources: self.draft_plan(sources, plan.options, directory=directory),
        )


def _require(result: CallResult) -> None:
    """Raise AIMAllToolsFailedError or UsageError for a call that came to nothing."""
    if result.success:
        return
    hint = "aim route planning tells which tools are asked; plan without --refine asks none"
    if result.content.get("refused"):
        raise UsageError(result.message, hint=hint)
    attempts = [(failed["tool_id"], failed["message"]) for failed in result.content["attempts"]]
    raise AIMAllToolsFailedError("planning", attempts, hint=hint)


def _leads_out(root: Path, path: str) -> str | None:
    """Return why a path may not be claimed: a link on its way leads out of the repository."""
    from penstock.registry.payload import resolve

    found = resolve(root, path)
    return found if isinstance(found, str) else None
