"""The escalation pipeline's state machine: a check, mechanical fixes, then one AI agent after another.

`advance` is the documented table as a pure function. All that it needs is in the context, which the
journal keeps, so a pipeline that was killed goes on exactly as it would have.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from penstock.errors import InvalidTransitionError
from penstock.model.error_report import AttemptReport


class EscalationState(StrEnum):
    """Where a pipeline stands."""

    INIT = "S_INIT"
    BASELINE_CHECK = "S0_BASELINE_CHECK"
    MECHANICAL_AUTOFIX = "S0_MECHANICAL_AUTOFIX"
    MECHANICAL_RECHECK = "S0_MECHANICAL_RECHECK"
    AIDER_FIX = "S1_AIDER_FIX"
    AIDER_RECHECK = "S1_AIDER_RECHECK"
    CODEX_FIX = "S2_CODEX_FIX"
    CODEX_RECHECK = "S2_CODEX_RECHECK"
    CLAUDE_FIX = "S3_CLAUDE_FIX"
    CLAUDE_RECHECK = "S3_CLAUDE_RECHECK"
    SUCCESS = "S_SUCCESS"
    QUARANTINE = "S4_QUARANTINE"
    ERROR_INFRA = "S_ERROR_INFRA"


class Agent(StrEnum):
    """Who works on an attempt: nobody (checks, mechanical fixes), or the agent of a tier."""

    NONE = "none"
    AIDER = "aider"
    CODEX = "codex"
    CLAUDE = "claude"


class FinalStatus(StrEnum):
    """What a pipeline came to."""

    SUCCESS = "success"
    QUARANTINED = "quarantined"
    INFRA_FAILURE = "infra_failure"


class Verdict(StrEnum):
    """What became of the work of a state.

    `done`: it was done, and says nothing of the files. `passed` and `failed` are those of a check.
    `infra`: the checker or the agent could not work.
    """

    DONE = "done"
    PASSED = "passed"
    FAILED = "failed"
    INFRA = "infra"


S = EscalationState
TIERS: tuple[Agent, ...] = (Agent.AIDER, Agent.CODEX, Agent.CLAUDE)
"""The agents in the order in which they are asked; the number of a tier counts from 1."""
FIX_OF: Mapping[Agent, EscalationState] = {
    Agent.AIDER: S.AIDER_FIX,
    Agent.CODEX: S.CODEX_FIX,
    Agent.CLAUDE: S.CLAUDE_FIX,
}
AGENT_AT: Mapping[EscalationState, Agent] = {
    S.AIDER_FIX: Agent.AIDER,
    S.AIDER_RECHECK: Agent.AIDER,
    S.CODEX_FIX: Agent.CODEX,
    S.CODEX_RECHECK: Agent.CODEX,
    S.CLAUDE_FIX: Agent.CLAUDE,
    S.CLAUDE_RECHECK: Agent.CLAUDE,
}
RECHECK_AFTER: Mapping[EscalationState, EscalationState] = {
    S.MECHANICAL_AUTOFIX: S.MECHANICAL_RECHECK,
    S.AIDER_FIX: S.AIDER_RECHECK,
    S.CODEX_FIX: S.CODEX_RECHECK,
    S.CLAUDE_FIX: S.CLAUDE_RECHECK,
}
"""The states in which something is fixed, and the check that follows each."""
CHECKING = frozenset({S.BASELINE_CHECK, *RECHECK_AFTER.values()})
FINAL: Mapping[EscalationState, FinalStatus] = {
    S.SUCCESS: FinalStatus.SUCCESS,
    S.QUARANTINE: FinalStatus.QUARANTINED,
    S.ERROR_INFRA: FinalStatus.INFRA_FAILURE,
}
"""The terminal states."""


class AiAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One AI attempt that was settled.

    `input_error_report_id` is the report that its prompt was made of. `outcome` is what its tool came
    to (an OutcomeKind, `unavailable` when none could be asked, or `lost`), `kept` whether its edits stayed. `lost`: the process that made
    it died; its edits were undone and it is not charged to the agent. Tokens and cost are as its tool told
    them. Times are ISO 8601.
    """

    attempt_number: int
    agent: Agent
    label: str
    input_error_report_id: str | None = None
    changed_files: tuple[str, ...] = ()
    notes: str = ""
    tool_id: str | None = None
    outcome: str = ""
    kept: bool = False
    lost: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    started_at: str | None = None
    ended_at: str | None = None


class PendingAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """The intent of an AI attempt, saved before anything is done: how to undo it when it is lost.

    `marker` is in the environment of every process of it, `branch` and `start` are those of the
    worktree that the agent works in.
    """

    agent: Agent
    label: str
    attempt_number: int
    marker: str
    started_at: str
    input_error_report_id: str | None = None
    branch: str | None = None
    start: str | None = None
    step_attempt_id: int | None = None


class EscalationContext(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one pipeline, for the files of one workstream or for any others.

    Paths are relative to the tree. `max_attempts` are those of single agents, which beat
    `max_attempts_per_agent`; `max_total_attempts` bounds the AI attempts of all agents, lost ones
    included. `auto_fixed` are the files that mechanical fixes changed. `infra_reason` says why
    the pipeline could not work. `commit` is what was mended in the worktree of a workstream. `pending`
    is the AI attempt under way.
    """

    run_id: str
    workstream_id: str
    python_files: tuple[str, ...] = ()
    powershell_files: tuple[str, ...] = ()
    other_files: tuple[str, ...] = ()
    enable_mechanical_autofix: bool = True
    enable_aider: bool = True
    enable_codex: bool = True
    enable_claude: bool = True
    strict_mode: bool = True
    max_attempts_per_agent: int = 1
    max_attempts: dict[str, int] = msgspec.field(default_factory=dict)
    max_total_attempts: int = 4
    attempt_number: int = 0
    current_agent: Agent = Agent.NONE
    mechanical_fix_applied: bool = False
    auto_fixed: tuple[str, ...] = ()
    last_error_report: AttemptReport | None = None
    previous_error_report: AttemptReport | None = None
    ai_attempts: tuple[AiAttempt, ...] = ()
    pending: PendingAttempt | None = None
    final_status: FinalStatus | None = None
    infra_reason: str | None = None
    quarantine_path: str | None = None
    commit: str | None = None
    current_state: EscalationState = S.INIT
    started_at: str | None = None
    ended_at: str | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """All files, each once."""
        named = (*self.python_files, *self.powershell_files, *self.other_files)
        return tuple(dict.fromkeys(named))

    @property
    def ended(self) -> bool:
        """Tell whether it has come to a terminal state."""
        return self.current_state in FINAL

    def enabled(self, agent: Agent) -> bool:
        """Tell whether an agent may be asked."""
        return {
            Agent.AIDER: self.enable_aider,
            Agent.CODEX: self.enable_codex,
            Agent.CLAUDE: self.enable_claude,
        }.get(agent, False)

    def attempts_left(self, agent: Agent) -> bool:
        """Tell whether an agent may be asked (once more): it is enabled, and neither its own
        attempts nor those of all are used up."""
        if not self.enabled(agent) or len(self.ai_attempts) >= self.max_total_attempts:
            return False
        charged = sum(a.agent is agent and not a.lost for a in self.ai_attempts)
        return charged < self.max_attempts.get(agent.value, self.max_attempts_per_agent)


def advance(context: EscalationContext, verdict: Verdict) -> EscalationState:
    """Return the state that follows, by the documented table; a terminal one stays.

    A fix that was done leads to its own check, a check that passed to S_SUCCESS, one that failed to
    the first of: mechanical fixes (from the baseline), the same agent while its attempts remain,
    the next agent that may be asked, S4_QUARANTINE. Raises InvalidTransitionError for a verdict
    that the state cannot come to.
    """
    state = context.current_state
    if state in FINAL:
        return state
    if state is S.INIT and verdict is Verdict.DONE:
        return S.BASELINE_CHECK
    if state is not S.INIT and verdict is Verdict.INFRA:
        return S.ERROR_INFRA
    if state in RECHECK_AFTER and verdict is Verdict.DONE:
        return RECHECK_AFTER[state]
    if state in CHECKING and verdict is Verdict.PASSED:
        return S.SUCCESS
    if state in CHECKING and verdict is Verdict.FAILED:
        return _after_failure(context)
    raise InvalidTransitionError(f"{state.value} cannot come to {verdict.value!r}")


def _after_failure(context: EscalationContext) -> EscalationState:
    state = context.current_state
    if state is S.BASELINE_CHECK and context.enable_mechanical_autofix:
        return S.MECHANICAL_AUTOFIX
    own = AGENT_AT.get(state)
    asked = TIERS if own is None else TIERS[TIERS.index(own) :]
    following = next((agent for agent in asked if context.attempts_left(agent)), None)
    return S.QUARANTINE if following is None else FIX_OF[following]


def moved(context: EscalationContext, verdict: Verdict) -> EscalationContext:
    """Return the context in the state that follows, with its attempt, agent and final status."""
    to = advance(context, verdict)
    agent = AGENT_AT.get(to)
    at = context if agent is None else _given_to(context, agent)
    return msgspec.structs.replace(at, current_state=to, final_status=FINAL.get(to))


def _given_to(context: EscalationContext, agent: Agent) -> EscalationContext:
    return msgspec.structs.replace(
        context, attempt_number=TIERS.index(agent) + 1, current_agent=agent
    )


def next_label(context: EscalationContext, agent: Agent) -> str:
    """Return the label of the next attempt of an agent: its tier's number, and for a repeated one
    a letter from `b` on."""
    return _labelled(agent, sum(a.agent is agent for a in context.ai_attempts))


def report_label(context: EscalationContext) -> str:
    """Return the label of the check that the present state makes: 0, 0b, or that of the attempt
    that it judges."""
    agent = AGENT_AT.get(context.current_state)
    if agent is None:
        return "0b" if context.current_state is S.MECHANICAL_RECHECK else "0"
    return _labelled(agent, max(0, sum(a.agent is agent for a in context.ai_attempts) - 1))


def _labelled(agent: Agent, earlier: int) -> str:
    number = TIERS.index(agent) + 1
    return f"{number}{chr(ord('a') + earlier)}" if earlier else str(number)


def succeeds(report: AttemptReport, *, strict: bool) -> bool:
    """Tell whether a check passed: it found nothing, or without `strict` no hard fail."""
    return not report.issues if strict else not report.summary.has_hard_fail


def line_of(context: EscalationContext) -> str:
    """Return the documented line: state, attempt, agent, final status (`none` where there is none)."""
    final = context.final_status.value if context.final_status else "none"
    return (
        f"state={context.current_state.value} attempt={context.attempt_number} "
        f"agent={context.current_agent.value} final={final}"
    )
