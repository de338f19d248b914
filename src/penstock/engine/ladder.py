"""Who takes a FIX turn where config/agent_profiles.json describes a ladder of agents.

The ladder only chooses the tool of FIX n; how many there are stays the business of the breakers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from penstock.breakers.decide import UNCHARGED, FixFact
from penstock.engine.facts import step_history
from penstock.engine.job import Job
from penstock.model.agents import Rung
from penstock.model.bundle import Bundle
from penstock.model.events import EventType
from penstock.tools.api import ALIASES


class Choice(msgspec.Struct, frozen=True):
    """The rung that a turn is given to (None: the ladder has nobody), and those passed over."""

    rung: Rung | None
    passed_over: tuple[tuple[str, str], ...] = ()


def choose(rungs: Sequence[Rung], number: int, unavailable: Callable[[Rung], str | None]) -> Choice:
    """Return who takes FIX `number` (from 1): that rung, or the next one that can be started.

    Beyond the last rung it is the last; when none from there on can be started, the nearest below.
    `unavailable` says why a rung's tool cannot be started.
    """
    if not rungs:
        return Choice(None)
    at = min(number, len(rungs)) - 1
    passed: list[tuple[str, str]] = []
    for rung in (*rungs[at:], *reversed(rungs[:at])):
        why = unavailable(rung)
        if why is None:
            return Choice(rung, tuple(dict.fromkeys(passed)))
        passed.append((rung.tool_id or rung.capability, why))
    return Choice(None, tuple(dict.fromkeys(passed)))


def on_rung(job: Job, for_step: str) -> Job:
    """Return the job as the FIX turn that comes next in a step is to be taken; the same without a
    ladder, or when the user named the tool for this run."""
    rungs = job.services.ladder
    if not rungs or job.forced_tool:
        return job
    number = _number(job, for_step)
    choice = choose(rungs, number, lambda rung: _unavailable(job, rung))
    _announce(job, for_step, number, choice)
    if choice.rung is None:
        return job
    name = choice.rung.tool_id
    rung = msgspec.structs.replace(choice.rung, tool_id=name and ALIASES.get(name, name))
    return replace(
        job,
        rung=rung,
        tool_id=rung.tool_id or job.tool_id,
        bundle=_asked(job, rung),
    )


def _number(job: Job, for_step: str) -> int:
    """Return which FIX turn of a step comes next, as the breakers count them."""
    facts = step_history(job.history(), for_step)
    return sum(isinstance(f, FixFact) and f.outcome not in UNCHARGED for f in facts) + 1


def _unavailable(job: Job, rung: Rung) -> str | None:
    if rung.tool_id is None:
        return None if job.services.router is not None else "AIM is off"
    return job.services.toolbox.get(rung.tool_id).available()


def _asked(job: Job, rung: Rung) -> Bundle:
    """Return the bundle with the rung's wish for its capability, where there is one to route."""
    bundle = job.bundle
    if rung.tool_id is None:
        return msgspec.structs.replace(bundle, capability=rung.capability, capability_payload=None)
    if bundle.capability is None:
        return bundle
    payload = {**(bundle.capability_payload or {}), "tool": rung.tool_id}
    return msgspec.structs.replace(bundle, capability_payload=payload)


def _announce(job: Job, for_step: str, number: int, choice: Choice) -> None:
    rung = choice.rung
    told: dict[str, Any] = {
        "step": for_step,
        "turn": number,
        "agent": rung.agent.value if rung is not None else None,
        "tool_id": (rung.tool_id or rung.capability) if rung is not None else job.tool_id,
        "passed_over": [{"tool_id": name, "reason": why} for name, why in choice.passed_over],
    }
    job.event(EventType.FIX_ESCALATED, told)
