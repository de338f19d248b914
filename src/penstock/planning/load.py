"""Reading and judging bundles: from files to one report."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from penstock.errors import (
    BundleCycleError,
    BundleDependencyError,
    BundleError,
    BundleValidationError,
    ConfigError,
    FileScopeOverlapError,
    UsageError,
)
from penstock.planning.api import (
    DEFAULT_CAPABILITIES,
    BundleProblem,
    LoadedBundle,
    ProblemType,
    ValidationReport,
)
from penstock.planning.files import UnreadableError, bundle_files, read_text
from penstock.planning.parse import Flaw, Parsed, SyntaxProblemError, parse
from penstock.planning.validate import (
    LIMIT,
    Checked,
    Entry,
    Together,
    check_entry,
    duplicate_problems,
)

_ERRORS: dict[ProblemType, type[UsageError]] = {
    ProblemType.SCHEMA: BundleValidationError,
    ProblemType.DEPENDENCY: BundleDependencyError,
    ProblemType.CYCLE: BundleCycleError,
    ProblemType.OVERLAP: FileScopeOverlapError,
    ProblemType.CONFIG: ConfigError,
    ProblemType.UNEXPECTED: BundleError,
}


MAX_BUNDLES: Final = 100_000


class Source(msgspec.Struct):
    """What some files held.

    `told` counts the problems of bundles; `silent` those bundles that are wrong, but after so many
    problems that no more are told.
    """

    checked: list[Checked] = msgspec.field(default_factory=list)
    problems: list[BundleProblem] = msgspec.field(default_factory=list)
    told: int = 0
    silent: int = 0


def load_bundles(
    paths: Sequence[Path],
    directory: Path | None,
    *,
    known_capabilities: Iterable[str] | None = None,
) -> ValidationReport:
    """Read and judge bundles: those of `paths` (files or directories), else all of `directory`.

    The bundles of `paths` may depend on those of `directory`, which are then not judged
    themselves. `known_capabilities` are the names that `capability` may have, a collection
    is looked at only when a bundle has one. Nothing is raised for what is wrong with a file; it is in the report.
    """
    capabilities = _names(known_capabilities)
    source = Source()
    files = list(_unique(_expand(paths or [d for d in (directory,) if d is not None], source)))
    for path in files:
        _read(path, source, capabilities)
    around = _around(directory, capabilities, but=files) if paths else Source()
    return _report(source, around)


def judge_bundles(
    objects: Iterable[Any],
    directory: Path | None,
    *,
    known_capabilities: Iterable[str] | None = None,
) -> ValidationReport:
    """Judge bundles that are decoded objects of no file; they may depend on those of `directory`.

    One that `directory` has too is the one that is given. Nothing is raised for what is wrong.
    """
    capabilities = _names(known_capabilities)
    source = Source()
    for at, value in enumerate(objects):
        _take(Entry("", at, value), source, capabilities)
    return _report(source, _around(directory, capabilities))


def _names(known: Iterable[str] | None) -> Collection[str]:
    """Return the capabilities that bundles may name."""
    if known is None:
        return DEFAULT_CAPABILITIES
    return known if isinstance(known, Collection) else tuple(known)


def _around(
    directory: Path | None, capabilities: Collection[str], *, but: Iterable[Path] = ()
) -> Source:
    """Read the bundles of a directory that others may depend on, without the files `but`."""
    around = Source()
    if directory is not None and directory.is_dir():
        for path in _unique(_expand([directory], around), but):
            _read(path, around, capabilities)
    return around


def raise_for(report: ValidationReport) -> None:
    """Raise the exception of the first kind of problem in a report, with all of that kind.

    Raises BundleValidationError, BundleDependencyError, BundleCycleError, FileScopeOverlapError,
    ConfigError or BundleError; returns when the report is clean.
    """
    if not report.errors:
        return
    kind = report.errors[0].type
    lines = [problem.text for problem in report.errors if problem.type is kind]
    raise _ERRORS[kind]("\n".join(lines), hint="penstock validate")


def _report(source: Source, around: Source) -> ValidationReport:
    """Judge all bundles together."""
    checked = _once(source.checked)
    others = _loaded(_once(around.checked))
    ids = {c.entry.id for c in (*source.checked, *around.checked) if c.entry.id is not None}
    together = Together(checked, [loaded.bundle for loaded in others], ids)
    named = together.entries.keys()
    errors = (
        *(problem for c in source.checked for problem in c.unknown),
        *source.problems,
        *(problem for c in source.checked for problem in c.schema),
        *_more(source.silent),
        *islice(duplicate_problems(source.checked), LIMIT),
        *together.problems(),
    )
    return ValidationReport(
        ok=not errors,
        bundles_checked=len(source.checked),
        errors=errors,
        bundles=tuple(_loaded(checked)),
        available=tuple(loaded for loaded in others if loaded.bundle.id not in named),
    )


def _more(silent: int) -> Iterator[BundleProblem]:
    """Yield a problem that stands for all bundles about which nothing was told."""
    if silent:
        details = f"{silent} more bundles are wrong; mend these first"
        yield BundleProblem(type=ProblemType.SCHEMA, file=None, id=None, path=None, details=details)


def _once(checked: Iterable[Checked]) -> list[Checked]:
    """The first of the bundles of each id."""
    found: dict[str, Checked] = {}
    for one in checked:
        if one.bundle is not None:
            found.setdefault(one.bundle.id, one)
    return list(found.values())


def _loaded(checked: Iterable[Checked]) -> list[LoadedBundle]:
    """The bundles with their files, sorted by id."""
    found = [
        LoadedBundle(bundle=one.bundle, file=one.entry.file)
        for one in checked
        if one.bundle is not None
    ]
    return sorted(found, key=lambda one: one.bundle.id)


def _expand(paths: Iterable[Path], source: Source) -> Iterator[Path]:
    """Yield the files of paths, those of a directory in path order; note what is not there."""
    for path in paths:
        if path.is_dir():
            try:
                yield from bundle_files(path)
            except UnreadableError as error:
                source.problems.append(_file_problem(path, f"directory {error}", kind="config"))
        elif path.is_symlink() or path.exists():
            yield path
        else:
            what = "file" if path.suffix == ".json" else "directory"
            hint = "; 'penstock init' makes one" if what == "directory" else ""
            source.problems.append(_file_problem(path, f"{what} not found{hint}", kind="config"))


def _unique(paths: Iterable[Path], seen: Iterable[Path] = ()) -> Iterator[Path]:
    """Yield each file once, however it is spelt, and none of those already seen."""
    known = {os.path.realpath(path) for path in seen}
    for path in paths:
        real = os.path.realpath(path)
        if real not in known:
            known.add(real)
            yield path


def _file_problem(path: Path, details: str, *, kind: str = "schema") -> BundleProblem:
    """A problem of a whole file."""
    return BundleProblem(
        type=ProblemType(kind), file=display(path), id=None, path=None, details=details
    )


def display(path: Path) -> str:
    """A path as text that any stream can write, whatever bytes its name has."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _read(path: Path, source: Source, capabilities: Collection[str]) -> None:
    """Read one file and check each of its bundles."""
    try:
        parsed = parse(read_text(path))
    except (UnreadableError, SyntaxProblemError) as error:
        source.problems.append(_file_problem(path, str(error)))
        return
    found = entries(parsed, display(path))
    if len(found) > MAX_BUNDLES:
        details = f"more than {MAX_BUNDLES} bundles in one file; split it into several files"
        source.problems.append(_file_problem(path, details))
        return
    for entry in found:
        _take(entry, source, capabilities)


def _take(entry: Entry, source: Source, capabilities: Collection[str]) -> None:
    """Check one bundle and count what is told about it."""
    one = check_entry(entry, capabilities, explained=source.told < LIMIT)
    told = len(one.unknown) + len(one.schema)
    source.told += told
    source.silent += one.bundle is None and not told
    source.checked.append(one)


def entries(parsed: Parsed, file: str) -> list[Entry]:
    """Split a document into its bundles."""
    if not isinstance(parsed.value, list):
        return [Entry(file, None, parsed.value, parsed.flaws)]
    flaws: dict[int, list[Flaw]] = {}
    for flaw in parsed.flaws:
        flaws.setdefault(int(flaw.path[0]), []).append(Flaw(flaw.path[1:], flaw.details))
    return [
        Entry(file, at, value, tuple(flaws.get(at, ()))) for at, value in enumerate(parsed.value)
    ]
