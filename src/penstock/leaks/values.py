"""What a value that was given to a name looks like: a secret, a word, a place, or code."""

from __future__ import annotations

import binascii
import re

from penstock.leaks.judge import entropy, stands_in, wordlike

_BASE64 = re.compile(rb"[A-Za-z0-9_+/.~-]+={0,2}")
_HEX = re.compile(rb"(?:0x)?(?:[0-9a-f]+|[0-9A-F]+)")
_UUID = re.compile(rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DOTTED = re.compile(rb"[a-z0-9-]+(?:[_.][a-z0-9-]+){2,}|[A-Z0-9]+(?:_[A-Z0-9]+){2,}")
_NAME = re.compile(rb"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_FILE = re.compile(rb"[\w./-]*/[\w.-]+\.[a-z]{2,4}")
_PLACE = re.compile(
    rb"^(?:[a-z][a-z0-9+.-]*:/|urn:|arn:|~?/[\w.-]+/|\.{1,2}/)|@[\w-]+\.[a-z]{2,}$"
    rb"|^\d{4}-\d\d-\d\d|^v?\d+\.\d+\.\d+|^(?:[a-z0-9-]+\.)+[a-z]{2,6}$"
)
_CODE = re.compile(
    rb"[()\[\]{}<>]|::|->|&&|\|\||\?.*:|[+*/!=-]=|^[!=:]|\\"
    rb"|[A-Za-z_][+*/:-][A-Za-z_]\w*$|%[sdr]"
)
_PERCENT = re.compile(rb"%[sdr(]")
_FORMAT = re.compile(rb"\{[\w.!:]*\}|\$\{|^\^|\$$|\\[wds]|\[[a-zA-Z0-9]-")
_WEAK = re.compile(
    rb"(?i)(?:my|the|an?|test|testing|super|top|secret|password|passwd|pass|pw|pwd|token|key|admin"
    rb"|root|user|guest|default|demo|foo|bar|baz|qux|hello|world|some|new|old|login|letmein|welcome"
    rb"|api|db|postgres|sql|mysql|redis|mongo|rabbit|mq|secure|very|long|strong|random|string|value"
    rb"|name|none|null|true|false|s3cr3t|p[a@4](?:s|\$){2}?w[o0]rd|access|client|server|auth"
    rb"|service|account|bearer|valid|invalid|wrong|bad|good|hunter|tiger|scott|spam|eggs|ham|abc"
    rb"|xyz|[\W_]|[0-9]{1,4}(?![0-9]))++[0-9!]{0,6}"
)
_ONE_WORD = re.compile(rb"[A-Z]?[a-z\x80-\xff]+|[A-Z\x80-\xff]+")
_SHORTEST_DRAWN = 16
_SHORTEST_HEX = 32
_SHORTEST_TYPED = 24
_FEWEST_OF_A_KIND = 3
_LETTER, _UPPER, _LOWER = re.compile(rb"[A-Za-z]"), re.compile(rb"[A-Z]"), re.compile(rb"[a-z]")
_DIGIT = re.compile(rb"[0-9]")
_SYMBOL = re.compile(rb"[^A-Za-z0-9_./:,=-]")


def plausible(value: bytes, *, password: bool, quoted: bool) -> bool:
    """Tell whether an assigned value looks like a secret rather than a word, a name or code.

    Of a password little can be said but that it is none of these. Anything else that is called
    secret must look as if it was drawn.
    """
    if worded(value) or (not quoted and _NAME.fullmatch(value)):
        return False
    if drawn(value) or (quoted and _typed(value)):
        return True
    return password and _password(value) and (quoted or not _CODE.search(value))


def worded(value: bytes) -> bool:
    """Tell whether a value is made of words as settings, texts and examples hold them."""
    return stands_in(value) or bool(_WEAK.fullmatch(value) or _WEAK.fullmatch(_plain(value)))


def one_word(value: bytes) -> bool:
    """Tell whether a value is nothing but the letters of one word, of any language."""
    return bool(_ONE_WORD.fullmatch(value))


def _plain(value: bytes) -> bytes:
    """Return the text that a value is in base64, else nothing."""
    try:
        text = binascii.a2b_base64(value, strict_mode=True)
    except binascii.Error:
        return b""
    return text if text.isascii() else b""


def drawn(value: bytes) -> bool:
    """Tell whether a value looks as if it was drawn: a key in hexadecimal, base64 or the like."""
    if not may_be_key(value) or _UUID.fullmatch(value) or _FILE.fullmatch(value):
        return False
    if _HEX.fullmatch(value):
        return len(value) >= _SHORTEST_HEX and entropy(value) >= 3.0
    return not (wordlike(value) or _DOTTED.fullmatch(value)) and entropy(value) >= 3.3


def _typed(value: bytes) -> bool:
    """Tell whether a value is a key over all the characters that there are on a keyboard."""
    if len(value) < _SHORTEST_TYPED or wordlike(value):
        return False
    few = min(len(kind.findall(value)) for kind in (_LETTER, _DIGIT, _SYMBOL))
    return few >= _FEWEST_OF_A_KIND and entropy(value) >= 3.8 and not _odd(value)


def _odd(value: bytes) -> bool:
    return bool(_FORMAT.search(value) or _PLACE.search(value))


def may_be_key(value: bytes) -> bool:
    """Tell whether a value has the length and the characters that keys have."""
    enough = len(value) >= _SHORTEST_DRAWN and _BASE64.fullmatch(value)
    return bool(enough and _DIGIT.search(value) and _LETTER.search(value))


def _password(value: bytes) -> bool:
    if not _LETTER.search(value) or _odd(value) or _PERCENT.search(value):
        return False
    digit = bool(_DIGIT.search(value))
    if not _SYMBOL.search(value):
        return digit and not wordlike(value) and entropy(value) >= 2.5
    return digit or (not wordlike(value) and _both_cases(value))


def _both_cases(value: bytes) -> bool:
    return bool(_UPPER.search(value) and _LOWER.search(value))
