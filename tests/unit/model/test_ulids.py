"""ULIDs: their form, their order, their bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.ids import ULID, next_ulid

MOMENTS = st.integers(0, 2**48 - 1)
RANDOM = st.binary(min_size=10, max_size=10)


def test_the_example_of_the_specification() -> None:
    """01ARYZ6S41 is the time of its documented example."""
    assert next_ulid(1469918176385, bytes(10)) == "01ARYZ6S41" + "0" * 16


@given(MOMENTS, RANDOM)
def test_a_ulid_has_its_form(milliseconds: int, randomness: bytes) -> None:
    """26 letters of Crockford's alphabet, the first at most 7."""
    assert ULID.fullmatch(next_ulid(milliseconds, randomness))


@given(st.lists(st.tuples(st.integers(0, 50), RANDOM), max_size=30))
def test_each_is_above_the_one_before(steps: list[tuple[int, bytes]]) -> None:
    """Also within one millisecond, and when the clock goes back."""
    last: str | None = None
    for milliseconds, randomness in steps:
        made = next_ulid(milliseconds, randomness, last)
        assert last is None or made > last
        last = made


def test_the_time_leads() -> None:
    """A later moment needs no memory to be above."""
    assert next_ulid(2, bytes(10)) > next_ulid(1, b"\xff" * 10)


@pytest.mark.parametrize(
    ("milliseconds", "randomness", "last"),
    [
        (-1, bytes(10), None),
        (2**48, bytes(10), None),
        (1, bytes(9), None),
        (1, bytes(10), "not one"),
        (1, bytes(10), "8" + "0" * 25),
        (1, bytes(10), "7" + "Z" * 25),
    ],
)
def test_what_cannot_be_one_is_refused(
    milliseconds: int, randomness: bytes, last: str | None
) -> None:
    """Moments beyond 48 bits, too little randomness, a last one that is none or the highest."""
    with pytest.raises(ValueError, match="ULID"):
        next_ulid(milliseconds, randomness, last)
