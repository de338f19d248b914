"""Jules by its documented API: submit, poll, pull, against a stand-in on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from penstock.model.outcome import OutcomeKind as Kind
from penstock.tools.api import TurnReport, judge
from penstock.tools.jules import DEFAULT_BASE_URL, JulesReader, JulesTool, order_of
from tests.support.jules_service import KEY, PATCH, JulesService, activity
from tests.support.repos import make_repo
from tests.support.turns import events, marked, play, request_in, told

Serve = Callable[..., JulesService]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a stand-in and point Jules to it."""
    with ExitStack() as stack:

        def start(**settings: Any) -> JulesService:
            service = stack.enter_context(JulesService(**settings))
            monkeypatch.setenv("JULES_API_KEY", KEY)
            monkeypatch.setenv("JULES_API_BASE_URL", service.base_url)
            monkeypatch.setenv("JULES_SOURCE", "sources/github/o/r")
            monkeypatch.setattr("penstock.tools.jules.POLL_S", 0.05)
            return service

        yield start


@pytest.fixture
def turn(tmp_path: Path) -> Callable[..., TurnReport]:
    """Play a turn in a repository with one file."""

    def run(**changes: Any) -> TurnReport:
        request = request_in(tmp_path, worktree=tree, **changes)
        report = play(JulesTool(), request)
        assert marked(request.marker) == []
        assert KEY not in "".join(p.read_text() for p in tmp_path.glob("*.*") if p.is_file())
        return report

    tree = make_repo(tmp_path / "repo", {"calc.py": "x = 1\n"})
    return run


def kind_of(report: TurnReport) -> Kind:
    """Judge a report of a turn without a change."""
    return judge(report.signal, changed=False).kind


def test_a_patch_is_pulled_and_applied(
    serve: Serve, turn: Callable[..., TurnReport], tmp_path: Path
) -> None:
    """A session is made with the prompt, waited for, and the last patch of it applied."""
    service = serve(pages=([activity("old")], [activity(PATCH)], []))
    report = turn()
    assert (report.signal, report.exit_code) == (None, 0)
    assert tmp_path.joinpath("repo", "calc.py").read_text() == "x = 2\n"
    assert report.content["session"] == "sessions/1234"
    what, key, body = service.requests[0]
    assert (what, key, body["prompt"]) == ("POST sessions", KEY, "Repair calc.py.")
    assert body["sourceContext"]["githubRepoContext"] == {"startingBranch": "main"}


def test_a_patch_in_the_outputs(
    serve: Serve, turn: Callable[..., TurnReport], tmp_path: Path
) -> None:
    """A patch that the session itself holds needs no look at its activities."""
    service = serve(outputs=activity(PATCH)["artifacts"])
    assert turn().signal is None
    assert tmp_path.joinpath("repo", "calc.py").read_text() == "x = 2\n"
    assert "GET activities" not in [what for what, _, _ in service.requests]


def test_no_patch(serve: Serve, turn: Callable[..., TurnReport]) -> None:
    """A session that ended well without a patch changed nothing."""
    serve(pages=([],))
    assert kind_of(turn()) is Kind.NO_CHANGE


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("FAILED", Kind.CRASHED),
        ("CANCELLED", Kind.CRASHED),
        ("AWAITING_USER_FEEDBACK", Kind.REFUSED),
        ("PAUSED", Kind.REFUSED),
    ],
)
def test_other_ends(state: str, kind: Kind, serve: Serve, turn: Callable[..., TurnReport]) -> None:
    """A session that failed, or waits for somebody, is a failure that names its address."""
    serve(states=("IN_PROGRESS", state))
    report = turn()
    assert kind_of(report) is kind
    assert "https://jules.google.com/session/1234" in report.message


@pytest.mark.parametrize("what", ["POST sessions", "GET session", "GET activities"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((401, {}, b"{}"), Kind.AUTH),
        ((429, {"Retry-After": "7"}, b"{}"), Kind.RATE_LIMITED),
        ((429, {}, b'{"error": "You exceeded your current quota"}'), Kind.QUOTA),
        ((503, {}, b""), Kind.OVERLOADED),
        ((404, {}, b"no such source"), Kind.CRASHED),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), Kind.CRASHED),
        ((200, {}, b"<html>"), Kind.BAD_OUTPUT),
        ((200, {}, b"[]"), Kind.BAD_OUTPUT),
    ],
)
def test_errors(
    what: str, answer: Any, kind: Kind, serve: Serve, turn: Callable[..., TurnReport]
) -> None:
    """An error at any step is told apart by its status; a redirect is not followed."""
    serve(broken={what: answer})
    report = turn()
    assert kind_of(report) is kind
    assert report.signal is not None
    assert (report.signal.reset_at is not None) == ("Retry-After" in answer[1])


def test_a_patch_that_does_not_fit(
    serve: Serve, turn: Callable[..., TurnReport], tmp_path: Path
) -> None:
    """A patch for another state of the file is `bad_output`, and no part of it is applied."""
    serve(pages=([activity(PATCH.replace("x = 1", "y = 1"))],))
    report = turn()
    assert kind_of(report) is Kind.BAD_OUTPUT
    assert tmp_path.joinpath("repo", "calc.py").read_text() == "x = 1\n"


def test_a_patch_that_leaves_the_worktree(
    serve: Serve, turn: Callable[..., TurnReport], tmp_path: Path
) -> None:
    """git refuses a patch with a path outside the worktree."""
    outside = "--- /dev/null\n+++ b/../escaped.py\n@@ -0,0 +1 @@\n+x = 1\n"
    serve(pages=([activity(outside)],))
    assert kind_of(turn()) is Kind.BAD_OUTPUT
    assert not tmp_path.joinpath("escaped.py").exists()


@pytest.mark.parametrize("name", ["", "projects/1", "sessions/../x", "sessions/a?b=c"])
def test_a_session_without_a_proper_name(
    name: str, serve: Serve, turn: Callable[..., TurnReport]
) -> None:
    """A name that would lead to another address is no name."""
    body = f'{{"name": "{name}"}}'.encode()
    serve(broken={"POST sessions": (200, {}, body)})
    assert kind_of(turn()) is Kind.BAD_OUTPUT


def test_the_wall_limit(serve: Serve, turn: Callable[..., TurnReport]) -> None:
    """A session that does not end costs a turn its wall limit."""
    serve(states=("IN_PROGRESS",))
    assert kind_of(turn(wall_s=1.0)) is Kind.TIMEOUT


def test_nobody_at_the_address(
    serve: Serve, turn: Callable[..., TurnReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that cannot be reached is `overloaded`."""
    serve()
    monkeypatch.setenv("JULES_API_BASE_URL", "http://127.0.0.1:1/v1alpha")
    assert kind_of(turn()) is Kind.OVERLOADED


@pytest.mark.parametrize("url", ["http://example.com/v1", "file:///etc/passwd", "nonsense"])
def test_the_key_is_not_sent_in_the_clear(
    url: str, serve: Serve, turn: Callable[..., TurnReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that is neither https nor this machine gets no request."""
    serve()
    monkeypatch.setenv("JULES_API_BASE_URL", url)
    report = turn()
    assert kind_of(report) is Kind.CRASHED
    assert "neither https nor http on this machine" in report.message


def test_without_a_key_or_a_source(
    turn: Callable[..., TurnReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing is named, with the way to get it, and nothing is started."""
    for name in ("JULES_API_KEY", "JULES_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    assert "JULES_API_KEY is not set" in turn().message
    monkeypatch.setenv("JULES_API_KEY", KEY)
    report = turn()
    assert (kind_of(report), report.exit_code) == (Kind.NOT_INSTALLED, None)
    assert "set JULES_SOURCE" in report.message


def test_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundle's own source and branch beat the environment; the address has a default."""
    monkeypatch.delenv("JULES_API_BASE_URL", raising=False)
    monkeypatch.setenv("JULES_SOURCE", "sources/github/a/b")
    own = {"jules": {"source": "sources/github/c/d", "branch": "next"}}
    order = order_of(request_in(tmp_path, metadata=own))
    assert (order["source"], order["branch"]) == ("sources/github/c/d", "next")
    assert order["base_url"] == DEFAULT_BASE_URL
    assert order_of(request_in(tmp_path))["source"] == "sources/github/a/b"


def test_broken_events() -> None:
    """A child that ends without its last event has failed; unknown events are counted."""
    reader = JulesReader()
    outcome = told(reader, events({"type": "submitted"}, {"type": "later"}), exit_code=1)
    assert outcome is not None
    assert (outcome.kind, reader.said.unknown) == (Kind.CRASHED, 1)
