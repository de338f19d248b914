"""Events in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.narrate import narrate
from penstock.model.events import EventType
from penstock.model.records import Event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def told(kind: str, /, **payload: Any) -> str:
    """Return an event in words."""
    return narrate(Event(id=1, timestamp="", event_type=kind, payload=payload))


@pytest.mark.parametrize(
    ("kind", "payload", "text"),
    [
        (EventType.WORKSTREAM_STATUS_CHANGED, {"to": "failed", "reason": "x"}, "is failed (x)"),
        (EventType.STEP_STARTED, {"step": "edit", "attempt": 2, "tool_id": "aider"},
         "edit 2 started with aider"),
        (EventType.STEP_START, {}, "step started"),
        (EventType.STEP_END, {"step": "static", "success": False}, "static failed"),
        (EventType.STEP_END, {"step": "static", "success": True}, "static passed"),
        (EventType.STEP_END, {"step": "static"}, "static ended"),
        (EventType.STEP_COMPLETED, {"step_attempt_id": 3, "status": "failed", "exit_code": 1},
         "attempt 3 failed, exit code 1"),
        (EventType.TOOL_RUN, {"step": "fix", "tool_result": {"tool_id": "a", "outcome": "edited",
         "duration_sec": 1.25}}, "fix: a edited in 1.2s"),
        (EventType.TOOL_RUN, {}, "turn: the tool ended"),
        (EventType.FIX_DECISION, {"step": "static", "decision": "fix", "reason": "1 of 2"},
         "static: fix (1 of 2)"),
        (EventType.FIX_ATTEMPT, {"step": "static", "tool_result": {"outcome": "edited"}},
         "fix for static: edited"),
        (EventType.FIX_ATTEMPT, {"step": "static"}, "fix for static"),
        (EventType.PROCESSES_SWEPT, {"count": 1}, "1 process of the dead run ended"),
        (EventType.PROCESSES_SWEPT, {"count": 2}, "2 processes of the dead run ended"),
        (EventType.FLAKY_CHECK, {"step": "runtime", "check": "pytest"},
         "runtime: pytest failed, and passed when it was run again"),
        (EventType.WORKSTREAM_WAITING, {"reason": "budget"}, "waits (budget)"),
        (EventType.WORKSTREAM_WAITING,
         {"reason": "rate_limit", "until": "2026-01-31T10:20:30.000000Z"},
         "waits (rate_limit) until 10:20:30Z"),
        (EventType.BUDGET_EXCEEDED, {"reason": "1 of 1 USD"}, "out of budget (1 of 1 USD)"),
        (EventType.AIM_UNAVAILABLE, {"message": "no AIM"}, "no AIM"),
        (EventType.GATE_WAITING, {"gate": 2, "workstreams": ["ws-a", "ws-b"]},
         "gate 2 waits to be approved: ws-a, ws-b"),
        (EventType.GATE_APPROVED, {"gate": 2, "approved_by": "me"}, "gate 2 approved by me"),
        (EventType.TEST_GATE_EXECUTED, {"type": "GATE_UNIT", "success": True}, "GATE_UNIT passed"),
        (EventType.TEST_GATE_ERROR, {"type": "GATE_UNIT", "error": "no check"},
         "GATE_UNIT failed: no check"),
        (EventType.REQUEST_MADE, {"kind": "pause", "requested_by": "me"}, "asked to pause by me"),
        (EventType.REQUEST_MADE, {"kind": "cancel"}, "asked to cancel"),
        (EventType.RUN_PAUSED, {"reason": "paused"}, "run paused (paused); penstock resume goes on"),
        (EventType.WORKSTREAM_RETRIED, {"number": 2, "from": "edit"}, "tried again from edit (retry 2)"),
        (EventType.WORKSTREAM_QUARANTINED, {"reason": "lost", "folder": "q"}, "set aside in q (lost)"),
        (EventType.COMPENSATED, {"action": 0, "command": "make undo", "success": True},
         "compensation done: make undo"),
        (EventType.COMPENSATED, {"action": 1, "command": "make undo", "success": False},
         "compensation failed: make undo"),
        (EventType.BUDGET_WARNING, {"cap": "run::warn", "reason": "the run has used 4 of 5 USD"},
         "budget: the run has used 4 of 5 USD"),
        (EventType.PARALLEL_EXECUTION_START, {"workstreams": ["ws-a", "ws-b"]},
         "begins side by side: ws-a, ws-b"),
        (EventType.PARALLEL_EXECUTION_START, {"workstreams": 12}, "begins side by side: 12"),
        (EventType.PARALLEL_EXECUTION_END, {"completed": 3, "failed": 1, "total_duration": 2.25},
         "3 completed, 1 failed in 2.2s"),
        (EventType.PARALLEL_EXECUTION_END, {"completed": 3, "failed": 1}, "3 completed, 1 failed"),
        (EventType.ATTEMPT_LOST, {"step": "edit", "attempt": 1, "cause": "worktree"},
         "edit 1 was lost with its worktree"),
        (EventType.ATTEMPT_LOST, {}, "an attempt was lost in a crash"),
        (EventType.HANDED_OVER, {"into": "main", "commit": "0123456789abcdef", "strategy": "squash"},
         "handed over to main as 0123456789ab by squash"),
        (EventType.HANDED_OVER, {"into": "main"}, "handed over to main"),
        (EventType.PLAN_WRITTEN_BACK, {"committed": ["a", "b"], "in_place": ["c", "d"]},
         "results written back to a, b, c and 1 more"),
        (EventType.PLAN_WRITTEN_BACK, {}, "results written back to the plan"),
        (EventType.DISK_LOW, {"reason": "12 MB are free"}, "nothing more starts: 12 MB are free"),
        (EventType.MERGE_REJECTED, {"into": "i"}, "not merged into i"),
        (EventType.BREAKER_TRIP, {"step": "static", "reason": "signature", "message": "again",
         "advice": "look"}, "breaker signature stopped static: again. look"),
        (EventType.BREAKER_TRIP, {"reason": "cost"}, "breaker cost stopped it"),
        (EventType.SCOPE_VIOLATION, {"out_of_scope_files": [{"path": "a"}, "b"], "policy": "fail",
         "patch": "p.patch"}, "edited outside its scope: a, b (policy fail, kept in p.patch)"),
        (EventType.MAIN_CHECKOUT_TOUCHED, {"paths": list("abcdefg"), "policy": "stop"},
         "your own checkout changed during a turn: a, b, c, d, e and 2 more (policy stop)"),
        (EventType.MERGED, {"into": "integration/r", "commit": "0123456789abcdef"},
         "merged into integration/r as 0123456789ab"),
        (EventType.MERGE_CONFLICT, {"into": "i", "conflicts": ["a.py"]}, "conflicts with i: a.py"),
        (EventType.WORK_SAVED, {"patch": "p"}, "uncommitted work was kept in p"),
        (EventType.RUN_COMPLETED, {"status": "failed", "reason": "r"}, "run failed (r)"),
        ("later_event", {"a": 1, "b": None}, "later event: a=1"),
        ("later_event", {}, "later event"),
    ],
)  # fmt: skip
def test_events_are_told(kind: str, payload: dict[str, Any], text: str) -> None:
    """Each event is one plain sentence; one that is not known shows its payload."""
    assert told(kind, **payload) == text


@given(st.sampled_from(list(EventType)), st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_any_payload_is_one_line(kind: EventType, payload: dict[str, Any]) -> None:
    """Whatever an event holds, it becomes one line."""
    text = narrate(Event(id=1, timestamp="", event_type=kind, payload=payload))
    assert text.splitlines() == [text]
