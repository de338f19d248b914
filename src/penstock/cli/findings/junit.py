"""A report as JUnit XML: a testcase for each file, and for each plugin that could not work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as ET

from penstock.cli.findings.wording import finding_text, ordered
from penstock.cli.junit import clean
from penstock.cli.words import plural
from penstock.model.inspection import (
    CheckReport,
    FileResult,
    FileStatus,
    PluginState,
    PluginUse,
)
from penstock.model.times import iso

COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render(report: CheckReport, root: str) -> str:
    """Return the report as XML without a last line end. What is set aside is a property, not an output."""
    top = ET.Element("testsuites", name="penstock check")
    files = _suite("files", [*map(_file_case, report.files), *_unusable_cases(report)], report)
    _properties(files, report, root)
    top.append(files)
    top.append(_suite("plugins", _plugin_cases(report.plugins), report))
    for name in ("tests", *COUNTED):
        top.set(name, str(sum(int(suite.get(name, "0")) for suite in top)))
    top.set("time", f"{report.duration_s:.3f}")
    ET.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(top, encoding="unicode")


def _suite(name: str, cases: Iterable[ET.Element], report: CheckReport) -> ET.Element:
    suite = ET.Element("testsuite", name=name)
    suite.extend(cases)
    suite.set("tests", str(len(suite)))
    for attribute, tag in COUNTED.items():
        suite.set(attribute, str(sum(case.find(tag) is not None for case in suite)))
    suite.set("time", f"{report.duration_s if name == 'files' else 0.0:.3f}")
    suite.set("timestamp", iso(report.started_at)[:19])
    return suite


def _properties(suite: ET.Element, report: CheckReport, root: str) -> None:
    properties = ET.Element("properties")
    values: dict[str, object] = {
        "root": root,
        "suppressed": sum(len(file.suppressed) for file in report.files),
        "known": sum(len(file.known) for file in report.files),
        "interrupted": str(report.interrupted).lower(),
    }
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=clean(str(value)))
    suite.insert(0, properties)


def _file_case(file: FileResult) -> ET.Element:
    case = _case("files", file.path)
    text = clean("\n".join(finding_text(file.path, found) for found in ordered(file.findings)))
    if file.status is FileStatus.FAILED:
        about = f"{plural(file.errors, 'error')}, {plural(file.warnings, 'warning')}"
        ET.SubElement(case, "failure", message=about, type="findings").text = text
    elif text:
        ET.SubElement(case, "system-out").text = text
    return case


def _unusable_cases(report: CheckReport) -> Iterator[ET.Element]:
    for path, why in report.unusable:
        case = _case("files", path)
        ET.SubElement(case, "error", message=clean(why), type="not-checked")
        yield case


def _plugin_cases(plugins: Iterable[PluginUse]) -> Iterator[ET.Element]:
    for use in plugins:
        if use.state is PluginState.IDLE:
            continue
        case = _case("plugins", use.plugin_id, use.duration_s)
        if use.state is PluginState.FAILED:
            ET.SubElement(
                case, "error", message=clean(use.reason or "failed"), type="plugin-failed"
            )
        elif use.state is PluginState.UNAVAILABLE:
            told = " - ".join(part for part in (use.reason, use.hint) if part)
            ET.SubElement(case, "skipped", message=clean(told))
        yield case


def _case(suite: str, name: str, took: float = 0.0) -> ET.Element:
    return ET.Element(
        "testcase", classname=f"penstock.{suite}", name=clean(name), time=f"{took:.3f}"
    )
