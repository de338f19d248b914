"""The JUnit report is valid XML that CI servers understand."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.junit import clean, junit_xml
from penstock.model.results import RunResult
from tests.support import results


def parsed(result: RunResult) -> ET.Element:
    """Return the report as XML."""
    return ET.fromstring(junit_xml(result))  # noqa: S314 - our own text


def test_a_suite_per_workstream_and_a_case_per_attempt_and_check() -> None:
    """The counts of suites and cases match the run."""
    top = parsed(results.run(results.repaired(), results.broken()))
    suites = top.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["ws-repaired", "ws-broken"]
    names = [case.get("name") for case in suites[0].findall("testcase")]
    assert names == [
        "edit 1", "static 1", "static 1: ruff", "fix 1", "static 2", "static 2: ruff", "workstream",
    ]  # fmt: skip
    assert top.get("tests") == str(len(top.findall(".//testcase")))


def test_what_a_fix_turn_mended_is_no_failure() -> None:
    """A CI server shows a repaired workstream as passed, with the first finding in its output."""
    suite = parsed(results.run(results.repaired())).find("testsuite")
    assert suite is not None
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "0")
    outputs = "".join(out.text or "" for out in suite.iter("system-out"))
    assert "a.py:3: F401 unused import" in outputs


def test_what_stays_broken_is_a_failure() -> None:
    """The attempt, its check and the workstream fail, with the finding as text."""
    suite = parsed(results.run(results.broken())).find("testsuite")
    assert suite is not None
    assert suite.get("failures") == "3"
    failures = [failure.text or "" for failure in suite.iter("failure")]
    assert any("a.py:3: F401 static: the same error again" in text for text in failures)


@pytest.mark.parametrize("status", ["pending", "canceled"])
def test_what_did_not_run_is_skipped(status: str) -> None:
    """A workstream that waits or was canceled is neither passed nor failed."""
    lost = results.step(success=False, status="unknown")
    waiting = results.workstream("ws-w", lost, final_status=status, reason="dependency ws-a")
    suite = parsed(results.run(waiting)).find("testsuite")
    assert suite is not None
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "2")


def test_nasty_text_gives_valid_xml() -> None:
    """Control characters, lone surrogates and markup in messages do not break the report."""
    text = junit_xml(results.run(results.broken("ws-x", results.NASTY)))
    ET.fromstring(text.encode("utf-8"))  # noqa: S314 - our own text
    assert "\x00" not in text
    assert "\x1b" not in text


@given(st.text(alphabet=st.characters()))
def test_any_text_can_be_cleaned(text: str) -> None:
    """Whatever a tool prints, the cleaned form is text that an XML parser takes."""
    element = ET.Element("a")
    element.text = clean(text)
    ET.fromstring(ET.tostring(element))  # noqa: S314 - our own text


def test_a_failing_check_without_findings_shows_the_end_of_the_output() -> None:
    """An unparsed tool's last words are the text of its failure."""
    details = {"checks": [results.check("make", passed=False)], "tail": "make: *** [all] Error 2"}
    failed = results.step("runtime", success=False, details=details)
    result = results.run(results.workstream("ws-x", failed, final_status="failed"))
    texts = [failure.text or "" for failure in parsed(result).iter("failure")]
    assert any("Error 2" in text for text in texts)


def test_a_run_without_times_is_reported() -> None:
    """A run that never started has a report, too."""
    top = parsed(results.run(started_at=None, ended_at=None))
    assert top.get("tests") == "0"
