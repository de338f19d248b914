"""The scope check: a turn's diff held against what the workstream may touch."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from penstock.model.bundle import Bundle
from penstock.schedule.scope import ScopeMatcher, refusal
from penstock.worktrees.api import Change, Changes


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One offending path and why."""

    path: str
    why: str


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
