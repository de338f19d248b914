"""What a rule for one kind of secret is, and how the rules of the tables are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Level = Literal["certain", "default", "all"]
"""How much is reported. `certain`: only what has a provider's own shape. `default`: also
assignments and addresses that look like real ones. `all`: placeholders and weak values too."""

LEVELS: tuple[Level, ...] = ("certain", "default", "all")

BEFORE = (
    rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u00[0-9a-fA-F]{2})"
    rb"|(?<=[\[;][0-9]m)|(?<=[\[;][0-9]{2}m))"
)
"""A secret begins where no word goes on; an escape sequence of JSON, of
addresses or of a terminal is no part of a word."""
AFTER = rb"(?![A-Za-z0-9])"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    A text that holds none of `keywords` (case as written) holds no match, and each match begins
    at most `lead` bytes before a keyword. `group` of `pattern` is the secret. A value with less
    than `entropy` bits a byte (Shannon, over its own bytes) is none.

    Of a `named` rule `pattern` is that of a whole value, and counts where the value is given to
    a name that says secret (see `penstock.leaks.assignments`), with a keyword, in lower case, in
    the name or shortly before it. Without a pattern it stands for what no provider's rule takes.
    """

    id: str
    title: str
    keywords: tuple[bytes, ...]
    pattern: bytes
    group: int = 0
    entropy: float = 0.0
    level: Level = "certain"
    provider: str = ""
    lead: int = 0
    named: bool = False


def shaped(
    rule_id: str,
    provider: str,
    what: str,
    body: bytes,
    *keywords: bytes,
    lead: int = 0,
    entropy: float = 2.5,
    after: bytes = AFTER,
) -> Rule:
    """Return the rule of a token that its own shape gives away: a prefix, a length, an alphabet.

    The secret is the whole of `body`, between the ends of a word.
    """
    return Rule(
        id=rule_id,
        title=f"{provider} {what}",
        keywords=keywords,
        pattern=BEFORE + b"(" + body + b")" + after,
        group=1,
        entropy=entropy,
        provider=provider,
        lead=lead,
    )


def keyed(rule_id: str, provider: str, what: str, keyword: bytes, body: bytes) -> Rule:
    """Return the rule of a value that only what stands directly before it gives away."""
    return Rule(
        id=rule_id,
        title=f"{provider} {what}",
        keywords=(keyword,),
        pattern=re.escape(keyword) + b"(" + body + b")",
        group=1,
        entropy=3.0,
        provider=provider,
    )
