"""The agents of the escalation ladder, as config/agent_profiles.json describes them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.model.escalation import TIERS, Agent

CAPABILITY = "code_generation"
"""What an agent is asked for when its profile names no capability."""
TOOLS = {Agent.AIDER: "aider", Agent.CODEX: "codex", Agent.CLAUDE: "claude-cli"}
"""The tool of an agent whose profile names none."""
_MOST_ATTEMPTS = 20


class AgentProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One agent. None leaves a choice to the default.

    `tool` is asked alone; with `capability` too, it is asked first and the other tools of the
    capability's rule after it; `capability` without `tool` leaves the choice to the rule.
    `env_vars` are for the tool's process, `flags` are added to its command line. With 0 for
    `max_attempts` the agent is never asked.
    """

    enabled: bool = True
    tool: Annotated[str, Meta(min_length=1)] | None = None
    capability: Annotated[str, Meta(min_length=1)] | None = None
    model: Annotated[str, Meta(min_length=1)] | None = None
    timeout_seconds: Annotated[float, Meta(gt=0)] | None = None
    max_attempts: Annotated[int, Meta(ge=0, le=_MOST_ATTEMPTS)] | None = None
    env_vars: dict[Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = msgspec.field(
        default_factory=dict
    )
    flags: tuple[str, ...] = ()


class EscalationRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for all agents. `max_total_attempts` bounds the AI attempts of one pipeline."""

    max_total_attempts: Annotated[int, Meta(ge=0, le=25)] = 4
    max_attempts_per_agent: Annotated[int, Meta(ge=0, le=_MOST_ATTEMPTS)] = 1
    enable_mechanical_autofix: bool = True
    strict_mode: bool = True


class AgentTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The agents of the three tiers."""

    aider: AgentProfile = AgentProfile()
    codex: AgentProfile = AgentProfile()
    claude: AgentProfile = AgentProfile()


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One tier as it is to be asked. `tool_id` None leaves the choice to the rule of `capability`;
    `alone` keeps the rule's other tools out."""

    agent: Agent
    tool_id: str | None
    capability: str
    alone: bool
    model: str | None = None
    timeout_s: float | None = None
    env: dict[str, str] = msgspec.field(default_factory=dict)
    flags: tuple[str, ...] = ()


class AgentProfiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    agents: AgentTable = AgentTable()
    escalation: EscalationRules = EscalationRules()

    def profile(self, agent: Agent) -> AgentProfile:
        """Return the profile of a tier's agent."""
        found: AgentProfile = getattr(self.agents, agent.value)
        return found

    def rung(self, agent: Agent) -> Rung:
        """Return how an agent is to be asked."""
        profile = self.profile(agent)
        by_rule = profile.capability is not None and profile.tool is None
        return Rung(
            agent=agent,
            tool_id=None if by_rule else profile.tool or TOOLS[agent],
            capability=profile.capability or CAPABILITY,
            alone=profile.capability is None,
            model=profile.model,
            timeout_s=profile.timeout_seconds,
            env=profile.env_vars,
            flags=profile.flags,
        )

    def ladder(self) -> tuple[Rung, ...]:
        """Return who takes the first, second, ... FIX turn of a workstream's step: each enabled
        agent as often as it may be asked."""
        usual = self.escalation.max_attempts_per_agent
        rungs: list[Rung] = []
        for agent in TIERS:
            profile = self.profile(agent)
            times = usual if profile.max_attempts is None else profile.max_attempts
            rungs += [self.rung(agent)] * (times if profile.enabled else 0)
        return tuple(rungs)
