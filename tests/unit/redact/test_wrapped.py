"""A known value is found where the ends of lines cut it, however a program wraps its lines."""

from __future__ import annotations

import base64
import json
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.redact.literals import WIDEST_BREAK, flatten
from penstock.redact.redactor import Redactor

VALUE = "Zq7-known/Value_0123456789"
REDACTOR = Redactor([VALUE])
BREAKS = (
    "\n", "\r\n", "\n    ", "\\\n", '"\n    "', "' \\\n  '", "\n# ", "\n> ", " │\n│ ", "\x1b[0m\n\x1b[32m",
    "\\n", "\\r\\n", "\\\\n", "\n\n", '\\"\\n  \\"', " |\n  | ",
)  # fmt: skip


@pytest.mark.parametrize("cut", [1, 6, 13, len(VALUE) - 1])
@pytest.mark.parametrize("between", BREAKS)
def test_a_value_cut_by_the_end_of_a_line_is_found(between: str, cut: int) -> None:
    """Both parts go, with the end of the line and the padding between them."""
    text = f"before {VALUE[:cut]}{between}{VALUE[cut:]} after"
    assert REDACTOR.text(text) == "before [REDACTED] after"
    assert REDACTOR.values(text) == REDACTOR.certain(text) == "before [REDACTED] after"
    assert REDACTOR.may_hold(text.encode())


@pytest.mark.parametrize("width", range(1, len(VALUE)))
def test_a_value_on_many_lines_is_found(width: int) -> None:
    """A narrow column may cut a value into any number of lines."""
    text = "\n".join(["a", *textwrap.wrap(VALUE, width, break_on_hyphens=False), "z"])
    assert REDACTOR.text(text).split() == ["a", "[REDACTED]", "z"]


@pytest.mark.parametrize("indent", ["", "  "])
def test_base64_in_lines_is_found(indent: str) -> None:
    """What encodes a longer text writes lines of 76 characters."""
    raw = base64.encodebytes(b"x" * 50 + VALUE.encode() + b"y" * 50).decode()
    clean = REDACTOR.text(textwrap.indent(raw, indent))
    encoded = raw.replace("\n", "")
    assert "[REDACTED]" in clean
    assert not any(encoded[at : at + 20] in clean for at in range(66, 86))


def test_a_value_cut_within_json_is_found() -> None:
    """The end of a line may be written as an escape, in a text within a text too."""
    said = json.dumps({"text": f"{VALUE[:9]}\n{VALUE[9:]}"})
    assert json.loads(REDACTOR.text(said)) == {"text": "[REDACTED]"}
    twice = json.dumps({"line": said})
    assert json.loads(json.loads(REDACTOR.text(twice))["line"]) == {"text": "[REDACTED]"}


def test_far_apart_is_not_wrapped() -> None:
    """What looks like two parts of a value is left alone where too much stands between them."""
    text = VALUE[:9] + " " * WIDEST_BREAK + "\n" + VALUE[9:]
    assert REDACTOR.text(text) == text


def test_lines_that_hold_no_value_stay() -> None:
    """Ends of lines, boxes and colours are kept wherever they cut no value."""
    text = 'a\n  "b"\n│ c │\n\x1b[1md\x1b[0m\r\n\\n\n'
    assert REDACTOR.text(text) == text


TEXTS = st.lists(
    st.sampled_from(
        [*BREAKS, VALUE[:1], VALUE[:8], VALUE[8:], VALUE[1:], VALUE, "x", " ", "\\", "\x1b[3", '"']
    ),
    max_size=10,
).map("".join)


@given(TEXTS)
@settings(deadline=None)
def test_cut_anywhere_a_wrapped_value_is_found_as_in_the_whole(text: str) -> None:
    """A stream in single bytes gives what the whole gives."""
    stream, data = REDACTOR.stream(), text.encode()
    pieces = [stream.feed(data[at : at + 1]) for at in range(len(data))]
    assert b"".join(pieces) + stream.flush() == REDACTOR.data(data)


@given(TEXTS)
def test_no_wrapped_value_survives(text: str) -> None:
    """Without its ends of lines, redacted text does not hold the value."""
    clean = REDACTOR.text(text).encode()
    assert VALUE.encode() not in flatten(clean).data


@given(TEXTS)
def test_every_place_in_flat_data_has_its_own_before(text: str) -> None:
    """A byte of the flat data is the byte at its place in the data."""
    data = text.encode()
    flat = flatten(data)
    assert [data[flat.raw(at)] for at in range(len(flat.data))] == list(flat.data)
    ends = [flat.raw_end(at + 1) for at in range(len(flat.data))]
    assert ends == [flat.raw(at) + 1 for at in range(len(flat.data))]
