"""ruff, pylint, mypy and pytest as tools: they judge files and change none.

A checker that ran to its end has done its work, whatever it found. Its verdict stands in the
content of the report: `passed`, `exit_code`, `findings` (the first 200), `count`, `summary`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from penstock.model.outcome import Outcome, OutcomeKind
from penstock.process import api as process
from penstock.process.api import FilterFactory, Stop
from penstock.process.environment import child_environment
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.streams import items, table, text, whole
from penstock.tools.texts import classify, local_zone
from penstock.tools.turn import Said, died, last_line, launch_of, missing, run_turn

MAX_FINDINGS = 200
MAX_OUTPUT = 16 << 20
"""How much of a checker's output is understood, in bytes; findings beyond it are not seen."""
Finding = dict[str, Any]
Parser = Callable[[str], list[Finding]]

_MYPY = re.compile(
    r"^(?P<path>.+?):(?P<line>\d+):(?:(?P<column>\d+):)? error: (?P<message>.*?)"
    r"(?:  \[(?P<code>[\w-]+)\])?$"
)
_PYTEST = re.compile(
    r"^(?P<code>FAILED|ERROR) (?P<path>\S+?)(?:::(?P<test>.*?))?(?: - (?P<message>.*))?$"
)
_COUNTS = re.compile(
    r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?)\b"
)
_SUMMARY = re.compile(r"^=*\s*((?:no tests ran|\d+ \w+)[^=]* in [\d.]+s.*?)\s*=*$")


class Checker(msgspec.Struct, frozen=True, kw_only=True):
    """How a checker is called and what its output means.

    `found` are the exit codes, beside 0, that it ends with after it has done its work. `targets`
    is the payload field that names what to check; `suffixes` are the files that it knows, empty
    for whatever is named. Without a target it is given `fallback`.
    """

    tool_id: str
    args: tuple[str, ...]
    parse: Parser
    install: str
    found: frozenset[int] = frozenset({1})
    targets: str = "files"
    suffixes: tuple[str, ...] = (".py", ".pyi")
    fallback: tuple[str, ...] = (".",)


def parse_ruff(output: str) -> list[Finding]:
    """Return the findings of `ruff check --output-format json`."""
    return [
        _finding(
            path=text(each.get("filename")),
            line=whole(table(each.get("location")).get("row")),
            column=whole(table(each.get("location")).get("column")),
            code=text(each.get("code")),
            message=text(each.get("message")),
        )
        for each in _objects(output)
    ]


def parse_pylint(output: str) -> list[Finding]:
    """Return the findings of `pylint --output-format=json`."""
    return [
        _finding(
            path=text(each.get("path")),
            line=whole(each.get("line")),
            column=whole(each.get("column")),
            code=text(each.get("symbol")),
            message=text(each.get("message")),
        )
        for each in _objects(output)
    ]


def parse_mypy(output: str) -> list[Finding]:
    """Return the errors of mypy, one a line; its notes are left out."""
    found = (_MYPY.match(line) for line in output.splitlines())
    return [_matched(each) for each in found if each]


def parse_pytest(output: str) -> list[Finding]:
    """Return the failed and broken tests of pytest's short summary."""
    found = (_PYTEST.match(line) for line in output.splitlines())
    return [_matched(each) for each in found if each]


CHECKERS: Mapping[str, Checker] = {
    "ruff": Checker(
        tool_id="ruff",
        args=("check", "--output-format", "json", "--no-cache", "--quiet"),
        parse=parse_ruff,
        install="pip install ruff",
    ),
    "pylint": Checker(
        tool_id="pylint",
        args=("--output-format=json", "--score=n", "--persistent=n"),
        parse=parse_pylint,
        install="pip install pylint",
        found=frozenset(range(2, 32, 2)),
    ),
    "mypy": Checker(
        tool_id="mypy",
        args=(
            "--no-pretty", "--no-color-output", "--no-error-summary", "--show-column-numbers",
            "--show-error-codes", "--hide-error-context", "--cache-dir", os.devnull,
        ),
        parse=parse_mypy,
        install="pip install mypy",
    ),
    "pytest": Checker(
        tool_id="pytest",
        args=("-q", "-r", "fE", "--color=no", "--no-header", "-p", "no:cacheprovider"),
        parse=parse_pytest,
        install="pip install pytest",
        found=frozenset({1, 5}),
        targets="test_path",
        suffixes=(),
        fallback=(),
    ),
}  # fmt: skip


class CheckerTool:
    """Runs one checker over the files of its payload, else over those of the turn."""

    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self.tool_id = checker.tool_id

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the names of files cannot be taken for options."""
        return (self.tool_id, *self.checker.args, *targets(self.checker, request))

    def available(self) -> str | None:
        """Return None when it is on the PATH, else how to install it."""
        return missing(self.tool_id, self.checker.install)

    def own_login(self) -> bool:
        """Return False: there is nothing to log in to."""
        return False

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Run it once."""
        env = child_environment(extra={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"})
        launch = launch_of(request, self.command_line(request), env)
        reader = CheckReader(self.checker)
        return run_turn(self.tool_id, launch, reader, request, stop, make_filter)


def ruff() -> CheckerTool:
    """Return ruff as a tool."""
    return CheckerTool(CHECKERS["ruff"])


def pylint() -> CheckerTool:
    """Return pylint as a tool."""
    return CheckerTool(CHECKERS["pylint"])


def mypy() -> CheckerTool:
    """Return mypy as a tool."""
    return CheckerTool(CHECKERS["mypy"])


def pytest() -> CheckerTool:
    """Return pytest as a tool."""
    return CheckerTool(CHECKERS["pytest"])


def targets(checker: Checker, request: TurnRequest) -> tuple[str, ...]:
    """Return what is to be checked: the payload's own names, else the turn's files it knows."""
    named = request.payload.get(checker.targets)
    if named is None:
        return (
            _plain(
                [name for name in request.files if name.endswith(checker.suffixes)]
                if checker.suffixes
                else ()
            )
            or checker.fallback
        )
    return _plain([named] if isinstance(named, str) else named)


class CheckReader:
    """Reads a checker's whole output and makes its verdict of it."""

    def __init__(self, checker: Checker) -> None:
        self.said = Said()
        self._checker = checker
        self._raw = bytearray()

    def feed(self, data: bytes) -> bool:
        """Take a piece of stdout."""
        self._raw += data[: max(0, MAX_OUTPUT - len(self._raw))]
        return False

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return None when the checker did its work, whatever it found."""
        code = ended.exit_code
        if code != 0 and code not in self._checker.found:
            words = last_line(ended.error_text, ended.text)
            known = classify(words, now=time.time(), zone=local_zone())
            return known or died(ended, evidence=words)
        output = self._raw.decode("utf-8", "replace")
        try:
            findings = self._checker.parse(output)
        except msgspec.DecodeError as error:
            words = f"the output of {self._checker.tool_id} is not understood: {error}"
            return Outcome(kind=OutcomeKind.BAD_OUTPUT, message=words, evidence=output[-300:])
        self.said.content = verdict(code, findings, output)
        self.said.message = self.said.content["summary"]
        return None


def verdict(code: int | None, findings: Sequence[Finding], output: str) -> dict[str, Any]:
    """Return the content of a checker's report. A clean exit code is a pass."""
    counts = {
        name.rstrip("s") if name.startswith(("error", "warning")) else name: int(number)
        for number, name in _COUNTS.findall(_summary(output))
    }
    said = _summary(output) or (f"{len(findings)} found" if findings else "nothing found")
    return {
        "passed": code == 0,
        "exit_code": code,
        "count": len(findings),
        "findings": list(findings[:MAX_FINDINGS]),
        "counts": counts,
        "summary": said,
    }


def _summary(output: str) -> str:
    for line in reversed(output.splitlines()[-20:]):
        found = _SUMMARY.match(line)
        if found:
            return found[1]
    return ""


def _objects(output: str) -> list[dict[str, Any]]:
    value = msgspec.json.decode(output) if output.strip() else []
    return [table(each) for each in items(value)]


def _finding(**told: Any) -> Finding:
    return {name: value for name, value in told.items() if value not in (None, "")}


def _matched(found: re.Match[str]) -> Finding:
    told = found.groupdict()
    for name in ("line", "column"):
        if told.get(name):
            told[name] = int(told[name])
    return _finding(**told)


def _plain(names: object) -> tuple[str, ...]:
    given = names if isinstance(names, list | tuple) else ()
    return tuple(f"./{name}" if str(name).startswith("-") else str(name) for name in given)
