"""Where each dialect keeps its plans, and what a directory or file of it looks like."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from penstock.planning.sources.api import Dialect

TASKS_JSON: Final = ("tasks.json", "tasks/tasks.json")
_FEATURE: Final = re.compile(r"[0-9]{3,}-")
_CHANGE_FILES: Final = ("proposal.md", ".openspec.yaml", "tasks.md", "design.md")
_NO_EPICS: Final = frozenset({"archived", "archive"})
_LISTS: Final = frozenset({"todo", "tasks", "plan", "checklist", "roadmap"})
_LIST_ENDS: Final = frozenset({".md", ".txt"})
ARCHIVE: Final = "archive"


class Found(NamedTuple):
    """A plan where it lies, with the names that people may call it."""

    dialect: Dialect
    path: Path
    names: tuple[str, ...] = ()


def folders(directory: Path) -> list[Path]:
    """Return the folders in a directory that are not hidden, sorted; none when it is not readable."""
    return [entry for entry in entries(directory) if entry.is_dir()]


def entries(directory: Path) -> list[Path]:
    """Return what is in a directory and not hidden, sorted; nothing when it is not readable."""
    try:
        with os.scandir(directory) as found:
            names = sorted(entry.name for entry in found if not entry.name.startswith("."))
    except OSError:
        return []
    return [directory / name for name in names]


# -- what lies below a directory -------------------------------------------------------------------
def changes(openspec: Path) -> Iterator[Found]:
    """Yield the changes in an `openspec` folder that are not archived, as the program lists them."""
    for path in folders(openspec / "changes"):
        if path.name != ARCHIVE and not path.is_symlink():
            yield Found(Dialect.OPENSPEC, path, (path.name,))


def archived_changes(openspec: Path) -> Iterator[Found]:
    """Yield the archived changes in an `openspec` folder, by their name with and without the date."""
    for path in folders(openspec / "changes" / ARCHIVE):
        bare = re.sub(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}-", "", path.name)
        yield Found(Dialect.OPENSPEC, path, (path.name, bare))


def epics(claude: Path) -> Iterator[Found]:
    """Yield the epics in a `.claude` folder that are not archived."""
    for path in folders(claude / "epics"):
        if path.name not in _NO_EPICS and is_epic(path):
            yield Found(Dialect.CCPM, path, (path.name, f"epic/{path.name}"))


def archived_epics(claude: Path) -> Iterator[Found]:
    """Yield the archived epics in a `.claude` folder."""
    for folder in sorted(_NO_EPICS):
        for path in folders(claude / "epics" / folder):
            yield Found(Dialect.CCPM, path, (path.name, f"epic/{path.name}"))


def features(specs: Path) -> Iterator[Found]:
    """Yield the features of spec-kit in a `specs` folder that have tasks."""
    for path in folders(specs):
        if is_feature(path):
            yield Found(Dialect.SPEC_KIT, path, _feature_names(path.name))


def _feature_names(name: str) -> tuple[str, ...]:
    number, _, rest = name.partition("-")
    if not number.isdecimal():
        return (name, f"specs/{name}")
    return (name, f"specs/{name}", number, str(int(number)), rest)


def task_lists(base: Path) -> Iterator[Found]:
    """Yield the tasks.json of a repository, and its checklists by their usual names."""
    for folder in (base / ".taskmaster", base):
        for name in TASKS_JSON:
            if (folder / name).is_file():
                yield Found(Dialect.TASK_MASTER, folder / name)
                break
    for path in entries(base):
        if path.stem.lower() in _LISTS and path.suffix.lower() in _LIST_ENDS and path.is_file():
            yield Found(Dialect.CHECKLIST, path)


def plans(base: Path) -> Iterator[Found]:
    """Yield all plans of a repository or folder that are not archived, dialect by dialect."""
    yield from changes(base / "openspec")
    yield from epics(base / ".claude")
    yield from features(base / "specs")
    yield from task_lists(base)


# -- what a path is --------------------------------------------------------------------------------
def is_change(path: Path) -> bool:
    """Whether a directory is a change of OpenSpec."""
    parent = path.parent
    if parent.name == "changes" and parent.parent.name == "openspec":
        return path.name != ARCHIVE
    if parent.name == ARCHIVE and parent.parent.name == "changes":
        return True
    return any((path / name).is_file() for name in _CHANGE_FILES[:2])


def is_epic(path: Path) -> bool:
    """Whether a directory is an epic of CCPM."""
    if (path / "epic.md").is_file():
        return True
    inside = path.parent.name == "epics" or path.parent.parent.name == "epics"
    return inside and any(entry.suffix == ".md" for entry in entries(path))


def is_feature(path: Path) -> bool:
    """Whether a directory is a feature of spec-kit with tasks."""
    if not (path / "tasks.md").is_file() or is_change(path):
        return False
    known = any((path / name).is_file() for name in ("spec.md", "plan.md"))
    return known or bool(_FEATURE.match(path.name)) or path.parent.name == "specs"


def inside(path: Path) -> Iterator[Found]:
    """Yield the plans that a directory is, or that it is the dialect's folder of."""
    if is_change(path):
        yield Found(Dialect.OPENSPEC, path)
    elif is_epic(path):
        yield Found(Dialect.CCPM, path)
    elif is_feature(path):
        yield Found(Dialect.SPEC_KIT, path)
    else:
        yield from _collection(path)


def _collection(path: Path) -> Iterator[Found]:
    """Yield all plans of a folder that keeps those of one dialect."""
    name, above = path.name, path.parent
    if name == "openspec":
        yield from changes(path)
    elif name == "changes":
        yield from changes(above)
    elif name == ARCHIVE and above.name == "changes":
        yield from archived_changes(above.parent)
    elif name in (".claude", "epics"):
        yield from epics(path if name == ".claude" else above)
    elif name in ("specs", ".specify"):
        yield from features(path if name == "specs" else above / "specs")
    elif name == ".taskmaster" or (name == "tasks" and (path / "tasks.json").is_file()):
        yield from list(task_lists(above if name == ".taskmaster" else path))[:1]


def owner(path: Path) -> Found | None:
    """Return the plan that a file belongs to, None for a file of its own."""
    folder = path.parent
    if path.name == "tasks.json" or path.suffix == ".json":
        return Found(Dialect.TASK_MASTER, path)
    if path.name in _CHANGE_FILES and is_change(folder):
        return Found(Dialect.OPENSPEC, folder)
    if path.name in ("tasks.md", "spec.md", "plan.md") and is_feature(folder):
        return Found(Dialect.SPEC_KIT, folder)
    if path.suffix == ".md" and is_epic(folder):
        return Found(Dialect.CCPM, folder)
    return None
