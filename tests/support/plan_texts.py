"""Plans written down for one test: as texts, files and changes of OpenSpec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from penstock.planning.sources.api import Notice, PlanSource
from penstock.planning.sources.checklist import read_checklist
from penstock.planning.sources.reading import read_source
from penstock.planning.sources.recognise import locate
from penstock.planning.sources.text import SourceFile, from_bytes

CHANGE = "openspec/changes/add-login"
TASKS = "## 1. Log in\n\n- [ ] 1.1 Add `src/login.py` (new)\n- [x] 1.2 Tell people\n"
SPEC = """## ADDED Requirements

### Requirement: Log in
People SHALL log in.

#### Scenario: Right password
- **WHEN** the password is right
- **THEN** they are in
"""
GOOD: Mapping[str, str | bytes] = {
    "proposal.md": "# Change: Add a login\n\n## Why\nSafety.\n\n## What Changes\n- a login\n",
    "tasks.md": TASKS,
    "specs/user-auth/spec.md": SPEC,
}


def text_file(text: str | bytes, name: str = "plan.md") -> SourceFile:
    """A file of a plan that holds a text."""
    return from_bytes(text if isinstance(text, bytes) else text.encode(), name)


def checklist(text: str | bytes) -> PlanSource:
    """A checklist that holds a text."""
    return read_checklist(text_file(text))


def write_tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder and return it."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def write_change(
    root: Path, files: Mapping[str, str | bytes | None] | None = None, folder: str = CHANGE
) -> Path:
    """Write a good change, with some files other than usual (None: without it); return its root."""
    wanted = {**GOOD, **(files or {})}
    kept = {f"{folder}/{name}": text for name, text in wanted.items() if text is not None}
    (root / folder).mkdir(parents=True, exist_ok=True)
    return write_tree(root, kept)


def read_one(root: Path, word: str = CHANGE) -> PlanSource:
    """Read the plan that a word means."""
    (located,) = locate([word], root, root, stdin=bytes)
    return read_source(located, root)


def read_change(root: Path, files: Mapping[str, str | bytes | None] | None = None) -> PlanSource:
    """Write a good change with some files other than usual, and read it."""
    return read_one(write_change(root, files))


def codes(notices: Iterable[Notice]) -> list[str]:
    """The codes of notices, in order."""
    return [notice.code for notice in notices]


def at(source: PlanSource, code: str) -> list[str]:
    """The places of the notices with a code."""
    return [str(notice.place) for notice in source.notices if notice.code == code]
