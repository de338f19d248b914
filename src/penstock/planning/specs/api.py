"""The tags of a repository's documents: where they stand, what they map to, what is wrong with them."""

from __future__ import annotations

import msgspec

from penstock.planning.sources.api import Notice, Severity

TBD = "TBD"
"""What is written where a tag does not say it."""


class IndexRow(msgspec.Struct, frozen=True, kw_only=True):
    """A tag where it stands: `idx` without its brackets, `file` from the repository's top, `line` from
    1, and the rest of its line or else the nearest heading."""

    idx: str
    file: str
    line: int
    description: str


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the index and how it is used: `linked` where it is the text of a link (`[IDX-A-1](a.md)`)
    and so leads to a tag that stands elsewhere."""

    row: IndexRow
    linked: bool = False


class SpecIndex(msgspec.Struct, frozen=True, kw_only=True):
    """All tags in the order of files and lines, the number of files looked through, and what could
    not be read or looks like a tag that was meant differently."""

    tags: tuple[Tag, ...]
    files: int
    notices: tuple[Notice, ...] = ()

    @property
    def rows(self) -> tuple[IndexRow, ...]:
        """The rows alone."""
        return tuple(tag.row for tag in self.tags)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule gives for a category: `module` is a path of the repository or TBD, in which
    `{name}` stands for the category in lower case."""

    module: str
    phase: str = TBD


class MappedTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag with what it maps to: `function` is that of a function or class, `known` is False for a
    tag of another shape than IDX-CATEGORY[-SUBCATEGORY]-NUMBER."""

    row: IndexRow
    module: str
    function: str
    phase: str
    version: str
    known: bool = True


class SpecReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: `problems` in the order of their places."""

    files: int
    tags: int
    problems: tuple[Notice, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing contradicts itself."""
        return all(problem.severity is not Severity.ERROR for problem in self.problems)


class SpecMap(msgspec.Struct, frozen=True, kw_only=True):
    """The mapping and its document: `path` where it belongs, `changed` whether it was written anew."""

    path: str
    changed: bool
    tags: tuple[MappedTag, ...]
    notices: tuple[Notice, ...] = ()
