"""Findings that a comment in the file sets aside.

    import os  # penstock: ignore[F401]              this line, this rule
    # penstock: ignore[ruff:F401, bandit:*] - why    the next line, by tool and rule
    // penstock: ignore                              the next line, whatever is found there
    <!-- penstock: ignore-file[MD013] -->            the whole file, in its first 20 lines

Any comment mark will do. A rule is a code, `tool:code` or `tool:*`; case makes no difference. What the
engine says of itself (a tool that crashed, a file that could not be checked) cannot be set aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from penstock.model.finding import Finding
from penstock.model.inspection import NOT_CHECKED, PLUGIN_FAILED, TOOL_MISSING

WORD = "penstock:"
FILE_LINES = 20
"""How many lines at the top of a file are looked at for a comment about the whole file."""
EVERY = "*"
UNCHECKED = frozenset({NOT_CHECKED, PLUGIN_FAILED, TOOL_MISSING})
"""Codes of findings that say that nothing was checked: never a pass."""

# An opening bracket that is not closed must not widen the comment to all rules.
_DIRECTIVE = re.compile(
    r"penstock:[ \t]*ignore(?P<file>-file)?"
    r"(?:[ \t]*\[(?P<rules>[^\[\]]*)\]|(?![\w-]|[ \t]*\[))"
)
_MARK = re.compile(
    r"#+|//+|/\*+|\*|<!--|<#|\{#|\{\{!(?:--)?|\(\*|--|;+|%+|\b(?:rem|dnl)\b", re.IGNORECASE
)

Rules = frozenset[str]


class Suppressions(msgspec.Struct, frozen=True, kw_only=True):
    """What the comments of one file set aside: rules for all of it, and by line (from 1)."""

    whole: Rules = frozenset()
    lines: Mapping[int, Rules] = msgspec.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.whole or self.lines)

    def covers(self, found: Finding) -> bool:
        """Tell whether a finding is set aside."""
        if is_unchecked(found):
            return False
        at_line = self.lines.get(found.line, frozenset()) if found.line else frozenset()
        return not at_line.isdisjoint(names := _names(found)) or not self.whole.isdisjoint(names)


NONE = Suppressions()


def is_unchecked(found: Finding) -> bool:
    """Tell whether a finding says that a check could not do its work."""
    return found.code in UNCHECKED


def suppressions(lines: Sequence[str]) -> Suppressions:
    """Read the comments of a file from its lines. Never raises; what is no such comment is nothing."""
    whole: set[str] = set()
    by_line: dict[int, Rules] = {}
    pending: Rules = frozenset()
    for number, line in enumerate(lines, start=1):
        if WORD not in line:
            if pending:
                by_line[number] = by_line.get(number, frozenset()) | pending
                pending = frozenset()
            continue
        here, next_line, everywhere = _read(line, may_be_whole=number <= FILE_LINES)
        whole |= everywhere
        if at_line := here | pending:
            by_line[number] = at_line
        # comments of their own above each other all mean the line below them
        pending = (pending | next_line) if next_line or everywhere else frozenset()
    return Suppressions(whole=frozenset(whole), lines=by_line) if whole or by_line else NONE


def split(
    findings: Iterable[Finding], comments: Suppressions
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings of a file that stay, and those that its comments set aside."""
    told = tuple(findings)
    if not comments:
        return told, ()
    kept = tuple(found for found in told if not comments.covers(found))
    return kept, tuple(found for found in told if comments.covers(found))


def _read(line: str, *, may_be_whole: bool) -> tuple[Rules, Rules, Rules]:
    """Return the rules that a line sets aside in itself, in the next line, and in the whole file."""
    here: set[str] = set()
    below: set[str] = set()
    whole: set[str] = set()
    mark = _MARK.search(line)
    if mark is None:
        return frozenset(), frozenset(), frozenset()
    alone = not line[: mark.start()].strip()
    for match in _DIRECTIVE.finditer(line, mark.end()):
        rules = _rules(match["rules"])
        own = alone and not line[mark.end() : match.start()].strip()
        if not match["file"]:
            here |= rules
            below |= rules if own else frozenset()
        elif own and may_be_whole:  # strict, or a text that explains it would silence its file
            whole |= rules
    return frozenset(here), frozenset(below), frozenset(whole)


def _rules(inside: str | None) -> Rules:
    if inside is None:
        return frozenset({EVERY})
    return frozenset(rule for part in inside.split(",") if (rule := part.strip().casefold()))


def _names(found: Finding) -> Rules:
    """Return all rules that mean a finding."""
    tool = found.tool.casefold()
    if found.code is None:
        return frozenset({EVERY, f"{tool}:*"})
    code = found.code.casefold()
    return frozenset({EVERY, f"{tool}:*", code, f"{tool}:{code}"})
