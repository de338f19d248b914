"""The scope check: a turn's diff held against what the workstream may touch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from penstock.model.bundle import Bundle
from penstock.schedule.scope import ScopeMatcher, refusal
from penstock.worktrees.api import Change, Changes

FILES_NAMED = 200
"""How many files of a directory or glob a tool is told of."""
NOT_SOURCES = frozenset({".git", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache"})


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One offending path and why."""

    path: str
    why: str


def existing_files(tree: Path, claims: tuple[str, ...]) -> tuple[str, ...]:
    """Return the existing files that these claims name, sorted and at most FILES_NAMED.

    A directory or glob is looked through from its first part without a wildcard; folders that
    hold no sources (environments, caches) are left out.
    """
    found: set[str] = set()
    for claim in claims:
        fixed = claim.rstrip("/")
        if os.path.isfile(tree / fixed):  # noqa: PTH113 - too long a name is no file, not an error
            found.add(fixed)
        elif len(found) < FILES_NAMED:
            found.update(islice(_files_of(tree, claim), FILES_NAMED - len(found)))
    return tuple(sorted(found))


def _files_of(tree: Path, claim: str) -> Iterator[str]:
    parts = claim.rstrip("/").split("/")
    wild = next((n for n, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
    matcher = ScopeMatcher((claim,))
    for folder, folders, names in os.walk(tree.joinpath(*parts[:wild])):
        folders[:] = sorted(f for f in folders if f not in NOT_SOURCES)
        for name in sorted(names):
            path = Path(folder, name).relative_to(tree).as_posix()
            if matcher.allows(path):
                yield path


def violations(bundle: Bundle, changes: Changes, protected: Iterable[str]) -> tuple[Violation, ...]:
    """Return what of a turn's diff lies outside the workstream's scope, sorted by path."""
    globs = tuple(protected)
    found = [*change_violations(bundle, changes.changes, globs)]
    found += [
        Violation(path=path, why=f"ignored file, {why}")
        for path in changes.ignored
        if (why := refusal(path, globs)) is not None
    ]
    found += [Violation(path=".git", why=text) for text in changes.tampering]
    return tuple(sorted(found, key=lambda v: (v.path, v.why)))


def change_violations(
    bundle: Bundle, changes: Iterable[Change], protected: tuple[str, ...]
) -> tuple[Violation, ...]:
    """Return what of these changes lies outside the workstream's scope."""
    matcher = ScopeMatcher(bundle.claims)
    found: list[Violation] = []
    for change in changes:
        for path in change.paths:
            if (why := refusal(path, protected)) is not None:
                found.append(Violation(path=path, why=why))
            elif not matcher.allows(path):
                found.append(Violation(path=path, why=f"{change.kind.value} outside the scope"))
        if change.escapes:
            target = change.symlink_target or "?"
            found.append(Violation(path=change.path, why=f"symlink out of the tree to {target}"))
        if change.submodule:
            found.append(Violation(path=change.path, why="a nested repository or submodule"))
    return tuple(found)
