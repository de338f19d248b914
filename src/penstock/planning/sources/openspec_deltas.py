"""Delta specs of OpenSpec: which requirements a change adds, modifies, removes and renames.

Read line by line with the rules of the openspec program, so that both see the same deltas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from penstock.planning.sources.text import Line, SourceFile

_FENCE: Final = re.compile(r"\s*(`{3,}|~{3,})")
_FENCE_END: Final = re.compile(r"\s*(`{3,}|~{3,})\s*$")
_SECTION: Final = re.compile(r"##\s+(.+)$")
_REQUIREMENT: Final = re.compile(r"###\s*Requirement:(.+)$", re.IGNORECASE)
_OTHER_HEADER: Final = re.compile(r"###\s+(\S.*)$")
_SCENARIO: Final = re.compile(r"####\s+")
_SCENARIO_END: Final = re.compile(r"#{1,4}\s")
_HEADER: Final = re.compile(r"#{1,6}\s")
_LABELLED: Final = re.compile(r"\*\*[^*]+\*\*:")
_LISTED_NAME: Final = re.compile(r"\s*[-*+]\s*`?###\s*Requirement:\s*(.+?)`?\s*$")
_SIDE: Final = re.compile(r"\s*[-*+]?\s*(FROM|TO):\s*`?###\s*Requirement:\s*(.+?)`?\s*$")
_CLOSING: Final = re.compile(r"[ \t]+#+[ \t]*$")
_MAIN_SECTION: Final = "requirements"


class Operation(StrEnum):
    """What a delta does with requirements."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    REMOVED = "REMOVED"
    RENAMED = "RENAMED"


_TITLES: Final = {f"{operation} requirements".lower(): operation for operation in Operation}


class Scenario(NamedTuple):
    """A scenario: its name, the line of its header, and its body as written."""

    name: str
    line: int
    body: str


class Requirement(NamedTuple):
    """A requirement: its name, the line of its header, what it demands, and its scenarios.

    `text` is the body above the first header, empty when there is none. `scenarios` are all headers
    of level 4, also those without anything under them.
    """

    name: str
    line: int
    text: str
    scenarios: tuple[Scenario, ...]

    @property
    def filled(self) -> tuple[Scenario, ...]:
        """The scenarios that say something."""
        return tuple(scenario for scenario in self.scenarios if scenario.body.strip())


class Named(NamedTuple):
    """A name that stands in a line: of a removed requirement, or of an odd one."""

    name: str
    line: int


class Rename(NamedTuple):
    """A requirement that gets another name; `line` is that of the TO."""

    old: str
    new: str
    line: int


class Deltas(NamedTuple):
    """What one delta spec says, and what in it says nothing to the openspec program.

    `sections` are the delta sections that are there. `unpaired` are FROM and TO lines without the
    other, `stray` headers of level 3 that are no requirements, `orphaned` requirements outside of
    the delta sections.
    """

    sections: frozenset[Operation]
    added: tuple[Requirement, ...]
    modified: tuple[Requirement, ...]
    removed: tuple[Named, ...]
    renamed: tuple[Rename, ...]
    unpaired: tuple[Named, ...]
    stray: tuple[Named, ...]
    orphaned: tuple[Named, ...]

    @property
    def total(self) -> int:
        """How many deltas there are."""
        return len(self.added) + len(self.modified) + len(self.removed) + len(self.renamed)


class _Part(NamedTuple):
    """The lines under a header of level 2, and which of them are fenced."""

    title: str | None
    lines: Sequence[Line]
    fenced: Sequence[bool]

    def open_lines(self) -> Iterator[Line]:
        """Yield the lines that are not fenced."""
        return (line for line, fenced in zip(self.lines, self.fenced, strict=True) if not fenced)


def plain_name(name: str) -> str:
    """Return the name of a requirement as it is compared: without space and closing signs."""
    return _CLOSING.sub("", name).strip()


def folded_name(name: str) -> str:
    """Return a name without the case and space in which a slip may differ."""
    return " ".join(plain_name(name).lower().split())


def read_deltas(file: SourceFile) -> Deltas:
    """Read a delta spec."""
    parts = _parts(file.lines)
    under = {
        operation: [part for part in parts if _operation(part) is operation]
        for operation in Operation
    }
    pairs, unpaired = _renames(under[Operation.RENAMED])
    told = (*under[Operation.ADDED], *under[Operation.MODIFIED])
    stray = [named for part in told for named in _stray(part)]
    return Deltas(
        sections=frozenset(operation for operation in Operation if under[operation]),
        added=tuple(r for part in under[Operation.ADDED] for r in _requirements(part)),
        modified=tuple(r for part in under[Operation.MODIFIED] for r in _requirements(part)),
        removed=tuple(named for part in under[Operation.REMOVED] for named in _removed(part)),
        renamed=tuple(pairs),
        unpaired=tuple(sorted(unpaired, key=lambda named: named.line)),
        stray=tuple(sorted(stray, key=lambda named: named.line)),
        orphaned=tuple(
            named for part in parts if _operation(part) is None for named in _headers(part)
        ),
    )


def has_delta_section(file: SourceFile) -> bool:
    """Whether a file has any section of deltas."""
    return any(_operation(part) for part in _parts(file.lines))


def main_requirements(file: SourceFile) -> dict[str, Requirement]:
    """Return the requirements of a main spec by name."""
    titled = (part for part in _parts(file.lines) if (part.title or "").lower() == _MAIN_SECTION)
    first = next(titled, None)
    return {} if first is None else {r.name: r for r in _requirements(first)}


# -- sections --------------------------------------------------------------------------------------
def _operation(part: _Part) -> Operation | None:
    return _TITLES.get((part.title or "").lower())


def _parts(lines: Sequence[Line]) -> list[_Part]:
    """Split a file at its headers of level 2; what stands above the first has no title."""
    fenced = _fenced([line.text for line in lines])
    starts = [-1]
    titles: list[str | None] = [None]
    for at, line in enumerate(lines):
        header = None if fenced[at] else _SECTION.match(line.text)
        if header:
            starts.append(at)
            titles.append(header[1].strip())
    ends = [*starts[1:], len(lines)]
    return [
        _Part(title, lines[start + 1 : end], fenced[start + 1 : end])
        for title, start, end in zip(titles, starts, ends, strict=True)
    ]


def _fenced(texts: Sequence[str]) -> list[bool]:
    """Return which lines stand in fences; one that never ends goes on to the end of the file."""
    made: list[bool] = []
    run = ""
    for text in texts:
        end = _FENCE_END.match(text) if run else None
        begin = None if run else _FENCE.match(text)
        made.append(bool(run) or begin is not None)
        if begin:
            run = begin[1]
        elif end and end[1].startswith(run):
            run = ""
    return made


# -- requirements ----------------------------------------------------------------------------------
def _headers(part: _Part) -> Iterator[Named]:
    for line in part.open_lines():
        header = _REQUIREMENT.match(line.text)
        if header:
            yield Named(plain_name(header[1]), line.number)


def _stray(part: _Part) -> Iterator[Named]:
    for line in part.open_lines():
        header = _OTHER_HEADER.match(line.text)
        if header and not _REQUIREMENT.match(line.text):
            yield Named(header[1].strip(), line.number)


def _requirements(part: _Part) -> Iterator[Requirement]:
    """Yield the requirements of a section; each goes on to the next."""
    found = list(_headers(part))
    offset = part.lines[0].number if part.lines else 0
    ends = [*(named.line for named in found[1:]), offset + len(part.lines)]
    for named, end in zip(found, ends, strict=False):
        body = part.lines[named.line + 1 - offset : end - offset]
        yield _requirement(named, body)


def _requirement(named: Named, body: Sequence[Line]) -> Requirement:
    fenced = _fenced([line.text for line in body])
    text = _text(line.text for line in _until_header(body, fenced))
    return Requirement(named.name, named.line, text, tuple(_scenarios(body, fenced)))


def _until_header(body: Sequence[Line], fenced: Sequence[bool]) -> Iterator[Line]:
    for line, hidden in zip(body, fenced, strict=True):
        if not hidden and _HEADER.match(line.text):
            return
        if not hidden:
            yield line


def _text(lines: Iterable[str]) -> str:
    """Return what a requirement demands; lines like **ID**: count when there is nothing else."""
    said = [line.strip() for line in lines if line.strip()]
    return "\n".join([line for line in said if not _LABELLED.match(line)] or said)


def _scenarios(body: Sequence[Line], fenced: Sequence[bool]) -> Iterator[Scenario]:
    for at, line in enumerate(body):
        if fenced[at] or not _SCENARIO.match(line.text):
            continue
        rest = range(at + 1, len(body))
        ends = (i for i in rest if not fenced[i] and _SCENARIO_END.match(body[i].text))
        text = "\n".join(each.text for each in body[at + 1 : next(ends, len(body))])
        yield Scenario(_scenario_name(line.text), line.number, text.strip("\n"))


def _scenario_name(header: str) -> str:
    name = _CLOSING.sub("", _SCENARIO.sub("", header))
    return re.sub(r"^Scenario:\s*", "", name, flags=re.IGNORECASE).strip()


def _removed(part: _Part) -> Iterator[Named]:
    """Yield the requirements that go, named by headers or in a list."""
    for line in part.open_lines():
        found = _REQUIREMENT.match(line.text) or _LISTED_NAME.match(line.text)
        if found:
            yield Named(plain_name(found[1]), line.number)


def _renames(parts: Sequence[_Part]) -> tuple[list[Rename], list[Named]]:
    """Return the pairs of FROM and the TO after it, and the lines that have no other."""
    pairs: list[Rename] = []
    alone: list[Named] = []
    for part in parts:
        pending: Named | None = None
        for line in part.open_lines():
            found = _SIDE.match(line.text)
            if found is None:
                continue
            side, named = found[1], Named(plain_name(found[2]), line.number)
            if side == "TO" and pending:
                pairs.append(Rename(pending.name, named.name, named.line))
                pending = None
                continue
            alone += [pending] if pending else []
            alone += [named] if side == "TO" else []
            pending = named if side == "FROM" else None
        alone += [pending] if pending else []
    return pairs, alone
