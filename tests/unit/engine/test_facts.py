"""From recorded attempts to the facts that decisions are made of."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from penstock.breakers.decide import CheckFact, FixFact
from penstock.engine.facts import (
    checks_around_fix,
    edit_tries,
    last_check,
    latest_hash,
    next_number,
    settled,
    spend,
    step_history,
    turns_taken,
    worked_time,
)
from penstock.model.outcome import OutcomeKind
from penstock.model.records import Attempt, Cost
from penstock.model.states import AttemptState as S


class Story:
    """Attempts of one workstream, told one after the other."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []

    def add(self, step: str, status: S = S.SUCCEEDED, **more: Any) -> Story:
        """Tell the next attempt."""
        number = len(self.attempts) + 1
        result = more.pop("result", {})
        attempt = Attempt(
            id=number,
            run_id="r",
            ws_id="w",
            step_name=step,
            attempt=next_number(self.attempts, step),
            status=status,
            sequence=number,
            started_at=f"2026-01-01T00:00:{number:02}.000000Z",
            completed_at=f"2026-01-01T00:00:{number + 1:02}.500000Z",
            result=result,
            **more,
        )
        self.attempts.append(attempt)
        return self

    def turn(self, step: str, kind: str, state: str, status: S = S.SUCCEEDED, **more: Any) -> Story:
        """Tell an EDIT or FIX turn."""
        result = {"outcome": kind, "diff_changed": kind == "edited", **more.pop("result", {})}
        return self.add(step, status, diff_hash=state, result=result, **more)


def a_repaired_edit() -> Story:
    """An edit, a red static check, a fix, a green one, a green runtime check."""
    story = Story().turn("edit", "edited", "a")
    story.add("static", S.FAILED, diff_hash="a", error_signature="s")
    story.turn("fix", "edited", "b", for_step="static")
    story.add("static", diff_hash="b")
    return story.add("runtime", diff_hash="b", result={"tests": 3})


def test_a_step_has_its_own_history() -> None:
    """Checks and fixes of a step, oldest first, and nothing of another step."""
    kinds = [type(f) for f in step_history(a_repaired_edit().attempts, "static")]
    assert kinds == [CheckFact, FixFact, CheckFact]
    assert step_history(a_repaired_edit().attempts, "runtime") == (
        CheckFact(passed=True, diff_hash="b", tests=3),
    )


@pytest.mark.parametrize("status", [S.UNKNOWN, S.CANCELED, S.RUNNING])
def test_lost_and_canceled_attempts_are_no_facts(status: S) -> None:
    """What did not come to an end is done again and charged to nobody."""
    story = a_repaired_edit()
    before = (step_history(story.attempts, "static"), turns_taken(story.attempts))
    story.turn("fix", "edited", "z", status, for_step="static").add("static", status)
    assert (step_history(story.attempts, "static"), turns_taken(story.attempts)) == before


def test_numbers_count_within_a_step() -> None:
    """Every attempt gets its own number, lost ones included."""
    attempts = a_repaired_edit().attempts
    assert [next_number(attempts, s) for s in ("edit", "static", "fix", "integrate")] == [
        2,
        3,
        2,
        1,
    ]


def test_turns_are_counted_over_edit_and_fix() -> None:
    """The scripted tool plays turn 2 after one edit and one fix."""
    assert turns_taken(a_repaired_edit().attempts) == 2


def test_the_latest_state_is_that_of_the_last_turn() -> None:
    """Checks leave no state of their own."""
    story = a_repaired_edit()
    assert latest_hash(story.attempts) == "b"
    assert latest_hash(story.attempts, before_step="static") == "a"
    assert latest_hash([]) == ""


def test_tries_of_a_turn_end_at_the_check_before_it() -> None:
    """A rate limit of an earlier fix is no try of this one."""
    story = a_repaired_edit().turn("fix", "rate_limited", "b", S.FAILED, for_step="runtime")
    assert [o.kind for o in edit_tries(story.attempts, for_step="runtime")] == [
        OutcomeKind.RATE_LIMITED
    ]
    story.turn("fix", "edited", "c", for_step="runtime").add("runtime", S.FAILED)
    assert edit_tries(story.attempts, for_step="runtime") == ()


def test_tries_of_an_edit_are_all_its_attempts() -> None:
    """Two tries, the reset time kept."""
    story = Story().turn("edit", "rate_limited", "", S.FAILED, result={"reset_at": 5.0})
    story.turn("edit", "edited", "a")
    first, second = edit_tries(story.attempts, for_step=None)
    assert (first.reset_at, second.kind) == (5.0, OutcomeKind.EDITED)


def cost(actual: float | None, estimated: float | None = None) -> Cost:
    """One row of cost_tracking."""
    return Cost(
        run_id="r", ws_id="w", step_attempt_id=1, model_name=None, input_tokens=1,
        output_tokens=1, estimated_cost_usd=estimated, actual_cost_usd=actual, timestamp="",
    )  # fmt: skip


def test_a_reported_cost_beats_a_computed_one() -> None:
    """What the tool says it cost is what counts; unknown ones are counted, not taken for zero."""
    used = spend([], [cost(0.5, 9.0), cost(None, 0.25), cost(None)])
    assert (used.cost_usd, used.unpriced) == (0.75, 1)
    assert spend([], []).cost_usd is None


@pytest.mark.parametrize(
    ("status", "stays"), [(S.SUCCEEDED, 3), (S.FAILED, 3), (S.CANCELED, 2), (S.UNKNOWN, 2)]
)
def test_a_turn_that_was_cut_short_is_not_unpriced(status: S, stays: int) -> None:
    """Its cost counts where it is known; where not, no price would make it known."""
    attempts = Story().add("edit", status).attempts
    rows = [cost(None), cost(0.5), cost(None, 0.25)]
    of_it = [msgspec.structs.replace(row, step_attempt_id=1) for row in rows]
    kept = settled(of_it, attempts)
    assert len(kept) == stays
    assert spend([], kept).cost_usd == 0.75
    assert settled(of_it, []) == of_it


def test_time_between_attempts_is_not_charged() -> None:
    """Only the seconds that attempts took are added up."""
    assert worked_time(a_repaired_edit().attempts) == pytest.approx(7.5)


def test_the_last_check_is_found() -> None:
    """The newest finished check of the step, or nothing."""
    assert last_check(a_repaired_edit().attempts, "runtime") == {"tests": 3}
    assert last_check([], "runtime") == {}


def test_the_check_that_a_fix_turn_was_about_is_found() -> None:
    """The last one before the turn, however many came after it."""
    story = Story().add("integrate", S.FAILED, result={"n": 1})
    story.add("integrate", S.FAILED, result={"n": 2}).add("fix", for_step="integrate")
    story.add("integrate", S.FAILED, result={"n": 3}).add("integrate", S.FAILED, result={"n": 4})
    assert checks_around_fix(story.attempts, "integrate") == ({"n": 2}, {"n": 4})
    assert checks_around_fix(story.attempts[:2], "integrate") == (None, {"n": 2})


def test_a_fix_turn_without_a_check_after_it_changes_nothing_yet() -> None:
    """One that was kept from working, say, and is taken again; nor does one of another step."""
    story = Story().add("static", S.FAILED, result={"n": 1})
    story.add("fix", S.FAILED, for_step="static")
    assert checks_around_fix(story.attempts, "static") == (None, {"n": 1})
    story.add("static", S.FAILED, result={"n": 2}).add("fix", S.FAILED, for_step="static")
    story.add("fix", for_step="runtime")
    assert checks_around_fix(story.attempts, "static") == ({"n": 1}, {"n": 2})


def test_a_clock_that_went_back_takes_no_time_away() -> None:
    """An attempt that ended before it began counts nothing; the others count as they are."""
    story = a_repaired_edit().add("runtime")
    late = msgspec.structs.replace(story.attempts[-1], completed_at="2025-01-01T00:00:00.000000Z")
    assert worked_time([*story.attempts[:-1], late]) == pytest.approx(7.5)


def test_a_turn_that_a_script_recorded_says_its_status_only() -> None:
    """Without a judgement, one that succeeded counts as an edit, another as a crash."""
    story = Story().add("edit", S.FAILED).add("edit").add("static").add("fix", for_step="static")
    tried = [outcome.kind for outcome in edit_tries(story.attempts[:2], for_step=None)]
    assert tried == [OutcomeKind.CRASHED, OutcomeKind.EDITED]
    (_, fix) = step_history(story.attempts, "static")
    assert isinstance(fix, FixFact)
    assert (fix.outcome, fix.changed) == (OutcomeKind.EDITED, False)
