"""Secrets without a shape of their own: a name that says so, something that assigns, a value.

In code the same names hold expressions, names of settings and words of a text. So the name is
looked at (`secret_name`), and the value: of a password little can be said but that it is no word
and no code, anything else that is called secret must look as if it was drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from penstock.leaks.judge import entropy, stands_in, wordlike

# Searched in the text in lower case, so that each begins with a literal: that is what makes the
# search for it fast.
_GOES_ON = rb"[\w.-]{0,32}"
_ASSIGNS = (
    rb"(?:\\?[\"'`])?[\])]{0,2}(?:"
    rb"[ \t]{0,20}(?::[ \t]{0,2}(?:str|string|bytes|final)(?:[ \t]|\b))?[ \t]{0,20}(?:=>|:=|={1,3}|:)[ \t]{0,20}"
    rb"|,[ \t]{0,4}(?=\\?[\"'`])|[ \t]{1,4}(?=[\"']?[\w!@#$%^&*+/-]{12})|>(?=[^<\n]{6,200}</)"
    rb"|[ \t]{0,4}value[ \t]{0,2}=[ \t]{0,2})"
)
_VALUE = (
    rb"(?:[bru]{0,2}(?P<mark>\\?[\"'`])(?P<quoted>[^\s\"'`\\]{8,256})(?P=mark)"
    rb"|(?P<bare>[^\s\"'`\\,;<>(){}\[\]&|]{8,256})(?=[\s,;\"'<}\]&|]|\\n|\\\"|$))"
)
_WORDS = (rb"pass", rb"pwd", rb"secret", rb"token", rb"key", rb"credential")
_CANDIDATES = tuple(re.compile(word + _GOES_ON + _ASSIGNS + _VALUE) for word in _WORDS)

_NAME = re.compile(rb"[\w.-]*\Z")
_PASSWORD = re.compile(
    rb"(?:pass(?:word|wort|phrase|wd|code)?s?|pwd)(?:[_.-]?(?:[0-9]+|default|value|str|string|text|raw|prod|dev|test|admin|root|db|user))*\Z"
)
_BARE_PASS = re.compile(rb"(?:^|[_.-]|db|my|user|smtp|mail|admin|root|ftp|ssh)(?:pass|pwd)[0-9]*\Z")
_OWNER = (
    rb"api|app|secret|private|priv|access|auth|encrypt(?:ion)?|decrypt(?:ion)?|sign(?:ing|ature)?|master|session|crypto"
    rb"|cipher|aes|des|hmac|jwt|jwe|storage|account|service|shared|consumer|client|subscription|licen[sc]e"
    rb"|deploy|ssh|webhook|symmetric|write|admin|root|cookie|flask|django|rails|integration|server|user|hash"
    rb"|security|deployment|project|customer|merchant|primary|secondary|partner|rest|vault|seal|db|database|base"
)
_SECRET = re.compile(
    rb"(?:secret|token|credentials?|(?:"
    + _OWNER
    + rb")[_. -]?(?:secret[_. -]?|access[_. -]?|api[_. -]?)?key)s?"
    rb"(?:[_.-]?(?:[0-9]+|default|value|str|string|text|raw|prod|dev|test|live|base|hex|b64|base64|v[0-9]|key|access|pre))*\Z"
)
_OPEN = re.compile(
    rb"(?:public|pub|publishable|primary|foreign|sort|partition|host|cache|websocket|row|map|dict|group"
    rb"|index|unique|translation|object|s3|idempotency|routing)[_.-]?key\Z"
    rb"|(?:continuation|next|page|cursor|sync|resume|marker|pagination|change)[_.-]?token\Z"
)
_BARE_KEY = re.compile(rb"(?:^|[_.-])key[0-9]*\Z")

_BASE64 = re.compile(rb"[A-Za-z0-9_+/.~-]+={0,2}")
_HEX = re.compile(rb"(?:0x)?(?:[0-9a-f]+|[0-9A-F]+)")
_UUID = re.compile(rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLACE = re.compile(
    rb"^(?:[a-z][a-z0-9+.-]*:/|urn:|arn:|~?/[\w.-]+/|\.{1,2}/)|@[\w-]+\.[a-z]{2,}$|^\d{4}-\d\d-\d\d"
    rb"|^v?\d+\.\d+\.\d+"
)
_CODE = re.compile(
    rb"[()\[\]{}<>]|::|->|&&|\|\||\?.*:|[+*/-]=|^[!=:]|\\"
    rb"|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|[A-Za-z_][+*/:-][A-Za-z_]\w*$|%[sdr]"
)
_FORMAT = re.compile(rb"%[sdr(]|\{[\w.!:]*\}|\$\{|^\^|\$$|\\[wds]|\[[a-zA-Z0-9]-")
_WEAK = re.compile(
    rb"(?i)(?:my|the|an?|test|testing|super|top|secret|password|passwd|pass|pw|pwd|token|key|admin|root|user"
    rb"|guest|default|demo|foo|bar|baz|qux|hello|world|some|new|old|login|letmein|welcome|api|db|postgres|sql"
    rb"|mysql|redis|mongo|rabbit|mq|secure|very|long|strong|random|string|value|name|none|null|true|false|s3cr3t"
    rb"|p[a@4](?:s|\$){2}?w[o0]rd|access|client|server|auth|service|account|bearer|valid|invalid|wrong|bad|good"
    rb"|hunter|tiger|scott|spam|eggs|ham|abc|xyz|[\W_]|[0-9]{1,4}(?![0-9]))+[0-9!]{0,6}"
)
_CONTEXT = 100
_DRAWN_HEX = 32
_DRAWN = 16
_LETTER, _UPPER, _LOWER, _DIGIT = (
    re.compile(p) for p in (rb"[A-Za-z]", rb"[A-Z]", rb"[a-z]", rb"[0-9]")
)
_SYMBOL = re.compile(rb"[^A-Za-z0-9_./:,=-]")


class Assigned(NamedTuple):
    """A value that a name was given: where it stands, whether in quotes, and what it may be."""

    start: int
    end: int
    quoted: bool
    name: bytes
    password: bool

    def context(self, lowered: bytes) -> bytes:
        """Return the text before the value in which a provider may be named."""
        return lowered[max(0, self.start - _CONTEXT) : self.start]


def assigned(lowered: bytes) -> Iterator[Assigned]:
    """Yield the values given to names that say secret, of a text in lower case."""
    for pattern in _CANDIDATES:
        for match in pattern.finditer(lowered):
            group = "quoted" if match["mark"] else "bare"
            start, end = match.span(group)
            name = _name(lowered, match, start)
            kind = _kind(name)
            if kind:
                yield Assigned(start, end, group == "quoted", name, kind == "password")


def _name(lowered: bytes, match: re.Match[bytes], value_at: int) -> bytes:
    begin = match.start()
    before = _NAME.search(lowered, max(0, begin - 32), begin)
    goes_on = re.compile(rb"[\w.-]*").match(lowered, begin, value_at)
    return (before[0] if before else b"") + (goes_on[0] if goes_on else b"")


def _kind(name: bytes) -> str:
    name = name.rstrip(b"_.")
    if _PASSWORD.search(name):
        bare = name.endswith((b"pass", b"pwd"))
        return "password" if not bare or _BARE_PASS.search(name) else ""
    if (_SECRET.search(name) or _BARE_KEY.search(name)) and not _OPEN.search(name):
        return "secret"
    return ""


def plausible(value: bytes, found: Assigned) -> bool:
    """Tell whether an assigned value looks like a secret rather than a word, a name or code."""
    if worded(value):
        return False
    if drawn(value):
        return True
    if not found.password or _FORMAT.search(value) or _PLACE.search(value):
        return False
    return (found.quoted or not _CODE.search(value)) and _password(value)


def worded(value: bytes) -> bool:
    """Tell whether a value is made of words as settings, texts and examples hold them."""
    return stands_in(value) or bool(_WEAK.fullmatch(value))


def _password(value: bytes) -> bool:
    if not _LETTER.search(value):
        return False
    symbol, digit = _SYMBOL.search(value), _DIGIT.search(value)
    if symbol and not wordlike(value):
        return bool(digit or (_UPPER.search(value) and _LOWER.search(value)))
    if symbol:
        return bool(digit)
    return bool(digit) and not wordlike(value) and entropy(value) >= 2.5


def drawn(value: bytes) -> bool:
    """Tell whether a value looks as if it was drawn: a key in hexadecimal, base64 or the like."""
    if len(value) < _DRAWN or not _BASE64.fullmatch(value) or len(_DIGIT.findall(value)) < 2:
        return False
    if _UUID.fullmatch(value) or not _LETTER.search(value):
        return False
    if _HEX.fullmatch(value):
        return len(value) >= _DRAWN_HEX and entropy(value) >= 3.0
    return not wordlike(value) and entropy(value) >= 3.3
