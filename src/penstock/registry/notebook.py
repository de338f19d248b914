"""What was found out about executables, kept in the user's cache folder as long as they stay.

An entry counts for one state of one file (path, time, size, inode) and for a day at most: what
stands in front of a program, such as a shim, may stay the same while the program changes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from penstock.registry.files import identity_of

LIFETIME_S = 86_400.0
MAX_BYTES = 4 << 20
MAX_ENTRIES = 1000


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Return penstock's folder among the user's caches, None for a user without a home."""
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    if base and Path(base).is_absolute():
        return Path(base) / "penstock"
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) / ".cache" / "penstock" if home and Path(home).is_absolute() else None


class Notebook:
    """Findings about executables by topic, in one file; a broken or foreign file is an empty one.

    `path` None keeps nothing. Several processes may write at once: each replaces the whole file,
    so that at worst a finding is made again.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._entries: dict[str, Any] | None = None
        self._noted: dict[str, Any] = {}

    def recall(
        self, topic: str, executable: Path, now: float, *, lifetime_s: float = LIFETIME_S
    ) -> Any:
        """Return what was noted about an executable as it is now; None when nothing was, or more
        than `lifetime_s` (s) ago. `now` is seconds since the epoch.
        """
        entry = self._all().get(_key(topic, executable))
        if not isinstance(entry, dict) or entry.get("of") != _state(executable):
            return None
        at = entry.get("at")
        young = isinstance(at, (int, float)) and 0 <= now - at < lifetime_s
        return entry.get("found") if young else None

    def note(self, topic: str, executable: Path, found: Any, now: float) -> None:
        """Note a finding (of plain values) about an executable as it is now."""
        state = _state(executable)
        if state is not None:
            entry = {"of": state, "at": now, "found": found}
            self._all()[_key(topic, executable)] = entry
            self._noted[_key(topic, executable)] = entry

    def save(self) -> bool:
        """Write what was noted, beside what others wrote meanwhile; False when that is not possible,
        which costs only time.
        """
        if self._path is None or not self._noted:
            return not self._noted
        merged = {**_read(self._path), **self._noted}
        latest = dict(list(merged.items())[-MAX_ENTRIES:])
        saved = _replace(self._path, json.dumps(latest).encode())
        self._noted = {} if saved else self._noted
        return saved

    def _all(self) -> dict[str, Any]:
        if self._entries is None:
            self._entries = {} if self._path is None else _read(self._path)
        return self._entries


def open_notebook(environ: Mapping[str, str]) -> Notebook:
    """Return the notebook of the user whose environment this is."""
    folder = cache_folder(environ)
    return Notebook(None if folder is None else folder / "tools.json")


def _key(topic: str, executable: Path) -> str:
    return f"{topic}:{executable}"


def _state(executable: Path) -> list[int] | None:
    identity = identity_of(executable)
    return None if identity is None else list(identity)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):  # none yet, or not ours: find out again
        return {}
    return value if isinstance(value, dict) else {}


def _replace(path: Path, content: bytes) -> bool:
    """Write a private file in one piece; False when it cannot be written."""
    import tempfile  # mostly there is nothing to write

    temporary = ""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tools-")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(path)
    except OSError:
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()
        return False
    return True
