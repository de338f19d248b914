"""Streams are cut into lines with bounded memory, however their pieces fall."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.streams import LineSplitter, amount, decode_event, items, table, text, whole

Pieces = st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"x", b"\n")), max_size=30)


def lines_of(splitter: LineSplitter, pieces: list[bytes]) -> list[bytes]:
    """Feed pieces and return all lines, the unfinished last one included."""
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return lines + list(splitter.flush())


@given(Pieces)
def test_pieces_do_not_matter(pieces: list[bytes]) -> None:
    """The lines are those of the whole stream, wherever it was cut."""
    whole_stream = b"".join(pieces)
    expected = [line.removesuffix(b"\r") for line in whole_stream.split(b"\n")]
    if not whole_stream.rpartition(b"\n")[2].removesuffix(b"\r"):
        expected.pop()
    assert lines_of(LineSplitter(), pieces) == expected


@given(Pieces, st.integers(1, 8))
def test_overlong_lines_are_dropped_whole(pieces: list[bytes], limit: int) -> None:
    """A line over the limit is counted and gone; its neighbours are untouched."""
    splitter = LineSplitter(limit)
    lines = lines_of(splitter, [*pieces, b"\n"])
    all_lines = b"".join(pieces).split(b"\n")
    assert lines == [line.removesuffix(b"\r") for line in all_lines if len(line) <= limit]
    assert splitter.overlong == sum(len(line) > limit for line in all_lines)


def test_a_huge_line_does_not_grow_memory() -> None:
    """256 MB without a newline cost no more than the limit on a line."""
    splitter, piece = LineSplitter(1 << 16), b"a" * (1 << 16)
    tracemalloc.start()
    try:
        for _ in range(4096):
            assert list(splitter.feed(piece)) == []
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
    assert list(splitter.feed(b"\nnext\n")) == [b"next"]


@pytest.mark.parametrize(
    "line",
    [b"", b"hello", b"[1]", b"1", b'{"a": ', b'{"a": NaN}', b'"{}"', b"{\xff}", b"{" * 100_000],
)
def test_what_is_no_event(line: bytes) -> None:
    """Text, other JSON, broken JSON and endless nesting are no events and no errors."""
    assert decode_event(line) is None


def test_what_is_an_event() -> None:
    """An object is an event, blanks before it or not."""
    assert decode_event(b' {"type": "x"}') == {"type": "x"}


@pytest.mark.parametrize("value", [None, True, "7", -1, [], 1 << 53])
def test_what_is_no_count(value: object) -> None:
    """Anything but a plausible count is unknown, never zero."""
    assert whole(value) is None


@pytest.mark.parametrize("value", [None, False, "7", -0.1, float("inf"), float("nan")])
def test_what_is_no_amount(value: object) -> None:
    """Anything but a plausible amount of money is unknown, never zero."""
    assert amount(value) is None


def test_values_of_the_right_kind() -> None:
    """Values of the right kind come through."""
    assert (whole(7), whole(7.0), amount(0), amount(0.5)) == (7, 7, 0.0, 0.5)
    assert (text("a"), text(1), table({"a": 1}), table([])) == ("a", "", {"a": 1}, {})
    assert (items([1]), items("a")) == ([1], [])
