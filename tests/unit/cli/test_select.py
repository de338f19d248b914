"""Which run and workstream a word means."""

from __future__ import annotations

import pytest

from penstock.cli.select import all_runs, find_run, find_workstream
from penstock.errors import NotFoundError, UsageError
from penstock.store.api import Journal


@pytest.fixture
def filled(journal: Journal) -> Journal:
    """Three runs; the first holds three workstreams."""
    for run_id in ("run-aa", "run-ab", "run-b"):
        journal.create_run(run_id)
    for ws_id in ("ws-login", "ws-logout", "ws-log"):
        journal.add_workstream("run-aa", ws_id)
    return journal


@pytest.mark.parametrize(
    ("word", "run_id"), [("run-aa", "run-aa"), ("latest", "run-b"), ("run-b", "run-b")]
)
def test_a_run_is_found(filled: Journal, word: str, run_id: str) -> None:
    """A full id, `latest` and a unique beginning are understood."""
    assert find_run(filled, word).run_id == run_id


def test_an_ambiguous_beginning_lists_the_candidates(filled: Journal) -> None:
    """A beginning of several ids names them instead of choosing one."""
    with pytest.raises(UsageError, match=r"run-ab, run-aa"):
        find_run(filled, "run-a")


def test_a_wrong_run_lists_the_known_ones(filled: Journal) -> None:
    """An unknown id is answered with the ids that there are."""
    with pytest.raises(NotFoundError, match=r"known: run-b, run-ab, run-aa"):
        find_run(filled, "nonsense")
    with pytest.raises(NotFoundError):
        find_run(filled, "")


@pytest.mark.parametrize("word", ["latest", "run-x"])
def test_without_runs_it_says_so(journal: Journal, word: str) -> None:
    """An empty journal is no riddle."""
    with pytest.raises(NotFoundError, match="no runs yet"):
        find_run(journal, word)


def test_many_runs_are_read_in_pages(journal: Journal) -> None:
    """A prefix is looked for in all runs, and a long list of them is cut in the message."""
    for number in range(205):
        journal.create_run(f"run-{number:04}")
    assert len(list(all_runs(journal))) == 205
    assert find_run(journal, "run-0000").run_id == "run-0000"
    with pytest.raises(UsageError, match="and 195 more"):
        find_run(journal, "run-0")


@pytest.mark.parametrize(
    ("word", "ws_id"),
    [("ws-log", "ws-log"), ("log", "ws-log"), ("logi", "ws-login"), ("ws-logo", "ws-logout")],
)
def test_a_workstream_is_found(filled: Journal, word: str, ws_id: str) -> None:
    """An exact id wins over a beginning; `ws-` may be left out."""
    run = filled.get_run("run-aa")
    assert find_workstream(filled, run, word).ws_id == ws_id


def test_a_wrong_workstream_lists_those_of_the_run(filled: Journal) -> None:
    """An unknown or ambiguous workstream is answered with those that the run holds."""
    run = filled.get_run("run-aa")
    with pytest.raises(NotFoundError, match="ws-log, ws-login, ws-logout"):
        find_workstream(filled, run, "lo")
    with pytest.raises(NotFoundError, match="it has: none"):
        find_workstream(filled, filled.get_run("run-b"), "x")
