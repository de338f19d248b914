"""What `penstock check` was asked for, its progress and its exit code."""

from __future__ import annotations

import pytest

from penstock.cli.checking import (
    CLEAR,
    CheckOptions,
    Progress,
    exit_code,
    plugin_ids,
    progress,
    refuse_contradictions,
)
from penstock.errors import ExitCode, UsageError
from penstock.model.inspection import CheckReport, FileResult, FileStatus

CONTRADICTIONS = [
    CheckOptions(staged=True, changed="HEAD"),
    CheckOptions(staged=True, fix=True),
    CheckOptions(update_baseline=True, fix=True),
    CheckOptions(cache="x.db", use_cache=False),
]


@pytest.mark.parametrize("options", CONTRADICTIONS)
def test_what_cannot_be_meant_together_is_refused(options: CheckOptions) -> None:
    """Two options that contradict each other are a mistake, and no guess."""
    with pytest.raises(UsageError, match="do not go together"):
        refuse_contradictions(options)


def test_what_goes_together_is_taken() -> None:
    """A plain command line, and one with what can be combined, pass."""
    refuse_contradictions(CheckOptions())
    refuse_contradictions(CheckOptions(changed="main", fix=True, strict=True, cache="x.db"))


def test_lists_of_plugins_are_joined() -> None:
    """Ids are given with commas, repeatedly, with blanks; each counts once."""
    assert plugin_ids(("ruff, mypy", "", "mypy,codespell,")) == ("ruff", "mypy", "codespell")


def report(**fields: object) -> CheckReport:
    """Return a report of one file."""
    status = fields.pop("status", FileStatus.PASSED)
    file = FileResult(path="a.py", status=status)  # type: ignore[arg-type]
    return CheckReport(started_at=0.0, duration_s=0.0, files=(file,), **fields)  # type: ignore[arg-type]


def test_the_exit_code_says_the_worst() -> None:
    """Interrupted before a mistake in the command, that before a failed file."""
    failed, wrong = FileStatus.FAILED, (("none.py", "there is no such file"),)
    assert exit_code(report()) is ExitCode.DONE
    assert exit_code(report(status=failed)) is ExitCode.FAILED
    assert exit_code(report(status=failed, unusable=wrong)) is ExitCode.USAGE
    assert exit_code(report(unusable=wrong, interrupted=True)) is ExitCode.INTERRUPTED


# -- progress ------------------------------------------------------------------------------
class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()


def test_a_short_check_shows_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Within the first second nothing is drawn, and nothing has to be cleared."""
    shown = Progress(clock)
    clock.now += 0.9
    shown("mypy", 1, 2)
    shown.end()
    assert capsys.readouterr().err == ""


def test_plugins_at_work_are_drawn_in_place(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that are done are only counted, redrawing has a pace, and the line goes at the end."""
    shown = Progress(clock)
    clock.now += 2
    shown("ruff", 250, 250)
    shown("mypy", 0, 250)  # too soon after the one before
    clock.now += 1
    shown("bandit", 3, 250)
    shown.end()
    first = "2s, 1 of 1 plugins done"
    second = "3s, 1 of 3 plugins done: mypy 0/250, bandit 3/250"
    assert capsys.readouterr().err == f"{CLEAR}{first}{CLEAR}{second}{CLEAR}"


def test_what_is_counted_has_its_own_name(clock: Clock) -> None:
    """A scan looks through sources, not plugins."""
    shown = Progress(clock, things="sources")
    shown("tree", 9, 9)
    shown("history", 1, 5)
    assert shown.line(clock.now + 2) == "2s, 1 of 2 sources done: history 1/5"
    shown.end()


def test_time_goes_on_while_nothing_is_heard(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tool that is silent for long does not look like a check that hangs."""
    shown = Progress(clock)
    shown("mypy", 0, 250)
    for _ in range(3):
        clock.now += 2
        shown.tick()
    drawn = capsys.readouterr().err.split(CLEAR)[1:]
    assert [line.partition(",")[0] for line in drawn] == ["2s", "4s", "6s"]


def test_after_the_end_nothing_is_drawn(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """A tool that ends late does not draw over the result."""
    shown = Progress(clock)
    shown.end()
    clock.now += 5
    shown("mypy", 1, 2)
    shown.keep_ticking()
    assert capsys.readouterr().err == ""


def test_a_warning_stands_above_the_line(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """What is said meanwhile does not run into the line, which comes back at the next step."""
    shown = Progress(clock)
    clock.now += 2
    shown("mypy", 0, 2)
    shown.warn("the cache was set aside")
    assert capsys.readouterr().err.endswith(f"{CLEAR}the cache was set aside\n")


def test_the_line_fits_the_screen(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that wrapped could not be cleared, so it is cut."""
    monkeypatch.setenv("COLUMNS", "30")
    shown = Progress(clock)
    clock.now += 2
    shown("a_plugin_with_a_long_name", 0, 2)
    drawn = capsys.readouterr().err.removeprefix(CLEAR)
    assert (len(drawn), drawn[-2:]) == (29, "..")


def test_without_a_terminal_there_is_no_progress() -> None:
    """Where stderr is piped nothing would be redrawn."""
    with progress() as shown:
        assert shown is None
