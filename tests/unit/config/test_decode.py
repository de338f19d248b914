"""Values become typed settings, and what does not fit is told in words of the file."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from penstock.config.decode import decode, nearest
from penstock.config.documents import Document
from penstock.errors import ConfigError


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    """A struct with the constraints that the settings do not use."""

    name: Annotated[str, Meta(pattern="^a")] = "a"
    share: Annotated[float, Meta(le=1)] = 0.5
    either: int | list[str] = 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"name": "b"}, 'f: name: "b" does not match "^a"'),
        ({"share": 2}, "f: share: must be at most 1, not 2"),
        ({"either": "x"}, 'f: either: expected a whole number or a list, got "x"'),
        ({"either": [1]}, "f: either[0]: expected text, got 1"),
        (3, "f: the file: expected a mapping, got 3"),
    ],
)
def test_a_constraint_is_told_in_words(value: object, expected: str) -> None:
    """Each kind of constraint has its sentence."""
    with pytest.raises(ConfigError) as caught:
        decode(Document("f", value), Sample)
    assert str(caught.value) == expected


def test_what_fits_is_decoded() -> None:
    """A right value becomes the struct."""
    assert decode(Document("f", {"name": "ab"}), Sample) == Sample(name="ab")


def test_the_nearest_name_is_found() -> None:
    """Hyphens and case do not hide a name; what resembles nothing lists all."""
    assert nearest("Max-Parallel", ["max_parallel", "x"]) == "did you mean max_parallel?"
    assert nearest("qqq", ["b", "a"]) == "known: a, b"
    assert nearest("qqq", []) == "none is known here"
