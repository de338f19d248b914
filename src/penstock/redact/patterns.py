"""What secrets look like: keys of providers, assignments, addresses with passwords, private keys.

Each pattern but that of a private key stays within a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from penstock.leaks.rule import BEFORE, Rule
from penstock.redact.search import Finder, Span, make_finder

KEY_HINT = b"PRIVATE KEY"

# -- tokens whose beginning says what they are, also cut short -------------------------------------
_TOKENS = re.compile(
    BEFORE + rb"(?:"
    rb"sk-[A-Za-z0-9_-]{8,}"
    rb"|AKIA[A-Z0-9]{12,}"
    rb"|gh[ops]_[A-Za-z0-9]{16,}"
    rb"|github_pat_[A-Za-z0-9_]{16,}"
    rb"|AIza[A-Za-z0-9_-]{30,})"
)
# Looking for a few short words first makes clean text, which is nearly all of it, cheap.
_TOKEN_HINTS = (b"sk-", b"AKIA", b"gho_", b"ghp_", b"ghs_", b"github_pat_", b"AIza")
_BEARER_TOKEN = re.compile(
    rb"(?i:\bbearer)[ \t]+((?=[^\s\"']{0,199}[0-9])[A-Za-z0-9._~+/-]{16,}=*)"
)

# -- what a name gives away ------------------------------------------------------------------------
_URL_PASSWORD = re.compile(rb"(://[^/\s:@]*:)([^/\s@]+)(?=@)")

# The rest is searched in the text in lower case.
_BEARER = re.compile(
    rb"(\bbearer[ \t]+|\bauthorization\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?(?:basic|token)[ \t]+)"
    rb"([a-z0-9._~+/=-]{6,})"
)
_NAME = (
    rb"(?:password|passwd|passphrase|secret|token|"
    rb"(?:api|secret|access|private|auth)[_-]?key(?:[_-]id)?)"
)
_ASSIGNMENT = re.compile(
    rb"(" + _NAME + rb"\\*[\"']?[ \t]*(?:=>|:=|[:=])[ \t]*)"
    # a quoted value, one in quotes that are escaped themselves, an open quote, or a bare word
    rb"(?:\"((?:[^\"\\\n]|\\.)+)\"|'((?:[^'\\\n]|\\.)+)'|\\+[\"']([^\"'\n]+?)\\+[\"']"
    rb"|[\"']([^\"'\n]+)$|((?!\[redacted\]|[=>\"']|\\+[\"']|[\[({]+(?:\s|$))"
    # a bare word may hold commas, but not the next assignment
    rb"(?:[^\s\"'&,;]|[,;](?![\w.-]+[=:]))*[^\s\"'&,;)\]}]))",
    re.MULTILINE,
)
_FLAG = re.compile(rb"(--[a-z0-9-]*(?:password|passphrase|secret|token|api-key)[ \t]+)([^\s-]\S*)")
_NAMED: tuple[tuple[re.Pattern[bytes], tuple[bytes, ...]], ...] = (
    (_BEARER, (b"bearer", b"authorization")),
    (_ASSIGNMENT, (b"pass", b"secret", b"token", b"key")),
    (_FLAG, (b"--",)),
)

# In clean text none of these stands, in lower case. What is not here needs one that is: flags and
# private keys hold `key`, `pass`, `secret` or `token`.
_HINTS = tuple(
    dict.fromkeys(
        [hint.lower() for hint in _TOKEN_HINTS]
        + [hint for _, hints in _NAMED for hint in hints if hint != b"--"]
    )
)

# -- private keys --------------------------------------------------------------------------------
KEY_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
KEY_END = re.compile(rb"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
KEY_BODY = re.compile(
    rb"\W*$|.*[A-Za-z0-9+/=]{20}|[\s>|+\"',\\-]*[A-Za-z0-9+/=]+[\s\"',\\]*$"
    rb"|\W*(?:Proc-Type|DEK-Info|Version|Comment):"
)


class _Shapes:
    """The keys of providers: each rule is tried where one of its keywords stands."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        by_word: dict[bytes, list[Rule]] = {}
        for rule in rules:
            for word in rule.keywords:
                by_word.setdefault(word, []).append(rule)
        self._finder: Finder = make_finder(tuple(by_word))
        self._rules = tuple(by_word.values())

    def find(self, data: bytes) -> Iterator[tuple[int, int, int]]:
        """Yield where a key begins to show, and its span."""
        for index, at in self._finder.hits(data):
            for rule in self._rules[index]:
                match = _match(_compiled(rule.pattern), data, at, rule.lead)
                if match is not None:
                    yield match.start(), *match.span(rule.group)


@cache  # most are never needed, and all of them take a while
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)


def _match(pattern: re.Pattern[bytes], data: bytes, at: int, lead: int) -> re.Match[bytes] | None:
    for start in range(max(0, at - lead), at + 1):
        match = pattern.match(data, start)
        if match is not None:
            return match
    return None


@cache
def _shapes() -> _Shapes:
    from penstock.leaks.rules import RULES  # not needed to find known values

    # keys of several lines have a stage of their own, and addresses another pattern
    return _Shapes(r for r in RULES if r.level == "certain" and not r.id.endswith("private-key"))


def may_look_secret(data: bytes) -> bool:
    """Tell cheaply whether something may look like a secret, also where the data is JSON."""
    lowered = data.lower()
    if _hints().holds(lowered) or (b"@" in data and b"://" in data):
        return True
    return next(_shapes().find(data), None) is not None


@cache
def _hints() -> Finder:
    return make_finder(_HINTS)


def cut_outside_secrets(window: bytes, overlap: int, *, named: bool = True) -> int:
    """Return where to cut a part of an endless line: before the overlap, but within no secret."""
    spans, opened = key_spans(window)
    spans += [(start, end) for start, _, end in secrets(window, named=named)]
    if opened >= 0:
        spans.append((opened, len(window)))
    cut = len(window) - overlap
    for start, end in sorted(spans):
        if start < cut < end:
            cut = end
    return cut


def key_spans(data: bytes) -> tuple[list[Span], int]:
    """Find the private keys in a line, and where one begins that does not end, else -1."""
    spans: list[Span] = []
    at = 0
    while begin := KEY_BEGIN.search(data, at):
        end = KEY_END.search(data, begin.end())
        if end is None:
            return spans, begin.start()
        spans.append((begin.start(), at := end.end()))
    return spans, -1


def secrets(data: bytes, *, named: bool = True) -> Iterator[tuple[int, int, int]]:
    """Yield where something is that shows a secret, and from where to where the secret is.

    In no particular order, overlaps included; without `named` not what only a name gives away.
    """
    if any(hint in data for hint in _TOKEN_HINTS):
        yield from ((m.start(), *m.span()) for m in _TOKENS.finditer(data))
    if b"@" in data and b"://" in data:
        yield from ((m.start(), *m.span(2)) for m in _URL_PASSWORD.finditer(data))
    if b"earer" in data or b"EARER" in data:
        yield from ((m.start(), *m.span(1)) for m in _BEARER_TOKEN.finditer(data))
    yield from _shapes().find(data)
    if not named:
        return
    lowered = data.lower()
    for pattern, hints in _NAMED:
        if any(hint in lowered for hint in hints):
            for m in pattern.finditer(lowered):
                yield m.start(), *m.span(m.lastindex or 0)


def secret_spans(data: bytes, *, named: bool = True) -> list[Span]:
    """Return where secrets stand, in order; they may overlap."""
    return sorted((start, end) for _, start, end in secrets(data, named=named))
