"""Whether a value is a real secret, or a word, or what documentation puts in a secret's place."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter

_STAND_IN = re.compile(
    rb"example|change-?_?(?:me|it|this)|replace-?_?(?:me|this|with)|placeholder|redacted"
    rb"|dummy|fake|sample|insert[-_]|your[-_]|[-_]your|xxxx|\*\*\*\*|\.\.\.|[-_]here\b|dead-?beef"
    rb"|not-?_?(?:a-?_?)?(?:real|secret|used)|0123456|1234567|abcdef|abcd1234|qwerty|asdfgh"
    rb"|foobar|lorem|insecure",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    rb"^[\"']?(?:\$[({A-Za-z_]|\{\{|\{%|<[^>]*>?$|%[({]|%[A-Za-z_]+%|#\{|@[{(]|[@%#]?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+[@%#]?$|\{[\w.:!]*\})|\$\{|\{\{|%\("
)
_REPEATS = re.compile(rb"(.)\1{5,}|(..)\2{3,}|(....)\3{2,}|(.{6,20})\4", re.DOTALL)
_PUBLISHED = frozenset(
    (
        # RFC 5849, 6455, 6749, 6750, 7009, 7617
        b"0685bd9184jfhq22 ad180jjd733klru7 hh5s93j4hdidpola hdhd0244k9j7ao03 nnch734d00sl2jdk"
        b" pfkkdhi9sl3r4s00 dpf43f3p2l4k3l03 kd94hf93k423kf44 dGhlIHNhbXBsZSBub25jZQ=="
        b" 2YotnFZFEjr1zCsicMWpAA tGzv3JOkF0XG5Qx2TlKWIA mF_9.B5f-4.1JqM 45ghiukldjahdnhzdauz"
        b" czZCaGRSa3F0MzpnWDFmQmF0M2JW SplxlOBeZQQYbYS6WxSbIA QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        # the key of the emulator of Azure's storage, the same for all
        b" Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    ).split()
)
"""Examples that standards and providers publish, copied into tests and documents everywhere."""
_LONGEST_STAND_IN = 256
"""What is longer holds such words, and zeros in a row, by chance."""
_SEQUENCE = 6
"""So many characters that each follow the one before are typed, not drawn."""

_LETTERS = re.compile(rb"[a-z]+")
_FOLLOW = {
    b"a": b"bcdgiklmnprstuvy",
    b"b": b"aeilou",
    b"c": b"acehiklortu",
    b"d": b"adeilosu",
    b"e": b"acdefglmnpqrstvxy",
    b"f": b"aefiloru",
    b"g": b"ehinrs",
    b"h": b"aeiot",
    b"i": b"abcdefglmnoprstvz",
    b"k": b"e",
    b"l": b"adeilostuy",
    b"m": b"abeimopsu",
    b"n": b"acdefgiostuv",
    b"o": b"bcdgiklmnoprstuvw",
    b"p": b"aeiloprtuy",
    b"q": b"u",
    b"r": b"acdegimnorstuy",
    b"s": b"acehilopstuy",
    b"t": b"acehiloprstuy",
    b"u": b"abeilmnprst",
    b"v": b"aei",
    b"w": b"aehior",
    b"x": b"cet",
    b"y": b"pst",
    b"z": b"e",
}
_PAIRS = frozenset(
    first + bytes((second,)) for first, seconds in _FOLLOW.items() for second in seconds
)
"""The pairs of letters that make nine tenths of English words and of names in programs, and less
than a third of letters that are drawn."""
_LIKE, _UNLIKE = 1.19, -1.77
"""What a pair of these letters, and what another pair, says for a word: the logarithm of how much
oftener it stands in words than among letters that are drawn."""
_WORDLIKE = 2.5
"""So much must be said for a word: odds of twelve to one."""


def entropy(value: bytes) -> float:
    """Return the Shannon entropy of a value's own bytes, in bits a byte."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def stands_in(value: bytes) -> bool:
    """Tell whether a value only stands in the place of a secret.

    It names itself an example, refers to a variable, repeats itself, or counts up.
    """
    if value in _PUBLISHED:
        return True
    if len(value) > _LONGEST_STAND_IN:
        return False
    if any(_written(match[0]) for match in _STAND_IN.finditer(value)):
        return True
    return bool(_REFERENCE.search(value) or _REPEATS.search(value)) or _counts_up(value)


def _written(word: bytes) -> bool:
    """Tell whether letters are in one case, or begin with a capital, as nobody draws them."""
    return word.islower() or word.isupper() or word.istitle() or not word.strip(b"0123456789.*-_")


def _counts_up(value: bytes) -> bool:
    run = 1
    for before, after in itertools.pairwise(value):
        run = run + 1 if after - before == 1 else 1
        if run > _SEQUENCE:
            return True
    return False


def wordlike(value: bytes) -> bool:
    """Tell whether the letters of a value follow each other as in words, not as if drawn."""
    runs = _LETTERS.findall(value.lower())
    pairs = [run[at : at + 2] for run in runs for at in range(len(run) - 1)]
    return sum(_LIKE if pair in _PAIRS else _UNLIKE for pair in pairs) >= _WORDLIKE
