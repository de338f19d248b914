"""Puts the escalation pipeline together, and asks its agents: through AIM, or directly."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from penstock.assembly import Parts, checkout_policy, jitter, new_marker, run_holder
from penstock.checks.api import Inspector
from penstock.engine.auditing import audit_call
from penstock.engine.calls import Caller, CallResult, Terms, call_capability, refused
from penstock.engine.escalation.ports import Edges, FixOrder
from penstock.engine.evidence import FileEvidence
from penstock.errors import AIMCapabilityNotFoundError, ConfigError, NotFoundError
from penstock.locks import GRACE_S, exclusive
from penstock.masking import redactor
from penstock.model.agents import AgentProfiles, Rung
from penstock.model.outcome import OutcomeKind
from penstock.process.api import Stop
from penstock.process.identity import this_process
from penstock.process.sweep import sweep_markers
from penstock.redact.redactor import Redactor
from penstock.routing.api import RouteDecision, Try
from penstock.store.api import Journal
from penstock.tools.api import ALIASES
from penstock.toolside import ToolSide
from penstock.worktrees.api import Repository

REPORTS = ".state/error_pipeline"
"""Where pipelines keep their own files, from the top of the repository."""


def pipeline_edges(
    parts: Parts,
    journal: Journal,
    inspector: Inspector,
    repository: Callable[[], Repository],
    *,
    stop: Stop | None = None,
) -> Edges:
    """Return the real edges of the escalation pipeline; where no agents are described, the usual ones.

    Raises AIMAuditLogError when auditing is on and the trail cannot be written.
    """
    if parts.trail is not None:
        parts.trail.require_writable()
    agents, state = parts.agents or AgentProfiles(), parts.root / parts.state
    masks, evidence = redactor(), FileEvidence(parts.root, parts.state)
    return Edges(
        root=parts.root,
        state=state,
        reports=parts.root / REPORTS,
        journal=journal,
        inspector=inspector,
        repository=repository,
        profiles=agents,
        protected=parts.settings.protected_paths,
        prices=parts.settings.prices,
        checkout_policy=checkout_policy(parts.settings, terminal=sys.stderr.isatty()),
        ask=Asking(parts, journal, masks),
        masks=masks,
        clock=time.time,
        stop=stop or Stop(),
        hold=run_holder(state),
        lock=_locker(state),
        owner=this_process().to_dict(),
        sweep=sweep_markers,
        log_of=lambda a: evidence.log(a.run_id, a.ws_id, a.step_name, a.attempt),
        new_marker=new_marker,
        versions={"penstock": version("penstock"), "python": sys.version.split()[0]},
    )


def _locker(state: Path) -> Callable[[str, str], AbstractContextManager[None]]:
    def lock(run_id: str, ws_id: str) -> AbstractContextManager[None]:
        name = re.sub(r"[^A-Za-z0-9._-]", "_", f"errors-{run_id}--{ws_id}")
        return exclusive(
            state / "locks" / f"{name}.lock",
            busy=f"another process is working on the error pipeline of {run_id}/{ws_id}",
            hint=f"see penstock errors show --run-id {run_id} --ws-id {ws_id}",
            patience_s=GRACE_S,
        )

    return lock


class Asking:
    """Asks agents. With AIM on, its limits, rules, circuit breakers and statistics hold for them."""

    def __init__(self, parts: Parts, journal: Journal, redactor: Redactor) -> None:
        self._parts = parts
        self._journal = journal
        self._redactor = redactor

    def require(self, rung: Rung, /) -> None:
        """Raise ConfigError when the tool or capability of an agent does not exist."""
        where = f"config/agent_profiles.json: agents.{rung.agent.value}"
        try:
            if rung.tool_id is not None:
                self._parts.toolbox.get(rung.tool_id)
            if self._parts.aim is not None:
                self._parts.aim.registry.rule(rung.capability)
        except (NotFoundError, AIMCapabilityNotFoundError) as error:
            raise ConfigError(f"{where}: {error}", hint=error.hint) from error
        if rung.tool_id is None and self._parts.aim is None:
            raise ConfigError(
                f"{where}: AIM is off, and without it a capability has no tool",
                hint="name a `tool`, or switch AIM on in config/aim_config.json",
            )

    def __call__(self, order: FixOrder, stop: Stop, /) -> CallResult:
        """Ask it and return what came of it; the call goes into the audit trail."""
        order = _by_its_name(order)
        payload = {"files": list(order.files), "prompt": order.prompt}
        result = self._asked(order, payload, stop)
        ids = {"run_id": order.run_id, "ws_id": order.ws_id}
        audit_call(self._parts.trail, result, order.rung.capability, payload, **ids)
        return result

    def _asked(self, order: FixOrder, payload: Mapping[str, Any], stop: Stop) -> CallResult:
        aim, rung, caller = self._parts.aim, order.rung, self._caller(order, stop)
        usual = rung.timeout_s or self._parts.settings.limits.wall_s
        if aim is None:
            return caller.call(rung.tool_id or "", rung.capability, payload, usual)
        refusal = aim.check_payload(order.tree, payload)
        if refusal is not None:
            return refused(refusal)
        given = aim.registry.rule(rung.capability).timeout_ms
        return call_capability(
            caller,
            rung.capability,
            payload,
            lambda tries: self._decide(rung, payload, tries),
            timeout_s=rung.timeout_s or (given / 1000 if given else usual),
            settle=lambda tool_id, attempt: self._settle(order, tool_id, attempt),
        )

    def _caller(self, order: FixOrder, stop: Stop) -> Caller:
        rung, settings = order.rung, self._parts.settings
        evidence = FileEvidence(self._parts.root, self._parts.state)
        return Caller(
            self._parts.toolbox,
            order.tree,
            order.scratch,
            make_filter=self._redactor.stream,
            mask=self._redactor.prose,
            new_marker=lambda *_: order.marker,
            stop=stop,
            terms=Terms(
                run_id=order.run_id,
                ws_id=order.ws_id,
                log=order.log,
                home=evidence.home(order.run_id, order.ws_id, "errors"),
                repo_root=self._parts.root,
                model=rung.model,
                idle_s=settings.limits.idle_s,
                metadata=order.metadata,
                env=rung.env,
                flags=rung.flags,
            ),
        )

    def _decide(
        self, rung: Rung, payload: Mapping[str, Any], tries: Sequence[Try]
    ) -> RouteDecision:
        """Decide which tool is asked; an agent that is one tool alone has no others after it."""
        aim = self._parts.aim
        if aim is None:
            raise ConfigError("AIM is off")
        side = ToolSide(aim.registry, self._parts.toolbox, self._journal)
        found = side.decide(rung.capability, payload, tries, override=rung.tool_id, jitter=jitter())
        if not rung.alone or found.tool_id == rung.tool_id:
            return found
        mine = tuple(r for r in found.rejected if r.tool_id == rung.tool_id)
        return msgspec.structs.replace(found, tool_id=None, order=(), rejected=mine, delay_s=0.0)

    def _settle(self, order: FixOrder, tool_id: str, attempt: Try) -> None:
        self._journal.record_tool_result(tool_id, attempt.kind, attempt.reset_at)
        if attempt.kind is not OutcomeKind.EDITED:
            order.undo()


def _by_its_name(order: FixOrder) -> FixOrder:
    """Return an order for the tool itself: circuit breakers and rules know no other names of it."""
    tool_id = order.rung.tool_id
    named = tool_id if tool_id is None else ALIASES.get(tool_id, tool_id)
    return msgspec.structs.replace(order, rung=msgspec.structs.replace(order.rung, tool_id=named))
