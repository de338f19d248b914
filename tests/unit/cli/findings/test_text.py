"""A report as text."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.findings.text import WIDTH, render, wrap
from penstock.model.finding import Severity
from penstock.model.inspection import (
    ENGINE,
    NO_CHECKER,
    CheckReport,
    Explanation,
    PluginState,
    PluginUse,
)
from tests.support.findings import finding, large_report, report, reports, result

UNUSED = finding(line=3, column=8, code="F401", message="`os` imported but unused")
STYLE = finding(line=1, code="E501", message="too long", severity=Severity.WARNING)
REMARK = finding(message="a remark", severity=Severity.INFO)
ROOT = "/repo"


def use(name: str, state: PluginState, **fields: object) -> PluginUse:
    """A plugin in this state."""
    return PluginUse(plugin_id=name, state=state, **fields)  # type: ignore[arg-type]


def missing(*names: str) -> tuple[PluginUse, ...]:
    """Plugins whose tools are missing, each with a hint."""
    state = PluginState.UNAVAILABLE
    return tuple(use(n, state, reason=f"{n} is not installed", hint=f"install {n}") for n in names)


def test_each_file_has_its_documented_line() -> None:
    """`path: STATUS | errors=N warnings=M`, in the order of the report."""
    told = report(result(STYLE, STYLE), result(UNUSED, path="b.py"))
    lines = render(told, ROOT).splitlines()
    assert lines[0] == "a.py: PASSED | errors=0 warnings=2"
    assert lines[1] == "b.py: FAILED | errors=1 warnings=0"


def test_errors_and_warnings_stand_below_a_file_that_failed_by_line() -> None:
    """As path:line:column, severity, code, message and tool; remarks only when asked for."""
    told = report(result(UNUSED, STYLE, REMARK))
    assert render(told, ROOT).splitlines()[1:-1] == [
        "  a.py:1: warning E501 too long [ruff]",
        "  a.py:3:8: error F401 `os` imported but unused [ruff]",
    ]
    assert "  a.py: info a remark [ruff]" in render(told, ROOT, verbose=True)


def test_warnings_of_a_file_that_passed_are_shown_when_asked_for() -> None:
    """They are counted in its line in any case."""
    told = report(result(STYLE))
    assert "too long" not in render(told, ROOT)
    assert "a.py:1: warning E501 too long" in render(told, ROOT, verbose=True)


def test_what_is_set_aside_is_counted_and_shown_when_asked_for() -> None:
    """Suppressed and known findings, and those of the baseline that are gone."""
    told = report(result(suppressed=(UNUSED,), known=(STYLE, STYLE)), fixed_known=4)
    assert "1 suppressed, 2 in the baseline, 4 of the baseline gone" in render(told, ROOT, width=0)
    shown = render(told, ROOT, verbose=True, width=0)
    assert "unused [ruff] (suppressed)" in shown
    assert shown.count("(in the baseline)") == 2


def test_the_summary_adds_up() -> None:
    """Files, findings, fixed and cached files, and how long it took."""
    told = report(result(UNUSED, STYLE, fixed_by=("python_black_fix",)), result(cached=True))
    assert render(told, ROOT, width=0).splitlines()[-1] == (
        "2 files: 1 passed, 1 failed; 1 error, 1 warning; 1 file fixed; 1 from the cache; 0.4s"
    )


def test_fixers_are_named_below_the_file_they_changed() -> None:
    """Also where the file passed."""
    told = render(report(result(fixed_by=("python_isort_fix", "python_black_fix"))), ROOT)
    assert "  fixed by python_isort_fix, python_black_fix" in told


def test_missing_tools_are_told_with_how_to_install_them() -> None:
    """A check that did not take part is never silent."""
    told = render(report(result(), plugins=missing("mypy", "pylint")), ROOT)
    assert "mypy: skipped, mypy is not installed (install mypy)" in told
    assert "pylint: skipped" in told


def test_many_missing_tools_are_named_in_one_line_unless_asked_for() -> None:
    """Four hints on every run would be noise."""
    told = report(result(), plugins=missing("a", "b", "c", "d"))
    assert "Skipped, missing or not set up: a, b, c, d." in render(told, ROOT)
    assert "d: skipped, d is not installed (install d)" in render(told, ROOT, verbose=True)


def test_a_plugin_that_failed_says_why() -> None:
    """Beside the errors that its files got for it."""
    failed = use("python_mypy", PluginState.FAILED, reason="exit code 9:\nboom")
    assert "python_mypy: FAILED | exit code 9: boom" in render(report(plugins=(failed,)), ROOT)
    bare = use("python_mypy", PluginState.FAILED)
    assert "FAILED | without a reason" in render(report(plugins=(bare,)), ROOT)


def test_the_plugins_that_took_part_are_listed_when_asked_for() -> None:
    """With version, files, how many came from the cache, and time."""
    used = (
        use("python_ruff", PluginState.RAN, version="0.17.5", files=3, cached=2, duration_s=0.25),
        use("codespell", PluginState.CACHED, files=1),
    )
    shown = render(report(result(), plugins=used), ROOT, verbose=True)
    assert "python_ruff 0.17.5: 3 files, 2 from the cache, 0.25s" in shown
    assert "codespell: 1 file, 0.00s" in shown
    assert "python_ruff" not in render(report(result(), plugins=used), ROOT)


def test_named_paths_that_could_not_be_taken_are_told() -> None:
    """Each with its reason, and the rest all the same."""
    told = render(report(result(), unusable=(("no\nsuch.py", "no such file"),)), ROOT)
    assert "no such.py: NOT CHECKED | no such file" in told
    assert "a.py: PASSED" in told


def test_problems_of_the_run_are_notes() -> None:
    """Such as a cache that was set aside."""
    assert "Note: the cache was rebuilt" in render(
        report(problems=("the cache was rebuilt",)), ROOT
    )


def test_explanations_stand_below_their_file_or_at_the_end() -> None:
    """Why a plugin ran, or did not; a path without a line of its own is told with it."""
    told = (
        Explanation(plugin_id="python_ruff", path="a.py", cached=False, because="content changed"),
        Explanation(plugin_id="python_mypy", path="b.py", cached=True, because="nothing changed"),
    )
    lines = render(report(result(), explanations=told), ROOT).splitlines()
    assert lines[1] == "  python_ruff: ran, content changed"
    assert lines[2] == "b.py: python_mypy: from the cache, nothing changed"


def test_files_that_passed_can_be_left_out() -> None:
    """But for those that have something to tell."""
    told = report(result(), result(STYLE, path="w.py"), result(UNUSED, path="f.py"))
    lines = render(told, ROOT, passed=False).splitlines()
    assert [line.split(":")[0] for line in lines if " | " in line] == ["w.py", "f.py"]


def test_files_without_a_checker_are_counted_and_have_no_line_unless_asked_for() -> None:
    """A project has many of them: pictures, licences, lock files."""
    bare = finding(tool=ENGINE, code=NO_CHECKER, severity=Severity.WARNING)
    told = report(result(bare, path="logo.png"), result())
    assert render(told, ROOT, passed=False, width=0) == (
        "2 files: 2 passed, 0 failed; 0 errors, 1 warning; 1 file without a checker; 0.4s"
    )
    assert "logo.png: PASSED | errors=0 warnings=1" in render(told, ROOT)


def test_an_empty_report_says_that_there_was_nothing() -> None:
    """Unless something was named, or the run was cut short."""
    assert render(report(), ROOT) == "No files to check."
    assert render(report(interrupted=True), ROOT).startswith("interrupted; 0 files")
    assert "0 files" in render(report(unusable=(("x", "why"),)), ROOT)


def test_colour_marks_words_and_changes_nothing_else() -> None:
    """Without it not a single terminal sequence is written."""
    told = report(result(UNUSED, STYLE), result(path="b.py"))
    plain, painted = render(told, ROOT), render(told, ROOT, colour=True)
    assert "\x1b" not in plain
    assert click.unstyle(painted) == plain
    for word, colour in (("FAILED", "red"), ("PASSED", "green"), ("warning", "yellow")):
        assert click.style(word, fg=colour) in painted


@given(reports(), st.booleans(), st.sampled_from([0, 20, WIDTH]))
def test_no_text_of_a_tool_reaches_the_terminal_as_a_control_character(
    told: CheckReport, verbose: bool, width: int
) -> None:
    """Whatever a file or a message is called, lines hold only what can be printed."""
    lines = render(told, ROOT, verbose=verbose, width=width).split("\n")
    assert all(line.isprintable() for line in lines)
    assert len([line for line in lines if " | errors=" in line]) >= len(told.files)


@given(st.text(alphabet="ab :", max_size=120), st.integers(4, 40))
def test_wrapping_loses_nothing_and_fits_as_far_as_words_do(line: str, width: int) -> None:
    """Only blanks are given up, and a part is too long only if it cannot be broken."""
    parts = list(wrap(line, width))
    assert "".join("".join(parts).split()) == "".join(line.split())
    assert all(len(part) <= width or " " not in part.strip() for part in parts)


@pytest.mark.parametrize("line", ["a.py: FAILED | errors=1 warnings=0", "short", "x" * 90])
def test_documented_lines_and_single_words_stay_whole(line: str) -> None:
    """Programs read them."""
    assert list(wrap(line, 10)) == [line]


def test_twenty_thousand_findings_are_all_written() -> None:
    """However many findings there are, each has its line."""
    text = render(large_report(200, 100), ROOT, colour=True)
    assert text.count("imported but unused") == 20_000
