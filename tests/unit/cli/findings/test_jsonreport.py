"""A report as JSON, and the choice of a format."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from hypothesis import given

from penstock.cli.findings.formats import MODULES, renderer
from penstock.cli.findings.jsonreport import render
from penstock.cli.findings.wording import whole
from penstock.model.finding import Category, Severity
from penstock.model.inspection import CheckReport, PluginState, PluginUse
from tests.support.findings import finding, large_report, report, reports, result

RUFF = PluginUse(plugin_id="python_ruff", state=PluginState.RAN, version="0.17.5")
MYPY = PluginUse(plugin_id="python_mypy", state=PluginState.UNAVAILABLE, reason="no", hint="get it")
TYPE = finding(code="arg-type", category=Category.TYPE)
STYLE = finding(code="E501", category=Category.STYLE, severity=Severity.WARNING)


def read(told: CheckReport) -> dict[str, Any]:
    """The report, read back."""
    value = json.loads(render(told, "/repo"))
    assert isinstance(value, dict)
    return value


def test_each_file_has_the_documented_report() -> None:
    """With what the run used, what it found, and how it ended."""
    (told,) = read(report(result(TYPE, STYLE, fixed_by=("x",)), plugins=(RUFF, MYPY)))["files"]
    assert told["run_id"] == "check-20231114T221320Z"
    assert told["timestamp_utc"].startswith("2023-11-14T22:13:20")
    assert told["file_in"] == told["file_out"] == "a.py"
    assert told["toolchain"] == {"python_ruff": "0.17.5"}
    assert told["unavailable"] == [{"plugin_id": "python_mypy", "reason": "no", "hint": "get it"}]
    assert [issue["code"] for issue in told["issues"]] == ["arg-type", "E501"]
    assert (told["status"], told["cached"]) == ("FAILED", False)


def test_the_summary_of_a_file_counts_its_own_issues() -> None:
    """By tool and category, with what makes it a hard fail."""
    told = read(report(result(TYPE, STYLE, fixed_by=("x",)), result(STYLE, path="b.py")))
    first, second = (file["summary"] for file in told["files"])
    assert (first["total_errors"], first["total_warnings"], first["auto_fixed"]) == (1, 1, 1)
    assert first["issues_by_category"] == {"style": 1, "type": 1}
    assert (first["has_hard_fail"], first["style_only"]) == (True, False)
    assert (second["has_hard_fail"], second["style_only"]) == (False, True)
    assert told["totals"]["issues_by_tool"] == {"ruff": 3}


def test_the_totals_add_up() -> None:
    """Files, findings and what was set aside."""
    told = read(report(result(TYPE, suppressed=(STYLE,)), result(known=(STYLE,), cached=True)))
    wanted = {"files": 2, "passed": 1, "failed": 1, "cached": 1, "suppressed": 1, "known": 1}
    assert told["totals"].items() >= wanted.items()
    assert (told["status"], told["interrupted"]) == ("FAILED", False)


def test_named_paths_that_could_not_be_taken_fail_the_report() -> None:
    """Each with its reason."""
    told = read(report(result(), unusable=(("x.py", "no such file"),)))
    assert told["unusable"] == [{"path": "x.py", "reason": "no such file"}]
    assert told["status"] == "FAILED"


@given(reports())
def test_any_report_is_json_that_can_be_printed(told: CheckReport) -> None:
    """Every finding is in it once, whatever it says."""
    text = render(told, "/repo")
    text.encode("utf-8")
    value = json.loads(text)
    for file, given_file in zip(value["files"], told.files, strict=True):
        assert [i["message"] for i in file["issues"]] == [
            whole(f.message) for f in given_file.findings
        ]


def test_a_stream_that_knows_only_ascii_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed there is still JSON."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert render(report(result(path="\xe4.py")), "/repo").isascii()


def test_a_large_report_is_written_within_seconds() -> None:
    """Twenty thousand findings."""
    assert len(read(large_report(200, 100))["files"]) == 200


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_format_has_a_renderer_of_the_same_signature(name: str) -> None:
    """They are called with a report and the root, and end without a line end."""
    text = renderer(name)(report(result(TYPE)), "/repo")
    assert "a.py" in text
    assert not text.endswith("\n")
