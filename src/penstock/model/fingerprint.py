"""Findings told again after the file has changed: what is new, what is gone, what is still there.

A fingerprint is made of the rule and the text of the line, as SARIF's partialFingerprints and the
baselines of other checkers are: moved lines, lines inserted elsewhere and another indentation keep it.
Equal lines under one rule are told apart by their order in the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b

import msgspec

from penstock.model.finding import Finding

LENGTH = 16
"""Hexadecimal digits of a fingerprint."""
_NUMBERS = re.compile(r"\d+")

Key = tuple[str | None, str]
"""Path and fingerprint."""

SECRET_TOOLS = frozenset({"secrets", "detect-secrets", "gitleaks", "kingfisher"})
"""Whose findings are told by their messages: the digest of a line that holds a password could be tried
out by whoever sees it."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two checks of the same files. `new` and `unchanged` are findings of the later one (so with
    today's lines), `fixed` those of the earlier one that are gone."""

    new: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    unchanged: tuple[Finding, ...] = ()


def source_lines(text: str) -> list[str]:
    """Return the lines of a text as checkers count them: a form feed, say, does not end one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def fingerprints(
    findings: Iterable[Finding], lines_of: Callable[[str], Sequence[str]]
) -> tuple[Finding, ...]:
    """Return the findings in their order, each with its fingerprint.

    `lines_of` returns the lines of a file by its path (see source_lines), none when it cannot be
    read; it is asked once for each path. A finding without a line, or with one beyond the end of
    the file, is told by its message, numbers left out. A fingerprint does not depend on the path.
    """
    told = tuple(findings)
    marks = [_mark(found, lines) for found, lines in _with_lines(told, lines_of)]
    digests: dict[int, str] = {}
    seen: Counter[tuple[str | None, str]] = Counter()
    for index in sorted(range(len(told)), key=lambda i: _position(told[i])):
        same = (told[index].path, marks[index])
        digests[index] = _digest(f"{marks[index]}\0{seen[same]}")
        seen[same] += 1
    return tuple(
        msgspec.structs.replace(found, fingerprint=digests[index])
        for index, found in enumerate(told)
    )


def compare(before: Iterable[Finding], after: Iterable[Finding]) -> Comparison:
    """Tell the findings of two checks apart by path and fingerprint, equal ones by their number.

    Every finding of `after` is either new or unchanged, every one of `before` either fixed or the
    counterpart of an unchanged one. One without a fingerprint is told by its message.
    """
    earlier = tuple(before)
    left = Counter(key_of(found) for found in earlier)
    new: list[Finding] = []
    unchanged: list[Finding] = []
    for found in after:
        key = key_of(found)
        (unchanged if left[key] > 0 else new).append(found)
        left[key] -= 1
    # the last of equal ones are taken for the fixed ones
    fixed: list[Finding] = []
    for found in reversed(earlier):
        key = key_of(found)
        if left[key] > 0:
            fixed.append(found)
            left[key] -= 1
    return Comparison(new=tuple(new), fixed=tuple(reversed(fixed)), unchanged=tuple(unchanged))


def key_of(found: Finding) -> Key:
    """Return what tells a finding from the others of a check."""
    return found.path, found.fingerprint or _digest(f"{_by_message(found)}\0")


def _with_lines(
    findings: Sequence[Finding], lines_of: Callable[[str], Sequence[str]]
) -> Iterator[tuple[Finding, Sequence[str]]]:
    known: dict[str, Sequence[str]] = {}
    for found in findings:
        if found.path is None or found.line is None:
            yield found, ()
            continue
        if found.path not in known:
            known[found.path] = lines_of(found.path)
        yield found, known[found.path]


def _position(found: Finding) -> tuple[int, int, str]:
    return found.line or 0, found.column or 0, found.message


def _mark(found: Finding, lines: Sequence[str]) -> str:
    """Return what is digested, but for the number among equals."""
    if found.tool in SECRET_TOOLS or found.line is None or not 0 < found.line <= len(lines):
        return _by_message(found)
    text = " ".join(lines[found.line - 1].split())
    return "\0".join((found.tool, found.code or "", "line", text))


def _by_message(found: Finding) -> str:
    text = " ".join(_NUMBERS.sub("0", found.message).split())
    return "\0".join((found.tool, found.code or "", "message", text))


def _digest(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=LENGTH // 2).hexdigest()
