"""The door to `gh`: a real process, bounded in time, ended with all that it started."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from penstock.forge.api import Answer, Issue, Labels
from penstock.forge.gh import Gh
from tests.support.fake_gh import FakeGh

ISSUE = Issue(12, "acme/shop")


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGh:
    """A `gh` on PATH."""
    made = FakeGh(tmp_path / "gh")
    made.put_first(monkeypatch)
    return made


def gone(pid: int, within_s: float = 10.0) -> bool:
    """Tell whether a process is gone, or goes within a while."""
    deadline = time.monotonic() + within_s
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def called(gh: FakeGh) -> int:
    """Wait until it was called; return its process."""
    deadline = time.monotonic() + 20
    while not gh.calls:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return gh.calls[0].pid


def test_a_comment_goes_through_its_input(gh: FakeGh, tmp_path: Path) -> None:
    """To the letter, and never through the argument list."""
    body = "a `b`\n\N{SNOWMAN} $(x)\n"
    assert Gh(tmp_path).comment(ISSUE, body) == Answer(ok=True)
    (call,) = gh.calls
    assert call.argv == ("issue", "comment", "12", "--repo", "acme/shop", "--body-file", "-")
    assert call.body == body


def test_without_a_repository_it_is_that_of_the_checkout(gh: FakeGh, tmp_path: Path) -> None:
    """`gh` finds out itself."""
    Gh(tmp_path).comment(Issue(3), "x")
    assert gh.calls[0].argv == ("issue", "comment", "3", "--body-file", "-")


def test_labels_are_added_and_removed(gh: FakeGh, tmp_path: Path) -> None:
    """In one call."""
    assert Gh(tmp_path).relabel(ISSUE, Labels(add=("in progress",), remove=("a", "b"))).ok
    assert gh.calls[0].argv == (
        "issue", "edit", "12", "--repo", "acme/shop",
        "--add-label", "in progress", "--remove-label", "a", "--remove-label", "b",
    )  # fmt: skip


def test_it_is_given_its_login_and_nothing_else(
    gh: FakeGh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither keys of others nor what would lead git elsewhere; and it asks nobody."""
    monkeypatch.setenv("GH_TOKEN", "made-up")
    monkeypatch.setenv("GITHUB_REPO", "shop")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    Gh(tmp_path).comment(ISSUE, "x")
    seen = gh.calls[0].env
    assert seen["GH_TOKEN"] == "made-up"
    assert seen["GH_PROMPT_DISABLED"] == "1"
    assert "GITHUB_REPO" not in seen


def test_what_it_says_when_it_fails_is_the_reason(gh: FakeGh, tmp_path: Path) -> None:
    """On one line, cut; a missing login is final, another failure is not."""
    gh.behave(code=1, says="HTTP 502:\n bad gateway " + "x" * 1000)
    answer = Gh(tmp_path).comment(ISSUE, "x")
    assert not answer.ok
    assert not answer.final
    assert (answer.reason or "").startswith("gh exit code 1: HTTP 502: bad gateway xx")
    assert len(answer.reason or "") == 300
    gh.behave(code=4, says="run gh auth login")
    assert Gh(tmp_path).comment(ISSUE, "x").final


def test_without_gh_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once and for all."""
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = Answer(ok=False, reason="gh is not installed", final=True)
    assert Gh(tmp_path).comment(ISSUE, "x") == expected


def test_a_gh_that_cannot_run_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its interpreter is missing, or the folder."""
    broken = tmp_path / "bin" / "gh"
    broken.parent.mkdir()
    broken.write_text("#!/nowhere/python\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent))
    answer = Gh(tmp_path).comment(ISSUE, "x")
    assert answer.final
    assert "interpreter" in (answer.reason or "")
    assert Gh(tmp_path / "gone").comment(ISSUE, "x").final


def test_one_that_hangs_is_ended(gh: FakeGh, tmp_path: Path) -> None:
    """At its limit, for good."""
    gh.behave(hangs=True)
    answer = Gh(tmp_path, limit_s=2.0).comment(ISSUE, "x")
    assert answer.final
    assert (answer.reason or "").startswith("gh took over ")
    assert gone(called(gh))


def test_stop_ends_it_at_once_and_for_good(gh: FakeGh, tmp_path: Path) -> None:
    """What is under way is killed, and nothing is started any more."""
    gh.behave(hangs=True)
    made = Gh(tmp_path)
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(made.comment(ISSUE, "x")))
    thread.start()
    pid = called(gh)
    made.stop()
    thread.join(10)
    assert answers[0].final
    assert gone(pid)
    assert not made.comment(ISSUE, "y").ok
    assert len(gh.calls) == 1


def test_a_full_disk_is_an_answer(
    gh: FakeGh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the text cannot be put down nothing is told."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    answer = Gh(tmp_path).comment(ISSUE, "x")
    assert not answer.ok
    assert (answer.reason or "").startswith("the text cannot be written")
    assert not gh.calls


IMPATIENT = """
import sys
from pathlib import Path
from penstock.forge.api import Issue
from penstock.forge.choice import Subject
from penstock.forge.gh import Gh
from penstock.forge.links import IssueLinks
from penstock.model.records import Event
links = IssueLinks(
    Gh(Path.cwd()),
    subject_of=lambda run_id, ws_id: Subject(Issue(1), "c"),
    mask=str,
    report=lambda told: None,
    patience_s=60.0,
)
payload = {"to": "done"}
links.hear(Event(id=1, timestamp="t", event_type="workstream_status_changed", payload=payload))
try:
    links.close()
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_waits_for_nothing_and_leaves_nothing(gh: FakeGh, tmp_path: Path) -> None:
    """While the last words wait for a `gh` that hangs, the user may go."""
    gh.behave(hangs=True)
    child = subprocess.Popen([sys.executable, "-c", IMPATIENT], cwd=tmp_path)
    pid = called(gh)
    child.send_signal(signal.SIGINT)
    assert child.wait(20) == 130
    assert gone(pid)
