"""Known values are replaced in all their forms, wherever a stream was cut."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penstock.redact.lines import LONGEST_LINE, OVERLAP
from penstock.redact.redactor import Redactor

SECRET = 'p@ss/w"rd é\n2'
VALUES = st.text(st.sampled_from('abAB01 /+="\\é\n'), min_size=6, max_size=12)
SNIPPETS = [
    b"password=hunter2 ", b"sk-abcdefgh12", b"\n", b"\r\n", b" ", b"\xff\xfe", b"Bearer abcdefg",
    b"-----BEGIN PRIVATE KEY-----", b"-----END PRIVATE KEY-----", b"MIIEvQIBADANBgkqhkiG9w0",
    b"x" * 70_000, b"token: '", b"'", b'"', b"\\", b"known-value", b"known-", b"value-known",
]  # fmt: skip
DOCUMENTS = st.lists(st.sampled_from(SNIPPETS), max_size=12).map(b"".join)


def in_pieces(redactor: Redactor, data: bytes, cuts: Sequence[int]) -> bytes:
    """Redact data as a stream that was cut at the given places."""
    stream = redactor.stream()
    borders = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(borders)]
    return b"".join([*map(stream.feed, pieces), stream.flush()])


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(json.dumps(SECRET)),
        quote(SECRET),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        *(base64.b64encode(b"x" * n + SECRET.encode() + b"yz").decode() for n in (1, 2, 3)),
    ],
)
def test_every_form_of_a_value_is_found(written: str) -> None:
    """JSON, URL and base64 forms of a value are replaced too, inside of longer values as well."""
    clean = Redactor([SECRET]).text(f"a {written} b")
    assert "[REDACTED]" in clean
    assert len(clean) <= len("a [REDACTED] b") + 12


def test_known_values_alone_can_be_replaced() -> None:
    """`values` replaces what is known and leaves what only looks like a secret."""
    text = "known-value password=hunter2 \ud800"
    assert Redactor(["known-value"]).values(text) == "[REDACTED] password=hunter2 \ud800"
    assert Redactor(()).values(text) == text


def test_short_values_are_no_secrets() -> None:
    """A value of five characters is left alone, one of six is not."""
    assert Redactor(["12345", "abcdef"]).text("12345 abcdef") == "12345 [REDACTED]"


def test_of_two_values_the_longer_goes_first() -> None:
    """A value that begins like another is replaced whole."""
    redactor = Redactor(["secret", "secretive-1"])
    assert redactor.text("secretive-1 secretiv") == "[REDACTED] [REDACTED]iv"


def test_rubbish_bytes_and_half_characters_pass() -> None:
    """What is no UTF-8, and half characters from JSON, come out as they went in."""
    redactor = Redactor(["abcdef"])
    assert redactor.data(b"\xff\0abcdef\xc3") == b"\xff\0[REDACTED]\xc3"
    assert redactor.text("\udcff abcdef \ud800") == "\udcff [REDACTED] \ud800"


@given(st.lists(VALUES, min_size=1, max_size=4), st.data())
def test_no_value_survives(values: list[str], data: st.DataObject) -> None:
    """Whatever is written around it, no known value is left in the text."""
    parts = st.one_of(VALUES, st.sampled_from(values))
    text = "".join(data.draw(st.lists(parts, max_size=8)))
    clean = Redactor(values).text(text)
    assert [value for value in values if value in clean] == []


@given(DOCUMENTS, st.lists(st.integers(0, 300_000), max_size=6))
@example(b"x" * 70_000 + b"\nknown-value", [65_536, 70_001])
@settings(deadline=None)
def test_where_a_stream_is_cut_makes_no_difference(document: bytes, cuts: list[int]) -> None:
    """A stream in pieces gives what the whole gives."""
    redactor = Redactor(["known-value", "value-known-value", "lue\n\nkno"])
    assert in_pieces(redactor, document, cuts) == redactor.data(document)


def test_padding_at_the_ends_of_a_value_makes_no_difference_where_lines_end() -> None:
    """Beside the end of a line it cannot be told from that of a wrapped text."""
    redactor, data = Redactor(["\\00000\né\n"]), "\n\\00000\né000000".encode()
    assert in_pieces(redactor, data, range(len(data))) == redactor.data(data)


@given(st.lists(VALUES, min_size=1, max_size=3), VALUES, st.data())
def test_every_single_cut_gives_the_same(
    values: list[str], noise: str, data: st.DataObject
) -> None:
    """Cut into single bytes, a text gives what the whole gives."""
    parts = st.sampled_from([*values, noise, noise[:3], "\n", *(v[:-1] for v in values)])
    document = "".join(data.draw(st.lists(parts, max_size=6))).encode()
    redactor = Redactor(values)
    assert in_pieces(redactor, document, range(len(document))) == redactor.data(document)


@pytest.mark.parametrize("offset", range(LONGEST_LINE - OVERLAP - 30, LONGEST_LINE + 30, 97))
def test_a_secret_at_the_cut_of_an_endless_line_is_found(offset: int) -> None:
    """A line without an end is worked on in parts, and no part's border lets a secret through."""
    text = "x" * (offset - 1) + " password=hunter2hunter2 " + "y" * 100_000
    clean = Redactor(()).text(text)
    assert "hunter2" not in clean
    assert clean.startswith("x" * (offset - 1) + " password=[REDACTED] yyy")


@pytest.mark.parametrize("length", [OVERLAP, LONGEST_LINE, 3 * LONGEST_LINE])
@pytest.mark.parametrize("before", [0, LONGEST_LINE - OVERLAP - 5, LONGEST_LINE - 20])
def test_a_secret_longer_than_the_overlap_is_taken_whole(before: int, length: int) -> None:
    """A value of any length goes, and what stands behind it stays."""
    text = "x" * before + " token=" + "s" * length + " rest of the line\n"
    assert Redactor(()).text(text) == "x" * before + " token=[REDACTED] rest of the line\n"


def test_an_escaped_key_longer_than_the_overlap_is_taken_whole() -> None:
    """A key on one endless line loses its body too."""
    body = "MIIEvQIBADANBgkqhkiG9w0" * 700
    text = f'{"x" * 60_000} "-----BEGIN PRIVATE KEY-----{body}-----END PRIVATE KEY-----" after\n'
    clean = Redactor(()).text(text)
    assert "MIIE" not in clean
    assert clean.endswith('" after\n')


def test_only_what_is_needed_is_held_back() -> None:
    """A finished line comes out at once; the beginning of a value waits for the rest."""
    stream = Redactor(["known-value"]).stream()
    assert stream.feed(b"a line\nknown-") == b"a line\n"
    assert stream.feed(b"value\n") == b"[REDACTED]\n"
    assert stream.feed(b"z" * (LONGEST_LINE + 10)) == b"z" * (LONGEST_LINE - OVERLAP)
    assert stream.flush() == b"z" * (OVERLAP + 10)


@pytest.mark.parametrize(
    "piece", ["a", 'token="', "password ", "-----BEGIN PRIVATE KEY-----", "--token "]
)
def test_no_input_makes_it_slow(piece: str) -> None:
    """Half a megabyte of anything takes no more than seconds: no pattern backtracks without end."""
    started = time.perf_counter()
    Redactor(["known-value"]).text(piece * (500_000 // len(piece)))
    assert time.perf_counter() - started < 5
