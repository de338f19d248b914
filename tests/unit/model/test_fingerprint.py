"""Findings are told again after the file has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.finding import Finding
from penstock.model.fingerprint import LENGTH, compare, fingerprints, key_of, source_lines
from tests.support.findings import finding, findings, lines_by_path

SOURCE = ("import os", "x = 1", "x = 1", "", "    y = x  +  2", "x = 1")
TEXTS = st.lists(st.sampled_from(["import os", "x = 1", "", "def f():", "return 0"]), max_size=12)


def at_lines(numbers: Sequence[int]) -> list[Finding]:
    """A finding of one rule at each of these lines."""
    return [finding(code="E1", line=number, message=f"at {number}") for number in numbers]


def marks(found: Sequence[Finding], lines: Sequence[str]) -> list[str | None]:
    """The fingerprints that findings get from these lines."""
    return [f.fingerprint for f in fingerprints(found, lines_by_path(*lines))]


def keys(found: Sequence[Finding]) -> Counter[tuple[str | None, str]]:
    """The findings as a bag."""
    return Counter(key_of(one) for one in found)


@given(TEXTS, st.data())
def test_lines_inserted_elsewhere_keep_every_fingerprint(
    lines: list[str], data: st.DataObject
) -> None:
    """Text above, between or below moves findings and changes none."""
    flagged = data.draw(st.lists(st.integers(1, max(len(lines), 1)), unique=True)) if lines else []
    later, moved = [], {}
    for number, line in enumerate(lines, start=1):
        later += data.draw(st.lists(st.sampled_from(["x = 1", "# other", "import os"]), max_size=2))
        later.append(line)
        moved[number] = len(later)
    assert marks(at_lines(flagged), lines) == marks(at_lines([moved[n] for n in flagged]), later)


@given(st.permutations(range(len(SOURCE))))
def test_moved_lines_keep_their_fingerprints(order: list[int]) -> None:
    """In whatever order the lines come, the same fingerprints are found."""
    moved = [SOURCE[index] for index in order]
    every = at_lines(range(1, len(SOURCE) + 1))
    assert Counter(marks(every, SOURCE)) == Counter(marks(every, moved))


@given(st.text(alphabet=" \t", max_size=6), st.text(alphabet=" \t", min_size=1, max_size=3))
def test_another_indentation_and_spacing_keeps_fingerprints(indent: str, gap: str) -> None:
    """White space is squeezed: a reformatted line is the same line."""
    every = at_lines(range(1, len(SOURCE) + 1))
    other = [indent + gap.join(line.split()) + gap for line in SOURCE]
    assert marks(every, SOURCE) == marks(every, other)


def test_equal_lines_are_told_apart_by_their_order() -> None:
    """The same rule on three equal lines makes three fingerprints, in whatever order they are told."""
    every = at_lines([2, 3, 6])
    told = marks(every, SOURCE)
    assert len(set(told)) == 3
    assert marks(every[::-1], SOURCE) == told[::-1]


def test_two_findings_of_one_rule_on_one_line_are_two() -> None:
    """Columns order them."""
    pair = [finding(code="F401", line=1, column=n) for n in (12, 8)]
    first, second = marks(pair, SOURCE)
    assert first != second
    assert marks(pair[::-1], SOURCE) == [second, first]


@pytest.mark.parametrize(
    "change", [{"tool": "flake8"}, {"code": "E2"}, {"code": None}, {"line": 1}, {"line": None}]
)
def test_tool_rule_and_line_text_make_the_fingerprint(change: dict[str, object]) -> None:
    """Another rule, or the same on another text, is another finding."""
    usual = {"code": "E1", "line": 2}
    pair = [finding(**usual), finding(**{**usual, **change})]
    assert len(set(marks(pair, SOURCE))) == 2


def test_the_message_and_the_path_are_no_part_of_a_line_fingerprint() -> None:
    """A file that is renamed, or a message that names another line, keeps it."""
    one = finding(code="E1", line=2, message="redefined from line 1")
    other = finding(code="E1", line=2, message="redefined from line 9", path="b.py")
    assert len(set(marks([one, other], SOURCE))) == 1


@pytest.mark.parametrize("line", [None, 0, 99])
def test_without_a_line_the_message_counts_but_not_its_numbers(line: int | None) -> None:
    """`3 of 9 lines` and `4 of 10 lines` are one finding, other words are another."""
    told = ("3 of 9  lines", "4 of 10 lines", "4 of 10 words")
    one, same, other = (marks([finding(line=line, message=text)], SOURCE)[0] for text in told)
    assert one == same != other


def test_each_file_is_read_once_and_only_for_findings_with_a_line() -> None:
    """Lines are asked for where they are needed."""
    asked: list[str] = []

    def lines_of(path: str) -> Sequence[str]:
        asked.append(path)
        return SOURCE

    found = [*at_lines([1, 2]), finding(path="b.py"), finding(path=None, line=3)]
    fingerprints(found, lines_of)
    assert asked == ["a.py"]


@given(st.lists(findings()))
def test_fingerprints_change_nothing_else_and_are_hexadecimal(told: list[Finding]) -> None:
    """Order and fields stay; each fingerprint has sixteen digits."""
    marked = fingerprints(told, lines_by_path(*SOURCE))
    assert [m.message for m in marked] == [t.message for t in told]
    assert all(len(m.fingerprint or "") == LENGTH for m in marked)
    assert all(int(m.fingerprint or "", 16) >= 0 for m in marked)


@given(st.lists(findings()), st.lists(findings()), st.booleans())
def test_a_comparison_is_a_partition(
    before: list[Finding], after: list[Finding], marked: bool
) -> None:
    """New and unchanged are exactly the later findings, fixed and unchanged exactly the earlier."""
    if marked:
        before = list(fingerprints(before, lines_by_path(*SOURCE)))
        after = list(fingerprints(after, lines_by_path(*SOURCE)))
    told = compare(before, after)
    assert keys(told.new) + keys(told.unchanged) == keys(after)
    assert keys(told.fixed) + keys(told.unchanged) == keys(before)
    assert not keys(told.new) & keys(told.fixed)


@given(st.lists(findings()))
def test_compared_with_itself_nothing_is_new_or_fixed(told: list[Finding]) -> None:
    """What did not change is unchanged, in its order."""
    result = compare(told, told)
    assert (result.new, result.fixed) == ((), ())
    assert result.unchanged == tuple(told)


def test_of_equal_findings_as_many_are_fixed_as_there_are_fewer() -> None:
    """Counts decide among equals; unchanged ones carry today's line."""
    before = [finding(line=n, fingerprint="f") for n in (1, 2, 3)]
    after = [finding(line=7, fingerprint="f")]
    told = compare(before, after)
    assert [f.line for f in told.unchanged] == [7]
    assert [f.line for f in told.fixed] == [2, 3]


def test_the_same_finding_in_another_file_is_another() -> None:
    """The path counts when checks are compared."""
    told = compare([finding(fingerprint="f")], [finding(fingerprint="f", path="b.py")])
    assert (len(told.new), len(told.fixed), len(told.unchanged)) == (1, 1, 0)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_where_checkers_say_so(end: str) -> None:
    """All three line ends count, a form feed or a Unicode separator does not."""
    assert source_lines(f"a\x0cb\u2028c{end}d{end}") == ["a\x0cb\u2028c", "d", ""]
