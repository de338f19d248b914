"""What the end of a tool means: findings, a clean bill, or that it could not do its work."""

from __future__ import annotations

import signal

import msgspec

from penstock.checks.plugins.port import Parsed
from penstock.checks.reading import clean
from penstock.model.finding import Finding
from penstock.model.manifest import ToolSpec
from penstock.process.api import End, Outcome

MAX_SAID = 600
"""Characters of a tool's own words that go into a problem."""
_CRASHES = frozenset({134, 135, 136, 137, 139, 143})
"""How a shell that wraps a tool tells of ABRT, BUS, FPE, KILL, SEGV and TERM."""


class Verdict(msgspec.Struct, frozen=True):
    """What came of a run: findings, and why it is no result all the same."""

    findings: tuple[Finding, ...] = ()
    problem: str | None = None
    interrupted: bool = False


def judge(
    tool: ToolSpec,
    outcome: Outcome,
    parsed: Parsed,
    *,
    fixing: bool = False,
    limit_s: float | None = None,
) -> Verdict:
    """Judge a run by its end, its exit code and what was read.

    `limit_s` is the time that it was given, None: that of its manifest.

    A clean exit needs an output that can be read (not when `fixing`, where nothing has to be
    said); an exit code that announces findings needs one; every other end is a problem, with
    whatever was found beside it.
    """
    if outcome.end is End.INTERRUPTED:
        return Verdict(interrupted=True)
    limit_s = tool.timeout_s if limit_s is None else limit_s
    problem = _not_ended(tool, outcome, limit_s) or _wrong(tool, outcome, parsed, fixing=fixing)
    return Verdict(parsed.findings, problem or None)


def is_clean(tool: ToolSpec, code: int) -> bool:
    """Tell whether an exit code means that the tool is content."""
    return code in tool.success_codes


def tells_of_findings(tool: ToolSpec, code: int, found: int) -> bool:
    """Tell whether an exit code means that findings were printed, `found` of which were read."""
    if tool.findings_mask and 0 < code == code & tool.findings_mask:
        return True
    if tool.findings_codes != "any":
        return code in tool.findings_codes
    # tools that exit with the number of their findings may exit with 137 of them, unless killed
    return code > 0 and (code not in _CRASHES or code == found)


def _not_ended(tool: ToolSpec, outcome: Outcome, limit_s: float) -> str:
    """Say how it ended when it did not exit by itself."""
    match outcome.end:
        case End.EXITED:
            return ""
        case End.NOT_FOUND | End.NOT_STARTED:
            return outcome.error or f"{tool.command} cannot be started"
        case End.SIGNALED:
            name = signal_name(-(outcome.exit_code or 0))
            return _with_words(f"{tool.command} was killed by {name}", outcome)
        case _:
            return f"{tool.command} did not end within {limit_s:g} s and was stopped"


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGSEGV."""
    names = {entry.value: entry.name for entry in signal.Signals}
    return names.get(number, f"signal {number}")


def _wrong(tool: ToolSpec, outcome: Outcome, parsed: Parsed, *, fixing: bool) -> str:
    """Say what is wrong with the exit of a tool, an empty text when nothing is."""
    code, found = outcome.exit_code or 0, len(parsed.findings)
    if is_cut(outcome):
        return f"{tool.command} printed more than can be read ({_printed(outcome)} bytes)"
    if is_clean(tool, code):
        return "" if parsed.ok or fixing else _unreadable(tool, outcome, parsed)
    if not tells_of_findings(tool, code, found):
        return _with_words(f"{tool.command} failed with exit code {code}", outcome)
    if not parsed.ok:
        return _unreadable(tool, outcome, parsed)
    if not found:
        what = f"{tool.command} ended with exit code {code}, but told of nothing that it found"
        return _with_words(what, outcome)
    return ""


def is_cut(outcome: Outcome) -> bool:
    """Tell whether the beginning of a stream was not kept."""
    kept = len(outcome.stdout) + len(outcome.stderr)
    return kept < _printed(outcome)


def _printed(outcome: Outcome) -> int:
    return outcome.stdout_bytes + outcome.stderr_bytes


def _unreadable(tool: ToolSpec, outcome: Outcome, parsed: Parsed) -> str:
    why = f" ({parsed.why})" if parsed.why else ""
    what = f"{tool.command} printed nothing that could be read{why}, exit code {outcome.exit_code}"
    return _with_words(what, outcome)


def _with_words(what: str, outcome: Outcome) -> str:
    """Add the end of what the tool said, on one line."""
    said = _end(outcome.stderr) or _end(outcome.stdout)
    if len(said) > MAX_SAID:
        said = f"...{said[-MAX_SAID:]}"
    return f"{what}: {said}" if said else what


def _end(stream: bytes) -> str:
    """Return the end of a stream on one line, without what a terminal would obey or not show."""
    text = clean(stream[-4 * MAX_SAID :]).replace("\ufffd", "")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
