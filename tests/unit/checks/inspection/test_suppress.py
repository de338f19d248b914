"""Comments that set findings aside."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.checks.inspection.suppress import NONE, Suppressions, split, suppressions
from penstock.model.finding import Finding
from penstock.model.inspection import ENGINE, NO_CHECKER, NOT_CHECKED, PLUGIN_FAILED, TOOL_MISSING
from tests.support.findings import any_text, finding, findings

PIECES = st.sampled_from(
    ["penstock:", " ignore", "-file", "[", "]", "F401", ",", ":", "*", "#", "//", "<!--", " ", "\\"]
)
LINES = st.lists(st.lists(PIECES | any_text(8), max_size=9).map("".join), max_size=25)


def is_aside(found: Finding, *lines: str) -> bool:
    """Tell whether these lines set a finding aside."""
    return split([found], suppressions(lines))[1] == (found,)


@pytest.mark.parametrize(
    "line",
    [
        "import os  # penstock: ignore[F401]",
        "import os  # penstock:ignore [f401]",
        "import os  # noqa: F401  penstock: ignore[E1, F401] - kept for its effect",
        "import os  # penstock: ignore[ruff:F401]",
        "import os  # penstock: ignore[ruff:*]",
        "import os  # penstock: ignore",
        "let x;  // penstock: ignore[F401]",
        "a { }  /* penstock: ignore[F401] */",
        "<p>  <!-- penstock: ignore[F401] --></p>",
        "select 1 -- penstock: ignore[F401]",
        "(defun x) ; penstock: ignore[F401]",
        "x = 1 % penstock: ignore[F401]",
    ],
)
def test_a_comment_on_the_line_sets_its_finding_aside(line: str) -> None:
    """By code, by tool and code, by tool, or altogether, in any language's comments."""
    assert is_aside(finding(code="F401", line=1), line)


@pytest.mark.parametrize(
    "line",
    [
        "import os  # penstock: ignore[E1]",
        "import os  # penstock: ignore[flake8:F401]",
        "import os  # penstock: ignore[]",
        "import os  # penstock: ignore[F401",
        "import os  # penstock: ignore [F401",
        "import os  # penstock: ignore [E1]",
        "import os  # penstock: ignored",
        "import os  # penstock: ignore-files",
        "import os  # Penstock ignore",
        "penstock: ignore",
        "import os",
    ],
)
def test_what_is_no_such_comment_sets_nothing_aside(line: str) -> None:
    """Another rule, an unclosed bracket, another word or no comment at all: the finding stays."""
    assert not is_aside(finding(code="F401", line=1), line)


@pytest.mark.parametrize(
    "mark", ["#", "//", "/*", " *", "<!--", "--", ";;", "%", "<#", "{#", "REM", "dnl"]
)
def test_a_comment_line_of_its_own_is_about_the_next_line(mark: str) -> None:
    """The line below is meant, and not the one after it."""
    lines = (f"{mark} penstock: ignore[F401]", "import os", "import os")
    assert is_aside(finding(code="F401", line=2), *lines)
    assert not is_aside(finding(code="F401", line=3), *lines)


def test_comment_lines_above_each_other_all_mean_the_line_below_them() -> None:
    """Several comments about one line can be written one per line."""
    lines = ("# penstock: ignore[F401]", "# penstock: ignore[E1]", "import os")
    assert all(is_aside(finding(code=code, line=3), *lines) for code in ("F401", "E1"))


def test_a_comment_behind_code_is_not_about_the_next_line() -> None:
    """Only a line that holds nothing else reaches down."""
    lines = ("x = 1  # penstock: ignore[F401]", "import os")
    assert not is_aside(finding(code="F401", line=2), *lines)


def test_a_whole_file_is_set_aside_by_a_comment_at_its_top() -> None:
    """For any line, and for findings without one."""
    lines = ("#!/bin/sh", "# penstock: ignore-file[SC2086]")
    for line in (None, 1, 99):
        assert is_aside(finding(code="SC2086", line=line), *lines)
        assert not is_aside(finding(code="SC2034", line=line), *lines)


@pytest.mark.parametrize(
    "lines",
    [
        (*[""] * 20, "# penstock: ignore-file"),
        ("x = 1  # penstock: ignore-file",),
        ("Write `# penstock: ignore-file` at the top.",),
    ],
)
def test_a_comment_about_the_file_stands_alone_within_the_first_lines(
    lines: tuple[str, ...],
) -> None:
    """Further down, behind code or inside of a sentence it is nothing."""
    assert suppressions(lines) == NONE


def test_a_finding_without_a_code_is_set_aside_by_its_tool_or_altogether() -> None:
    """It has no rule to name."""
    bare = finding(line=1)
    assert is_aside(bare, "x  # penstock: ignore[ruff:*]")
    assert is_aside(bare, "x  # penstock: ignore")
    assert not is_aside(bare, "x  # penstock: ignore[E1]")


@pytest.mark.parametrize("code", [PLUGIN_FAILED, NOT_CHECKED, TOOL_MISSING])
def test_what_was_not_checked_cannot_be_set_aside(code: str) -> None:
    """A comment does not turn a crash into a pass."""
    for tool in ("python_mypy", ENGINE):
        assert not is_aside(finding(tool=tool, code=code), "# penstock: ignore-file")


def test_a_file_without_a_checker_can_be_set_aside() -> None:
    """That warning is about the file and not about a failure."""
    assert is_aside(finding(tool=ENGINE, code=NO_CHECKER), "# penstock: ignore-file[no-checker]")


@given(LINES, st.lists(findings(), max_size=8))
def test_no_text_makes_it_raise_and_every_finding_is_on_one_side(
    lines: list[str], told: list[Finding]
) -> None:
    """Whatever a file holds, its findings are split in two, orders kept."""
    comments = suppressions(lines)
    kept, aside = split(told, comments)
    assert list(kept) == [f for f in told if not comments.covers(f)]
    assert list(aside) == [f for f in told if comments.covers(f)]


def test_a_file_without_comments_has_none() -> None:
    """The usual case is told cheaply."""
    assert suppressions(["x = 1"] * 3) == Suppressions()
    assert not suppressions([])


def test_a_file_of_comments_on_one_line_is_read_in_linear_time() -> None:
    """A minified file that is full of half-written comments does not hang the check."""
    line = "# penstock: ignore[" * 100_000
    started = time.perf_counter()
    assert not suppressions([line])
    assert time.perf_counter() - started < 5
