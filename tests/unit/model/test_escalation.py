"""The escalation pipeline's state machine, held against the documented table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise, product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import InvalidTransitionError
from penstock.model.error_report import AttemptReport, ReportSummary
from penstock.model.escalation import (
    TIERS,
    Agent,
    AiAttempt,
    EscalationContext,
    EscalationState,
    FinalStatus,
    Verdict,
    advance,
    line_of,
    moved,
    next_label,
    report_label,
    succeeds,
)
from penstock.model.finding import Category, Finding, Severity

# The documented table, as text: each state with all that may follow it.
TABLE: Mapping[str, str] = {
    "S_INIT": "S0_BASELINE_CHECK",
    "S0_BASELINE_CHECK": "S_SUCCESS S0_MECHANICAL_AUTOFIX S1_AIDER_FIX S2_CODEX_FIX S3_CLAUDE_FIX "
    "S4_QUARANTINE S_ERROR_INFRA",
    "S0_MECHANICAL_AUTOFIX": "S0_MECHANICAL_RECHECK S_ERROR_INFRA",
    "S0_MECHANICAL_RECHECK": "S_SUCCESS S1_AIDER_FIX S2_CODEX_FIX S3_CLAUDE_FIX S4_QUARANTINE "
    "S_ERROR_INFRA",
    "S1_AIDER_FIX": "S1_AIDER_RECHECK S_ERROR_INFRA",
    "S2_CODEX_FIX": "S2_CODEX_RECHECK S_ERROR_INFRA",
    "S3_CLAUDE_FIX": "S3_CLAUDE_RECHECK S_ERROR_INFRA",
    "S1_AIDER_RECHECK": "S_SUCCESS S1_AIDER_FIX S2_CODEX_FIX S3_CLAUDE_FIX S4_QUARANTINE "
    "S_ERROR_INFRA",
    "S2_CODEX_RECHECK": "S_SUCCESS S2_CODEX_FIX S3_CLAUDE_FIX S4_QUARANTINE S_ERROR_INFRA",
    "S3_CLAUDE_RECHECK": "S_SUCCESS S3_CLAUDE_FIX S4_QUARANTINE S_ERROR_INFRA",
    "S_SUCCESS": "S_SUCCESS",
    "S4_QUARANTINE": "S4_QUARANTINE",
    "S_ERROR_INFRA": "S_ERROR_INFRA",
}
FIXES = {Agent.AIDER: "S1_AIDER_FIX", Agent.CODEX: "S2_CODEX_FIX", Agent.CLAUDE: "S3_CLAUDE_FIX"}
FIRST_ASKED = {
    "S0_BASELINE_CHECK": 0, "S0_MECHANICAL_RECHECK": 0, "S1_AIDER_RECHECK": 0,
    "S2_CODEX_RECHECK": 1, "S3_CLAUDE_RECHECK": 2,
}  # fmt: skip
"""The first tier that a failed check may hand on to: its own, which may have attempts left."""
BOOLS = (False, True)


def made(agent: Agent, *, lost: bool = False) -> AiAttempt:
    """Return an attempt that is over."""
    return AiAttempt(attempt_number=1, agent=agent, label="1", lost=lost)


def context(**fields: object) -> EscalationContext:
    """Return a context."""
    return msgspec.structs.replace(EscalationContext(run_id="r", workstream_id="w"), **fields)


def every_context() -> Iterator[EscalationContext]:
    """Every state with every choice of what is enabled and of who has had the one attempt."""
    for state, fixers, *flags in product(EscalationState, BOOLS, BOOLS, BOOLS, BOOLS):
        for spent in product(BOOLS, repeat=3):
            yield context(
                current_state=state,
                enable_mechanical_autofix=fixers,
                enable_aider=flags[0],
                enable_codex=flags[1],
                enable_claude=flags[2],
                ai_attempts=tuple(made(a) for a, had in zip(TIERS, spent, strict=True) if had),
            )


def expected(at: EscalationContext, verdict: Verdict) -> str | None:
    """What the documented table says, None where the state cannot come to the verdict."""
    state = at.current_state.value
    if TABLE[state] == state:
        return state
    if verdict is Verdict.INFRA:
        return "S_ERROR_INFRA" if "S_ERROR_INFRA" in TABLE[state] else None
    if verdict is Verdict.DONE:
        only = TABLE[state].replace("S_ERROR_INFRA", "").split()
        return only[0] if len(only) == 1 else None
    if state not in FIRST_ASKED:
        return None
    if verdict is Verdict.PASSED:
        return "S_SUCCESS"
    if state == "S0_BASELINE_CHECK" and at.enable_mechanical_autofix:
        return "S0_MECHANICAL_AUTOFIX"
    return next((FIXES[a] for a in free(at)[0:] if allowed(a, state)), "S4_QUARANTINE")


def free(at: EscalationContext) -> list[Agent]:
    """The agents that are enabled and have not had their one attempt."""
    enabled = (at.enable_aider, at.enable_codex, at.enable_claude)
    had = {attempt.agent for attempt in at.ai_attempts}
    return [a for a, on in zip(TIERS, enabled, strict=True) if on and a not in had]


def allowed(agent: Agent, state: str) -> bool:
    """Tell whether a check of this state may hand on to an agent."""
    return TIERS.index(agent) >= FIRST_ASKED[state]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_move_is_the_documented_one(verdict: Verdict) -> None:
    """All states, all choices, all attempts made or not: 1664 contexts for each verdict."""
    for at in every_context():
        wanted = expected(at, verdict)
        if wanted is None:
            with pytest.raises(InvalidTransitionError):
                advance(at, verdict)
        else:
            assert advance(at, verdict).value == wanted, (at, verdict)


CHOICES = st.builds(
    context,
    enable_mechanical_autofix=st.booleans(),
    enable_aider=st.booleans(),
    enable_codex=st.booleans(),
    enable_claude=st.booleans(),
    max_attempts_per_agent=st.integers(0, 4),
    max_attempts=st.dictionaries(st.sampled_from([a.value for a in TIERS]), st.integers(0, 4)),
    max_total_attempts=st.integers(0, 8),
)


def walk(at: EscalationContext, verdicts: Iterator[Verdict], lost: bool) -> list[EscalationContext]:
    """Follow a pipeline whose checks come to these verdicts, then fail for ever."""
    seen = [at]
    while not at.ended:
        checks = at.current_state.value in FIRST_ASKED
        verdict = next(verdicts, Verdict.FAILED) if checks else Verdict.DONE
        if at.current_state.value in FIXES.values():
            attempt = made(at.current_agent, lost=lost)
            at = msgspec.structs.replace(at, ai_attempts=(*at.ai_attempts, attempt))
        at = moved(at, verdict)
        seen.append(at)
    return seen


@given(CHOICES, st.lists(st.just(Verdict.FAILED), max_size=12), st.booleans())
def test_every_walk_ends_along_documented_moves(
    at: EscalationContext,
    failures: list[Verdict],
    lost: bool,
) -> None:
    """With any budgets, also when every attempt is lost; no budget is ever exceeded."""
    seen = walk(at, iter([*failures, Verdict.PASSED]), lost)
    for before, after in pairwise(seen):
        assert after.current_state.value in TABLE[before.current_state.value]
    end = seen[-1]
    assert len(end.ai_attempts) <= at.max_total_attempts
    for agent in TIERS:
        charged = sum(a.agent is agent and not a.lost for a in end.ai_attempts)
        assert charged <= at.max_attempts.get(agent.value, at.max_attempts_per_agent)
        assert at.enabled(agent) or charged == 0


@given(CHOICES)
def test_what_nobody_mends_is_quarantined(at: EscalationContext) -> None:
    """And an end stays an end, whatever comes."""
    end = walk(at, iter(()), lost=False)[-1]
    assert (end.current_state, end.final_status) == (
        EscalationState.QUARANTINE, FinalStatus.QUARANTINED,
    )  # fmt: skip
    assert all(moved(end, verdict) == end for verdict in Verdict)


def test_a_lost_attempt_is_not_charged_to_its_agent_but_to_the_total() -> None:
    """The agent is asked again, until the attempts of all are used up."""
    at = context(current_state=EscalationState.AIDER_RECHECK, max_total_attempts=2)
    once = msgspec.structs.replace(at, ai_attempts=(made(Agent.AIDER, lost=True),))
    twice = msgspec.structs.replace(at, ai_attempts=(made(Agent.AIDER, lost=True),) * 2)
    assert advance(once, Verdict.FAILED) is EscalationState.AIDER_FIX
    assert advance(twice, Verdict.FAILED) is EscalationState.QUARANTINE


def test_labels_name_the_tier_and_the_repetition() -> None:
    """0, 0b, then the number of the tier, with a letter from its second attempt on."""
    at = context(current_state=EscalationState.CODEX_RECHECK)
    assert next_label(at, Agent.CODEX) == "2"
    once = msgspec.structs.replace(at, ai_attempts=(made(Agent.CODEX),))
    twice = msgspec.structs.replace(at, ai_attempts=(made(Agent.CODEX),) * 2)
    assert (next_label(once, Agent.CODEX), report_label(once)) == ("2b", "2")
    assert (next_label(twice, Agent.CODEX), report_label(twice)) == ("2c", "2b")
    assert report_label(context(current_state=EscalationState.BASELINE_CHECK)) == "0"
    assert report_label(context(current_state=EscalationState.MECHANICAL_RECHECK)) == "0b"


def test_the_line_is_the_documented_one() -> None:
    """With `none` for what there is not."""
    assert line_of(context()) == "state=S_INIT attempt=0 agent=none final=none"
    at = context(current_state=EscalationState.AIDER_RECHECK, attempt_number=1,
                 current_agent=Agent.AIDER)  # fmt: skip
    assert line_of(moved(at, Verdict.PASSED)) == (
        "state=S_SUCCESS attempt=1 agent=aider final=success"
    )


def report(*issues: Finding, hard: bool = False) -> AttemptReport:
    """Return a report with these issues."""
    return AttemptReport(
        report_id="x", run_id="r", workstream_id="w", attempt_number=0, attempt="0",
        ai_agent="none", timestamp_utc="now", issues=issues,
        summary=ReportSummary(has_hard_fail=hard),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "strictly", "otherwise"),
    [
        (report(), True, True),
        (report(Finding(tool="t", message="m", severity=Severity.INFO)), False, True),
        (report(Finding(tool="t", message="m", category=Category.TYPE), hard=True), False, False),
    ],
)
def test_strict_and_otherwise(found: AttemptReport, strictly: bool, otherwise: bool) -> None:
    """Strictly nothing at all may be found; otherwise no hard fail."""
    assert (succeeds(found, strict=True), succeeds(found, strict=False)) == (strictly, otherwise)


def test_a_context_survives_the_journal() -> None:
    """Written as JSON and read again it is the same."""
    at = context(ai_attempts=(made(Agent.AIDER),), last_error_report=report())
    plain = msgspec.json.decode(msgspec.json.encode(at))
    assert msgspec.convert(plain, EscalationContext) == at
