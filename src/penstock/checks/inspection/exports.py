"""Folders for exports of the index: gone when their user is, at the latest with the next one."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from penstock.errors import ClaimError, EnvironmentProblem
from penstock.folders import remove_tree
from penstock.locks import exclusive

PATIENCE_S = 0.05
"""How long we try to get a lock (seconds): others hold it for a moment to see whose it is."""


@contextmanager
def export_folder(home: Path) -> Iterator[Path]:
    """Make a private folder below `home` while the block runs, and remove those of processes that
    were killed. Raises EnvironmentProblem when none can be made."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(f"cannot make the folder {home}: {error.strerror}") from error
    _remove_abandoned(home)
    folder = home.resolve() / secrets.token_hex(6)
    try:
        with _held(folder):  # before the folder is there, so that nobody finds it without a holder
            folder.mkdir(mode=0o700)
            yield folder
    finally:
        _remove(folder)


def _remove_abandoned(home: Path) -> None:
    for lock in home.glob("*.lock"):
        folder = lock.with_suffix("")
        with suppress(ClaimError), _held(folder):  # one that is held is in use
            _remove(folder)


def _remove(folder: Path) -> None:
    remove_tree(folder)
    with suppress(OSError):
        _lock_of(folder).unlink()


def _held(folder: Path) -> AbstractContextManager[None]:
    if sys.platform == "win32":
        return nullcontext()
    lock = _lock_of(folder)
    return exclusive(lock, busy=f"{folder} is in use", patience_s=PATIENCE_S, sign=False)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
