"""A stream that breaks off, or comes garbled, is never taken for success."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.recorded_readers import STREAMS as READERS
from tests.support.turns import recorded, told

every_client = pytest.mark.parametrize("client", sorted(READERS))


@every_client
@given(data=st.data())
def test_a_stream_that_breaks_off(client: str, data: st.DataObject) -> None:
    """A client that was killed before the end of its last line has not succeeded."""
    stream = recorded(client, "success")[0].rstrip()
    end = data.draw(st.integers(0, stream.rindex(b"\n")))
    assert told(READERS[client](), stream[:end], exit_code=-9) is not None


@every_client
@given(data=st.data())
def test_a_garbled_stream(client: str, data: st.DataObject) -> None:
    """Bytes changed anywhere break no reader, whatever they make of the outcome."""
    stream = bytearray(recorded(client, "success")[0])
    for place in data.draw(st.lists(st.integers(0, len(stream) - 1), max_size=20)):
        stream[place] = data.draw(st.integers(0, 255))
    told(READERS[client](), bytes(stream), exit_code=1, piece=data.draw(st.integers(1, 5000)))


@every_client
@pytest.mark.parametrize("piece", [1, 7, 4096, 1 << 20])
def test_pieces_do_not_matter(client: str, piece: int) -> None:
    """The outcome and the usage are the same, however the stream is cut."""
    stream, stderr, code = recorded(client, "success")
    whole, cut = READERS[client](), READERS[client]()
    assert told(whole, stream, stderr=stderr, exit_code=code, piece=len(stream)) is None
    assert told(cut, stream, stderr=stderr, exit_code=code, piece=piece) is None
    assert (cut.said.usage, cut.said.message) == (whole.said.usage, whole.said.message)
