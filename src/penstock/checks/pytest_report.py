"""What pytest said: from its JUnit report, and from its text when there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from penstock.checks.reading import MAX_FINDINGS, Evidence, Reading, bounded, relative
from penstock.model.finding import Category, Finding, Severity

NO_TESTS = 5
"""pytest's exit code when it collected no tests."""
_COUNTED = (0, 1, NO_TESTS)
_MAX_REPORT = 64 << 20
_MAX_TEXT = 20_000
# "!!!!! stopping after 1 failures !!!!!": what ran is then no count of the tests there are
_STOPPED = re.compile(r"^!+ (?:stopping after|Interrupted|xdist\.dsession)", re.MULTILINE)
_SUMMARY = re.compile(r"(?P<kind>FAILED|ERROR) (?P<id>\S.*?)(?: - (?P<message>.*))?")
_COUNT = re.compile(r"(\d+) (passed|failed|error|errors|skipped|xfailed|xpassed|deselected)\b")
_FRAME = re.compile(r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):", re.MULTILINE)


def read_pytest(evidence: Evidence) -> Reading:
    """Read failures, errors and the number of tests that ran."""
    cases = _read_report(evidence.report) if evidence.report is not None else None
    if cases is None:
        reading = Reading(bounded(_summary_findings(evidence)), _summary_count(evidence))
    else:
        reading = Reading(
            bounded(_finding(case, evidence) for case in cases.failed), cases.ran_or_none
        )
    tests = reading.tests if _whole(evidence) else None
    if evidence.exit_code == NO_TESTS:
        return Reading((_no_tests(evidence),), 0)
    return Reading(reading.findings, tests)


def _whole(evidence: Evidence) -> bool:
    """Tell whether all tests were run, so that their number means something."""
    return evidence.exit_code in _COUNTED and not _STOPPED.search(evidence.stdout)


def _no_tests(evidence: Evidence) -> Finding:
    return Finding(
        tool=evidence.tool,
        message="no tests were collected",
        category=Category.TEST_FAILURE,
        severity=Severity.INFO,
    )


# -- the report ----------------------------------------------------------------------------------
@dataclass(slots=True)
class _Case:
    """One `testcase` element."""

    classname: str
    name: str
    file: str
    line: int | None
    kind: str = ""
    message: str = ""
    text: str = ""

    @property
    def test_id(self) -> str:
        """`file::Class::test`, or the file alone when it could not be collected."""
        if self.is_collection:
            return self.file or self.name
        if not self.file:
            return "::".join(filter(None, (self.classname, self.name)))
        module = self.file.removesuffix(".py").replace("/", ".")
        classes = self.classname.removeprefix(module).strip(".")
        return "::".join((self.file, *filter(None, classes.split(".")), self.name))

    @property
    def is_collection(self) -> bool:
        """Tell whether a file could not be collected."""
        return self.kind == "error" and self.message == "collection failure"


@dataclass(slots=True)
class _Cases:
    """What a report holds: how many ran, and those that did not pass, as far as they are kept."""

    ran: int = 0
    uncollected: bool = False
    failed: list[_Case] = field(default_factory=list)
    _case: _Case | None = None
    _inside: bool = False

    @property
    def ran_or_none(self) -> int | None:
        """The number of tests, None when some could not even be collected."""
        return None if self.uncollected else self.ran

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take an opening tag."""
        if tag == "testcase":
            line = attributes.get("line", "")
            self._case = _Case(
                attributes.get("classname", ""),
                attributes.get("name", ""),
                attributes.get("file", "").replace("\\", "/"),
                int(line) + 1 if line.isdigit() else None,
            )
        elif self._case is not None and tag in ("failure", "error", "skipped"):
            self._case.kind = self._case.kind or tag
            self._case.message = self._case.message or attributes.get("message", "")
            self._inside = tag != "skipped"

    def data(self, text: str) -> None:
        """Take text."""
        if self._inside and self._case is not None and len(self._case.text) < _MAX_TEXT:
            self._case.text += text

    def end(self, tag: str) -> None:
        """Take a closing tag."""
        if tag in ("failure", "error"):
            self._inside = False
        elif tag == "testcase" and self._case is not None:
            self._settle(self._case)
            self._case = None

    def _settle(self, case: _Case) -> None:
        self.uncollected = self.uncollected or case.is_collection
        self.ran += case.kind != "skipped" and not case.is_collection
        if case.kind in ("failure", "error") and len(self.failed) < MAX_FINDINGS:
            self.failed.append(case)


def _read_report(path: Path) -> _Cases | None:
    """Read a report; None when it is missing, cut off, too large, or not plain XML."""
    cases = _Cases()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = cases.start
    parser.EndElementHandler = cases.end
    parser.CharacterDataHandler = cases.data
    parser.StartDoctypeDeclHandler = _refuse  # entities could be made to swell
    try:
        if path.stat().st_size > _MAX_REPORT:
            return None
        with path.open("rb") as stream:
            parser.ParseFile(stream)
    except (OSError, ValueError, expat.ExpatError):
        return None
    return cases


def _refuse(*_: object) -> None:
    raise ValueError("a report has no document type")


def _finding(case: _Case, evidence: Evidence) -> Finding:
    message = _reason(case) if case.is_collection else case.message or _reason(case)
    syntax = case.is_collection and "SyntaxError" in case.text
    return Finding(
        tool=evidence.tool,
        message=f"{case.test_id}: {message}".rstrip(": \n"),
        path=_from_root(case.file, evidence) if case.file else None,
        line=_line(case),
        category=Category.SYNTAX if syntax else Category.TEST_FAILURE,
        severity=Severity.ERROR,
    )


def _from_root(file: str, evidence: Evidence) -> str | None:
    """Return a path that pytest gives from its root folder, which need not be where it ran."""
    place = relative(file, evidence)
    if place is not None and (evidence.tree / place).exists():
        return place
    return file if (evidence.tree / file).exists() else place


def _line(case: _Case) -> int | None:
    """Return the last line of the traceback that lies in the test's own file."""
    lines = [
        int(match["line"]) for match in _FRAME.finditer(case.text) if match["path"] == case.file
    ]
    return lines[-1] if lines else case.line


def _reason(case: _Case) -> str:
    """Return the `E` lines of a traceback, or its last line."""
    marked = [line[1:].strip() for line in case.text.splitlines() if line.startswith("E ")]
    return "\n".join(marked) or case.text.strip().rpartition("\n")[2]


# -- the text ------------------------------------------------------------------------------------
def _summary_findings(evidence: Evidence) -> Iterator[Finding]:
    """Read the short summary that `-rfE` prints."""
    for line in evidence.stdout.splitlines():
        match = _SUMMARY.fullmatch(line)
        if match is not None and ("::" in match["id"] or ".py" in match["id"]):
            file = match["id"].partition("::")[0]
            yield Finding(
                tool=evidence.tool,
                message=f"{match['id']}: {match['message'] or match['kind'].lower()}",
                path=_from_root(file, evidence),
                category=Category.TEST_FAILURE,
            )


def _summary_count(evidence: Evidence) -> int | None:
    """Read the last line that counts tests: `2 failed, 3 passed in 0.12s`."""
    for line in reversed(evidence.stdout.splitlines()):
        counts = {name: int(number) for number, name in _COUNT.findall(line)}
        if counts and re.search(r" in \d+(\.\d+)?s", line):
            ran = ("passed", "failed", "error", "errors", "xpassed")
            return sum(counts.get(name, 0) for name in ran)
    return None
