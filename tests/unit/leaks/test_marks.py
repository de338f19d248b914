"""What is shown and kept of a secret, and the comments that allow one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.leaks.marks import SHOWN, allowed_lines, fingerprint, mask
from tests.support.leak_kinds import KINDS, Kind

KEY = bytes(range(32))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_mask_shows_at_most_four_bytes_and_the_length(kind: Kind) -> None:
    """Those of a prefix that says whose it is."""
    value = kind.draw(random.Random(1)).encode()
    shown, rest = mask(value).split("…")
    assert len(shown) <= SHOWN
    assert value.startswith(shown.encode())
    assert rest == f" ({len(value)} characters)"


@given(st.binary(max_size=60))
def test_a_mask_of_what_has_no_prefix_shows_nothing(value: bytes) -> None:
    """Whatever it is."""
    assert mask(b"\x00" + value) == f"… ({len(value) + 1} characters)"


def test_prefixes_are_shown() -> None:
    """They tell which provider's key is to be taken back."""
    assert mask(b"ghp" + b"_" + b"0" * 36) == "ghp_… (40 characters)"
    assert mask(b"hunter2hunter2hunter2") == "… (21 characters)"


def test_a_fingerprint_depends_on_key_rule_and_value() -> None:
    """And on nothing else."""
    one = fingerprint(KEY, "a-rule", b"value")
    assert len(one) == 32
    assert one == fingerprint(KEY, "a-rule", b"value")
    others = {
        fingerprint(KEY[1:], "a-rule", b"value"),
        fingerprint(KEY, "b-rule", b"value"),
        fingerprint(KEY, "a-rule", b"valu"),
        fingerprint(KEY, "a", b"-rule\x00value"),
    }
    assert len(others | {one}) == 5


@pytest.mark.parametrize(
    "mark",
    [
        b"penstock: allow-secret", b"penstock:allow-secret", b"pragma: allowlist secret",
        b"pragma: whitelist secret", b"PRAGMA: ALLOWLIST-SECRET", b"gitleaks:allow", b"kingfisher:ignore",
    ],
)  # fmt: skip
def test_a_mark_allows_its_line(mark: bytes) -> None:
    """Those of other scanners count as well."""
    assert allowed_lines(b"a\nb = 'x'  # " + mark + b"\nc\n") == {2}


def test_a_mark_for_the_next_line_allows_that_one() -> None:
    """As detect-secrets has it."""
    assert allowed_lines(b"a\n# pragma: allowlist nextline secret\nb\n") == {3}


def test_no_mark_allows_nothing() -> None:
    """Words like them are none."""
    assert allowed_lines(b"allow secrets\nallowlist secrets?\nignore kingfisher\n") == frozenset()
    assert allowed_lines(b"") == frozenset()


def test_marks_are_found_in_all_lines() -> None:
    """Lines end with a newline, with or without a carriage return."""
    assert allowed_lines(b"x # gitleaks:allow\r\n" * 3) == {1, 2, 3}
