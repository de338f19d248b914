"""Rules for secrets without a shape of their own: the name or the place beside it tells.

A name that says secret, something that assigns, and a value. What is assigned is judged by
`plausible`, as in code the same names hold expressions, names of settings and words of a text.
"""

from __future__ import annotations

import re

from penstock.leaks.judge import entropy, stands_in
from penstock.leaks.rule import Rule

_ASSIGNS = rb"[\"'`\])\\]{0,3}[ \t]{0,8}(?::[ \t]{0,2}(?i:str|string|bytes)[ \t]{0,2})?(?:=>|:=|==|=|:)[ \t]{0,8}"
_VALUE = (
    rb"(?:[bBrRuU]{0,2}(?P<quote>\\?[\"'`])(?P<quoted>[^\s\"'`\\]{8,200})(?P=quote)"
    rb"|(?P<bare>[^\s\"'`\\,;<>(){}\[\]]{8,200})(?=[\s,;\"'<}\])]|\\n|$))"
)
_REST = rb"[\w.-]{0,24}" + _ASSIGNS + _VALUE

KEY_HEAD = rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"

STRUCTURES: tuple[Rule, ...] = (
    Rule(
        id="private-key",
        title="private key",
        keywords=(b"PRIVATE KEY",),
        pattern=KEY_HEAD
        + rb"(?:\\r|\\n|[\s\"'+,|>#*\\-]){1,64}(?:(?:Proc-Type|DEK-Info|Version|Comment)[^\n]{1,120}\s{1,4}){0,4}[A-Za-z0-9+/=]{32,}",
        level="certain",
        lead=40,
    ),
    Rule(
        id="putty-private-key",
        title="PuTTY private key",
        keywords=(b"PuTTY-User-Key-File-",),
        pattern=rb"PuTTY-User-Key-File-[23]: [a-z0-9-]+\s+Encryption: [\s\S]{1,4000}?Private-Lines: \d+",
    ),
    Rule(
        id="json-web-token",
        title="JSON web token",
        keywords=(b"eyJ",),
        pattern=rb"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,})",
        group=1,
        entropy=3.0,
    ),
    Rule(
        id="address-with-password",
        title="password in an address",
        keywords=(b"://",),
        pattern=rb"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:@/\"'`<>]{0,100}:([^\s@/\"'`<>]{6,200})@[A-Za-z0-9_.\[%-]",
        group=1,
        level="default",
        lead=21,
    ),
)

NAMED: tuple[Rule, ...] = (
    Rule(
        id="assigned-password",
        title="password",
        keywords=(b"pass", b"pwd"),
        pattern=rb"(?i:pass(?:word|wd|phrase|wort)?|pwd)" + _REST,
        level="default",
    ),
    Rule(
        id="assigned-secret",
        title="secret",
        keywords=(b"secret", b"token", b"key", b"credential"),
        pattern=rb"(?i:secret|token|key|credentials?)" + _REST,
        level="default",
    ),
)

_HEX = re.compile(rb"(?:0x)?(?:[0-9a-f]{32,}|[0-9A-F]{32,})")
_WORDY = re.compile(rb"[A-Za-z_.:/-]+[0-9]{0,2}")
_WEAK = re.compile(
    rb"(?i)(?:my|the|a|test|testing|super|secret|password|passwd|pass|pwd|token|key|admin|root|user"
    rb"|guest|default|demo|foo|bar|baz|hello|world|some|new|old|login|letmein|welcome|api|postgres"
    rb"|mysql|redis|mongo|rabbit|secure|very|long|random|string|value|name|none|null|true|false|s3cr3t"
    rb"|p[a@]ss?w[o0]rd|access|client|[\W_]|[0-9]{1,4}(?![0-9]))+[0-9!]{0,6}"
)
_CODE = re.compile(
    rb"[()\[\]{}<>]|::|->|&&|\|\||^[./~]|^https?:|\\|^[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)+$"
)


def plausible(value: bytes, quoted: bool) -> bool:
    """Tell whether an assigned value looks like a secret rather than a word, a name or code."""
    if stands_in(value) or worded(value):
        return False
    if not quoted and _CODE.search(value):
        return False
    if _HEX.fullmatch(value):
        return entropy(value) >= 3.0
    return _classes(value) >= 2 and entropy(value) >= 2.75 and _has_digit(value)


def worded(value: bytes) -> bool:
    """Tell whether a value is made of words as settings, texts and examples hold them."""
    return bool(_WORDY.fullmatch(value) or _WEAK.fullmatch(value))


def _has_digit(value: bytes) -> bool:
    return any(48 <= byte <= 57 for byte in value)


def _classes(value: bytes) -> int:
    """Count the kinds of characters: lower, upper, digits, others."""
    kinds = (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^A-Za-z0-9_./:-]")
    return sum(1 for kind in kinds if re.search(kind, value))
