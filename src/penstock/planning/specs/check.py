"""What is wrong with the tags of a repository: duplicates, targets that do not exist, odd shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from penstock.planning.sources.api import Notice, Place, Severity
from penstock.planning.specs.api import TBD, IndexRow, MappedTag, SpecIndex, SpecReport
from penstock.planning.specs.mapping import map_tag
from penstock.planning.specs.rules import Rules

SHOWN = 5


def check(index: SpecIndex, rules: Rules, exists: Callable[[str], bool]) -> SpecReport:
    """Look through an index; `exists` tells whether a path of the repository is there."""
    mapped = [map_tag(tag.row, rules) for tag in index.tags if not tag.linked]
    linked = [tag.row for tag in index.tags if tag.linked]
    problems = [
        *index.notices,
        *_duplicates([tag.row for tag in mapped]),
        *_targets(mapped, exists),
        *_leading_nowhere(linked, {tag.row.idx for tag in mapped}),
    ]
    problems.sort(key=lambda each: (each.place or Place("", 0), each.code, each.text))
    return SpecReport(files=index.files, tags=len(index.tags), problems=tuple(problems))


def _duplicates(rows: Sequence[IndexRow]) -> Iterator[Notice]:
    """Give one error for each tag that stands in several places, at the second."""
    places: dict[str, list[IndexRow]] = {}
    for row in rows:
        places.setdefault(row.idx, []).append(row)
    for idx, found in places.items():
        if len(found) > 1:
            named = ", ".join(f"{row.file}:{row.line}" for row in found[:SHOWN])
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            yield Notice(
                code="duplicate-tag",
                severity=Severity.ERROR,
                text=f"{idx} stands in {len(found)} places: {named}{more}",
                place=_place(found[1]),
                hint="give each its own number, or make the others links to the first: [IDX-...](file.md)",
            )


def _targets(tags: Sequence[MappedTag], exists: Callable[[str], bool]) -> Iterator[Notice]:
    there = cache(exists)
    for tag in tags:
        if not tag.known:
            yield Notice(
                code="unknown-shape",
                severity=Severity.WARNING,
                text=f"{tag.row.idx} maps to nothing: expected IDX-CATEGORY[-SUBCATEGORY]-NUMBER",
                place=_place(tag.row),
            )
        elif tag.module != TBD and not there(tag.module):
            yield Notice(
                code="missing-target",
                severity=Severity.ERROR,
                text=f"{tag.row.idx} maps to {tag.module}, which does not exist",
                place=_place(tag.row),
                hint="name your own modules in config/spec_mapping.yaml",
            )


def _leading_nowhere(rows: Sequence[IndexRow], defined: set[str]) -> Iterator[Notice]:
    for row in rows:
        if row.idx not in defined:
            yield Notice(
                code="undefined-tag",
                severity=Severity.WARNING,
                text=f"{row.idx} is only linked to, and stands nowhere",
                place=_place(row),
            )


def _place(row: IndexRow) -> Place:
    return Place(row.file, row.line)
