"""The user's git settings: read once, and watched for what a tool may do to them.

A tool can write to the shared `.git/config`, to hooks and to the user's own `.gitconfig`. A filter
put there would run inside *our* `git add`. So the settings that run programs or hide changes are
remembered as they were when the repository was opened, and laid over whatever is found later.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import GitError
from penstock.worktrees.git import Git

Settings = Mapping[str, str]

_SENSITIVE = re.compile(
    r"filter\..*|diff\..*\.(textconv|command)|merge\..*\.driver|include(if)?\..*|extensions\..*"
    r"|core\.(hookspath|fsmonitor|attributesfile|excludesfile|autocrlf|eol|symlinks|filemode"
    r"|ignorecase|worktree|bare|editor|pager|sshcommand|askpass)|(diff|gpg|alias|credential)\..*"
    r"|sequence\.editor|safe\..*"
)
_OVERLAID = re.compile(
    r"filter\..*|diff\..*\.(textconv|command)|merge\..*\.driver"
    r"|core\.(attributesfile|excludesfile|autocrlf|eol|symlinks|filemode|ignorecase)"
)
_WHEN_UNSET = {
    "required": "false",
    "core.autocrlf": "false",
    "core.eol": "native",
    "core.symlinks": "true",
    "core.filemode": "true",
    "core.ignorecase": "false",
}
_FILES_OF_INFO = ("info/exclude", "info/attributes", "info/grafts", "objects/info/alternates")


@dataclass(frozen=True, slots=True)
class Listing:
    """All settings with their last values (names in git's lower-case spelling) and their files."""

    values: dict[str, str]
    files: tuple[Path, ...]


def list_settings(git: Git) -> Listing:
    """Read the settings that hold for a worktree, our own laid over them left out."""
    fields = git.run("config", "--list", "-z", "--show-origin", reading=True).split(b"\0")
    values: dict[str, str] = {}
    files: dict[Path, None] = {}
    for origin, setting in zip(fields[::2], fields[1::2], strict=False):
        if not origin.startswith(b"file:"):
            continue
        name, _, value = os.fsdecode(setting).partition("\n")
        values[name] = value
        files[git.cwd / os.fsdecode(origin[5:])] = None
    return Listing(values, tuple(files))


def user_files(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where the user's own settings lie or would lie."""
    if "GIT_CONFIG_GLOBAL" in env:
        return (Path(env["GIT_CONFIG_GLOBAL"]),)
    home = Path(env.get("HOME", "/"))
    xdg = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    return (home / ".gitconfig", xdg / "git" / "config")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """git's own files as they were at one moment, as far as they matter to what git does."""

    files: dict[str, bytes]
    hooks: dict[str, tuple[int, ...]]
    sensitive: dict[str, str]


class ConfigWatch:
    """Compares git's own files with how they were, and keeps what a tool did to them off us."""

    def __init__(self, git: Git, common: Path, listing: Listing) -> None:
        self._git = git
        self._common = common
        ours = (common / "config", *user_files(git.base_env))
        self._paths = tuple(dict.fromkeys((*ours, *listing.files)))
        self.trusted = sensitive(listing.values)
        self._known: tuple[dict[str, bytes], dict[str, str]] | None = None

    def snapshot(self, admin: Path) -> Snapshot:
        """Return how things are now for the worktree of an admin folder."""
        files = {str(path): _content(path) for path in (*self._paths, admin / "config.worktree")}
        info = {name: _content(self._common / name) for name in _FILES_OF_INFO}
        return Snapshot(files | info, _hooks(self._common / "hooks"), self._settings(files))

    def overlay(self, now: Snapshot) -> dict[str, str]:
        """Return the settings to be laid over what a tool has put in place."""
        return overlay(self.trusted, now.sensitive)

    def _settings(self, files: dict[str, bytes]) -> dict[str, str]:
        known = self._known
        if known is not None and known[0] == files:
            return known[1]
        try:
            found = sensitive(list_settings(self._git).values)
        except GitError as error:
            raise GitError(
                f"git's settings cannot be read: {error}",
                hint=f"mend {self._common / 'config'}: git config --list --show-origin",
            ) from error
        self._known = (files, found)
        return found


def sensitive(values: Settings) -> dict[str, str]:
    """Return the settings that run programs, hide changes or alter content."""
    return {name: value for name, value in values.items() if _SENSITIVE.fullmatch(name)}


def overlay(trusted: Settings, now: Settings) -> dict[str, str]:
    """Return the settings that bring `now` back to `trusted`, where they could do harm to us."""
    differing = [n for n in sorted(trusted.keys() | now.keys()) if trusted.get(n) != now.get(n)]
    return {n: trusted.get(n, _unset(n)) for n in differing if _OVERLAID.fullmatch(n)}


def _unset(name: str) -> str:
    return _WHEN_UNSET.get(name, _WHEN_UNSET.get(name.rpartition(".")[2], ""))


def differences(before: Snapshot, now: Snapshot) -> tuple[str, ...]:
    """Say for people what was done to git's own files between two snapshots."""
    said = [
        f"hook {name} was {_verb(before.hooks, now.hooks, name)}"
        for name in _differing(before.hooks, now.hooks)
    ]
    said += [
        f"git setting {name} was {_verb(before.sensitive, now.sensitive, name)}"
        for name in _differing(before.sensitive, now.sensitive)
    ]
    said += [
        f".git/{name} was changed"
        for name in _FILES_OF_INFO
        if before.files[name] != now.files[name]
    ]
    return tuple(said)


def _differing(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    return [n for n in sorted(before.keys() | now.keys()) if before.get(n) != now.get(n)]


def _verb(before: Mapping[str, object], now: Mapping[str, object], name: str) -> str:
    if name not in before:
        return "added"
    return "changed" if name in now else "removed"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _hooks(folder: Path) -> dict[str, tuple[int, ...]]:
    try:
        with os.scandir(folder) as entries:
            return {e.name: _mark(e) for e in entries if not e.name.endswith(".sample")}
    except OSError:
        return {}


def _mark(entry: os.DirEntry[str]) -> tuple[int, ...]:
    found = entry.stat()
    return (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino)
