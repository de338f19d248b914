"""Which bundles a command means."""

from __future__ import annotations

import pytest

from penstock.engine.selection import choose_bundles, done_in, enter_bundles
from penstock.errors import BundleDependencyError, NotFoundError, UsageError
from penstock.model.bundle import Bundle
from penstock.model.events import EventType
from penstock.model.states import RunState, WorkstreamState
from penstock.store.api import Journal
from penstock.store.sqlite import open_journal

TO_DONE = ("started", "editing", "ready_for_static", "static_check", "runtime_tests", "done")


def bundle(ws_id: str, *depends_on: str) -> Bundle:
    """Return a bundle."""
    return Bundle(
        id=ws_id,
        openspec_change="c",
        ccpm_issue=1,
        gate=1,
        files_scope=(f"{ws_id}.txt",),
        tasks=(),
        tool="scripted",
        depends_on=depends_on,
    )


KNOWN = (bundle("ws-a"), bundle("ws-b", "ws-a"), bundle("ws-c", "ws-b"), bundle("ws-d"))


def ids(*wanted: str, with_deps: bool = False, met: str = "") -> list[str]:
    """Return the ids that are chosen."""
    chosen = choose_bundles(KNOWN, wanted, with_deps=with_deps, met=lambda ws: ws == met)
    return [one.id for one in chosen]


def test_dependencies_come_along_when_asked_for() -> None:
    """--with-deps adds what is not done yet, all the way down, and stops at what is done."""
    assert ids("ws-c", with_deps=True) == ["ws-a", "ws-b", "ws-c"]
    assert ids("ws-c", with_deps=True, met="ws-b") == ["ws-c"]
    assert ids("ws-b", "ws-a", "ws-a") == ["ws-a", "ws-b"]


def test_a_dependency_that_is_left_out_is_named() -> None:
    """Without the option the missing ones are named with those that need them."""
    with pytest.raises(BundleDependencyError, match="ws-c needs ws-b") as caught:
        ids("ws-c")
    assert "--with-deps" in str(caught.value.hint)


def test_a_done_dependency_is_met() -> None:
    """What is done in the base needs not be run."""
    assert ids("ws-b", met="ws-a") == ["ws-b"]


def test_an_unknown_id_lists_the_known() -> None:
    """A wrong id is answered with the nearest and the known ones."""
    with pytest.raises(NotFoundError, match="known: ws-a, ws-b, ws-c, ws-d") as caught:
        ids("ws-aa")
    assert caught.value.hint == "Did you mean ws-a?"
    with pytest.raises(NotFoundError, match="known: none"):
        choose_bundles((), ["something"])
    many = [bundle(f"ws-{number}") for number in range(30)]
    with pytest.raises(NotFoundError, match="and 20 more"):
        choose_bundles(many, ["zzz"])


@pytest.fixture
def journal() -> Journal:
    """An empty journal in memory."""
    return open_journal(None)


def test_bundles_are_entered_once(journal: Journal) -> None:
    """Missing rows are added as pending with their bundle, those that are there stay."""
    assert enter_bundles(journal, "run-1", KNOWN[:2], mask=str) == 2
    assert enter_bundles(journal, "run-1", KNOWN, mask=str) == 2
    rows = journal.list_workstreams("run-1")
    assert [(r.ws_id, r.status) for r in rows] == [(b.id, WorkstreamState.PENDING) for b in KNOWN]
    assert rows[1].metadata["bundle"]["depends_on"] == ["ws-a"]


def test_bundles_are_entered_all_or_none(journal: Journal) -> None:
    """When one cannot be entered, neither the run nor the others are there."""

    def mask(text: str) -> str:
        if text == "ws-c":
            raise UsageError("no")
        return text

    with pytest.raises(UsageError, match="no"):
        enter_bundles(journal, "run-1", KNOWN, mask=mask)
    assert journal.list_runs() == []


def test_an_ended_run_takes_no_more(journal: Journal) -> None:
    """A finished run is not filled up."""
    journal.create_run("run-1")
    journal.move_run("run-1", RunState.CANCELED)
    with pytest.raises(UsageError, match="has ended"):
        enter_bundles(journal, "run-1", KNOWN, mask=str)


def test_done_means_done_and_merged(journal: Journal) -> None:
    """A dependency counts when any run has done it and the base holds its commit."""
    journal.create_run("run-1")
    journal.add_workstream("run-1", "ws-a")
    assert not done_in(journal, "ws-a", lambda _: True)
    for state in TO_DONE:
        journal.move_workstream("run-1", "ws-a", WorkstreamState(state))
    assert not done_in(journal, "ws-a", lambda _: True)
    journal.update_workstream("run-1", "ws-a", head_commit="abc")
    assert done_in(journal, "ws-a", lambda commit: commit == "abc")
    assert not done_in(journal, "ws-a", lambda _: False)


def test_done_and_handed_over_under_another_commit(journal: Journal) -> None:
    """A squash or rebase counts as well, for the workstreams that were in it."""
    journal.create_run("run-1")
    for ws_id in ("ws-a", "ws-b"):
        journal.add_workstream("run-1", ws_id)
        for state in TO_DONE:
            journal.move_workstream("run-1", ws_id, WorkstreamState(state))
    payload = {"commit": "squashed", "missing": ["ws-b"]}
    journal.record_event(EventType.HANDED_OVER, run_id="run-1", payload=payload)
    assert done_in(journal, "ws-a", lambda commit: commit == "squashed")
    assert not done_in(journal, "ws-b", lambda commit: commit == "squashed")
