"""Files that only we may read: refused when others can, created exclusively, replaced atomically."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.errors import ClaimError, EnvironmentProblem, SecretsError
from penstock.folders import private_folder, why_not_private
from penstock.locks import exclusive

PATIENCE_S = 30.0
"""How long (s) one writer waits for another; the keyring may be asking its user meanwhile."""
MOST_BYTES = 64 << 20
"""A file beyond this is not one of ours."""
_DRAFT = ".draft-"
_SAFE_READ = (
    os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
)


def read_private(path: Path) -> bytes | None:
    """Return the content of a file of ours, None when there is none.

    Raises SecretsError when it is no plain file, belongs to somebody else, others may get at it, or
    it cannot be read.
    """
    try:
        descriptor = os.open(path, _SAFE_READ)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _cannot("read", path, error) from error
    try:
        _require_private(path, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        raise _cannot("read", path, error) from error
    finally:
        os.close(descriptor)


def _require_private(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SecretsError(f"{path} is no plain file", hint=f"Move {path} away and try again.")
    if why := why_not_private(found):
        hint = f"chmod 600 {path}" if why.startswith("is open") else f"Move {path} away."
        raise SecretsError(f"{path} {why}", hint=f"{hint} What it held may be known to others.")


def write_private(path: Path, data: bytes, *, exclusively: bool = False) -> bool:
    """Write a file of mode 0600 whole or not at all, over what was there.

    With `exclusively` a file that is there stays, and False is returned. The folder must be ours
    (see `private_folder`). Raises SecretsError when it cannot be written; what was there is whole.
    """
    draft = path.with_name(f".{path.name}{_DRAFT}{os.getpid()}-{os.urandom(4).hex()}")
    try:
        try:
            _write_draft(draft, data)
            if exclusively:
                path.hardlink_to(draft)
            else:
                draft.replace(path)
            _sync_folder(path.parent)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot("write", path, error) from error
    return True


def _write_draft(draft: Path, data: bytes) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """See that the new name is on the disk, where folders can be opened."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Keep other writers off a folder of ours while the block runs, and see that it is ours.

    Drafts that a crash left behind are removed. Raises SecretsError.
    """
    own_folder(folder)
    busy = f"another process is changing {folder}"
    try:
        with exclusive(
            folder / ".vault.lock", busy=busy, hint="Try again.", patience_s=PATIENCE_S, sign=False
        ):
            _remove_drafts(folder)
            yield
    except ClaimError as error:
        raise SecretsError(busy, hint="Wait until it has ended and try again.") from error


def own_folder(folder: Path) -> Path:
    """Make a folder that only we may enter, or see that it is one. Raises SecretsError."""
    try:
        return private_folder(folder)
    except EnvironmentProblem as error:
        raise SecretsError(str(error), hint=error.hint) from error


def _remove_drafts(folder: Path) -> None:
    for left in folder.glob(f".*{_DRAFT}*"):
        with suppress(OSError):
            left.unlink()


def _cannot(what: str, path: Path, error: OSError) -> SecretsError:
    return SecretsError(
        f"cannot {what} {path}: {error.strerror}", hint="Mend its permissions or free some space."
    )
