"""What the texts about a unit and its other items say of an item's files."""

from __future__ import annotations

import pytest

from penstock.planning.scoping.api import Guess, Rung
from penstock.planning.scoping.ground import Ground
from penstock.planning.scoping.named import Namer
from penstock.planning.scoping.siblings import (
    LARGE_GROUP,
    MOST_OTHERS,
    MOST_RELATED,
    MOST_SHARED,
    Section,
    Sections,
    Shared,
    beside_a_miss,
    of_analyses,
    of_unit,
    read_section,
    words_of,
)
from penstock.planning.sources.api import Dialect, Place, Use
from tests.support.terrains import item, passage, unit

FILES = [f"src/f{number}.py" for number in range(200)]
NAMER = Namer(Ground([*FILES, "README.md"]))


def section(text: str, role: str = "design") -> Section:
    """A passage as read."""
    return read_section(passage(text, role), NAMER, numbered=True)


def guess(path: str, use: Use = Use.MODIFY) -> Guess:
    """A guess that is sure."""
    return Guess(path=path, use=use, rung=Rung.NAMED, confidence=0.9, evidence="named")


def about(text: str, *lines: str, title: str = "") -> dict[str, float]:
    """What a design of some lines gives an item of a text, path by path."""
    found = Sections([section("\n".join(lines))]).guesses(item(text), unit(title=title))
    return {each.path: each.confidence for each in found}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fix the Tokenizers", {"tokenizer"}),
        ("the a of is it", set()),
        ("更新会话存储", {"更新", "新会", "会话", "话存", "存储"}),
        ("update files when tests change", set()),
        ("T012 v2", {"t012"}),
    ],
)
def test_words_that_tell_something(text: str, words: set[str]) -> None:
    """Short and everyday words tell nothing; scripts without spaces are taken in pairs."""
    assert words_of(text) == words


def test_a_section_knows_its_heading() -> None:
    """A line is about what its heading is about; a heading within code is none."""
    (line,) = section("## Tokenizer\n```\n## Other\n```\nin src/f1.py").lines
    assert line.words == {"tokenizer"}
    assert line.guesses[0].place == Place("design.md", 5)


def test_what_a_section_names_and_is_not_there() -> None:
    """Odd paths of a section are kept beside its guesses."""
    found = section("src/f1.py and src/zz.py")
    assert [each.path for each in found.guesses()] == ["src/f1.py"]
    assert [missing.path for missing in found.odd.unresolved] == ["src/zz.py"]


def test_analyses_are_apart_from_other_sections() -> None:
    """An analysis is about one task; what else is about a unit is about all of its items."""
    sections = [section("src/f1.py", "analysis"), section("`src/f2.py`", "spec")]
    (named,), (beside,) = of_analyses(sections), of_unit(sections)
    assert (named.path, named.rung, named.confidence) == ("src/f1.py", Rung.NAMED, 0.8)
    assert (beside.path, beside.rung, beside.confidence) == ("src/f2.py", Rung.SIBLING, 0.6)


OTHERS = [f"part {number} is src/f{number}.py" for number in range(10, 15)]


def test_lines_that_share_words_are_surer() -> None:
    """Two shared words make a line be about an item, one may, none does not."""
    lines = ("tokenizer cache: src/f1.py", "tokenizer: src/f2.py", *OTHERS)
    found = about("Speed up the tokenizer cache", *lines)
    assert (found["src/f1.py"], found["src/f2.py"], found["src/f10.py"]) == (0.6, 0.5, 0.35)


def test_the_title_of_a_unit_counts_with_the_item_only() -> None:
    """A line that is about the unit's title alone is about no item of it in particular."""
    lines = ("tokenizer cache: src/f1.py", "cache size: src/f2.py", *OTHERS)
    found = about("Speed up the tokenizer", *lines, title="Cache")
    assert (found["src/f1.py"], found["src/f2.py"]) == (0.6, 0.35)


def test_few_files_are_what_a_plan_is_about() -> None:
    """A design that names three files is about them, one that names four is not."""
    assert set(about("Do it", *OTHERS[:3]).values()) == {0.5}
    assert set(about("Do it", *OTHERS[:4]).values()) == {0.35}


def test_a_long_design_is_bounded() -> None:
    """Of thousands of lines the likeliest and the first are told."""
    lines = [f"the tokenizer of part {n} is in src/f{n}.py" for n in range(200)]
    assert len(about("Fix the tokenizer", *lines)) == MOST_RELATED
    assert len(about("Do it", *lines)) == MOST_OTHERS


@pytest.mark.parametrize(
    ("dialect", "count", "confidence"),
    [
        (Dialect.SPEC_KIT, 2, 0.55),
        (Dialect.OPENSPEC, LARGE_GROUP + 1, 0.45),
        (Dialect.CHECKLIST, 2, 0.4),
    ],
)
def test_files_of_the_others(dialect: Dialect, count: int, confidence: float) -> None:
    """The fewer files a group has the surer it is that an item is about them."""
    known = {"1": [guess(path) for path in FILES[:count]]}
    found = Shared(unit("x", "y"), known, dialect).guesses()
    assert [each.path for each in found] == FILES[:count]
    assert {(each.rung, each.confidence) for each in found} == {(Rung.SIBLING, confidence)}


def test_what_others_read_is_not_shared() -> None:
    """References of one item are no files of another."""
    known = {"1": [guess("README.md", Use.READ), guess("src/f1.py", Use.CREATE)]}
    (found,) = Shared(unit("x", "y"), known, Dialect.SPEC_KIT).guesses()
    assert (found.path, found.use) == ("src/f1.py", Use.CREATE)


def test_files_of_the_others_are_bounded() -> None:
    """A unit of thousands of files tells an item the first of them."""
    known = {"1": [guess(path) for path in FILES]}
    assert len(Shared(unit("x"), known, Dialect.CHECKLIST).guesses()) == MOST_SHARED


def test_beside_a_miss_nothing_is_sure() -> None:
    """For an item that names what is not there, others' files never reach a scope."""
    assert beside_a_miss(guess("src/f1.py")).confidence < 0.5
