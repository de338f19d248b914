"""Which files a plugin wants, as its manifest declares it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from penstock.model.manifest import Manifest

HEAD = 512
"""Bytes at the beginning of a file that tell its kind."""


class Matcher:
    """Tells by its name and its first bytes whether a file is for a plugin."""

    def __init__(self, manifest: Manifest) -> None:
        extensions = {entry.lower().lstrip(".") for entry in manifest.file_extensions}
        named = bool(manifest.file_names or manifest.interpreters)
        self._any = "*" in extensions or not (extensions or named)
        self._suffixes = tuple(f".{entry}" for entry in sorted(extensions - {"*", ""}))
        self._names = manifest.file_names
        self._interpreters = frozenset(manifest.interpreters)
        self._binary = manifest.binary

    def __call__(self, path: str, head: bytes) -> bool:
        """Tell whether it wants the file; a plugin for any file does not want binary ones."""
        name = path.rpartition("/")[2]
        # the name alone is no extension: `.json` is a hidden file
        if name.lower()[1:].endswith(self._suffixes):
            return True
        if any(fnmatchcase(name, pattern) for pattern in self._names):
            return True
        if self._interpreters and interpreter(head) in self._interpreters:
            return True
        return self._any and (self._binary or b"\0" not in head)


def interpreter(head: bytes) -> str:
    """Return the program that a `#!` line names, without its path and version; else nothing."""
    if not head.startswith(b"#!"):
        return ""
    words = head[2:].split(b"\n", 1)[0].decode("utf-8", "replace").split()
    if words and PurePosixPath(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    name = PurePosixPath(words[0]).name if words else ""
    return name.rstrip("0123456789.") or name
