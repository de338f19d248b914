"""Boxes, headings, lists and fences: each found where it stands, and nothing else for one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.sources.markdown import (
    Box,
    Layer,
    boxes,
    bullets,
    headings,
    layers,
    near_boxes,
    passage,
    sections,
)
from tests.support.plan_texts import text_file


def boxed(text: str | bytes) -> list[Box]:
    """The boxes of a text."""
    return boxes(text_file(text))


def only(text: str) -> Box:
    """The one box of a text."""
    (box,) = boxed(text)
    return box


def layer_letters(text: str) -> str:
    """The first letter of each line's layer."""
    return "".join(layer.name[0] for layer in layers(text_file(text)))


# -- boxes -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("marker", ["-", "*", "+", "1.", "12)", "123456789."])
@pytest.mark.parametrize("indent", ["", "  ", "\t", "      ", "\u3000"])
def test_any_marker_of_a_list_makes_a_box(marker: str, indent: str) -> None:
    """Bullets and numbers, however deep."""
    box = only(f"{indent}{marker} [ ] do it")
    assert (box.marker, box.mark, box.text) == (marker, "", "do it")


@pytest.mark.parametrize(
    ("inside", "mark"),
    [
        (" ", ""),
        ("", ""),
        ("x", "x"),
        ("X", "X"),
        ("~", "~"),
        ("-", "-"),
        (" x ", "x"),
        ("✅", "✅"),
        ("⚠️", "⚠️"),
        ("🚧", "🚧"),
        ("[", "["),
        ("   ", ""),
        ("1", "1"),
    ],
)
def test_any_single_mark_makes_a_box(inside: str, mark: str) -> None:
    """Whatever stands in the brackets, with or without space; only x and X tick."""
    box = only(f"- [{inside}] do it")
    assert box.mark == mark
    assert box.ticked == (mark in ("x", "X"))


@pytest.mark.parametrize("line", ["- [x]done", "-[x] done", "1.[x]  done", "- [x]\tdone "])
def test_space_around_a_box_does_not_matter(line: str) -> None:
    """People forget it."""
    assert only(line).text == "done"


@pytest.mark.parametrize(
    "line",
    [
        "- [a](b.md)", "- [x](b.md)", "- [x][ref]", "- [](b)", "- [link](b.md)", "- [WIP] a", "a - [ ] b",
        "- a [ ]", "\\[ ] a", "- \\[ ] a", "1234567890. [ ] a", "a. [ ] b", "# [ ] a", "> - [ ] a", "- [ a", "[1] a",
        "[a] b", "[x]: http://a", "[ ]: a", "- ]x[",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_box_is_none(line: str) -> None:
    """Links, references, words in brackets, boxes in the midst of a line."""
    assert boxed(line) == []


@pytest.mark.parametrize("line", ["- [ ](b)", "- [ ][b]", "- [  ](b)"])
def test_brackets_with_nothing_but_space_are_a_box(line: str) -> None:
    """Whatever follows: this is how open work is marked."""
    assert only(line).mark == ""


@pytest.mark.parametrize("line", ["[ ] a", "  [x] a", "[~] a", "[] a"])
def test_a_line_may_begin_with_a_box(line: str) -> None:
    """In plain text nobody writes bullets."""
    box = only(line)
    assert (box.marker, box.text) == ("", "a")


def test_a_box_without_a_text_is_a_box() -> None:
    """It counts, with an empty text."""
    assert only("- [ ]").text == ""


@pytest.mark.parametrize("prefix", ["", "\ufeff", "\u8a8d\u8a3c\r\n", "\u00e9\r", "a\n"])
def test_the_offset_of_the_mark_is_in_bytes(prefix: str) -> None:
    """A byte order mark, wide letters and any line end before it count as their bytes."""
    raw = f"{prefix}\u3000- [ x ] \u8a8d".encode()
    (box,) = boxed(raw)
    assert raw[box.mark_offset : box.mark_offset + box.mark_length] == b" x "


def test_the_offset_is_right_behind_bad_bytes() -> None:
    """Bytes that are no UTF-8 do not shift it."""
    raw = b"caf\xe9\n\t- [\xff] a\xe9\n- [ ] b"
    assert [raw[b.mark_offset : b.mark_offset + b.mark_length] for b in boxed(raw)] == [
        b"\xff",
        b" ",
    ]


def test_boxes_in_fences_and_comments_are_told_apart() -> None:
    """They are found, and it is said where they stand."""
    found = boxed("- [ ] a\n```\n- [ ] b\n```\n<!--\n- [ ] c\n-->\n- [ ] d\n")
    assert [(box.text, box.fenced, box.commented) for box in found] == [
        ("a", False, False),
        ("b", True, False),
        ("c", False, True),
        ("d", False, False),
    ]


def test_in_fences_a_box_needs_the_marker_of_a_list() -> None:
    """`[ x ]` is a test of a shell there."""
    assert boxed("```sh\n[ x ] && true\n```\n") == []


def test_frontmatter_holds_no_boxes() -> None:
    """A list of YAML is no list of tasks."""
    assert boxed("---\ntags:\n  - [a]\n---\n") == []


# -- nesting and details ---------------------------------------------------------------------------
def test_deeper_boxes_are_nested_in_the_one_above() -> None:
    """By their columns, a tab counting to the next multiple of four."""
    found = boxed("- [ ] a\n  - [ ] b\n\t- [ ] c\n  - [ ] d\n- [ ] e\n")
    assert [box.parent for box in found] == [None, 0, 1, 0, None]


def test_lines_that_stand_deeper_are_details() -> None:
    """With their own indent taken off, blank lines in between kept, and the last line told."""
    found = boxed("- [ ] a\n  one\n\n    two\n\n- [ ] b\n")
    assert [(box.details, box.last) for box in found] == [("one\n\n  two", 4), ("", 6)]


def test_a_paragraph_goes_on_without_indent() -> None:
    """The line right below belongs to the text above, the one behind a gap does not."""
    assert only("- [ ] a\ngoes on\n\nelsewhere\n").details == "goes on"


@pytest.mark.parametrize(
    "line", ["# T", "- bullet", "> quote", "| a |", "1. b", "<!-- c -->", "---"]
)
def test_what_begins_something_else_is_no_detail(line: str) -> None:
    """Headings, lists, quotes, tables, comments and rules end a task."""
    assert only(f"- [ ] a\n{line}\n").details == ""


def test_plain_bullets_below_a_box_are_details() -> None:
    """They say how, and are no tasks of their own."""
    assert only("- [ ] a\n  - in `x.py`\n  - with care\n").details == "- in `x.py`\n- with care"


def test_a_deeper_line_belongs_to_the_box_it_stands_under() -> None:
    """Behind a nested box, a line that is shallower than it belongs to the outer one."""
    found = boxed("- [ ] a\n  - [ ] b\n    of b\n\n  of a\n")
    assert [(box.details, box.last) for box in found] == [("of a", 5), ("of b", 3)]


def test_a_fence_below_a_box_is_detail_as_a_whole() -> None:
    """Its blank and shallow lines too, when it begins deeper than the box."""
    found = boxed("- [ ] a\n  ```\ncode\n\n  ```\n  end\n```\nno\n```\n")
    assert found[0].details == "  ```\ncode\n\n  ```\n  end"


def test_headings_end_nesting() -> None:
    """A box under the next heading has no parent above it."""
    assert [box.parent for box in boxed("- [ ] a\n# T\n  - [ ] b\n")] == [None, None]


# -- layers ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("a\n```\nb\n```\nc", "PFFFP"),
        ("~~~ sh\n```\n~~~\na", "FFFP"),
        ("````\n```\n````\na", "FFFP"),
        ("  ```\n  a\n```\nb", "FFFP"),
        ("```\nnever closed", "PP"),
        ("``` a ``` b\nc", "PP"),
        ("```py\na\n```py\nb\n```\nc", "FFFFFP"),
        ("<!-- a -->\nb", "CP"),
        ("<!-- a\nb\nc -->\nd", "CCCP"),
        ("<!-- never closed\nb", "PP"),
        ("a <!-- b\nc -->", "PP"),
        ("---\na\n---\nb", "FFFP"),
        ("---\nnever closed", "PP"),
        ("```\n<!--\n```\n-->", "FFFP"),
        ("<!--\n```\n-->\n```\na\n```", "CCCFFF"),
    ],
)
def test_each_line_lies_in_one_layer(text: str, letters: str) -> None:
    """Fences, comments and frontmatter, and what never ends is none of them."""
    assert layer_letters(text) == letters


# -- headings and lists ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "level", "words"),
    [
        ("# T", 1, "T"), ("   ###### T ##", 6, "T"), ("## C#", 2, "C#"), ("## T #a", 2, "T #a"), ("#", 1, ""),
        ("## ##", 2, ""), ("##\tT", 2, "T"), ("T\n===", 1, "T"), ("T t\n---", 2, "T t"), ("## 1. \u8a8d\u8a3c", 2, "1. \u8a8d\u8a3c"),
    ],
)  # fmt: skip
def test_headings_are_found(text: str, level: int, words: str) -> None:
    """With number signs, closing ones too, and underlined."""
    (heading,) = headings(text_file(text))
    assert heading == (level, words, 1)


@pytest.mark.parametrize(
    "text",
    [
        "#T",
        "####### T",
        "    # T",
        "a\nb\n---",
        "- a\n---",
        "\n---",
        "```\n# T\n```",
        "<!--\n# T\n-->",
        "| a |\n---",
        "    a\n---",
        "a\n --- b",
        "---\n---",
    ],
)
def test_what_only_looks_like_a_heading_is_none(text: str) -> None:
    """Tags, code, rules, tables and what stands in fences and comments."""
    assert headings(text_file(text)) == []


def test_bullets_of_many_kinds_are_found() -> None:
    """Those of Markdown, of word processors and of Asian texts; rules are none."""
    file = text_file(
        "- a\n* b\n1. c\n\u2022 d\n\u30fbe\n2\u3001f\n* * *\n---\n-g\n```\n- h\n```\n  - i\n"
    )
    assert [(b.text, b.indent) for b in bullets(file)] == [*((c, 0) for c in "abcdef"), ("i", 2)]


@pytest.mark.parametrize(
    "line",
    [
        "> - [ ] a",
        "> > 1. [x] a",
        "- [WIP] a",
        "* [in progress] a",
        "| [ ] | a |",
        "| a | [x] | b |",
    ],
)
def test_lines_that_are_nearly_boxes_are_found(line: str) -> None:
    """Quoted ones, words for marks, cells of tables."""
    assert near_boxes(text_file(f"a\n{line}\n")) == [2]


@pytest.mark.parametrize(
    "line", ["- [ ] a", "- [link](b)", "- [link]: b", "[ ] a", "a [ ] b", "- a"]
)
def test_boxes_and_links_are_not_nearly_boxes(line: str) -> None:
    """Only what would be lost without a word."""
    assert near_boxes(text_file(line)) == []


def test_sections_end_before_the_next_heading_as_high() -> None:
    """Deeper headings belong to them."""
    file = text_file("# a\n## b\nx\n## c\n# d\n")
    spans = [(heading.text, last) for heading, last in sections(file, headings(file))]
    assert spans == [("a", 4), ("b", 3), ("c", 4), ("d", 5)]
    assert passage(file, 2, 3) == "## b\nx"


# -- any text --------------------------------------------------------------------------------------
PIECES = [
    "- [ ] a",
    "* [x] b",
    "  - [~] c",
    "```",
    "~~~",
    "<!--",
    "-->",
    "# T",
    "---",
    "text",
    "",
    "\t",
    "[ ] d",
    "> - [ ] q",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.sampled_from(["\n", "\r\n", "\r"]))
def test_every_box_is_found_once_whatever_is_around_it(lines: list[str], end: str) -> None:
    """No fence, comment or heading hides or doubles a box in a list."""
    raw = end.join(lines).encode()
    found = boxed(raw)
    listed = [box.line for box in found if box.marker]
    hidden = [k for k, kind in enumerate(layers(text_file(raw)), 1) if kind is Layer.FRONTMATTER]
    wanted = {k for k, line in enumerate(lines, 1) if line in PIECES[:3]}
    assert set(listed) == wanted - set(hidden)
    assert len(listed) == len(set(listed))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300))
def test_no_text_breaks_the_reading(text: str) -> None:
    """Any text has boxes, headings, bullets and layers, or none; offsets point between brackets."""
    file = text_file(text)
    if file.raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    assert len(layers(file)) == len(file.lines)
    headings(file)
    bullets(file)
    near_boxes(file)
    for box in boxes(file):
        assert file.raw[box.mark_offset - 1 : box.mark_offset] == b"["
        assert file.raw[box.mark_offset + box.mark_length :][:1] == b"]"


@pytest.mark.parametrize(
    "raw",
    [
        b"```a\n" * 100_000, b"<!--\n" * 100_000, b"- [" + b" " * 1_000_000, b" " * 1_000_000 + b"]",
        b"#" + b" " * 1_000_000 + b"x]", b"- " * 500_000, b"* [ ] " * 100_000, b"-" * 1_000_000 + b"x]",
        b"- [ ] a\n" * 60_000, b"> " * 500_000 + b"]", b"|" * 1_000_000 + b"]", b"---\n" * 100_000,
    ],
    ids=range(12),
)  # fmt: skip
def test_no_megabyte_takes_long(raw: bytes) -> None:
    """Nothing is looked for again and again: time grows with size."""
    begun = time.process_time()
    file = text_file(raw)
    made = layers(file)
    for read in (headings, boxes, bullets, near_boxes):
        read(file, made)
    assert time.process_time() - begun < 60
