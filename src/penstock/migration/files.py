"""Files that a migration changes: named from the repository or the user's folder, written whole."""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import stat
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from penstock.errors import EnvironmentProblem, UsageError

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_CREATE |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
DRAFT = ".draft"
"""How a file ends that is being written."""


class Base(StrEnum):
    """What a path counts from."""

    REPOSITORY = "repository"
    AIM_HOME = "aim_home"


class Name(NamedTuple):
    """A file by its base and its path from there, with `/`."""

    base: Base
    path: str

    def __str__(self) -> str:
        return self.path if self.base is Base.REPOSITORY else f"$AIM_HOME/{self.path}"


class Places:
    """Where the bases lie on this machine."""

    def __init__(self, repository: Path, aim_home: Path) -> None:
        self._roots: Mapping[Base, Path] = {
            Base.REPOSITORY: repository.resolve(),
            Base.AIM_HOME: aim_home.resolve(),
        }

    @property
    def repository(self) -> Path:
        """The top of the repository."""
        return self._roots[Base.REPOSITORY]

    def path(self, name: Name) -> Path:
        """Return where a file lies, links followed.

        Raises UsageError for one outside of its base: a backup that somebody made up, or a link in the
        repository, must not have us write elsewhere.
        """
        root = self._roots[name.base]
        plain = Path(name.path)
        found = (root / plain).resolve()
        if plain.is_absolute() or ".." in plain.parts or not found.is_relative_to(root):
            raise UsageError(
                f"{name} leads out of its folder",
                hint="Nothing was changed. Remove the link, or name another backup with --backup.",
            )
        return found


def read(path: Path) -> bytes | None:
    """Return a file's content, None when there is none. Raises EnvironmentProblem."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot read {path}: {error.strerror}", hint="Mend its permissions, then try again."
        ) from error


def digest(data: bytes) -> str:
    """Return the SHA-256 of data in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def mode_of(path: Path) -> int:
    """Return the permission bits of a file that is there."""
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, data: bytes, mode: int) -> None:
    """Put a file in place whole, on the disk when this returns. Raises EnvironmentProblem."""
    draft = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{DRAFT}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_draft(draft, data, mode)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot write {path}: {error.strerror}",
            hint="Free space or mend the permissions, then run the same command again.",
        ) from error


def _write_draft(draft: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(draft, _CREATE, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    draft.chmod(mode)


def remove_drafts(path: Path) -> None:
    """Remove what a kill left of a file that was being written; nobody may be writing it now."""
    for draft in path.parent.glob(f".{glob.escape(path.name)}.*-*{DRAFT}"):
        draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk; Windows opens no folders and needs no such thing."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
