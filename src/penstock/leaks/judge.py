"""Whether a value is a real secret or one that documentation and tests put in a secret's place."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter

_STAND_IN = re.compile(
    rb"example|changeme|change[-_]?(?:it|this|me)|replace[-_]?(?:me|this|with)|placeholder|redacted"
    rb"|dummy|fake|sample|insert[-_]|your[-_]|[-_]your|xxxx|\*\*\*\*|\.\.\.\.?|_here\b|deadbeef"
    rb"|todo|not[-_]?(?:a[-_])?(?:real|secret|used)|0123456|1234567|abcdef|abcd1234|qwerty|asdf"
    rb"|foobar|loremipsum",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    rb"^[\"']?(?:\$[({A-Za-z_]|\{\{|\{%|<[^>]*>$|%[({A-Za-z]|#\{|@[{(]|\{[\w.]*\})"
)
_SEQUENCE = 6
"""So many characters that each follow the one before are typed, not drawn."""
_REPEATS = re.compile(rb"(.)\1{4,}|(..)\2{3,}|(....)\3{2,}", re.DOTALL)


def entropy(value: bytes) -> float:
    """Return the Shannon entropy of a value's own bytes, in bits a byte."""
    size = len(value)
    if not size:
        return 0.0
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def stands_in(value: bytes) -> bool:
    """Tell whether a value only stands in the place of a secret.

    It names itself an example, refers to a variable, repeats itself, or counts up.
    """
    return bool(
        _STAND_IN.search(value) or _REFERENCE.match(value) or _REPEATS.search(value)
    ) or _counts(value)


def _counts(value: bytes) -> bool:
    run = 1
    for before, after in itertools.pairwise(value):
        run = run + 1 if after - before == 1 else 1
        if run > _SEQUENCE:
            return True
    return False
