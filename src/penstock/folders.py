"""Folders that only we may enter, and getting rid of whole ones."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from penstock.errors import EnvironmentProblem

AIM_HOME_VARIABLE = "AIM_HOME"
"""Moves the user's own folder of penstock."""
PRIVATE = 0o700
KEY_BYTES = 32
"""Length of a key that is kept for the user."""


def aim_home(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of what belongs to the user and to no repository: AIM_HOME, else `~/.aim`.

    It may not be there yet; see `private_folder`. `environ` None is the process's own. Raises
    EnvironmentProblem when there is no home.
    """
    env = os.environ if environ is None else environ
    wanted = env.get(AIM_HOME_VARIABLE) or "~/.aim"
    home = env.get("HOME") or env.get("USERPROFILE")
    if home and wanted.startswith("~/"):
        return Path(home, wanted[2:]).absolute()
    try:
        return Path(wanted).expanduser().absolute()
    except RuntimeError as error:
        raise EnvironmentProblem(
            f"there is no home folder: {error}", hint=f"Set {AIM_HOME_VARIABLE} to a folder."
        ) from error


def private_folder(folder: Path) -> Path:
    """Make a folder that only we may enter, or see that it is one, and return it.

    Raises EnvironmentProblem when it belongs to somebody else, others may enter it, or it cannot be
    made.
    """
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot make the folder {folder}: {error.strerror}",
            hint=f"Mend its permissions, or set {AIM_HOME_VARIABLE} to another folder.",
        ) from error
    if why := why_not_private(found):
        raise EnvironmentProblem(f"the folder {folder} {why}", hint=_mending(folder, why))
    return folder


def why_not_private(found: os.stat_result) -> str | None:
    """Return why others can get at a file or folder, None when they cannot.

    Where there are no owners and modes as POSIX has them (Windows), nothing can be told.
    """
    if os.name == "nt":
        return None
    if found.st_uid != os.geteuid():
        return f"belongs to user {found.st_uid}, not to us ({os.geteuid()})"
    if found.st_mode & 0o077:
        return f"is open to others (mode {stat.S_IMODE(found.st_mode):04o})"
    return None


def why_others_write(found: os.stat_result) -> str | None:
    """Return why others can change what a folder or file holds, None when only we and root can."""
    if os.name == "nt":
        return None
    if found.st_uid not in (os.geteuid(), 0):
        return f"belongs to user {found.st_uid}, not to us ({os.geteuid()})"
    if found.st_mode & 0o022:
        return f"can be written by others (mode {stat.S_IMODE(found.st_mode):04o})"
    return None


def _mending(folder: Path, why: str) -> str:
    if why.startswith("belongs"):
        return f"Set {AIM_HOME_VARIABLE} to a folder of your own."
    return f"chmod 700 {folder}"


def replace_file(path: Path, content: bytes) -> None:
    """Write a file of the user's in one piece, through a link to it. Raises OSError.

    It keeps the mode that it has; a new one is as open as the user's other files.
    """
    target = Path(os.path.realpath(path))
    temporary = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.is_file() else 0o666 & ~_umask()
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
        Path(temporary).replace(target)
    except OSError:
        with suppress(OSError):
            if temporary:
                Path(temporary).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def remove_tree(folder: Path) -> None:
    """Remove a folder, write-protected parts of it too; what cannot be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            _open_up(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _open_up(folder: Path) -> None:
    """Give ourselves back the right to list and change every folder below."""
    folder.chmod(stat.S_IRWXU)
    for place, names, _ in os.walk(folder):  # each is opened before the walk goes into it
        for name in names:
            inner = Path(place, name)
            if not inner.is_symlink():
                inner.chmod(stat.S_IRWXU)


def kept_key(path: Path) -> bytes:
    """Return the random bytes that a file of ours keeps, which is made at the first call.

    Whoever asks first wins, and all get the same. Raises EnvironmentProblem when the file belongs to
    somebody else, others can read it, it does not hold KEY_BYTES bytes, or cannot be made.
    """
    private_folder(path.parent)
    try:
        if not os.path.lexists(path):
            _make_key(path)
        return _read_key(path)
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot keep a key in {path}: {error.strerror}",
            hint=f"Free space or mend permissions, or set {AIM_HOME_VARIABLE} to another folder.",
        ) from error


def _make_key(path: Path) -> None:
    """Make the file in one piece: half a key would be another key. Raises OSError."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(scratch, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def _read_key(path: Path) -> bytes:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    with os.fdopen(os.open(path, flags), "rb") as stream:
        why = why_not_private(os.fstat(stream.fileno()))
        key = stream.read(KEY_BYTES + 1)
    if why is not None:
        raise EnvironmentProblem(f"the key {path} {why}", hint=f"chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise EnvironmentProblem(
            f"the key {path} is damaged: it holds {len(key)} bytes instead of {KEY_BYTES}",
            hint=f"Put it back from a copy; or remove it, and write baselines made with it anew: rm {path}",
        )
    return key
