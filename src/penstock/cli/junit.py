"""A run as JUnit XML: one testsuite per workstream, one testcase per attempt and check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from penstock.cli.figures import diff_words, sections
from penstock.cli.render import check_line, finding_line, mappings, step_details
from penstock.cli.reports import text_section
from penstock.model.figures import RunFigures, WorkstreamFigures
from penstock.model.results import RunResult, StepResult, WorkstreamResult

# What XML 1.0 cannot hold, not even escaped.
FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
PROPERTIES = ("final_status", "branch", "commit", "reason")
SKIPPED = frozenset({"canceled", "unknown", "pending", "running"})


def junit_xml(result: RunResult, figures: RunFigures | None = None) -> str:
    """Return the report. An attempt that a FIX turn mended later is no failure of the suite:
    only the last attempt of a step counts, the earlier ones say in their output what they found.

    The figures are properties of the suites, and the output of one more, without a case, that is
    named after the run.
    """
    top = ET.Element("testsuites", name=clean(result.run_id))
    known = {} if figures is None else {w.ws_id: _facts(w) for w in figures.workstreams}
    for workstream in result.workstreams:
        top.append(_suite(result, workstream, known.get(workstream.ws_id, {})))
    if figures is not None:
        top.append(_figures_suite(result, figures))
    for name in ("tests", "failures", "errors", "skipped"):
        top.set(name, str(sum(int(suite.get(name, "0")) for suite in top)))
    top.set("time", f"{sum(float(suite.get('time', '0')) for suite in top):.3f}")
    ET.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(top, encoding="unicode") + "\n"


def clean(text: str) -> str:
    """Return text with what XML cannot hold replaced."""
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def _facts(figures: WorkstreamFigures) -> dict[str, object]:
    """Return the figures of a workstream that are known, as properties."""
    usage, diff = figures.usage, figures.diff
    facts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": usage.cost_usd,
        "max_cost_usd": figures.max_cost_usd,
        "diff": diff_words(diff) if diff else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _figures_suite(result: RunResult, figures: RunFigures) -> ET.Element:
    """Return the figures of the whole run as the output of a suite without cases."""
    counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), "0")
    suite = ET.Element("testsuite", {"name": clean(result.run_id), **counts, "time": "0.000"})
    lines = [line for section in sections(figures) for line in text_section(section)]
    ET.SubElement(suite, "system-out").text = clean("\n".join(lines))
    return suite


def _suite(
    result: RunResult, workstream: WorkstreamResult, facts: Mapping[str, object]
) -> ET.Element:
    cases = list(_cases(workstream))
    suite = ET.Element(
        "testsuite",
        name=clean(workstream.ws_id),
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time=f"{sum(step.duration_sec or 0.0 for step in workstream.steps):.3f}",
    )
    if result.started_at:
        suite.set("timestamp", result.started_at)
    properties = ET.SubElement(suite, "properties")
    told = {name: getattr(workstream, name) for name in PROPERTIES} | dict(facts)
    for name, value in told.items():
        if value is not None:
            ET.SubElement(properties, "property", name=name, value=clean(str(value)))
    suite.extend(cases)
    return suite


def _cases(workstream: WorkstreamResult) -> Iterator[ET.Element]:
    """Yield the cases: attempts with their checks, then the workstream's own end."""
    last = {step.step_name: step for step in workstream.steps}
    for step in workstream.steps:
        yield _attempt_case(workstream, step, counts=last[step.step_name] is step)
        for check in mappings(step.details.get("checks")):
            yield _check_case(workstream, step, check, counts=last[step.step_name] is step)
    yield _end_case(workstream)


def _attempt_case(workstream: WorkstreamResult, step: StepResult, *, counts: bool) -> ET.Element:
    name = f"{step.step_name} {step.attempt}"
    case = _case(workstream, name, step.duration_sec or 0.0)
    lines = "\n".join(step_details(step, limit=1000))
    if step.status in SKIPPED:
        ET.SubElement(case, "skipped", message=clean(step.status))
    elif step.details.get("skipped") and step.success:
        ET.SubElement(case, "skipped", message="nothing to run")
    elif not step.success and counts and workstream.final_status != "done":
        _fail(case, step.error_message or step.outcome or "failed", lines)
    elif lines:
        ET.SubElement(case, "system-out").text = clean(lines)
    return case


def _check_case(
    workstream: WorkstreamResult, step: StepResult, check: Mapping[str, Any], *, counts: bool
) -> ET.Element:
    name = f"{step.step_name} {step.attempt}: {check.get('check_id', 'check')}"
    took = check.get("duration_sec")
    case = _case(workstream, name, float(took) if isinstance(took, (int, float)) else 0.0)
    if check.get("passed"):
        return case
    text = "\n".join(_check_text(step, check))
    if counts and workstream.final_status != "done":
        _fail(case, check_line(check), text)
    else:
        ET.SubElement(case, "system-out").text = clean(text)
    return case


def _check_text(step: StepResult, check: Mapping[str, Any]) -> list[str]:
    """Return what is known of a failing check: its findings, else the end of the output."""
    found = mappings(step.details.get("findings"))
    mine = [finding_line(f) for f in found if f.get("tool") == check.get("check_id")]
    return mine or [finding_line(f) for f in found] or [str(step.details.get("tail") or "")]


def _end_case(workstream: WorkstreamResult) -> ET.Element:
    """Return a case for the workstream as a whole, so that none without attempts is overlooked."""
    case = _case(workstream, "workstream", 0.0)
    if workstream.final_status in ("failed", "quarantined"):
        _fail(case, workstream.reason or workstream.final_status, "")
    elif workstream.final_status != "done":
        message = f"{workstream.final_status}: {workstream.reason or 'not finished'}"
        ET.SubElement(case, "skipped", message=clean(message))
    return case


def _case(workstream: WorkstreamResult, name: str, took: float) -> ET.Element:
    return ET.Element(
        "testcase", classname=clean(workstream.ws_id), name=clean(name), time=f"{took:.3f}"
    )


def _fail(case: ET.Element, message: str, text: str) -> None:
    failure = ET.SubElement(case, "failure", message=clean(message), type="failed")
    failure.text = clean(text)
