"""Plans as text: fit for 80 columns, nothing of the source can reach the terminal as control."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from penstock.cli import plans
from penstock.planning.api import Changes
from penstock.planning.drafting.api import ItemCount
from penstock.planning.sources.api import Notice, Place, Severity
from tests.support.refining import make_plan

PLAN = make_plan()


def notice(severity: Severity, number: int = 1) -> Notice:
    """A notice with a place and a hint."""
    return Notice(
        code="overlap",
        severity=severity,
        text=f"the {severity} number {number}",
        place=Place("plan.md", number),
        hint="name another file",
    )


def test_a_source_is_told_in_a_line() -> None:
    """Dialect, id, place and size."""
    assert list(plans.source_lines(PLAN.sources, 80)) == ["checklist plan (plan.md): 5 items"]


def test_a_bundle_is_a_row() -> None:
    """Id, gate, tasks, files and what it waits for."""
    assert plans.bundle_rows(PLAN.bundles) == [
        ("ws-plan-g1", "1", "2", "2", "-"),
        ("ws-plan-g2", "1", "1", "1", "ws-plan-g1"),
    ]


def test_new_files_and_many_needs_are_counted() -> None:
    """What is made is told apart, and only some names are shown."""
    first = PLAN.bundles[0]
    bundle = replace(first.bundle, files_create=("n.py",), depends_on=("ws-a", "ws-b", "ws-c"))
    (row,) = plans.bundle_rows([replace(first, bundle=bundle)])
    assert row[3:] == ("3 (1 new)", "ws-a, ws-b and 1 more")


def test_items_without_a_scope_are_listed_with_their_lines() -> None:
    """What was guessed too faintly stands below them."""
    assert list(plans.scope_lines(PLAN.needs_scope, 80, everything=False)) == [
        "  plan.md:9 Tidy up",
        "  plan.md:10 Polish",
        "    perhaps docs/more.md: history 90%, said so",
    ]


def test_why_there_is_no_scope_is_explained() -> None:
    """Once for those that belong together."""
    lines = list(plans.scope_lines(PLAN.needs_scope, 80, everything=True))
    assert lines.count("    why: what was found is too doubtful") == 1


def test_long_lists_are_cut_unless_everything_is_wanted() -> None:
    """The rest is counted, and how to see it told."""
    missing = PLAN.needs_scope * 15
    assert list(plans.scope_lines(missing, 80, everything=False))[-1] == "  and 10 more: --explain"
    assert "more" not in list(plans.scope_lines(missing, 80, everything=True))[-1].split(":")[-1]
    many = [notice(Severity.WARNING, number) for number in range(25)]
    lines = list(plans.notice_lines(many, 80, everything=False))
    assert lines[-1] == "  and 5 more warnings: --explain"


def test_errors_come_first_and_hints_only_on_demand() -> None:
    """A notice has its place, its code and how to mend it."""
    given = [notice(Severity.INFO), notice(Severity.WARNING), notice(Severity.ERROR)]
    assert list(plans.notice_lines(given, 80, everything=False)) == [
        "error: plan.md:1: the error number 1 [overlap]",
        "  name another file",
        "warning: plan.md:1: the warning number 1 [overlap]",
        "  name another file",
    ]
    assert len(list(plans.notice_lines(given, 80, everything=True))) == 6


def test_the_explanation_tells_the_evidence_of_each_file() -> None:
    """Tasks, files with how they were found, acceptance."""
    text = "\n".join(plans.explain_lines(PLAN, 80))
    assert "ws-plan-g1 -> ws-generated-plan-1.json" in text
    assert "  task: Add the parser" in text
    assert "  file: src/b.py: sibling 90%, said so" in text
    assert "  accepted when: pytest -q tests" in text


def test_a_file_without_evidence_and_reasons_are_told_too() -> None:
    """A refined bundle may claim files that nobody has evidence for."""
    first = PLAN.bundles[0]
    bundle = replace(first.bundle, conflict_group="db")
    plan = replace(PLAN, bundles=(replace(first, bundle=bundle, evidence=(), reasons=("so",)),))
    lines = list(plans.explain_lines(plan, 80))
    assert {"  file: src/a.py", "  conflict group: db", "  because: so"} <= set(lines)


def test_the_counts_add_up_in_words() -> None:
    """All parts are told, the empty ones too."""
    counts = ItemCount(total=5, planned=3, done=0, needs_scope=2, skipped=0)
    assert plans.count_line(counts) == (
        "5 items = 3 planned + 0 done + 2 without a scope + 0 skipped"
    )


def test_what_was_written_is_told() -> None:
    """What stays although it is stale, too."""
    changes = Changes(
        directory="/x", written=("a.json",), unchanged=("b.json",), removed=("c.json", "d.json"),
        kept={"e.json": "it was edited"},
    )  # fmt: skip
    assert list(plans.changes_lines(changes, "workstreams/", 80)) == [
        "workstreams/: 1 file written, 1 unchanged, 2 removed.",
        "Kept e.json: it was edited.",
    ]
    assert list(plans.changes_lines(Changes(directory="/x"), "w/", 80)) == []


@pytest.mark.parametrize("width", [40, 80])
def test_long_texts_are_folded(width: int) -> None:
    """No line is wider, but for words that are longer."""
    text = "word " * 60
    lines = list(
        plans.notice_lines([replace(notice(Severity.ERROR), text=text)], width, everything=True)
    )
    assert max(map(len, lines)) <= width


def test_nothing_of_the_source_rewrites_the_screen() -> None:
    """Escapes and line breaks are taken out of what the source says."""
    wild = "a\x1b[2Jb\r\nc"
    item = replace(PLAN.needs_scope[0].items[0], text=wild, label="\x07T1")
    assert plans.item_words(item) == "T1 a [2Jb c"
    shown = [*plans.notice_lines([replace(notice(Severity.ERROR), text=wild)], 80, everything=True)]
    assert "\x1b" not in "".join(shown)


def test_a_label_is_told_once() -> None:
    """A text that begins with its label has it already."""
    item = replace(PLAN.needs_scope[0].items[0], text="T1 tidy", label="T1")
    assert plans.item_words(item) == "T1 tidy"
    assert plans.item_words(replace(item, label="T2")) == "T2 T1 tidy"
