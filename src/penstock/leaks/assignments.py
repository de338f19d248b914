"""Secrets without a shape of their own: a name that says so, something that assigns, a value.

In code the same names hold expressions, names of settings and words of a text; what the values
look like is judged in `penstock.leaks.values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

# Searched in the text in lower case, so that each begins with a literal: that is what makes the
# search for it fast.
_WORDS = (rb"pass", rb"pwd", rb"secret", rb"token", rb"key", rb"credential")
_GOES_ON = rb"[\w.-]{0,32}"
_ASSIGNS = (
    rb"(?:\\?[\"'`])?[\])]{0,2}(?:"
    # password = , password: str = , 'password' => , password := , password:
    rb"[ \t]{0,20}(?::[ \t]{0,2}(?:str|string|bytes|final)(?:[ \t]|\b))?[ \t]{0,20}"
    rb"(?:=>|:=|={1,3}|:)[ \t]{0,20}"
    # ("password", "...") and --password ... and <password>...</password>
    rb"|,[ \t]{0,4}(?=\\?[\"'`])|[ \t]{1,4}(?=[\"']?[\w!@#$%^&*+/-]{8})|>(?=[^<\n]{6,200}</)"
    # name: PASSWORD, value: ...
    rb"|[\s,]{1,20}\\?[\"']?value\\?[\"']?[ \t]{0,2}[:=][ \t]{0,4})"
)
_QUOTED = rb"(?P<quoted>[^\s\"'`\\]{8,256})"
_BARE = rb"(?P<bare>[^\s\"'`\\,;<>(){}\[\]&|]{8,256})"
_NO_WORD = rb"(?=[a-z.:/()_-]{0,200}+[^\s\"'`\\])"
"""Beside letters and what joins words there is something else: most values end here."""
_VALUE = (
    # also within a call: bytes.fromhex("...")
    rb"(?:(?:[\w.]{0,24}(?:fromhex|unhexlify|b\d\ddecode|secretstr|fernet|bytes)\()?[bru]{0,2}(?P<mark>\\?[\"'`])%b"
    + _QUOTED
    + rb"(?P=mark)"
    rb"|%b" + _BARE + rb"(?=[\s,;\"'<}\])&|]|\\n|\\\"|$))"
)

_NAME = re.compile(rb"[\w.-]*\Z")
_NAME_GOES_ON = re.compile(rb"[\w.-]*")
_TAIL = rb"(?:[_.-]?(?:[0-9]++|default|value|str|string|text|raw|prod|dev|test|live|%b))*+\Z"
_PASSWORD = re.compile(
    rb"(?:pass(?:word|wort|phrase|wd|code)?s?|pwd)" + _TAIL.replace(b"%b", rb"admin|root|db|user")
)
_SHORT = (b"pass", b"pwd")
_SHORT_PASSWORD = re.compile(
    rb"(?:^|[_.-]|db|my|user|smtp|mail|admin|root|ftp|ssh|require|master|auth)(?:pass|pwd)[0-9]*\Z"
)
_SECRET = re.compile(
    rb"(?:secret|token|credentials?|(?:api|app|secret|private|priv|access|auth|encrypt(?:ion)?"
    rb"|decrypt(?:ion)?|sign(?:ing|ature)?|master|session|crypto|cipher|aes|des|hmac|jwt|jwe"
    rb"|storage|account|service|shared|consumer|client|subscription|licen[sc]e|deploy|ssh|webhook"
    rb"|symmetric|write|admin|root|cookie|flask|django|rails|integration|server|user|hash|security"
    rb"|deployment|project|customer|merchant|primary|secondary|partner|rest|vault|seal|db|database"
    rb"|base)[_. -]?(?:secret[_. -]?|access[_. -]?|api[_. -]?)?key)s?"
    + _TAIL.replace(b"%b", rb"base|hex|b64|base64|v[0-9]|key|access|pre")
)
_BARE_KEY = re.compile(rb"(?:^|[_.-])key[0-9]*\Z")
_OPEN = re.compile(
    rb"(?:public|pub|publishable|foreign|sort|partition|host|cache|websocket|row|map|dict|group"
    rb"|index|unique|translation|object|s3|idempotency|routing)[_.-]?key\Z"
    rb"|(?:continuation|next|page|cursor|sync|resume|marker|pagination|change)[_.-]?token\Z"
)
_SHORTEST = {_PASSWORD: 8, _SECRET: 16, _BARE_KEY: 24}
_LONGEST_NAME = 32
_CONTEXT = 100


class Assigned(NamedTuple):
    """A value that a name was given: where it stands, whether in quotes, and what it may be.

    `shortest` is the length below which it is no secret.
    """

    start: int
    end: int
    quoted: bool
    password: bool
    shortest: int

    def context(self, lowered: bytes) -> bytes:
        """Return the text before the value in which a provider may be named."""
        return lowered[max(0, self.start - _CONTEXT) : self.start]


def assigned(lowered: bytes, *, words: bool = False) -> Iterator[Assigned]:
    """Yield the values given to names that say secret, of a text in lower case.

    Values of nothing but letters are left out unless `words` are asked for.
    """
    for pattern in _candidates(words):
        for match in pattern.finditer(lowered):
            quoted = match["mark"] is not None
            start, end = match.span("quoted" if quoted else "bare")
            name = _name(lowered, match.start(), start)
            kind = _kind(name)
            # self.password2 = password2 hands something on
            if kind and (quoted or not name.endswith(match["bare"])):
                yield Assigned(start, end, quoted, kind is _PASSWORD, _SHORTEST[kind])


@cache
def _candidates(words: bool) -> tuple[re.Pattern[bytes], ...]:
    value = _VALUE.replace(b"%b", b"" if words else _NO_WORD)
    return tuple(re.compile(word + _GOES_ON + _ASSIGNS + value) for word in _WORDS)


def _name(lowered: bytes, begin: int, value_at: int) -> bytes:
    before = _NAME.search(lowered, max(0, begin - _LONGEST_NAME), begin)
    goes_on = _NAME_GOES_ON.match(lowered, begin, value_at)
    return (before[0] if before else b"") + (goes_on[0] if goes_on else b"")


def _kind(name: bytes) -> re.Pattern[bytes] | None:
    name = name.rstrip(b"_.")
    if _PASSWORD.search(name):
        short = name.endswith(_SHORT) and not _SHORT_PASSWORD.search(name)
        return None if short else _PASSWORD
    if _OPEN.search(name):
        return None
    return next((kind for kind in (_SECRET, _BARE_KEY) if kind.search(name)), None)
