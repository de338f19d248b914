"""What `penstock init` puts into a repository, and whether it is there already."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from penstock.environment.api import Piece, State
from penstock.environment.template import PIPELINE_YAML
from penstock.errors import EnvironmentProblem, UsageError

OWN_FOLDERS = ("state", "logs", ".worktrees", ".state", ".AIM_ai-tools-registry/AIM_audit")
"""The folders that penstock writes, from the top of the repository."""

# How to make room where a repository tracks a folder of that name.
MOVE_JOURNAL = (
    "set `db` in config/pipeline.yaml to a path in a folder of its own, such as"
    " `.penstock/pipeline.db`: what belongs to the journal moves along"
)
MOVING = {
    "state": MOVE_JOURNAL,
    ".AIM_ai-tools-registry/AIM_audit": "set `audit.logPath` in config/aim_config.json",
}
STAYS = "penstock keeps its own files there and cannot move them: rename yours or `git rm --cached`"
DATABASE_ENDINGS = ("", "-wal", "-shm", "-journal")
SPECIAL = re.compile(r"[\\*?\[\] ]")
EXCLUDE_HEADING = b"# folders of penstock, hidden here so that no tracked file changes"


class Own(NamedTuple):
    """What is ours in a repository, relative to its top: folders, and files outside of them."""

    folders: tuple[str, ...] = OWN_FOLDERS
    files: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Folders and files."""
        return (*self.folders, *self.files)

    @property
    def patterns(self) -> tuple[bytes, ...]:
        """The anchored ignore patterns that hide them."""
        folders = (f"/{SPECIAL.sub(_escaped, path)}/" for path in self.folders)
        files = (f"/{SPECIAL.sub(_escaped, path)}" for path in self.files)
        return tuple(os.fsencode(pattern) for pattern in (*folders, *files))


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match.group()}"


OURS = Own()
"""What is ours where nothing is configured."""


def state_folder(root: Path, database: Path) -> str:
    """Return the folder of the journal's evidence, relative to `root`: the one that the database
    lies in, or `state` where it lies at the top or outside of the repository."""
    folder = Path(os.path.normpath(database)).parent
    inside = folder != root and folder.is_relative_to(root)
    return folder.relative_to(root).as_posix() if inside else "state"


def own(root: Path, database: Path) -> Own:
    """Return what is ours in the repository at `root` with its journal in `database`."""
    folders = (state_folder(root, database), *OWN_FOLDERS[1:])
    place = Path(os.path.normpath(database))
    if place.parent != root:
        return Own(folders)
    return Own(folders, tuple(place.name + end for end in DATABASE_ENDINGS))


def refuse_tracked(tracked: Sequence[str], ours: Own = OURS) -> None:
    """Raise UsageError when the repository tracks a file in a folder that we would hide.

    `tracked` are tracked paths, relative to the top. Hiding such a folder would make new files
    of the user's in it invisible to git and to the scope check.
    """
    for folder in ours.paths:
        mine = [path for path in tracked if path == folder or path.startswith(f"{folder}/")]
        if mine:
            raise UsageError(
                f"this repository tracks {mine[0]}, but penstock keeps and hides its own files"
                f" at /{folder}",
                hint=MOVING.get(folder, MOVE_JOURNAL if folder == ours.folders[0] else STAYS),
            )


def scaffold(
    root: Path,
    bundles: Path,
    exclude: Path,
    *,
    example: tuple[str, str],
    ours: Own = OURS,
    check: bool = False,
) -> tuple[Piece, ...]:
    """Create what is missing, or with `check` only say what is.

    `bundles` is the folder of bundles, `exclude` git's info/exclude of the common directory,
    `example` the name and text of the example bundle, which is written only where there is no bundle yet.
    What exists is never touched. Raises EnvironmentProblem when something cannot be written.
    """
    name = _relative(root, bundles)
    has_bundles = bundles.is_dir() and any(bundles.glob("*.json"))
    pieces = [_piece(f"{name}/", "workstream bundles", bundles.is_dir(), check=check)]
    if not has_bundles:
        file, text = bundles / example[0], example[1].encode()
        pieces.append(_file(root, file, "example bundle", text, check=check))
    config = root / "config" / "pipeline.yaml"
    pieces.append(_file(root, config, "settings", PIPELINE_YAML.encode(), check=check))
    hidden = not missing_patterns(exclude, ours)
    if not hidden and not check:
        hide(exclude, ours)
    pieces.append(_piece(".git/info/exclude", "hides our folders", hidden, check=check))
    return tuple(pieces)


def missing_patterns(exclude: Path, ours: Own = OURS) -> tuple[bytes, ...]:
    """Return the anchored patterns that are not in the exclude file yet."""
    have = {line.strip() for line in _read(exclude).splitlines()}
    return tuple(pattern for pattern in ours.patterns if pattern not in have)


def hide(exclude: Path, ours: Own = OURS) -> bool:
    """Add the missing anchored patterns to git's exclude file, in one step; tell whether any was.

    Raises EnvironmentProblem when it cannot be written.
    """
    missing = missing_patterns(exclude, ours)
    if not missing:
        return False
    old = _read(exclude)
    lines = [*([] if EXCLUDE_HEADING in old else [EXCLUDE_HEADING]), *missing]
    gap = b"" if not old or old.endswith(b"\n") else b"\n"
    _replace(exclude, old + gap + b"\n".join(lines) + b"\n")
    return True


def _piece(path: str, what: str, present: bool, *, check: bool) -> Piece:
    state = State.PRESENT if present else State.MISSING if check else State.CREATED
    return Piece(path=path, what=what, state=state)


def _file(root: Path, path: Path, what: str, content: bytes, *, check: bool) -> Piece:
    """Create a file of the user's unless it exists."""
    present = path.exists()
    if not present and not check:
        present = not _create(root, path, content)
    return _piece(_relative(root, path), what, present, check=check)


def _create(root: Path, path: Path, content: bytes) -> bool:
    """Create a file with its folder; False when somebody else has just done so.

    A folder that is a link leading out of the repository is refused: a repository fetched from
    elsewhere must not make us write outside of it.
    """
    parent = path.parent.resolve()
    inside = path.is_relative_to(root)  # a folder that the user named may lie elsewhere
    if inside and root.resolve() not in (parent, *parent.parents):
        raise EnvironmentProblem(f"{path.parent} leads out of the repository", hint="Remove it.")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(parent / path.name):
            return False
        with (parent / path.name).open("xb") as file:
            file.write(content)
    except OSError as error:
        raise EnvironmentProblem(f"cannot write {path}: {error.strerror}") from error
    return True


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror}") from error


def _replace(path: Path, content: bytes) -> None:
    """Replace a file's content so that a reader sees the old or the new one, never half."""
    target = path.resolve()
    scratch = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode if target.exists() else 0o644
        scratch.write_bytes(content)
        scratch.chmod(mode & 0o777)
        scratch.replace(target)
    except OSError as error:
        raise EnvironmentProblem(f"cannot write {path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def _relative(root: Path, path: Path) -> str:
    """Return a path as people know it: from the top of the repository where it lies inside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
