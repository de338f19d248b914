"""A report as JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given

from penstock.cli.findings.junit import render
from penstock.model.finding import Severity
from penstock.model.inspection import CheckReport, FileStatus, PluginState, PluginUse
from tests.support.findings import finding, report, reports, result

WARNING = finding(line=1, code="E501", message="too long", severity=Severity.WARNING)
ERROR = finding(line=2, code="F401", message="unused <os> & more")


def tree(told: CheckReport) -> ET.Element:
    """The report, read back."""
    return ET.fromstring(render(told, "/repo"))  # noqa: S314


def test_a_file_that_failed_is_a_failure_with_its_findings() -> None:
    """In the order of their lines."""
    case = tree(report(result(ERROR, WARNING))).find("testsuite/testcase")
    assert case is not None
    failure = case.find("failure")
    assert case.get("name") == "a.py"
    assert failure is not None
    assert failure.get("message") == "1 error, 1 warning"
    assert (failure.text or "").splitlines() == [
        "a.py:1: warning E501 too long [ruff]",
        "a.py:2: error F401 unused <os> & more [ruff]",
    ]


def test_warnings_of_a_file_that_passed_are_its_output() -> None:
    """A file without any has none."""
    cases = tree(report(result(WARNING), result(path="b.py"))).findall("testsuite/testcase")
    assert [case.findtext("system-out") for case in cases] == [
        "a.py:1: warning E501 too long [ruff]",
        None,
    ]


def test_what_could_not_be_checked_is_an_error_or_skipped() -> None:
    """A path that cannot be taken, a plugin that failed, a tool that is missing."""
    plugins = (
        PluginUse(plugin_id="python_mypy", state=PluginState.FAILED, reason="boom"),
        PluginUse(plugin_id="bandit", state=PluginState.UNAVAILABLE, reason="no", hint="get it"),
        PluginUse(plugin_id="python_ruff", state=PluginState.RAN, duration_s=0.25),
        PluginUse(plugin_id="echo", state=PluginState.IDLE),
    )
    top = tree(report(plugins=plugins, unusable=(("x.py", "no such file"),)))
    told = {case.get("name"): [child.tag for child in case] for case in top.iter("testcase")}
    assert told == {
        "x.py": ["error"], "python_mypy": ["error"], "bandit": ["skipped"], "python_ruff": []
    }  # fmt: skip
    assert [skip.get("message") for skip in top.iter("skipped")] == ["no - get it"]


def test_counts_stand_on_the_suites_and_above_them() -> None:
    """Consumers read them instead of counting."""
    top = tree(report(result(ERROR), result(path="b.py"), unusable=(("x", "y"),)))
    assert {name: top.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "1", "skipped": "0"
    }  # fmt: skip


def test_what_is_set_aside_is_a_property() -> None:
    """Suppressed and known findings are counted."""
    top = tree(report(result(suppressed=(ERROR,), known=(ERROR, ERROR))))
    values = {p.get("name"): p.get("value") for p in top.iter("property")}
    assert values == {"root": "/repo", "suppressed": "1", "known": "2", "interrupted": "false"}


@given(reports())
def test_any_report_is_well_formed_and_counts_its_cases(told: CheckReport) -> None:
    """Control characters, brackets and lone surrogates included."""
    top = tree(told)
    cases = list(top.iter("testcase"))
    busy = [use for use in told.plugins if use.state is not PluginState.IDLE]
    assert (
        len(cases) == len(told.files) + len(told.unusable) + len(busy) == int(top.get("tests", ""))
    )
    failed = sum(file.status is FileStatus.FAILED for file in told.files)
    assert len(list(top.iter("failure"))) == failed
    render(told, "/repo").encode("utf-8")
