"""Our own reasons for ending a turn come before anything that the tool said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import EnvironmentProblem
from penstock.model.outcome import Outcome
from penstock.model.outcome import OutcomeKind as Kind
from penstock.process.api import End
from penstock.tools.turn import Launch, Said, died, ended_by_us, last_line, own_home, write_private
from tests.support.turns import ended, request_in

LAUNCH = Launch(argv=("tool",), env={}, wall_s=10.0, idle_s=5.0)


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (End.WALL_LIMIT, Kind.TIMEOUT), (End.IDLE_LIMIT, Kind.IDLE),
        (End.INTERRUPTED, Kind.CANCELED), (End.NOT_FOUND, Kind.NOT_INSTALLED),
        (End.NOT_STARTED, Kind.CRASHED), (End.EXITED, None), (End.SIGNALED, None),
        (End.STOPPED, None),
    ],
)  # fmt: skip
def test_ends(end: End, kind: Kind | None) -> None:
    """Each end that was our doing has its outcome; the others are left to the reader."""
    outcome = ended_by_us(ended(None, end=end), LAUNCH, Said())
    assert (None if outcome is None else outcome.kind) == kind


@pytest.mark.parametrize("end", [End.WALL_LIMIT, End.IDLE_LIMIT])
def test_a_limit_after_the_last_word_does_not_count(end: End) -> None:
    """A tool that had said its last word before a limit struck is judged by that word."""
    assert ended_by_us(ended(-15, end=end), LAUNCH, Said(terminal=True)) is None


def test_a_timeout_says_what_the_tool_spoke_of_last() -> None:
    """A tool that tried again until the limit struck leaves a hint in the message."""
    said = Said(hint=Outcome(kind=Kind.RATE_LIMITED, message="429"))
    outcome = ended_by_us(ended(-15, end=End.WALL_LIMIT), LAUNCH, said)
    assert outcome is not None
    assert outcome.message == "not done within 10 s; it last spoke of: 429"


@pytest.mark.parametrize(
    ("code", "words"), [(-9, "killed by signal 9: bye"), (3, "exit code 3: bye")]
)
def test_a_death_says_how(code: int, words: str) -> None:
    """The message leaves the kind to whoever shows it, so that it is not told twice."""
    outcome = died(ended(code), evidence="bye")
    assert (outcome.kind, outcome.message) == (Kind.CRASHED, words)


def test_the_last_line() -> None:
    """It is the last line with words of the first text that has any."""
    assert last_line("\n \n", "a\nb\n\n", "c") == "b"
    assert last_line("", "") == ""


def test_private_files_and_folders(tmp_path: Path) -> None:
    """What is made for a worker is for its owner only, whatever the umask."""
    umask = os.umask(0)
    try:
        home = Path(own_home(request_in(tmp_path), "aider"))
        write_private(home / "f", b"x")
    finally:
        os.umask(umask)
    made = (home / "f", home, home.parent, home.parent.parent)
    assert [oct(path.stat().st_mode & 0o777) for path in made] == ["0o600", *["0o700"] * 3]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in the way is an error of this machine that names the folder."""
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(EnvironmentProblem, match="home/aider cannot be written"):
        own_home(request_in(tmp_path), "aider")
