"""What an issue is told, and that no word of others breaks out of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.forge.api import Stage
from penstock.forge.messages import LONGEST, code, message, stage_of
from penstock.model.events import EventType
from penstock.model.records import Event


def event(kind: str = EventType.WORKSTREAM_STATUS_CHANGED, **payload: Any) -> Event:
    """An event of a workstream."""
    return Event(
        id=1, timestamp="t", event_type=kind, run_id="run-1", ws_id="ws-a", payload=payload
    )


@pytest.mark.parametrize(
    ("to", "stage"),
    [("started", Stage.STARTED), ("done", Stage.DONE), ("failed", Stage.FAILED),
     ("quarantined", Stage.QUARANTINED), ("canceled", Stage.CANCELED), ("editing", None),
     ("pending", None), (None, None)],
)  # fmt: skip
def test_moves_that_an_issue_hears_of(to: str | None, stage: Stage | None) -> None:
    """Beginnings and ends, no step between."""
    assert stage_of(event(to=to)) is stage


def test_other_events_mean_nothing() -> None:
    """But for the merge."""
    assert stage_of(event(EventType.MERGED, into="x")) is Stage.INTEGRATED
    others = set(EventType) - {EventType.MERGED, EventType.WORKSTREAM_STATUS_CHANGED}
    assert {stage_of(event(kind, to="done")) for kind in others} == {None}


def test_the_words_of_a_failure() -> None:
    """Workstream, run, change, and the reason apart from them."""
    text = message(
        event(to="failed", reason="tests fail\n@all fixes #3"), Stage.FAILED, "add-login"
    )
    assert text == (
        "penstock: workstream `ws-a` has failed.\n\n- Run: `run-1`\n- Change: `add-login`\n\n"
        "```text\ntests fail\n@all fixes #3\n```\n"
    )


def test_the_words_of_a_merge() -> None:
    """Branch and commit; a start has no reason."""
    merged = event(EventType.MERGED, into="integration/run-1", commit="abc", branch="b")
    text = message(merged, Stage.INTEGRATED, "")
    assert text.endswith("- Run: `run-1`\n- Branch: `integration/run-1`\n- Commit: `abc`\n")
    assert "retried" not in message(event(to="started", reason="retried"), Stage.STARTED, "c")


def test_long_reasons_are_cut() -> None:
    """The journal has the rest."""
    text = message(event(to="failed", reason="x" * 5000), Stage.FAILED, "c")
    assert "x" * LONGEST + "..." in text
    assert "x" * (LONGEST + 1) not in text


@given(st.text(alphabet=st.sampled_from("`~ab \n@#"), max_size=60))
def test_no_reason_breaks_out_of_its_fence(reason: str) -> None:
    """The fence is longer than any run of its sign within."""
    lines = message(event(to="failed", reason=reason), Stage.FAILED, "c").splitlines()
    if reason.strip():
        fence = lines[-1]
        assert set(fence) == {"`"}
        within = lines[lines.index(f"{fence}text") + 1 : -1]
        assert all(fence not in line for line in within)


@given(st.text(alphabet=st.sampled_from("`ab \n"), max_size=30))
def test_no_name_breaks_out_of_its_code(name: str) -> None:
    """Its signs are longer than any run within."""
    shown = code(name)
    ticks = len(shown) - len(shown.lstrip("`"))
    inner = shown[ticks:-ticks]
    assert "\n" not in shown
    assert "`" * ticks not in inner.strip("`") or not inner
