"""A report as SARIF 2.1.0."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings

from penstock.cli.findings.sarif import BASE, FINGERPRINT, render
from penstock.model.finding import Category, Severity
from penstock.model.inspection import CheckReport, PluginState, PluginUse
from tests.support.findings import finding, report, reports, result
from tests.support.sarif import sarif_errors

URL = "https://docs.example/rules/F401#why"


def run_of(told: CheckReport, root: str = "/repo") -> dict[str, Any]:
    """The only run of the report's log."""
    log = json.loads(render(told, root))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def region_of(**fields: Any) -> Any:
    """The region of a finding of these fields, None without one."""
    place = run_of(report(result(finding(**fields))))["results"][0]["locations"][0]
    return place["physicalLocation"].get("region")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_any_report_is_valid_against_the_official_schema(told: CheckReport) -> None:
    """Whatever tools say and files are called; formats of addresses and times included."""
    assert sarif_errors(json.loads(render(told, "/some where/é"))) == []


@given(reports())
def test_every_result_points_at_its_rule_and_every_finding_is_one(told: CheckReport) -> None:
    """Those that are set aside are there with a suppression."""
    run = run_of(told)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])
    counted = [r for r in run["results"] if "suppressions" not in r]
    assert len(counted) == sum(len(file.findings) for file in told.files)
    aside = sum(len(file.suppressed) + len(file.known) for file in told.files)
    assert len(run["results"]) - len(counted) == aside


def test_the_schema_that_is_held_against_it_refuses_what_is_wrong() -> None:
    """A log without runs, or with a level that there is not, is no SARIF."""
    assert sarif_errors({"version": "2.1.0"})
    log = json.loads(render(report(result(finding())), "/repo"))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert sarif_errors(log)


def test_a_result_says_what_where_and_which() -> None:
    """Rule, level, message, place, fingerprint and whether its tool can mend it."""
    found = finding(
        line=3, column=8, code="F401", message="unused", fingerprint="00ff", fixable=True
    )
    (told,) = run_of(report(result(found)))["results"]
    assert told == {
        "ruleId": "ruff/F401",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "unused"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "a.py", "uriBaseId": BASE},
                    "region": {"startLine": 3, "startColumn": 8, "endLine": 3},
                }
            }
        ],
        "partialFingerprints": {FINGERPRINT: "00ff"},
        "properties": {"fixable": True},
    }


def test_each_severity_has_its_level() -> None:
    """A remark is a note."""
    kinds = (Severity.ERROR, Severity.WARNING, Severity.INFO)
    told = run_of(report(result(*(finding(severity=kind) for kind in kinds))))
    assert [r["level"] for r in told["results"]] == ["error", "warning", "note"]


def test_a_rule_has_its_category_and_its_help() -> None:
    """Once, whatever the number of its results; a tool without codes is a rule by itself."""
    coded = finding(code="F401", category=Category.STYLE, url=URL)
    told = run_of(report(result(coded, coded, finding(message=""))))
    first, second = told["tool"]["driver"]["rules"]
    assert (first["id"], first["helpUri"]) == ("ruff/F401", URL)
    assert first["properties"] == {"tags": ["style"]}
    assert second["id"] == told["results"][2]["message"]["text"] == "ruff"


@pytest.mark.parametrize(
    "url", ["", "no address", "javascript:alert(1)", "https://a b/", "https://x/%zz"]
)
def test_a_help_address_that_is_none_is_left_out(url: str) -> None:
    """A viewer would make a link of it."""
    told = run_of(report(result(finding(url=url))))
    assert "helpUri" not in told["tool"]["driver"]["rules"][0]


def test_what_is_set_aside_has_a_suppression_of_its_kind() -> None:
    """In the source, or by the baseline."""
    told = run_of(report(result(suppressed=(finding(),), known=(finding(),))))
    kinds = [r["suppressions"][0]["kind"] for r in told["results"]]
    assert kinds == ["inSource", "external"]


@pytest.mark.parametrize(
    ("fields", "region"),
    [
        ({}, None),
        ({"line": 0, "column": 3}, None),
        ({"line": 2, "column": 0}, {"startLine": 2, "endLine": 2}),
        ({"line": 2, "end_line": 1, "end_column": 3}, {"startLine": 2}),
        (
            {"line": 2, "column": 5, "end_column": 4},
            {"startLine": 2, "startColumn": 5, "endLine": 2},
        ),
        (
            {"line": 2, "column": 5, "end_line": 3, "end_column": 1},
            {"startLine": 2, "startColumn": 5, "endLine": 3, "endColumn": 1},
        ),
    ],
)
def test_a_region_has_only_what_makes_sense(fields: dict[str, int], region: Any) -> None:
    """Lines and columns count from 1, and no end lies before its beginning."""
    assert region_of(**fields) == region


@pytest.mark.parametrize(
    "path", ["src/b c.py", "a:b.py", "ä.py", "100%.py", "odd\udcff.py", "?#.py"]
)
def test_a_path_is_a_reference_that_leads_back_to_its_bytes(path: str) -> None:
    """Blanks, colons, other letters and bytes that are no text."""
    (told,) = run_of(report(result(finding(), path=path)))["results"]
    uri = told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert ":" not in uri
    assert unquote_to_bytes(uri) == path.encode("utf-8", "surrogateescape")


def test_a_path_that_no_file_system_has_is_written_too() -> None:
    """A surrogate that stands for no byte is no reason to fail."""
    told = run_of(report(result(finding(), path="\ud800.py")))
    assert told["results"]


@pytest.mark.parametrize(("root", "uri"), [("/my repo", "file:///my%20repo/"), ("/", "file:///")])
def test_paths_are_relative_to_the_root(root: str, uri: str) -> None:
    """Under the name that code hosts know."""
    assert run_of(report(), root)["originalUriBaseIds"] == {BASE: {"uri": uri}}


def test_the_invocation_says_what_failed_and_what_took_no_part() -> None:
    """A failed plugin is no successful run; a missing tool is only noted."""
    missing = PluginUse(plugin_id="bandit", state=PluginState.UNAVAILABLE, reason="no", hint="get")
    (calm,) = run_of(report(plugins=(missing,), problems=("odd",)))["invocations"]
    assert calm["executionSuccessful"] is True
    assert calm["startTimeUtc"] == "2023-11-14T22:13:20.000Z"
    notes = [(n["level"], n["message"]["text"]) for n in calm["toolConfigurationNotifications"]]
    assert notes == [("note", "bandit - no - get"), ("warning", "odd")]
    failed = PluginUse(plugin_id="python_mypy", state=PluginState.FAILED, reason="boom")
    (bad,) = run_of(report(plugins=(failed,), unusable=(("x", "gone"),)))["invocations"]
    assert bad["executionSuccessful"] is False
    texts = [n["message"]["text"] for n in bad["toolExecutionNotifications"]]
    assert texts == ["python_mypy: boom", "x: gone"]


def test_an_interrupted_run_was_no_success() -> None:
    """Whatever it found till then."""
    (told,) = run_of(report(interrupted=True))["invocations"]
    assert told["executionSuccessful"] is False


def test_the_tools_that_took_part_are_extensions_with_their_versions() -> None:
    """A tool without a known version has its name only."""
    used = [
        PluginUse(plugin_id="python_ruff", state=PluginState.RAN, version="0.17.5"),
        PluginUse(plugin_id="codespell", state=PluginState.CACHED),
        PluginUse(plugin_id="echo", state=PluginState.IDLE),
    ]
    told = run_of(report(plugins=tuple(used)))["tool"]["extensions"]
    assert told == [{"name": "python_ruff", "version": "0.17.5"}, {"name": "codespell"}]
