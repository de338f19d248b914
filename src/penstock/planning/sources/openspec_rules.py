"""What the openspec program would say of a change: the same reasons, with file and line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from penstock.planning.sources.frontmatter import BROKEN_YAML, REPEATED
from penstock.planning.sources.layouts import entries, folders
from penstock.planning.sources.openspec_deltas import (
    Deltas,
    Named,
    Operation,
    Requirement,
    folded_name,
    main_requirements,
    read_deltas,
)
from penstock.planning.sources.openspec_folder import METADATA, Change
from penstock.planning.sources.text import SourceFile

_NORMATIVE: Final = re.compile(r"\b(?:SHALL|MUST)\b", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_KEBAB: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*$")
_MARKERS: Final = frozenset({METADATA, "proposal.md", "tasks.md", "design.md"})
_MAX_DELTAS: Final = 10
_NO_DELTAS_HINT: Final = (
    "write specs/<capability>/spec.md with a section like `## ADDED Requirements`, or set "
    "skip_specs: true in .openspec.yaml"
)


def judge(change: Change) -> dict[str, Deltas]:
    """Note all that is wrong with a change's specs and metadata; return the deltas by capability.

    Errors are what `openspec validate` rejects a change for.
    """
    notes = change.notes
    nested = _nested(change)
    if nested:
        listed = ", ".join(nested)
        notes.error(
            "nested-change",
            f"{change.name} is no change but a folder around {listed}",
            None,
            hint="a change lies directly in openspec/changes: move each of them there",
        )
        return {}
    found = {name: (file, read_deltas(file)) for name, file in change.specs}
    for capability, (file, deltas) in found.items():
        _Judge(change, capability, file, deltas).judge()
    misplaced = _misplaced(change)
    total = sum(deltas.total for _, deltas in found.values())
    _judge_absence(change, total, misplaced=misplaced)
    if total > _MAX_DELTAS:
        text = f"{total} deltas in one change; more than {_MAX_DELTAS} are better split"
        notes.info("many-deltas", text, None)
    return {name: deltas for name, (_, deltas) in found.items()}


class _Judge:
    """Looks at one delta spec."""

    def __init__(self, change: Change, capability: str, file: SourceFile, deltas: Deltas) -> None:
        self._change = change
        self._capability = capability
        self._file = file
        self._deltas = deltas
        self._notes = change.notes

    def judge(self) -> None:
        """Note what is wrong in it."""
        self._sections()
        self._oddities()
        for operation, listed in (
            (Operation.ADDED, self._deltas.added),
            (Operation.MODIFIED, self._deltas.modified),
        ):
            self._twice(operation.value, listed)
            for requirement in listed:
                self._requirement(operation, requirement)
        self._twice("REMOVED", self._deltas.removed)
        self._renames()
        self._conflicts()
        self._lost_scenarios()

    def _error(self, code: str, text: str, line: int, hint: str | None = None) -> None:
        self._notes.error(code, text, self._file.place(line), hint)

    def _sections(self) -> None:
        """A delta spec needs a section of deltas, and that needs entries."""
        if self._deltas.total:
            return
        if not self._deltas.sections:
            hint = "add a section like `## ADDED Requirements`, or move notes out of specs/"
            self._error("no-delta-section", "there is no section of deltas in it", 1, hint)
            return
        names = " and ".join(f"{each} Requirements" for each in sorted(self._deltas.sections))
        hint = "write each requirement as `### Requirement: name`"
        self._error("empty-delta-section", f"{names} holds no requirement", 1, hint)

    def _oddities(self) -> None:
        for named in self._deltas.unpaired:
            text = f"the FROM or TO of {named.name} has no other side: nothing is renamed"
            self._error("unpaired-rename", text, named.line, "put TO right below its FROM")
        for named in self._deltas.stray:
            text = f"the header {named.name} is no requirement and is not read as one"
            self._notes.info("stray-header", text, self._file.place(named.line))
        for named in self._deltas.orphaned:
            self._notes.warning(
                "orphaned-requirement",
                f"the requirement {named.name} is in no section of deltas: it is not read",
                self._file.place(named.line),
                hint="move it below a header like `## ADDED Requirements`",
            )

    def _requirement(self, operation: Operation, requirement: Requirement) -> None:
        what = f"{operation} {requirement.name}"
        if not requirement.text:
            text = f"{what} says nothing below its header"
            self._error("requirement-without-text", text, requirement.line)
        elif not _NORMATIVE.search(requirement.text):
            place = self._file.place(requirement.line)
            self._notes.warning("no-shall", f"{what} holds neither SHALL nor MUST", place)
        if not requirement.filled:
            hint = "add `#### Scenario: name` with WHEN and THEN below it"
            text = f"{what} has no scenario"
            if requirement.scenarios:
                text = f"{what} has no scenario with anything below its header"
            self._error("requirement-without-scenario", text, requirement.line, hint)

    def _twice(self, where: str, listed: Sequence[Requirement | Named]) -> None:
        seen: set[str] = set()
        for each in listed:
            if each.name in seen:
                text = f"{each.name} is twice in {where}"
                self._error("duplicate-requirement", text, each.line)
            seen.add(each.name)

    def _renames(self) -> None:
        renamed = self._deltas.renamed
        self._twice("the FROM of RENAMED", [Named(each.old, each.line) for each in renamed])
        self._twice("the TO of RENAMED", [Named(each.new, each.line) for each in renamed])

    def _conflicts(self) -> None:
        """One requirement cannot be in two sections."""
        added = {each.name: each.line for each in self._deltas.added}
        modified = {each.name: each.line for each in self._deltas.modified}
        removed = {each.name: each.line for each in self._deltas.removed}
        self._both(modified, "MODIFIED", removed, "REMOVED")
        self._both(modified, "MODIFIED", added, "ADDED")
        self._both(added, "ADDED", removed, "REMOVED")
        folded = {folded_name(name) for name in removed}
        for rename in self._deltas.renamed:
            if rename.old in modified:
                text = f"MODIFIED names {rename.old}, which is renamed to {rename.new}"
                self._error("conflicting-deltas", text, modified[rename.old])
            if rename.new in added:
                text = f"{rename.new} is both ADDED and the new name of {rename.old}"
                self._error("conflicting-deltas", text, rename.line)
            if folded_name(rename.old) in folded:
                text = f"{rename.old} is both RENAMED and REMOVED"
                self._error("conflicting-deltas", text, rename.line)

    def _both(self, one: dict[str, int], first: str, two: dict[str, int], second: str) -> None:
        for name, line in one.items():
            if name in two:
                text = f"{name} is both {first} and {second}"
                self._error("conflicting-deltas", text, line)

    def _lost_scenarios(self) -> None:
        """A modified requirement replaces the whole of the current one, with all scenarios."""
        main = self._change.main_spec(self._capability) if self._deltas.modified else None
        if main is None:
            return
        current = main_requirements(main)
        before = {rename.new: rename.old for rename in self._deltas.renamed}
        gone = set(before.values())
        for requirement in self._deltas.modified:
            old = _origin(requirement.name, current, before)
            if requirement.name in gone or old is None:
                continue
            names = Counter(each.name for each in old.scenarios)
            lost = names - Counter(each.name for each in requirement.scenarios)
            if lost:
                text = f"MODIFIED {requirement.name} leaves out: {', '.join(lost.elements())}"
                hint = f"copy what is to stay from {main.name}: a modified requirement replaces all"
                self._error("lost-scenarios", text, requirement.line, hint)


def _origin(
    name: str, current: dict[str, Requirement], before: dict[str, str]
) -> Requirement | None:
    """Return the current requirement that a name stands for, through renames."""
    seen: set[str] = set()
    wanted: str | None = name
    while wanted is not None and wanted not in seen:
        if wanted in current:
            return current[wanted]
        seen.add(wanted)
        wanted = before.get(wanted)
    return None


# -- the change as a whole -------------------------------------------------------------------------
def _misplaced(change: Change) -> bool:
    """Note deltas in files that are not read; return whether there are any."""
    found = False
    if change.root_spec:
        found = True
        change.notes.error(
            "misplaced-deltas",
            f"{change.named(change.root_spec)} belongs to no capability and is not read",
            None,
            hint="move it to specs/<capability>/spec.md",
        )
    for file in change.unread_deltas():
        found = True
        change.notes.error(
            "misplaced-deltas",
            "it holds deltas and is not read, since it is not called spec.md",
            file.place(1),
            hint="move its requirements to specs/<capability>/spec.md",
        )
    return found


def _judge_absence(change: Change, total: int, *, misplaced: bool) -> None:
    """A change without deltas must say that it needs none."""
    notes = change.notes
    skips, wrong = skips_specs(change)
    place = change.metadata[0].place(1) if change.metadata else None
    if wrong:
        notes.error("bad-change-metadata", f"skip_specs does not count: {wrong}", place)
    elif fault := metadata_fault(change):
        notes.warning(
            "odd-change-metadata", f"the openspec program does not read it: {fault}", place
        )
    if skips and change.inside_specs:
        text = "skip_specs is set, and there are files below specs/"
        notes.error("skip-specs-conflict", text, place, "remove one of the two")
    if not total and not misplaced and not skips:
        notes.error("no-deltas", "the change has no deltas", None, _NO_DELTAS_HINT)


def skips_specs(change: Change) -> tuple[bool, str | None]:
    """Return whether a change says that it has no deltas, and why that does not count."""
    if change.metadata is None:
        return False, None
    file, values, odd = change.metadata
    if BROKEN_YAML in odd or REPEATED in odd:
        told = any(re.match(r"\s*(['\"]?)skip_specs\1\s*:", line.text) for line in file.lines)
        return False, metadata_fault(change) if told else None
    if values.get("skip_specs", False) is False:
        return False, None
    wrong = metadata_fault(change)
    return wrong is None, wrong


def metadata_fault(change: Change) -> str | None:
    """Return why the program does not read the metadata of a change; None when it does, and when
    there is none."""
    if change.metadata is None:
        return None
    _, values, odd = change.metadata
    if BROKEN_YAML in odd or REPEATED in odd:
        return f"{METADATA} is no valid YAML"
    wrong = next(_wrong(values), None)
    if wrong is None and not change.knows_schema(str(values["schema"])):
        return f"the schema {values['schema']} is not known"
    return wrong


def _wrong(values: dict[str, Any]) -> Iterator[str]:
    """Yield what the metadata of a change must not hold."""
    if not _filled(values.get("schema")):
        yield "schema is missing"
    if "created" in values and not (_filled(values["created"]) and _DATE.match(values["created"])):
        yield "created is not YYYY-MM-DD"
    if "goal" in values and not _filled(values["goal"]):
        yield "goal is no text"
    areas = values.get("affected_areas", [])
    if not isinstance(areas, list) or not all(map(_filled, areas)):
        yield "affected_areas is no list of texts"
    yield from _wrong_initiative(values)
    for key in ("skip_specs", "retire_capabilities"):
        if key in values and not isinstance(values[key], bool):
            yield f"{key} is neither true nor false"


def _wrong_initiative(values: dict[str, Any]) -> Iterator[str]:
    if "initiative" not in values:
        return
    given = values["initiative"]
    names = {"store", "id"}
    if not isinstance(given, dict) or set(given) != names:
        yield "initiative is not made of store and id"
    elif not all(_filled(given[name]) and _KEBAB.match(given[name]) for name in names):
        yield "initiative holds a name that is not kebab-case"


def _filled(value: object) -> bool:
    return isinstance(value, str) and bool(value)


# -- folders around changes ------------------------------------------------------------------------
def _nested(change: Change) -> list[str]:
    """Return the changes that a folder is wrapped around that is no change itself."""
    if change.archived or _looks_like_change(change.path) or _own_files(change.path):
        return []
    return [change.named(path) for path in sorted(_wrapped(change.path, 1))]


def _wrapped(folder: Path, depth: int) -> Iterator[Path]:
    for child in _folders(folder) if depth <= 3 else ():
        if _looks_like_change(child):
            yield child
        else:
            yield from _wrapped(child, depth + 1)


def _looks_like_change(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _MARKERS) or _any_file(folder / "specs")


def _any_file(folder: Path) -> bool:
    return any(
        not each.is_dir() or each.is_symlink() or _any_file(each) for each in entries(folder)
    )


def _own_files(folder: Path) -> bool:
    return any(not each.is_dir() for each in entries(folder))


def _folders(folder: Path) -> list[Path]:
    return [each for each in folders(folder) if not each.is_symlink()]
