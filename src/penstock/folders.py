"""Folders that only we may enter, and getting rid of whole ones."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from penstock.errors import EnvironmentProblem

AIM_HOME_VARIABLE = "AIM_HOME"
"""Moves the user's own folder of penstock."""
PRIVATE = 0o700


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


def _mending(folder: Path, why: str) -> str:
    if why.startswith("belongs"):
        return f"Set {AIM_HOME_VARIABLE} to a folder of your own."
    return f"chmod 700 {folder}"


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
