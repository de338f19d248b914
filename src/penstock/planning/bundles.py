"""The documented functions over bundles: each raises instead of reporting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from penstock.errors import BundleValidationError
from penstock.model.bundle import Bundle
from penstock.planning.api import DEFAULT_CAPABILITIES
from penstock.planning.load import load_bundles, raise_for
from penstock.planning.validate import Entry, check_entry
from penstock.schedule.conflicts import Overlap, simultaneous_overlaps
from penstock.schedule.graph import build_dependency_graph, find_cycles

__all__ = [
    "build_dependency_graph",
    "detect_cycles",
    "detect_filescope_overlaps",
    "load_and_validate_bundles",
    "load_bundle_file",
    "validate_bundle_obj",
]


def load_bundle_file(
    path: Path, *, directory: Path | None = None, known_capabilities: Iterable[str] | None = None
) -> list[Bundle]:
    """Return the bundles of one file, sorted by id.

    `depends_on` may name bundles of the file and of `directory`.
    Raises what `raise_for` raises.
    """
    report = load_bundles([path], directory, known_capabilities=known_capabilities)
    raise_for(report)
    return [loaded.bundle for loaded in report.bundles]


def load_and_validate_bundles(
    directory: Path, *, known_capabilities: Iterable[str] | None = None
) -> list[Bundle]:
    """Return all bundles of a directory, sorted by id. Raises what `raise_for` raises."""
    report = load_bundles([], directory, known_capabilities=known_capabilities)
    raise_for(report)
    return [loaded.bundle for loaded in report.bundles]


def validate_bundle_obj(
    obj: dict[str, Any], *, known_capabilities: Iterable[str] = DEFAULT_CAPABILITIES
) -> Bundle:
    """Return the bundle that a decoded object is.

    Raises BundleValidationError listing every problem with its JSON path.
    """
    checked = check_entry(Entry("", None, obj), tuple(known_capabilities))
    if checked.bundle is None:
        problems = (*checked.unknown, *checked.schema)
        raise BundleValidationError("\n".join(problem.text for problem in problems))
    return checked.bundle


def detect_cycles(bundles: Iterable[Bundle]) -> list[tuple[str, ...]]:
    """Return the dependency cycles, each once, starting at its smallest id."""
    return find_cycles(build_dependency_graph(bundles)[1])


def detect_filescope_overlaps(bundles: Sequence[Bundle]) -> list[Overlap]:
    """Return the overlaps between workstreams that could run at the same time, sorted."""
    return simultaneous_overlaps(bundles)
