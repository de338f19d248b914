"""What the finder finds, where, and what it leaves alone."""

from __future__ import annotations

import random
import string

from penstock.leaks.match import Leak, LeakFinder

FINDER = LeakFinder()


def drawn(size: int, alphabet: str = string.ascii_letters + string.digits, seed: int = 7) -> bytes:
    """Characters drawn from an alphabet, the same for a seed."""
    draw = random.Random(seed)
    return "".join(draw.choice(alphabet) for _ in range(size)).encode()


def test_a_token_is_found_with_its_place() -> None:
    """Offsets count bytes, line and column count from 1."""
    token = b"ghp" + b"_" + drawn(36)
    text = b"# \xc3\xa9\nA = 1\n  t = '" + token + b"'\n"
    (leak,) = FINDER.find(text)
    start = text.index(token)
    assert leak == Leak("github-token", start, start + len(token), 3, 8, token, "GitHub token")


def test_a_secret_that_two_rules_know_is_one_finding() -> None:
    """The one that begins first and is longest counts, with its own rule."""
    token = b"sk" + b"_live_" + drawn(24)
    leaks = FINDER.find(b"stripe_api_key: " + token + b"\n")
    assert [leak.rule_id for leak in leaks] == ["stripe-key"]


def test_clean_text_has_no_findings() -> None:
    """Names, calls, references and examples are no secrets."""
    text = b"""
password = getpass("Password: ")
token = request.headers.get("authorization")
api_key: ${API_KEY}
secret = "<your secret>"
key = "primary_key_column"
url = "https://user:password@example.org/"
"""
    assert FINDER.find(text) == []
