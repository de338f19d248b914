"""pytest's report and its text become findings and a count. The samples are real output."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.checks.pytest_report import read_pytest
from penstock.checks.reading import Evidence, Reading
from penstock.model.finding import Category, Severity

HEAD = '<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest">'
FOOT = "</testsuite></testsuites>"
FAILURE = """<testcase classname="tests.test_a.TestK" name="test_m" file="tests/test_a.py" line="2">\
<failure message="AssertionError: h\u00e9llo &lt;x&gt;&#10;assert 1 == 2">tests/test_a.py:4: in test_m
    helper()
src/calc.py:9: in helper
    assert 1 == 2
E   AssertionError: h\u00e9llo</failure></testcase>"""
PASSED = '<testcase classname="tests.test_a" name="test_ok" file="tests/test_a.py" line="4" />'
SKIPPED = """<testcase classname="tests.test_a" name="test_s" file="tests/test_a.py" line="5">\
<skipped type="pytest.skip" message="no">tests/test_a.py:6: no</skipped></testcase>"""
SETUP = """<testcase classname="tests.test_a" name="test_e[a::b]" file="tests/test_a.py" line="14">\
<error message="failed on setup with &quot;ValueError: no&quot;">conftest.py:2: in bad
E   ValueError: no</error></testcase>"""
UNCOLLECTED = """<testcase classname="" name="tests.test_b" file="tests/test_b.py">\
<error message="collection failure">/usr/lib/python3/importlib/__init__.py:126: in import_module
tests/test_b.py:1: in &lt;module&gt;
E     File "tests/test_b.py", line 1
E   SyntaxError: invalid syntax</error></testcase>"""
TEXT = """\
F.E                                                                      [100%]
=========================== short test summary info ============================
FAILED tests/test_a.py::TestK::test_m - AssertionError: no
FAILED tests/test_a.py::test_p[a b]
ERROR tests/test_b.py - ImportError
FAILED to see the point
1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error in 0.84s
"""


def reading(
    tmp_path: Path, *cases: str, exit_code: int = 1, stdout: str = "", raw: str | None = None
) -> Reading:
    """Read a report of these cases."""
    report = tmp_path / "junit.xml"
    if cases or raw is not None:
        report.write_text(raw if raw is not None else HEAD + "".join(cases) + FOOT)
    return read_pytest(
        Evidence(
            tool="pytest",
            tree=tmp_path,
            cwd=tmp_path,
            stdout=stdout,
            stderr="",
            exit_code=exit_code,
            report=report,
        )
    )


def test_a_failure_names_test_and_place(tmp_path: Path) -> None:
    """The finding has the test's id, its file, and the line in that file where it failed."""
    read = reading(tmp_path, FAILURE, PASSED, SKIPPED)
    (found,) = read.findings
    assert found.message == (
        "tests/test_a.py::TestK::test_m: AssertionError: h\u00e9llo <x>\nassert 1 == 2"
    )
    assert (found.path, found.line) == ("tests/test_a.py", 4)
    assert (found.category, found.severity) == (Category.TEST_FAILURE, Severity.ERROR)
    assert read.tests == 2


def test_an_error_in_setup_is_a_failure(tmp_path: Path) -> None:
    """A fixture that breaks counts as a test that ran, placed at the test."""
    read = reading(tmp_path, SETUP)
    (found,) = read.findings
    assert found.message.startswith(
        'tests/test_a.py::test_e[a::b]: failed on setup with "ValueError'
    )
    assert (found.line, read.tests) == (15, 1)


def test_an_uncollected_file_says_why(tmp_path: Path) -> None:
    """The reason stands in the traceback, and the number of tests is unknown."""
    read = reading(tmp_path, UNCOLLECTED, PASSED, exit_code=2)
    (found,) = read.findings
    assert found.message.startswith("tests/test_b.py: File")
    assert "SyntaxError: invalid syntax" in found.message
    assert (found.path, found.line, found.category) == ("tests/test_b.py", 1, Category.SYNTAX)
    assert read.tests is None
    assert reading(tmp_path, UNCOLLECTED, PASSED).tests is None


@pytest.mark.parametrize(
    ("exit_code", "stdout", "tests"),
    [
        (0, "", 1),
        (1, "", 1),
        (1, "!!!!!!! stopping after 1 failures !!!!!!!!", None),
        (2, "", None),
        (3, "", None),
        (4, "", None),
        (-9, "", None),
    ],
)
def test_the_count_is_known_only_after_a_whole_run(
    tmp_path: Path, exit_code: int, stdout: str, tests: int | None
) -> None:
    """Interrupted, broken and stopped runs do not tell how many tests there are."""
    assert reading(tmp_path, PASSED, exit_code=exit_code, stdout=stdout).tests == tests


def test_no_tests_is_a_remark(tmp_path: Path) -> None:
    """Exit code 5 counts 0 tests and remarks on it."""
    read = reading(tmp_path, raw=HEAD + FOOT, exit_code=5)
    assert (read.tests, [f.severity for f in read.findings]) == (0, [Severity.INFO])


BROKEN = {
    "missing": None,
    "cut off": HEAD + FAILURE,
    "empty": "",
    "rubbish": "hello",
    "bomb": '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><x>&c;</x>',
}


@pytest.mark.parametrize("case", BROKEN)
def test_without_a_sound_report_the_text_is_read(tmp_path: Path, case: str) -> None:
    """A report that is missing, cut off or hostile is replaced by the short summary."""
    read = reading(tmp_path, raw=BROKEN[case], stdout=TEXT)
    assert [(f.path, f.message) for f in read.findings] == [
        ("tests/test_a.py", "tests/test_a.py::TestK::test_m: AssertionError: no"),
        ("tests/test_a.py", "tests/test_a.py::test_p[a b]: failed"),
        ("tests/test_b.py", "tests/test_b.py: ImportError"),
    ]
    assert read.tests == 3


def test_a_text_without_counts_has_none(tmp_path: Path) -> None:
    """Where nothing was counted nothing is made up."""
    assert reading(tmp_path, stdout="2 failed words\n").tests is None


def test_a_report_beyond_reason_is_not_read(tmp_path: Path) -> None:
    """A report of gigabytes is left alone."""
    with (tmp_path / "junit.xml").open("wb") as stream:
        stream.truncate(1 << 32)
    assert reading(tmp_path, stdout=TEXT).tests == 3


def test_many_failures_are_counted_but_not_kept(tmp_path: Path) -> None:
    """The count is whole, the findings are bounded."""
    read = reading(tmp_path, *[FAILURE.replace("test_m", f"test_{n}") for n in range(500)])
    assert (read.tests, len(read.findings)) == (500, 200)


def test_a_file_below_pytests_root_is_found_in_the_tree(tmp_path: Path) -> None:
    """Paths of the report count from pytest's root, which may be a folder above where it ran."""
    for place in ("tests/test_a.py", "sub/x.py"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()
    (tmp_path / "j.xml").write_text(HEAD + FAILURE + FOOT)
    read = read_pytest(
        Evidence(
            tool="pytest", tree=tmp_path, cwd=tmp_path / "sub", stdout="", stderr="",
            exit_code=1, report=tmp_path / "j.xml",
        )
    )  # fmt: skip
    assert read.findings[0].path == "tests/test_a.py"


def test_a_case_without_file_still_has_a_name(tmp_path: Path) -> None:
    """Reports of other shapes lose the place, never the failure."""
    case = '<testcase classname="a.B" name="t"><failure>boom\nlast line</failure></testcase>'
    (found,) = reading(tmp_path, case).findings
    assert (found.message, found.path, found.line) == ("a.B::t: last line", None, None)
