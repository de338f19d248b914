"""Names and places: branches of ours, slot folders, and which of them may be touched."""

from __future__ import annotations

import re
from pathlib import Path

from penstock.errors import RepositoryError

HOME = ".worktrees"
POOL = ".pool"
TRASH = ".trash"
SLOT_PREFIX = "penstock-"
OWN_BRANCHES = ("workstream/", "integration/")
OWN_REFS = tuple(f"refs/heads/{prefix}" for prefix in OWN_BRANCHES)

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_PART = re.compile(r"[^\s/\\\x00-\x1f\x7f.-][^/\\\x00-\x1f\x7f]*")


def is_valid_branch(name: str) -> bool:
    """Tell whether git would take `name` as a branch (the rules of git check-ref-format)."""
    if not name or name.startswith(("-", "/")) or name.endswith(("/", ".")) or name == "@":
        return False
    if _FORBIDDEN.search(name):
        return False
    return all(p and p[0] != "." and not p.endswith(".lock") for p in name.split("/"))


def own_ref(branch: str) -> str:
    """Return the full ref of a branch of ours; raises RepositoryError for any other name."""
    if not branch.startswith(OWN_BRANCHES) or not is_valid_branch(branch):
        raise RepositoryError(
            f"{branch!r} is not a branch name that penstock may write",
            hint="branches of penstock are workstream/<id>/<run> and integration/<run>",
        )
    return f"refs/heads/{branch}"


def folder_name(part: str) -> str:
    """Return `part` (a workstream or run id) when it can name a folder, else raise RepositoryError."""
    if not _PART.fullmatch(part) or len(part.encode("utf-8", "replace")) > 120:
        raise RepositoryError(f"{part!r} cannot name a worktree folder")
    return part


def free_place(home: Path, ws_id: str, run_id: str) -> Path:
    """Return the first path that nothing lies at: <ws>, <ws>--<run>, <ws>--<run>--2, ..."""
    first = folder_name(ws_id)
    second = f"{first}--{folder_name(run_id)}"
    place, number = home / first, 1
    while place.exists() or place.is_symlink():
        place = home / (second if number == 1 else f"{second}--{number}")
        number += 1
    return place


def is_inside(path: Path, folder: Path) -> bool:
    """Tell whether `path`, all symlinks followed, lies below `folder` or is it."""
    return path.resolve().is_relative_to(folder.resolve())
