"""Tags are found wherever they stand, each with the words that belong to it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.specs.scan import MOST, near_misses, plain, tags

HEADED = "# Storage\n\n"


def found(text: str) -> list[tuple[str, int, str]]:
    """Every tag of a text with its line and description."""
    rows = [tag.row for tag in tags(text, "docs/a.md")]
    return [(row.idx, row.line, row.description) for row in rows]


def described(line: str) -> list[str]:
    """The descriptions of the tags of one line below a heading."""
    return [words for _, _, words in found(HEADED + line)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[IDX-DB-1] create the tables", "create the tables"),
        ("- [IDX-DB-1]: create the tables", "create the tables"),
        ("* [ ] [IDX-DB-1] - create the tables", "create the tables"),
        ("1. [IDX-DB-1] \N{EM DASH} create the tables", "create the tables"),
        ("> [IDX-DB-1] create the tables", "create the tables"),
        ("| [IDX-DB-1] | create the tables |", "create the tables"),
        ("| [IDX-DB-1] | create | PH-02 |", "create | PH-02"),
        ("| yes | [IDX-DB-1] |", "Storage"),
        ("`[IDX-DB-1]` create the tables", "create the tables"),
        ("**[IDX-DB-1]** create the tables", "create the tables"),
        ("**[IDX-DB-1] create the tables**", "create the tables"),
        ("([IDX-DB-1] create the tables)", "create the tables"),
        ("**[IDX-DB-1]** create the **tables**", "create the **tables**"),
        ("[IDX-DB-1] `create` the tables", "`create` the tables"),
        ("<!-- [IDX-DB-1] create the tables -->", "create the tables"),
        ("/* [IDX-DB-1] create the tables */", "create the tables"),
        ("# [IDX-DB-1] create the tables", "create the tables"),
        ("## [IDX-DB-1] create the tables ##", "create the tables"),
        ("## Tables [IDX-DB-1]", "Tables"),
        ("## Tables [IDX-DB-1] ##", "Tables"),
        ("## [IDX-DB-1]", "Storage"),
        ("[IDX-DB-1] C#", "C#"),
        ("as said here [IDX-DB-1]", "Storage"),
        ("[IDX-DB-1] .gitignore is read", ".gitignore is read"),
        ("[IDX-DB-1]. Create", "Create"),
        ("[IDX-DB-1](other.md#x) as there", "as there"),
        ("[IDX-DB-1] \u521b\u5efa\u8868", "\u521b\u5efa\u8868"),
        ("\t[IDX-DB-1]\tcreate   the\ttables ", "create the tables"),
    ],
)
def test_the_words_of_a_tag_are_the_rest_of_its_line(line: str, words: str) -> None:
    """Signs of lists, tables, emphasis and comments do not count; an empty rest is a heading's."""
    assert described(line) == [words]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[IDX-A-1] one [IDX-B-2] two", ["one", "two"]),
        ("[IDX-A-1], [IDX-B-2] and [IDX-C-3] text", ["and", "and", "text"]),
        ("[IDX-A-1] [IDX-B-2] together", ["together", "together"]),
        ("[IDX-A-1][IDX-B-2]", ["Storage", "Storage"]),
        ("[IDX-A-1] one | [IDX-B-2]", ["one", "Storage"]),
    ],
)
def test_several_tags_of_a_line_part_it(line: str, words: list[str]) -> None:
    """Each has the text up to the next one; those that stand together share what follows."""
    assert described(line) == words


def test_tags_in_fences_count_and_their_headings_do_not() -> None:
    """A comment in code is no heading."""
    text = "# Top\n```sh\n# [IDX-DB-1] in code\n# no heading\n[IDX-DB-2]\n```\n[IDX-DB-3]\n"
    assert found(text) == [
        ("IDX-DB-1", 3, "in code"),
        ("IDX-DB-2", 5, "Top"),
        ("IDX-DB-3", 7, "Top"),
    ]


def test_the_nearest_heading_above_counts() -> None:
    """Not one below, not one without words; tags in it are left out."""
    text = "[IDX-A-1]\n# One [IDX-A-2] x\n[IDX-A-3]\n## \n[IDX-A-4]\nTwo\n---\n[IDX-A-5]\n# Three\n"
    words = [description for _, _, description in found(text)]
    assert words == ["", "x", "One x", "One x", "Two"]


def test_without_a_heading_what_stands_before_counts() -> None:
    """So that a row says something."""
    assert [words for *_, words in found("- The tables: [IDX-DB-1]\n")] == ["The tables"]


def test_only_capitals_digits_and_dashes_make_a_tag() -> None:
    """Everything else in brackets is no tag."""
    text = "[idx-db-1] [IDX_DB_1] [IDX-] [IDX-a] IDX-DB-1 [ IDX-DB-1 ] [IDX-DB.1] [IDX--]"
    assert [idx for idx, *_ in found(text)] == ["IDX--"]


def test_what_looks_like_a_tag_is_told_with_its_line() -> None:
    """Small letters, other signs and blanks; what is a tag, and other words, are not."""
    text = "[IDX-DB-1] [idx-db-1]\n[IDX_DB_1]\n\n[ IDX-DB-1 ] [index] [IDXES]\n"
    found = [
        (notice.text.split(" looks ")[0], str(notice.place)) for notice in near_misses(text, "a.md")
    ]
    assert found == [
        ("[idx-db-1]", "a.md:1"),
        ("[IDX_DB_1]", "a.md:2"),
        ("[ IDX-DB-1 ]", "a.md:4"),
    ]


def test_a_link_leads_elsewhere() -> None:
    """A tag that is the text of a link is marked as one."""
    marked = [tag.linked for tag in tags("[IDX-A-1](a.md) [IDX-A-2] (b) [IDX-A-3]: c\n", "a.md")]
    assert marked == [True, False, False]


def test_descriptions_are_bounded() -> None:
    """A line of megabytes gives a row of bearable length, and soon."""
    text = "[IDX-A-1] " + "x" * 3_000_000 + " [IDX-A-2]" * 1000
    rows = found(text)
    assert len(rows) == 1001
    assert max(len(words) for *_, words in rows) == MOST


@given(st.text(alphabet=st.sampled_from("[]IDX-AB19 \n#`~|*<>!-x\t"), max_size=200))
def test_every_tag_of_any_text_is_found_once(text: str) -> None:
    """In order, on its line, and no description holds a tag."""
    expected = [
        (match[1], text.count("\n", 0, match.start()) + 1)
        for match in re.finditer(r"\[(IDX-[A-Z0-9\-]+)\]", text)
    ]
    rows = found(text)
    assert [(idx, line) for idx, line, _ in rows] == expected
    assert all(words == plain(words) for *_, words in rows)
