"""Comments in hand-written JSON are blanked out, and nothing else is."""

from __future__ import annotations

import json

import pytest

from penstock.config.comments import blank_comments


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ('{"a": 1} // end', '{"a": 1}       '),
        ('{/* x */"a": 1}', '{       "a": 1}'),
        ('{"a": "http://x"}', '{"a": "http://x"}'),
        ('{"a": "/* no */"}', '{"a": "/* no */"}'),
        ('{"a": "\\"//"} // b', '{"a": "\\"//"}     '),
        ("/* a\nb */1", "    \n    1"),
        ("1 // é", "1     "),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_comments_become_spaces_and_strings_stay(text: str, blank: str) -> None:
    """A comment becomes as many spaces, and signs inside of strings are no comments."""
    assert blank_comments(text) == blank


def test_lines_and_columns_stay_true() -> None:
    """An error behind comments is reported where it is in the file."""
    text = '// one\n/* two\nthree */ {"a": }'
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(blank_comments(text))
    assert (caught.value.lineno, caught.value.colno) == (3, 16)


def test_an_unclosed_comment_is_an_error_with_its_line() -> None:
    """A `/*` without an end is an error naming the line it begins on."""
    with pytest.raises(ValueError, match=r"line 2 column 1: .* never closed"):
        blank_comments('{\n/* "a": 1}')


def test_many_openings_take_linear_time() -> None:
    """A hostile text of comment signs is read quickly."""
    text = "/ * // \n" * 100_000
    assert len(blank_comments(text)) == len(text)
