"""What an assigned value looks like, and which are no secrets."""

from __future__ import annotations

import random

import pytest

from penstock.leaks.judge import entropy, stands_in, wordlike
from penstock.leaks.values import drawn, may_be_key, plausible, worded
from tests.support.leak_kinds import ALNUM, HEX, raw64, text

DRAWS = random.Random(41)


@pytest.mark.parametrize(
    "value",
    [
        "changeme", "your-api-key-here", "xxxxxxxxxxxx", "<password>", "${PASSWORD}", "$PASSWORD",
        "{{ password }}", "%(password)s", "{password}", "DB_PASSWORD", "@ADMIN_PASSWORD@",
        "AKIAIOSFODNN7EXAMPLE", "0123456789", "abcdefgh", "hijklmnop", "a1a1a1a1a1", "zzzzzzzz", "not-a-secret",
        "2YotnFZFEjr1zCsicMWpAA", "abc123def456abc123def456",
    ],
)  # fmt: skip
def test_what_stands_in_the_place_of_a_secret(value: str) -> None:
    """Examples, references to variables, repetitions and sequences."""
    assert stands_in(value.encode())


@pytest.mark.parametrize(
    "value", ["Vb8#kq2!Lm", "9f86d081884c7d65", "tr0ub4dor&3", "s" * 5, "8DuMmy2q"]
)
def test_what_does_not_stand_in(value: str) -> None:
    """Values as they are drawn or thought of."""
    assert not stands_in(value.encode())


def test_what_is_long_holds_such_words_by_chance() -> None:
    """A key of a thousand bytes with zeros in a row is a key."""
    key = raw64(DRAWS, 300).encode()
    assert not stands_in(key + b"AAAAAAAAAAAAfake" + key)


def test_entropy_is_in_bits_a_byte() -> None:
    """One symbol says nothing, two say one bit, sixteen say four."""
    assert entropy(b"") == 0
    assert entropy(b"aaaa") == 0
    assert entropy(b"abab") == 1
    assert entropy(HEX.encode()) == 4


@pytest.mark.parametrize("value", ["ServerlessPlatformVersions", "get_token_from_cache", "oauth2"])
def test_words_of_texts_and_programs_are_wordlike(value: str) -> None:
    """Their letters follow each other as in words."""
    assert wordlike(value.encode()) == (len(value) > 8)


def test_what_is_drawn_is_seldom_wordlike() -> None:
    """Of letters and digits in any order at most one in thirty looks like words."""
    values = [text(DRAWS, ALNUM, 24).encode() for _ in range(3000)]
    assert sum(map(wordlike, values)) <= 100


@pytest.mark.parametrize("size", [16, 24, 32])
def test_keys_in_base64_and_hexadecimal_are_drawn(size: int) -> None:
    """Nearly all of them; the rest look like words by chance."""
    values = [raw64(DRAWS, size) for _ in range(500)] + [
        DRAWS.randbytes(size).hex() for _ in range(500)
    ]
    assert sum(drawn(value.encode()) for value in values) >= 930


@pytest.mark.parametrize(
    "value",
    [
        "short1", "12345678901234567890", "onlylettersinthisvalue", "V1LocalObjectReference",
        "s3_destination_key_12", "1f6c1b5e-93d2-4bd1-a3c5-0d5a7be4c9f2", "9f86d081884c7d65",
        "00000000000000000000000000000001", "with space 1234567890", "gss_krb5_rfc1964_keydata",
    ],
)  # fmt: skip
def test_what_is_not_drawn(value: str) -> None:
    """Words, names, numbers, identifiers, and what is too short to be a key."""
    assert not drawn(value.encode())


@pytest.mark.parametrize("value", ["Vb8#kq2!Lm", "hJ29sKx0pw", "tr0ub4dor&3", "Kx!vQw#LmZp"])
@pytest.mark.parametrize("quoted", [True, False])
def test_passwords(value: str, quoted: bool) -> None:
    """What is no word and no code is one, in quotes or not."""
    assert plausible(value.encode(), password=True, quoted=quoted)


@pytest.mark.parametrize(
    "value",
    [
        "password1", "test1234", "admin", "P@ssw0rd", "get_password2", "oauth2_token", "12345678",
        "/etc/passwd2", "https://h/p1", "2026-01-01", "user@mail1.org", "13.0.0-next-8.29",
        "^[a-z0-9]{8}$", "%s-1234-x", "hunter22", "ec2.amazonaws.com",
    ],
)  # fmt: skip
def test_what_is_no_password(value: str) -> None:
    """Words with a number, names, paths, addresses, dates, versions, patterns."""
    assert not plausible(value.encode(), password=True, quoted=True)


@pytest.mark.parametrize(
    "value", ["self.x2[1]#", "a2->next!", "f(x2)*y#3", "b1?c#2:d9", "x!==y2#z"]
)
def test_code_is_no_password_without_quotes(value: str) -> None:
    """The same in quotes may be one."""
    assert not plausible(value.encode(), password=True, quoted=False)


def test_a_short_value_is_a_password_but_no_key() -> None:
    """What is called a token must look drawn."""
    value = b"Vb8#kq2!Lm"
    assert plausible(value, password=True, quoted=True)
    assert not plausible(value, password=False, quoted=True)


def test_words_in_base64_are_words() -> None:
    """What is broken or holds other bytes is not looked into."""
    assert worded(b"dXNlcm5hbWU6cGFzc3dvcmQ=")
    assert not worded(b"dXNlcm5hbWU6cGFzc3dvcmQ")
    assert not worded(raw64(random.Random(5), 18).encode())


def test_only_what_may_be_a_key_is_held_against_the_shapes_of_providers() -> None:
    """Long enough, letters and digits."""
    assert may_be_key(b"abcdefghijklmno1")
    assert not may_be_key(b"abcdefghijklmnop")
    assert not may_be_key(b"1234567890123456")
    assert not may_be_key(b"abc1")
    assert not may_be_key(b"abcdefghijklmn 1")
