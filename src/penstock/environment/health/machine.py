"""What can be told of the machine alone: Python, git, commands, paths, the disk, and PATH."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from penstock.environment.api import Finding, Verdict
from penstock.environment.health.probing import CHILD_S, NoAnswer
from penstock.process.capture import Completed, capture
from penstock.process.environment import DEFAULT_PATH, child_environment, find_executable

OLDEST_PYTHON = (3, 10)
OLDEST_GIT = (2, 31)
BEST_GIT = (2, 38)
"""From here on git can merge without a checkout."""
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_GIT_KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH")
_IDENTITY = ("user.name", "user.email")


# -- Python ----------------------------------------------------------------------------------
def python(version: tuple[int, int, int] | None = None) -> Finding:
    """Look at the Python that runs us (None), or judge another version."""
    running = version or sys.version_info[:3]
    words = ".".join(map(str, running))
    details = {
        "version": words,
        "executable": sys.executable,
        "virtual_environment": sys.prefix != sys.base_prefix,
    }
    if running[:2] < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return Finding(
            status=Verdict.WARN,
            message=f"Python {words} is older than {oldest}",
            details=details,
            hint=f"install Python {oldest} or later, and penstock in it",
        )
    return Finding(message=f"Python {words}", details=details)


# -- git -------------------------------------------------------------------------------------
def git(
    cwd: Path, environ: Mapping[str, str] = os.environ, *, limit_s: float | None = None
) -> Finding:
    """Look at git's version, and at who would be the author of a commit made from `cwd`.

    Each question may take `limit_s` (s; None: CHILD_S). Raises NoAnswer when one takes longer.
    """
    kept = {name: environ[name] for name in _GIT_KEPT if name in environ}
    env = child_environment(source=environ, extra={**kept, "LC_ALL": "C"})
    found = find_executable("git", env)
    if found is None:
        return _git_fails("git is not installed", {})
    said = _run((str(found), "--version"), cwd, env, limit_s)
    match = _VERSION.search(said.stdout.decode("utf-8", "replace"))
    details = {"path": str(found), "version": match.group() if match else None}
    if match is None:
        return _git_fails(f"{found} names no version", details)
    version = int(match[1]), int(match[2])
    if version < OLDEST_GIT:
        return _git_fails(f"git {match.group()} is too old", details)
    return _identified(version, match.group(), details, _identity(str(found), cwd, env, limit_s))


def answers(
    cwd: Path, environ: Mapping[str, str] = os.environ, *, limit_s: float | None = None
) -> None:
    """See that git answers a question about the repository at `cwd` in time, whatever it answers.

    Raises NoAnswer when it does not: whoever works in a repository waits for longer.
    """
    env = child_environment(source=environ)
    _run(("git", "rev-parse", "--git-dir"), cwd, env, limit_s)


def _git_fails(message: str, details: Mapping[str, object]) -> Finding:
    hint = "install git 2.38 or later (2.31 at the least)"
    return Finding(status=Verdict.FAIL, message=message, details=details, hint=hint)


def _identity(
    executable: str, cwd: Path, env: Mapping[str, str], limit_s: float | None
) -> dict[str, str]:
    """Return the settings of git that name the author."""
    asked = (executable, "config", "--null", "--get-regexp", r"^user\.(name|email)$")
    said = _run(asked, cwd, env, limit_s).stdout.decode("utf-8", "replace")
    pairs = (entry.partition("\n") for entry in said.split("\0") if entry)
    return {name: value for name, _, value in pairs if value}


def _identified(
    version: tuple[int, int], words: str, details: Mapping[str, object], identity: Mapping[str, str]
) -> Finding:
    missing = [name for name in _IDENTITY if name not in identity]
    told = {**details, "identity": dict(identity)}
    if missing:
        return Finding(
            status=Verdict.WARN,
            message=f"git {words}, but {' and '.join(missing)} not set: commits would be penstock's",
            details=told,
            hint="; ".join(f"git config --global {name} ..." for name in missing),
        )
    who = f"{identity['user.name']} <{identity['user.email']}>"
    slower = "" if version >= BEST_GIT else ", merges are quicker from 2.38 on"
    return Finding(message=f"git {words}, commits as {who}{slower}", details=told)


def _run(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], limit_s: float | None
) -> Completed:
    """Run a short command. Raises NoAnswer when it takes too long."""
    limit = CHILD_S if limit_s is None else limit_s
    done = capture(argv, cwd, env, timeout=limit)
    if done.timed_out:
        shown = " ".join(argv[:2])
        raise NoAnswer(f"{shown} did not answer within {limit:g} s and was ended")
    return done


# -- what the settings require ---------------------------------------------------------------
def required_commands(names: Sequence[str], environ: Mapping[str, str] = os.environ) -> Finding:
    """Look for the commands of environment.healthChecks.requiredCommands on PATH."""
    env = child_environment(source=environ)
    return _required("commands", names, [n for n in names if find_executable(n, env) is None])


def required_paths(paths: Sequence[str], root: Path) -> Finding:
    """Look for the paths of environment.healthChecks.requiredPaths; relative ones are below `root`."""
    missing = [path for path in paths if not os.path.lexists(root / Path(path).expanduser())]
    return _required("paths", paths, missing)


def _required(what: str, wanted: Sequence[str], missing: Sequence[str]) -> Finding:
    """None missing passes, under half is a warning, more is a failure."""
    if not wanted:
        return Finding(message=f"no {what} are required")
    details = {"required": list(wanted), "missing": list(missing)}
    if not missing:
        return Finding(message=f"all {len(wanted)} required {what} are there", details=details)
    few = 2 * len(missing) < len(wanted)
    return Finding(
        status=Verdict.WARN if few else Verdict.FAIL,
        message=f"{len(missing)} of {len(wanted)} required {what} missing: {', '.join(missing)}",
        details=details,
        hint=f"install them, or mend environment.healthChecks.required{what.title()} in aim_config",
    )


# -- the disk --------------------------------------------------------------------------------
def disk(folder: Path, needed_mb: int) -> Finding:
    """Look at the free space (MB) where worktrees and the journal go."""
    free = shutil.disk_usage(folder).free >> 20
    details = {"free_mb": free, "needed_mb": needed_mb, "path": str(folder)}
    hint = "free space, or lower limits.min_free_mb in config/pipeline.yaml; penstock clean helps"
    if free < needed_mb:
        told = f"{free} MB are free, {needed_mb} are needed (limits.min_free_mb)"
        return Finding(status=Verdict.FAIL, message=told, details=details, hint=hint)
    if free < 2 * needed_mb:
        told = f"{free} MB are free, which is little above limits.min_free_mb ({needed_mb})"
        return Finding(status=Verdict.WARN, message=told, details=details, hint=hint)
    return Finding(message=f"{free} MB are free", details=details)


# -- PATH ------------------------------------------------------------------------------------
def path_order(programs: Iterable[str], environ: Mapping[str, str] = os.environ) -> Finding:
    """Look for what makes PATH start another program than was meant.

    That are relative and empty entries, folders that anybody may write to, and programs of which
    two different files are on PATH, the first hiding the other.
    """
    entries = environ.get("PATH", DEFAULT_PATH).split(os.pathsep)
    folders = list(dict.fromkeys(entry for entry in entries if Path(entry).is_absolute()))
    relative = sorted({entry or "(empty)" for entry in entries if not Path(entry).is_absolute()})
    open_to_all = [folder for folder in folders if _anybody_writes(folder)]
    hidden = {name: found for name in programs if len(found := _copies(name, folders)) > 1}
    wrong = [f"{entry} means the current folder" for entry in relative]
    wrong += [f"anybody may write to {folder}" for folder in open_to_all]
    wrong += [f"{found[0]} hides {found[1]}" for found in hidden.values()]
    details = {
        "entries": len(entries),
        "relative": relative,
        "writable_by_anybody": open_to_all,
        "duplicates": hidden,
        "missing": [folder for folder in folders if not Path(folder).is_dir()],
    }
    if not wrong:
        told = f"{len(folders)} folders, each program found once"
        return Finding(message=told, details=details)
    hint = "mend PATH, or remove one of the two installations: type -a PROGRAM"
    return Finding(status=Verdict.WARN, message="; ".join(wrong), details=details, hint=hint)


def _anybody_writes(folder: str) -> bool:
    """Tell whether others may put programs into a folder of PATH."""
    try:
        mode = Path(folder).stat().st_mode
    except OSError:  # not there: nothing is started from it
        return False
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _copies(name: str, folders: Iterable[str]) -> list[str]:
    """Return where a program is found, links to one file counted once."""
    found: dict[str, str] = {}
    for folder in folders:
        path = os.path.join(folder, name)  # noqa: PTH118 - dozens of programs times dozens of folders
        if os.access(path, os.X_OK) and not os.path.isdir(path):  # noqa: PTH112 - as above
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())
