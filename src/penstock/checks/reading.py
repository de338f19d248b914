"""What all readers of output share: the evidence they get, what they give, and its bounds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from penstock.model.finding import Finding

MAX_FINDINGS = 200
MAX_MESSAGE = 2000
"""Characters of one message."""
MAX_TAIL = 8000
"""Characters of output that go with a result."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a command left: its streams' ends as text, its exit code, its report file if any.

    `tool` names the findings; `cwd` is where it ran, inside `tree`.
    """

    tool: str
    tree: Path
    cwd: Path
    stdout: str
    stderr: str
    exit_code: int | None
    report: Path | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: findings, how many tests ran (None = unknown), a rendering for people."""

    findings: tuple[Finding, ...] = ()
    tests: int | None = None
    text: str | None = None


def clean(data: bytes) -> str:
    """Decode output safely: no colours, no control characters, line ends as `\\n`."""
    text = _ESCAPES.sub("", data.decode("utf-8", "replace"))
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def relative(path: str, evidence: Evidence) -> str | None:
    """Return a path as told by a tool relative to the tree, None when it lies outside."""
    place = os.path.normpath(evidence.cwd / path)
    for base in (str(evidence.tree), os.path.realpath(evidence.tree)):
        if place.startswith(base + os.sep):
            return place[len(base) + 1 :].replace(os.sep, "/")
    return None


def bounded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep the first findings, messages cut short, each only once."""
    kept: dict[Finding, None] = {}
    for finding in findings:
        if len(kept) == MAX_FINDINGS:
            break
        message = finding.message
        if len(message) > MAX_MESSAGE:
            finding = msgspec.structs.replace(finding, message=message[: MAX_MESSAGE - 3] + "...")
        kept[finding] = None
    return tuple(kept)


def tail_of(stdout: str, stderr: str, limit: int = MAX_TAIL) -> str:
    """Return the end of both streams as one text, standard error last."""
    parts = [part.strip("\n") for part in (stdout, stderr) if part.strip()]
    text = "\n".join(parts)
    return text if len(text) <= limit else "...\n" + text[-limit + 4 :]


def line_of(finding: Finding) -> str:
    """Render a finding as `path:line:column: code message`."""
    place = ":".join(str(part) for part in (finding.path, finding.line, finding.column) if part)
    words = " ".join(part for part in (finding.code, finding.message) if part)
    return f"{place}: {words}" if place else words
